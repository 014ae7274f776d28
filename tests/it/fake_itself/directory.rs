//! The directory of the fake: what an app sees of it, and what it may not ask.

use serde_json::json;

use super::*;
use crate::support::fake::{Builder, Directory, Endpoint, Person};

struct App<'a> {
    wecom: &'a FakeWecom,
    token: String,
}

impl<'a> App<'a> {
    fn of(wecom: &'a FakeWecom) -> Self {
        Self { wecom, token: token(wecom) }
    }

    fn get(&self, name: &str, query: &str) -> Value {
        get(self.wecom, &format!("/cgi-bin/{name}?access_token={}{query}", self.token)).json()
    }

    fn post(&self, name: &str, body: Value) -> Value {
        let target = format!("/cgi-bin/{name}?access_token={}", self.token);
        post(self.wecom, &target, "application/json", body.to_string().as_bytes()).json()
    }
}

/// Root 1 with 2 and 3, and 4 below 3.
fn with_depth() -> Builder {
    let deep = Person { name: "赵六".to_owned(), departments: vec![4], ..Person::default() };
    FakeWecom::builder().department(3, 1, "研发部").department(4, 3, "后端组").person("zhaoliu", deep)
}

fn ids(answer: &Value, list: &str, field: &str) -> Vec<Value> {
    answer[list].as_array().unwrap_or_else(|| panic!("{answer}")).iter().map(|item| item[field].clone()).collect()
}

#[test]
fn tells_the_whole_corp_to_an_app_of_the_root() {
    let wecom = with_depth().start();
    let app = App::of(&wecom);
    let all = app.get("department/simplelist", "");
    assert_eq!(ids(&all, "department_id", "id"), [1, 2, 3, 4]);
    assert!(all["department_id"][0].get("name").is_none());
    let below = app.get("department/list", "&id=3");
    assert_eq!(
        (ids(&below, "department", "id"), &below["department"][1]["name"]),
        (vec![json!(3), json!(4)], &json!("后端组"))
    );
    assert_eq!(app.get("department/get", "&id=4")["department"]["parentid"], 3);
    let direct = app.get("user/simplelist", "&department_id=1");
    assert_eq!(ids(&direct, "userlist", "userid"), ["lisi", "zhangsan"]);
    assert_eq!(direct["userlist"][0]["department"], json!([1, 2]));
    assert_eq!(app.get("user/get", "&userid=ZhangSan")["name"], "张三");
    assert_eq!(app.get("tag/list", "")["taglist"], json!([{"tagid": 1, "tagname": "值班"}]));
    let tag = app.get("tag/get", "&tagid=1");
    assert_eq!((&tag["userlist"][0]["name"], &tag["partylist"]), (&json!("张三"), &json!([2])));
}

#[test]
fn hides_what_is_out_of_range() {
    let wecom = with_depth().range(&["zhangsan"], &["3"], &[]).start();
    let app = App::of(&wecom);
    assert_eq!(ids(&app.get("department/simplelist", ""), "department_id", "id"), [3, 4]);
    for (name, query, errcode) in [
        ("department/list", "&id=2", 60011),
        ("department/get", "&id=1", 60011),
        ("department/get", "&id=77", 60003),
        ("department/get", "&id=x", 60123),
        ("user/simplelist", "&department_id=2", 60011),
        ("user/simplelist", "", 60123),
        ("user/get", "&userid=lisi", 60111),
        ("tag/get", "&tagid=9", 40068),
    ] {
        assert_eq!(app.get(name, query)["errcode"], errcode, "{name} {query}");
    }
    assert_eq!(app.get("user/get", "&userid=zhangsan")["errcode"], 0);
    assert_eq!(app.get("user/get", "&userid=zhaoliu")["errcode"], 0);
    // The tag's department is out of range, and so are its members.
    assert_eq!(app.get("tag/get", "&tagid=1")["partylist"], json!([2]));
    let message = |to: &str| json!({"touser": to, "agentid": AGENT_ID, "msgtype": "text", "text": {"content": "hi"}});
    assert_eq!(app.post("message/send", message("zhaoliu"))["invaliduser"], "");
    assert_eq!(app.post("message/send", message("lisi"))["errcode"], 81013);
}

#[test]
fn finds_people_by_number_and_mail_until_too_many_are_unknown() {
    let wecom = FakeWecom::builder().most_misses(1).start();
    let app = App::of(&wecom);
    let by_mobile = |mobile: &str| app.post("user/getuserid", json!({"mobile": mobile}));
    let by_mail = |body: Value| app.post("user/get_userid_by_email", body);
    assert_eq!(by_mobile("13800000000")["userid"], "zhangsan");
    assert_eq!(by_mobile("+8613800000000")["userid"], "zhangsan");
    assert_eq!(by_mobile("1380 000")["errcode"], 60103);
    assert_eq!(by_mail(json!({"email": "Lisi@example.com"}))["userid"], "lisi");
    assert_eq!(by_mail(json!({"email": "lisi@example.net", "email_type": 2}))["userid"], "lisi");
    assert_eq!(by_mail(json!({"email": "lisi"}))["errcode"], 60105);
    assert_eq!(by_mail(json!({"email": "lisi@example.net"}))["errcode"], 46004);
    assert_eq!(by_mobile("13999999999")["errcode"], 46004);
    // Two were unknown, and one may be.
    assert_eq!(by_mobile("13800000000")["errcode"], 45009);
    assert_eq!((wecom.look_ups("13800000000"), wecom.look_ups("13999999999")), (2, 1));
    assert_eq!(wecom.most_at_once(), 1);
}

#[test]
fn gives_the_contact_sync_secret_ids_alone() {
    let wecom = FakeWecom::builder().contact_secret(CORP_ID, "test-contact-secret").start();
    let granted = get(&wecom, &format!("/cgi-bin/gettoken?corpid={CORP_ID}&corpsecret=test-contact-secret")).json();
    let app = App { wecom: &wecom, token: granted["access_token"].as_str().unwrap().to_owned() };
    assert_eq!(ids(&app.get("department/simplelist", ""), "department_id", "id"), [1, 2]);
    for (name, query) in [("department/list", ""), ("department/get", "&id=1"), ("user/simplelist", "&department_id=1")]
    {
        assert_eq!(app.get(name, query)["errcode"], 48009, "{name}");
    }
    assert_eq!(app.get("tag/list", "")["taglist"][0]["tagname"], "");
    assert_eq!(app.get("tag/get", "&tagid=1")["userlist"], json!([{"userid": "zhangsan", "name": ""}]));
}

#[test]
fn a_large_corp_is_whole() {
    let wecom = FakeWecom::builder().directory(Directory::large(200, 3000)).start();
    let app = App::of(&wecom);
    let departments = ids(&app.get("department/simplelist", ""), "department_id", "id");
    assert_eq!(departments.len(), 200);
    let mut seen = std::collections::BTreeSet::new();
    for id in departments {
        let members = app.get("user/simplelist", &format!("&department_id={id}"));
        seen.extend(ids(&members, "userlist", "userid").into_iter().map(|id| id.to_string()));
    }
    assert_eq!((seen.len(), wecom.count(Endpoint::UserSimplelist)), (3000, 200));
}
