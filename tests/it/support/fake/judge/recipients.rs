//! Who gets an app message, and who does not (document path 90236).

use serde_json::{Map, Value, json};

use super::super::node::{Checked, Node, refuse};
use super::super::world::World;

/// The recipients of one message, sorted out.
#[derive(Debug, Default)]
pub(super) struct Recipients {
    pub(super) users: Vec<String>,
    pub(super) parties: Vec<String>,
    pub(super) tags: Vec<String>,
    invalid_users: Vec<String>,
    invalid_parties: Vec<String>,
    invalid_tags: Vec<String>,
    unlicensed: Vec<String>,
}

impl Recipients {
    pub(super) fn read(world: &World, body: &Node) -> Checked<Self> {
        let [users, parties, tags] = ["touser", "toparty", "totag"].map(|name| list(body, name));
        if users.is_empty() && parties.is_empty() && tags.is_empty() {
            return refuse(82001, "touser & toparty & totag all empty");
        }
        for (list, limit, code) in [(&users, 1000, 40032), (&parties, 100, 82002), (&tags, 100, 82003)] {
            if list.len() > limit {
                return refuse(code, format!("more than {limit} recipients of one kind"));
            }
        }
        if users == ["@all"] {
            return Ok(Self { users, ..Self::default() });
        }
        let mut sorted = Self::default();
        for user in users {
            let name = user.to_lowercase();
            if world.unlicensed.contains(&name) {
                sorted.unlicensed.push(name);
            } else if world.sees_person(&name) || (world.any_user && name != "nobody" && is_userid(&name)) {
                sorted.users.push(user);
            } else {
                sorted.invalid_users.push(name);
            }
        }
        (sorted.parties, sorted.invalid_parties) = parties
            .into_iter()
            .partition(|id| world.parties.contains(id) || id.parse().is_ok_and(|id| world.sees_department(id)));
        (sorted.tags, sorted.invalid_tags) = tags.into_iter().partition(|id| world.tags.contains(id));
        Ok(sorted)
    }

    /// Whether nobody at all can be reached.
    pub(super) fn are_all_invalid(&self) -> bool {
        [&self.users, &self.parties, &self.tags, &self.unlicensed].iter().all(|list| list.is_empty())
    }

    /// In words, those of whom the answer's lists speak.
    pub(super) fn unreached(&self) -> Option<String> {
        let lists = [&self.invalid_users, &self.invalid_parties, &self.invalid_tags, &self.unlicensed];
        let names: Vec<_> = lists.into_iter().flatten().map(String::as_str).collect();
        (!names.is_empty()).then(|| format!("not delivered to {}", names.join(", ")))
    }

    /// The lists of the answer. `invaliduser` stands there always, the others when there is something to say: both happen.
    pub(super) fn report(&self) -> Map<String, Value> {
        let mut fields = Map::new();
        for (name, list) in [
            ("invaliduser", &self.invalid_users),
            ("invalidparty", &self.invalid_parties),
            ("invalidtag", &self.invalid_tags),
            ("unlicenseduser", &self.unlicensed),
        ] {
            if name == "invaliduser" || !list.is_empty() {
                fields.insert(name.into(), json!(list.join("|")));
            }
        }
        fields
    }
}

/// The ids in one of the three strings.
fn list(body: &Node, name: &str) -> Vec<String> {
    let Some(text) = body.text(name).filter(|text| !text.is_empty()) else { return Vec::new() };
    let ids: Vec<_> = text.split('|').map(str::to_owned).collect();
    if ids.iter().any(|id| id.is_empty() || id.trim() != id) {
        body.complain(format!("{name} holds an empty id or blanks around an id: {text:?}"));
    }
    if ids.len() > 1 && ids.iter().any(|id| id == "@all") {
        body.complain(format!("{name} has @all beside other ids"));
    }
    if name != "touser" && ids.iter().any(|id| id.parse::<u32>().is_err()) {
        body.complain(format!("{name} holds an id that is no number: {text:?}"));
    }
    ids
}

fn is_userid(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-@.".contains(c))
}
