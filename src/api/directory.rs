//! The directory of a corp, as far as the app may see it: departments, members and tags, and members looked up by mobile
//! number (document path 95402) and mail address (document path 95895). One method per endpoint.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::endpoints::endpoint;
use super::exchange::RequestBody;
use super::{CallError, Client, Reply};
use crate::error::Answer;
use crate::message::person::Person;
use crate::secret::Secret;

/// Names of the endpoints, as in `/cgi-bin/NAME`.
pub(crate) const DEPARTMENT_LIST: &str = "department/list";
pub(crate) const DEPARTMENT_SIMPLELIST: &str = "department/simplelist";
pub(crate) const DEPARTMENT_GET: &str = "department/get";
pub(crate) const USER_SIMPLELIST: &str = "user/simplelist";
pub(crate) const TAG_LIST: &str = "tag/list";
pub(crate) const TAG_GET: &str = "tag/get";
pub(crate) const USER_GET: &str = "user/get";
pub(crate) const OPENUSERID_TO_USERID: &str = "batch/openuserid_to_userid";

/// A department. Ids have 32 bits; that of the root is 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Department {
    /// Its id.
    pub id: u32,
    /// The id of the one above it, which the app may not see; 0 for the root.
    pub parent: u32,
    /// Text from outside; empty where WeCom does not tell it.
    pub name: String,
    /// Its place beside the others of the same parent: the larger, the earlier.
    pub order: u64,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// In lower case, as WeCom answers it.
    pub userid: String,
    /// Text from outside; empty where WeCom does not tell it.
    pub name: String,
    /// The ids of all departments that the member is in.
    pub departments: Vec<u32>,
}

/// How a member is known in the corp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Membership {
    /// Text from outside; `None` where WeCom does not tell it.
    pub(crate) name: Option<String>,
    /// 1 active, 2 disabled, 4 not activated, 5 left; `None` where WeCom does not tell it.
    pub(crate) status: Option<u64>,
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Its id.
    pub id: u32,
    /// Text from outside; empty where WeCom does not tell it.
    pub name: String,
}

/// Who has a tag.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tagged {
    /// Members, each with userid and name: those alone that the app may see.
    pub(crate) members: Vec<(String, String)>,
    /// The ids of departments, also of those that the app may not see.
    pub(crate) departments: Vec<u32>,
}

/// What was asked for, and what WeCom said with it.
pub(crate) type Told<T> = Result<(T, Answer), CallError>;

impl Client {
    /// All departments that the app may see, or one of them and all below it, with their names (document path 90208).
    ///
    /// # Errors
    ///
    /// 60003, 60011 and 60123 for a department that is not there or may not be seen, 48009 for a contact-sync secret;
    /// see [`CallError`].
    pub(crate) async fn department_list(&self, access_token: &Secret, under: Option<u32>) -> Told<Vec<Department>> {
        let under = under.map(|id| ("id", id));
        let mut reply = self.read(DEPARTMENT_LIST, access_token, under, &["errmsg", "department"]).await?;
        Ok((taken(&mut reply, "department").into_iter().filter_map(department).collect(), reply.answer))
    }

    /// The same without names, which is faster (document path 95350).
    pub(crate) async fn department_simplelist(
        &self,
        access_token: &Secret,
        under: Option<u32>,
    ) -> Told<Vec<Department>> {
        let under = under.map(|id| ("id", id));
        let mut reply = self.read(DEPARTMENT_SIMPLELIST, access_token, under, &["errmsg", "department_id"]).await?;
        Ok((taken(&mut reply, "department_id").into_iter().filter_map(department).collect(), reply.answer))
    }

    /// The name of one department (document path 95351), with the same errors; empty where WeCom does not tell it.
    pub(crate) async fn department_name(&self, access_token: &Secret, id: u32) -> Told<String> {
        let mut reply = self.read(DEPARTMENT_GET, access_token, Some(("id", id)), &["errmsg", "department"]).await?;
        let found = reply.fields.remove("department").and_then(department);
        Ok((found.map(|department| department.name).unwrap_or_default(), reply.answer))
    }

    /// The members of one department, not of those below it (document path 90200), with the same errors.
    pub(crate) async fn user_simplelist(&self, access_token: &Secret, department: u32) -> Told<Vec<Member>> {
        let chosen = Some(("department_id", department));
        let mut reply = self.read(USER_SIMPLELIST, access_token, chosen, &["errmsg", "userlist"]).await?;
        Ok((taken(&mut reply, "userlist").into_iter().filter_map(member).collect(), reply.answer))
    }

    /// All tags of the corp (document path 90216).
    pub(crate) async fn tag_list(&self, access_token: &Secret) -> Told<Vec<Tag>> {
        let mut reply = self.read(TAG_LIST, access_token, None, &["errmsg", "taglist"]).await?;
        Ok((taken(&mut reply, "taglist").into_iter().filter_map(tag).collect(), reply.answer))
    }

    /// Who has a tag (document path 90213).
    ///
    /// # Errors
    ///
    /// 40068 for a tag that is not there; see [`CallError`].
    pub(crate) async fn tag_get(&self, access_token: &Secret, id: u32) -> Told<Tagged> {
        let fields = ["errmsg", "userlist", "partylist"];
        let mut reply = self.read(TAG_GET, access_token, Some(("tagid", id)), &fields).await?;
        let departments = taken(&mut reply, "partylist").iter().filter_map(id_of).collect();
        let members = taken(&mut reply, "userlist").into_iter().filter_map(member);
        let members = members.map(|member| (member.userid, member.name)).collect();
        Ok((Tagged { members, departments }, reply.answer))
    }

    /// The userid of a member. WeCom shuts the look-up for a day after too many that found nobody.
    ///
    /// # Errors
    ///
    /// 46004 where nobody is found, also where the member is out of the app's visible range; see [`CallError`].
    pub(crate) async fn userid_of(&self, access_token: &Secret, person: &Person) -> Result<String, CallError> {
        let (name, body) = look_up_request(person);
        let path = endpoint(name);
        let query = [("access_token", access_token.expose())];
        let body = RequestBody::Json(Bytes::from(body.to_string()));
        let reply = self.exchange(&path, &query, body, &["errmsg", "userid"]).await?;
        self.field(&reply, &path, "userid")
    }

    /// One member (document path 90196).
    ///
    /// # Errors
    ///
    /// 60111 where nobody has this id, or the app may not see the member; see [`CallError`].
    pub(crate) async fn user_get(&self, access_token: &Secret, userid: &str) -> Result<Membership, CallError> {
        let query = [("access_token", access_token.expose()), ("userid", userid)];
        let fields = ["errmsg", "userid", "name", "status"];
        let reply = self.exchange(&endpoint(USER_GET), &query, RequestBody::None, &fields).await?;
        let status = reply.fields.get("status").and_then(Value::as_u64);
        Ok(Membership { name: reply.text("name"), status })
    }

    /// The userid behind an id that was encrypted for an aibot (document path 101521). `None` for an id that is plain already,
    /// and where the app may not see the member.
    ///
    /// # Errors
    ///
    /// See [`CallError`].
    pub(crate) async fn plain_userid(
        &self,
        access_token: &Secret,
        encrypted: &str,
    ) -> Result<Option<String>, CallError> {
        let query = [("access_token", access_token.expose())];
        let body = RequestBody::Json(Bytes::from(json!({ "open_userid_list": [encrypted] }).to_string()));
        let fields = ["errmsg", "userid_list", "invalid_open_userid_list"];
        let mut reply = self.exchange(&endpoint(OPENUSERID_TO_USERID), &query, body, &fields).await?;
        let found = taken(&mut reply, "userid_list").into_iter().find_map(|item| {
            let Value::Object(mut fields) = item else { return None };
            (text(&mut fields, "open_userid") == encrypted).then(|| text(&mut fields, "userid"))
        });
        Ok(found.filter(|userid| !userid.is_empty()))
    }

    async fn read(
        &self,
        name: &str,
        access_token: &Secret,
        chosen: Option<(&str, u32)>,
        fields: &[&str],
    ) -> Result<Reply, CallError> {
        let id = chosen.map(|(_, id)| id.to_string()).unwrap_or_default();
        let mut query = vec![("access_token", access_token.expose())];
        query.extend(chosen.map(|(parameter, _)| (parameter, id.as_str())));
        self.exchange(&endpoint(name), &query, RequestBody::None, fields).await
    }
}

/// The endpoint that looks this person up, and the body of the request.
///
/// Of a mail address only the corp's own (企业邮箱) is asked for, which is the default: to ask for the personal one as well
/// would make two misses of a wrong address.
pub(crate) fn look_up_request(person: &Person) -> (&'static str, Value) {
    match person {
        Person::Mobile(number) => ("user/getuserid", json!({ "mobile": number })),
        Person::Email(address) => ("user/get_userid_by_email", json!({ "email": address })),
    }
}

/// The items of a list, taken out, since they can be many.
fn taken(reply: &mut Reply, field: &str) -> Vec<Value> {
    match reply.fields.remove(field) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    }
}

fn department(item: Value) -> Option<Department> {
    let Value::Object(mut fields) = item else { return None };
    let number = |name| fields.get(name).and_then(id_of);
    let (id, parent) = (number("id")?, number("parentid").unwrap_or_default());
    let order = fields.get("order").and_then(Value::as_u64).unwrap_or_default();
    Some(Department { id, parent, name: text(&mut fields, "name"), order })
}

fn member(item: Value) -> Option<Member> {
    let Value::Object(mut fields) = item else { return None };
    let departments = fields.get("department").and_then(Value::as_array);
    let departments = departments.into_iter().flatten().filter_map(id_of).collect();
    let (userid, name) = (text(&mut fields, "userid"), text(&mut fields, "name"));
    (!userid.is_empty()).then_some(Member { userid, name, departments })
}

fn tag(item: Value) -> Option<Tag> {
    let Value::Object(mut fields) = item else { return None };
    let id = fields.get("tagid").and_then(id_of)?;
    Some(Tag { id, name: text(&mut fields, "tagname") })
}

fn text(fields: &mut Map<String, Value>, name: &str) -> String {
    match fields.remove(name) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    }
}

/// An id as a number, or as a string of digits.
fn id_of(value: &Value) -> Option<u32> {
    match value {
        Value::Number(number) => number.as_u64()?.try_into().ok(),
        Value::String(digits) => digits.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_items() {
        let found =
            department(json!({"id": 2, "name": "运维部", "parentid": 1, "order": 4_294_967_295_u64, "new": {}}));
        let expected = Department { id: 2, parent: 1, name: "运维部".to_owned(), order: 4_294_967_295 };
        assert_eq!(found, Some(expected));
        let found = member(json!({"userid": "lisi", "name": "李四", "department": [1, "2", {}], "open_userid": ""}));
        let expected = Member { userid: "lisi".to_owned(), name: "李四".to_owned(), departments: vec![1, 2] };
        assert_eq!(found, Some(expected));
        assert_eq!(tag(json!({"tagid": "7", "tagname": "值班"})), Some(Tag { id: 7, name: "值班".to_owned() }));
    }

    #[test]
    fn absent_fields_are_empty_and_nothing_has_no_id() {
        let found = department(json!({"id": 2, "parentid": null}));
        assert_eq!(found, Some(Department { id: 2, parent: 0, name: String::new(), order: 0 }));
        assert_eq!(member(json!({"userid": "a"})).map(|member| member.departments), Some(Vec::new()));
        for item in [json!({"name": "x"}), json!({"id": -1}), json!({"id": 4_294_967_296_u64}), json!(3), json!(null)] {
            assert_eq!((department(item.clone()), member(item.clone()), tag(item)), (None, None, None));
        }
    }
}
