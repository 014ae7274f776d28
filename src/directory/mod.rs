//! `list-departments`, `list-members`, `list-tags`, `list-tag-members`: the directory of the corp, as far as the app may
//! see it.
//!
//! Never more than one request is under way: WeCom punishes concurrency (45033), and a listing is in no hurry. Either all of
//! a listing was read, or it is an error: a part of it would look like all.

mod tree;

use std::collections::HashMap;

use serde_json::Value;

pub use crate::api::{Department, Member, Tag};

use crate::api::errcode::{self, Class};
use crate::api::{
    Client, DEPARTMENT_GET, DEPARTMENT_LIST, DEPARTMENT_SIMPLELIST, TAG_GET, TAG_LIST, USER_SIMPLELIST, endpoint,
};
use crate::channel::Channel;
use crate::delivery::{Courier, Listing, Outcome, PlannedRequest, Product, Purpose, TagMember, TagMemberKind};
use crate::error::{Answer, Error, Result, Status};
use crate::sanitize::{half_width, unwrapped};
use crate::send::{Session, plan_requests};

/// What is to be listed. Departments and tags are named by their ids, as they were typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query<Id = String> {
    /// Departments: all, or one and all below it.
    Departments {
        /// That one.
        under: Option<Id>,
    },
    /// The members of departments.
    Members {
        /// That one; else the topmost ones that the app may see, which is the root where it may see all.
        department: Option<Id>,
        /// Those of the departments below too.
        recursive: bool,
    },
    /// All tags.
    Tags,
    /// Members and departments that have a tag.
    TagMembers {
        /// That one.
        tag: Id,
    },
}

/// A listing, and what WeCom said last.
type Listed = Result<(Listing, Option<Answer>)>;

/// Where the app is granted more.
const GRANT: &str = "add departments under 应用管理 → the app → 可见范围";

/// Lists what was asked for.
///
/// # Errors
///
/// Exit 2 for what is no id; settings that are missing; and what any of the requests failed of.
pub async fn list(session: &mut Session<'_>, query: &Query) -> Result<Outcome> {
    let query = with_numbers(query)?;
    let target = session.own_target(Channel::App);
    session.channel = Some(target.channel);
    if session.settings.dry_run {
        return plan_requests(session, target, |client| plan(client, query)).await;
    }
    let mut courier = session.own_courier(target).await?;
    let (listing, answer) = match &query {
        Query::Departments { under } => departments(&mut courier, *under).await?,
        Query::Members { department, recursive } => members(&mut courier, *department, *recursive).await?,
        Query::Tags => tags(&mut courier).await?,
        Query::TagMembers { tag } => tag_members(&mut courier, *tag).await?,
    };
    session.warnings.extend(warning(&listing, &query));
    Ok(Outcome { answer, ..Outcome::with_product(Status::Ok, Product::Listed(listing)) })
}

/// The query with its ids as numbers.
fn with_numbers(query: &Query) -> Result<Query<u32>> {
    let department = |id: &Option<String>| id.as_deref().map(department_id).transpose();
    Ok(match query {
        Query::Departments { under } => Query::Departments { under: department(under)? },
        Query::Members { department: id, recursive } => {
            Query::Members { department: department(id)?, recursive: *recursive }
        }
        Query::Tags => Query::Tags,
        Query::TagMembers { tag } => Query::TagMembers { tag: tag_id(tag)? },
    })
}

fn department_id(text: &str) -> Result<u32> {
    let hint =
        "give its number, as in 通讯录; the root is 1, and wecom-alert list-departments shows all with their names";
    number(text).ok_or_else(|| Error::usage(format!("{text:?} is not the id of a department"), hint))
}

fn tag_id(text: &str) -> Result<u32> {
    let hint = "give its number: wecom-alert list-tags shows all with their names";
    number(text).ok_or_else(|| Error::usage(format!("{text:?} is not the id of a tag"), hint))
}

/// An id: 32 bits, and never 0. Full-width digits count as such.
fn number(text: &str) -> Option<u32> {
    half_width(unwrapped(text)).parse().ok().filter(|id| *id > 0)
}

/// The requests of a listing; where an id is known only from an answer, `ID`.
fn plan(client: &Client, query: Query<u32>) -> Vec<PlannedRequest> {
    let get = |name: &str, query: String| PlannedRequest {
        method: "GET",
        path: format!("{}{query}", client.path(&endpoint(name))),
        body: Value::Null,
    };
    let chosen = |id: Option<u32>| id.map(|id| format!("?id={id}")).unwrap_or_default();
    match query {
        Query::Departments { under } => vec![get(DEPARTMENT_LIST, chosen(under))],
        Query::Members { department: Some(id), recursive: false } => {
            vec![get(USER_SIMPLELIST, format!("?department_id={id}"))]
        }
        Query::Members { department, .. } => {
            vec![get(DEPARTMENT_SIMPLELIST, chosen(department)), get(USER_SIMPLELIST, "?department_id=ID".to_owned())]
        }
        Query::Tags => vec![get(TAG_LIST, String::new())],
        Query::TagMembers { tag } => {
            vec![get(TAG_GET, format!("?tagid={tag}")), get(DEPARTMENT_GET, "?id=ID".to_owned())]
        }
    }
}

/// Departments with their names, each before those below it.
///
/// WeCom calls `department/list` slow and advises `department/simplelist` with a `department/get` for each. But it gives all
/// names in one request, where that way takes one for each department: more of WeCom's quota, and more time than a deadline
/// has in a corp of a thousand.
async fn departments(courier: &mut Courier, under: Option<u32>) -> Listed {
    let asked =
        courier.ask(DEPARTMENT_LIST, Purpose::Read, async |client, token| client.department_list(token, under).await);
    let (found, answer) = asked.await?;
    Ok((Listing::Departments(tree::in_order(found)), Some(answer)))
}

/// Members in the order of their departments, each once.
async fn members(courier: &mut Courier, department: Option<u32>, recursive: bool) -> Listed {
    let (ids, mut answer) = match department {
        Some(id) if !recursive => (vec![id], None),
        _ => {
            let asked = courier.ask(DEPARTMENT_SIMPLELIST, Purpose::Read, async |client, token| {
                client.department_simplelist(token, department).await
            });
            let (found, answer) = asked.await?;
            let found = if recursive { found } else { tree::tops(found) };
            (tree::in_order(found).iter().map(|department| department.id).collect(), Some(answer))
        }
    };
    let mut found = Found::default();
    for (at, id) in ids.iter().enumerate() {
        let asked = courier
            .ask(USER_SIMPLELIST, Purpose::Read, async |client, token| client.user_simplelist(token, *id).await)
            .await;
        let (of_department, said) = asked.map_err(|error| match ids.len() {
            1 => error,
            all => in_the_middle(error, *id, at, all),
        })?;
        of_department.into_iter().for_each(|member| found.add(member, *id));
        answer = Some(said);
    }
    Ok((Listing::Members(found.members), answer))
}

/// The error of one department of several: nothing is listed, since it would look like all.
fn in_the_middle(error: Error, id: u32, at: usize, all: usize) -> Error {
    let message = format!("department {id}, after {at} of {all} were read: {error}");
    error.with_message(message)
}

/// Members so far, and where each stands.
#[derive(Default)]
struct Found {
    members: Vec<Member>,
    places: HashMap<String, usize>,
}

impl Found {
    /// Adds a member who was found in that department.
    fn add(&mut self, member: Member, department: u32) {
        let place = match self.places.get(&member.userid) {
            Some(place) => *place,
            None => {
                self.places.insert(member.userid.clone(), self.members.len());
                self.members.push(member);
                self.members.len() - 1
            }
        };
        // The answer has all of them; should it not, what is known is this one.
        let departments = &mut self.members[place].departments;
        if !departments.contains(&department) {
            departments.push(department);
        }
    }
}

async fn tags(courier: &mut Courier) -> Listed {
    let asked = courier.ask(TAG_LIST, Purpose::Read, async |client, token| client.tag_list(token).await);
    let (found, answer) = asked.await?;
    Ok((Listing::Tags(found), Some(answer)))
}

/// Who has a tag: members first. The name of a department is empty where the app may not see it.
async fn tag_members(courier: &mut Courier, tag: u32) -> Listed {
    let asked = courier.ask(TAG_GET, Purpose::Read, async |client, token| client.tag_get(token, tag).await);
    let (tagged, answer) = asked.await?;
    let member = |(id, name)| TagMember { kind: TagMemberKind::User, id, name };
    let mut found: Vec<TagMember> = tagged.members.into_iter().map(member).collect();
    for id in tagged.departments {
        let asked = courier
            .ask(DEPARTMENT_GET, Purpose::Read, async |client, token| client.department_name(token, id).await)
            .await;
        let name = match asked {
            Ok((name, _)) => name,
            Err(error) if is_out_of_sight(&error) => String::new(),
            Err(error) => {
                let message = format!("the name of department {id}: {error}");
                return Err(error.with_message(message));
            }
        };
        found.push(TagMember { kind: TagMemberKind::Department, id: id.to_string(), name });
    }
    Ok((Listing::TagMembers(found), Some(answer)))
}

/// Whether WeCom keeps from this credential what was asked for: it is out of range (60011 and its kin), or names are not for a
/// contact-sync secret (48009).
fn is_out_of_sight(error: &Error) -> bool {
    let code = error.answer().map(|answer| answer.errcode);
    code.is_some_and(|code| code == 48009 || errcode::class_of(code) == Class::Recipient)
}

/// What a listing lacks: everything, or all names.
fn warning(listing: &Listing, query: &Query<u32>) -> Option<String> {
    if listing.is_empty() {
        return Some(match query {
            Query::Departments { .. } => format!("no department is in the app's visible range: {GRANT}"),
            Query::Members { department: None, recursive: false } => format!(
                "nobody is in a topmost department of the app's visible range: --recursive lists those below too; if \
                 somebody is missing, {GRANT}"
            ),
            Query::Members { department: None, recursive: true } => format!(
                "nobody is in a department of the app's visible range; members who are in it without their department \
                 are not listed: {GRANT}"
            ),
            Query::Members { recursive: false, .. } => format!(
                "nobody whom the app may see is in this department itself: --recursive lists those below too; if \
                 somebody is missing, {GRANT}"
            ),
            Query::Members { .. } => {
                format!("nobody whom the app may see is in this department or below: if somebody is missing, {GRANT}")
            }
            Query::Tags => "this corp has no tags: they are made under 通讯录 → 标签".to_owned(),
            Query::TagMembers { .. } => {
                format!("nobody whom the app may see has this tag: if somebody is missing, {GRANT}")
            }
        });
    }
    let nameless = "WeCom told no names, only ids: so it is with the secret of 通讯录同步; use that of a self-built app \
                    (应用管理 → the app → Secret)";
    listing.is_nameless().then(|| nameless.to_owned())
}
