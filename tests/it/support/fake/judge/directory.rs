//! The directory: departments, members and tags as far as the app may see them, and the look-ups by number and mail.
//! Document paths 95350, 90208, 95351, 90200, 90196, 90216, 90213, 95402 and 95895.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::super::aibot::plain_id;
use super::super::directory::Person;
use super::super::node::{Checked, Node, Notes, refuse};
use super::super::records::{Outcome, Seen};
use super::super::world::{App, World};
use super::{Taken, app_of, body_of};

/// What one credential sees: an app its visible range; the contact-sync secret everything, but ids alone.
struct View<'a> {
    world: &'a World,
    is_contact_sync: bool,
}

fn view<'a>(world: &'a World, app: &App) -> View<'a> {
    View { world, is_contact_sync: app.agent_id.is_none() }
}

impl View<'_> {
    fn sees_department(&self, id: u32) -> bool {
        self.is_contact_sync || self.world.sees_department(id)
    }

    fn sees_person(&self, userid: &str) -> bool {
        self.is_contact_sync || self.world.sees_person(userid)
    }

    /// A name, which the contact-sync secret is not given.
    fn name<'n>(&self, name: &'n str) -> &'n str {
        if self.is_contact_sync { "" } else { name }
    }

    /// The contact-sync secret may not read these from an IP that was added after 2022-08-15.
    fn may_read_details(&self) -> Checked {
        if self.is_contact_sync { refuse(48009, "no permission to get contact from new ip") } else { Ok(()) }
    }

    /// A department that is there and may be seen.
    fn department(&self, id: u32) -> Checked<u32> {
        if !self.world.directory.departments.contains_key(&id) {
            return refuse(60003, "department not found");
        }
        if !self.sees_department(id) {
            return refuse(60011, "no privilege to access/modify contact/party/agent");
        }
        Ok(id)
    }

    /// The departments that are meant by the parameter `id`: that one with all below, or all. Largest `order` first.
    fn chosen(&self, seen: &Seen) -> Checked<Vec<u32>> {
        let under = match seen.parameter("id") {
            Some(text) => Some(BTreeSet::from([self.department(number(text, 60123, "invalid party id")?)?])),
            None => None,
        };
        let directory = &self.world.directory;
        let is_wanted = |id: &u32| under.as_ref().is_none_or(|tops| directory.is_within(*id, tops));
        let mut ids: Vec<u32> = directory.departments.keys().copied().filter(|id| self.sees_department(*id)).collect();
        ids.retain(is_wanted);
        ids.sort_by_key(|id| std::cmp::Reverse(directory.departments[id].order));
        Ok(ids)
    }

    fn described(&self, id: u32) -> Value {
        let department = &self.world.directory.departments[&id];
        json!({
            "id": id,
            "name": department.name,
            "name_en": "",
            "department_leader": [],
            "parentid": department.parent,
            "order": department.order,
        })
    }
}

/// The ids of departments, without names.
pub(super) fn department_ids(world: &World, seen: &Seen) -> Checked<Taken> {
    let app = app_of(world, seen)?;
    let view = view(world, &app);
    let departments = &world.directory.departments;
    let ids = view.chosen(seen)?.into_iter().map(|id| {
        let department = &departments[&id];
        json!({"id": id, "parentid": department.parent, "order": department.order})
    });
    Ok(told("department_id", json!(ids.collect::<Vec<_>>())))
}

/// All departments with their names.
pub(super) fn departments(world: &World, seen: &Seen) -> Checked<Taken> {
    let app = app_of(world, seen)?;
    let view = view(world, &app);
    view.may_read_details()?;
    let found: Vec<Value> = view.chosen(seen)?.into_iter().map(|id| view.described(id)).collect();
    Ok(told("department", json!(found)))
}

/// One department with its name.
pub(super) fn department(world: &World, seen: &Seen) -> Checked<Taken> {
    let app = app_of(world, seen)?;
    let view = view(world, &app);
    view.may_read_details()?;
    let id = number(seen.parameter("id").unwrap_or_default(), 60123, "invalid party id")?;
    Ok(told("department", view.described(view.department(id)?)))
}

/// The members of one department, not of those below it.
pub(super) fn members(world: &World, seen: &Seen) -> Checked<Taken> {
    let app = app_of(world, seen)?;
    let view = view(world, &app);
    view.may_read_details()?;
    let id = number(seen.parameter("department_id").unwrap_or_default(), 60123, "invalid party id")?;
    let id = view.department(id)?;
    let people = world.directory.people.iter();
    let members: Vec<Value> = people
        .filter(|(userid, person)| person.departments.contains(&id) && view.sees_person(userid))
        .map(|(userid, person)| json!({"userid": userid, "name": person.name, "department": person.departments}))
        .collect();
    Ok(told("userlist", json!(members)))
}

/// One member, without number and mail: newer apps are not given those.
pub(super) fn member(world: &World, seen: &Seen) -> Checked<Taken> {
    let app = app_of(world, seen)?;
    let view = view(world, &app);
    view.may_read_details()?;
    let userid = seen.parameter("userid").unwrap_or_default().to_lowercase();
    let person = match world.directory.people.get(&userid) {
        Some(person) if view.sees_person(&userid) => person,
        _ => return refuse(60111, "userid not found"),
    };
    let fields = json!({
        "userid": userid,
        "name": person.name,
        "department": person.departments,
        "main_department": person.departments.first(),
        "position": "",
        "status": person.status.unwrap_or(1),
    });
    Ok(Taken { fields: fields.as_object().cloned().unwrap_or_default(), outcome: Outcome::Described })
}

/// All tags.
pub(super) fn tags(world: &World, seen: &Seen) -> Checked<Taken> {
    let app = app_of(world, seen)?;
    let view = view(world, &app);
    let tags = world.directory.tags.iter();
    let tags: Vec<Value> = tags.map(|(id, tag)| json!({"tagid": id, "tagname": view.name(&tag.name)})).collect();
    Ok(told("taglist", json!(tags)))
}

/// The members of a tag: people as far as they may be seen, and departments.
pub(super) fn tag(world: &World, seen: &Seen) -> Checked<Taken> {
    let app = app_of(world, seen)?;
    let view = view(world, &app);
    let id = number(seen.parameter("tagid").unwrap_or_default(), 40068, "invalid tagid")?;
    let Some(tag) = world.directory.tags.get(&id) else {
        return refuse(40068, "invalid tagid");
    };
    let members = tag.members.iter().filter(|userid| view.sees_person(userid));
    let members: Vec<Value> = members
        .map(|userid| {
            let name = world.directory.people.get(userid).map_or("", |person| person.name.as_str());
            json!({"userid": userid, "name": view.name(name)})
        })
        .collect();
    let fields = json!({"tagname": view.name(&tag.name), "userlist": members, "partylist": tag.departments});
    Ok(Taken { fields: fields.as_object().cloned().unwrap_or_default(), outcome: Outcome::Described })
}

/// The member who has that number.
pub(super) fn by_mobile(world: &mut World, seen: &Seen, notes: &RefCell<Notes>) -> Checked<Taken> {
    app_of(world, seen)?;
    let map = body_of(seen)?;
    let body = Node::root(&map, notes);
    body.only(&["mobile"]);
    let mobile = body.text("mobile").unwrap_or_default().to_owned();
    let is_mobile = mobile.bytes().enumerate().all(|(at, byte)| byte.is_ascii_digit() || (at == 0 && byte == b'+'));
    if !(5..=32).contains(&mobile.len()) || !is_mobile {
        return refuse(60103, "invalid mobile");
    }
    // One number with and without the code of the country.
    let bare = mobile.strip_prefix("+86").unwrap_or(&mobile).to_owned();
    found(world, seen, |person| person.mobile.as_ref() == Some(&bare))
}

/// The member who has that mail address.
pub(super) fn by_mail(world: &mut World, seen: &Seen, notes: &RefCell<Notes>) -> Checked<Taken> {
    app_of(world, seen)?;
    let map = body_of(seen)?;
    let body = Node::root(&map, notes);
    body.only(&["email", "email_type"]);
    body.choice("email_type", &[1, 2])?;
    let mail = body.text("email").unwrap_or_default().to_lowercase();
    if !mail.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty()) {
        return refuse(60105, "invalid email");
    }
    let is_personal = body.int("email_type") == Some(2);
    found(world, seen, |person| {
        let mail_of = if is_personal { &person.personal_mail } else { &person.mail };
        mail_of.as_ref().is_some_and(|own| own.to_lowercase() == mail)
    })
}

/// The one who fits and may be seen. Each look-up that finds nobody counts, and too many end all for the day.
fn found(world: &mut World, seen: &Seen, fits: impl Fn(&Person) -> bool) -> Checked<Taken> {
    let app = app_of(world, seen)?;
    if world.directory.misses > world.directory.most_misses {
        return refuse(45009, "api freq out of limit");
    }
    let people = world.directory.people.iter();
    let userid = people.filter(|(_, person)| fits(person)).map(|(userid, _)| userid.clone());
    let userid = userid.into_iter().find(|userid| view(world, &app).sees_person(userid));
    match userid {
        Some(userid) => Ok(told("userid", json!(userid))),
        None => {
            world.directory.misses += 1;
            refuse(46004, "user not exist")
        }
    }
}

/// An id of a department or a tag: 32 bits, and never 0.
fn number(text: &str, code: i64, errmsg: &str) -> Checked<u32> {
    match text.parse::<u32>() {
        Ok(id) if id > 0 => Ok(id),
        _ => refuse(code, errmsg),
    }
}

fn told(field: &str, value: Value) -> Taken {
    Taken { fields: Map::from_iter([(field.to_owned(), value)]), outcome: Outcome::Described }
}

/// batch/openuserid_to_userid (document path 101521): the ids that an aibot made by an ordinary member sees.
pub(super) fn plain_ids(world: &World, seen: &Seen, notes: &RefCell<Notes>) -> Checked<Taken> {
    let app = app_of(world, seen)?;
    if app.agent_id.is_none() {
        return refuse(48002, "api forbidden");
    }
    let map = body_of(seen)?;
    let body = Node::root(&map, notes);
    body.only(&["open_userid_list"]);
    let asked = body.texts("open_userid_list").unwrap_or_default();
    if !(1..=1000).contains(&asked.len()) {
        return refuse(40058, "open_userid_list must have 1 to 1000 items");
    }
    let (mut known, mut invalid) = (Vec::new(), Vec::new());
    for id in asked {
        match plain_id(id).filter(|userid| world.any_user || world.sees_person(userid)) {
            Some(userid) => known.push(json!({"open_userid": id, "userid": userid})),
            // Also ids that are plain already.
            None => invalid.push(id),
        }
    }
    let mut taken = told("userid_list", json!(known));
    taken.fields.insert("invalid_open_userid_list".into(), json!(invalid));
    Ok(taken)
}
