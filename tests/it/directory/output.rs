//! What listings print, and what they ask WeCom for it.

use serde_json::json;

use super::{asked, lines, list};
use crate::support::Scene;
use crate::support::fake::{Builder, FakeWecom, Person};

/// Root 1 with 2 and 30 below it, and 4 below 30; in 4 is somebody whose name and department try to break lines.
fn corp() -> Builder {
    let person = |name: &str, departments: &[u32]| Person {
        name: name.to_owned(),
        departments: departments.to_vec(),
        ..Person::default()
    };
    FakeWecom::builder()
        .department(30, 1, "研发\t部\n二线")
        .department(4, 30, "后端\u{1b}[31m组\u{202e}")
        .person("zhaoliu", person("赵\t六\r\n\u{7f}", &[4, 30]))
        .person("Bob.Smith", person("Bob Smith", &[30]))
        .tag(7, "夜班\t二线", &["zhaoliu", "lisi"], &[4, 30])
}

#[test]
fn departments_come_as_a_tree() {
    let scene = Scene::with(corp().start());
    let all = "1\t0\t示例公司\n2\t1\t运维部\n30\t1\t研发 部 二线\n4\t30\t后端 [31m组\n";
    assert_eq!(lines(&scene, &["list-departments"]), all);
    assert_eq!(lines(&scene, &["list-departments", "--under", "30"]), "30\t1\t研发 部 二线\n4\t30\t后端 [31m组\n");
    // One request for each listing.
    let path = "GET /cgi-bin/department/list?access_token=TOKEN";
    assert_eq!(asked(&scene.wecom), [path.to_owned(), format!("{path}&id=30")]);
}

#[test]
fn members_are_listed_once_with_all_their_departments() {
    let scene = Scene::with(corp().start());
    assert_eq!(lines(&scene, &["list-members"]), "lisi\t李四\t1,2\nzhangsan\t张三\t1\n");
    let below = "bob.smith\tBob Smith\t30\nzhaoliu\t赵 六   \t4,30\n";
    assert_eq!(lines(&scene, &["list-members", "30"]), below);
    assert_eq!(lines(&scene, &["list-members", " 4 "]), "zhaoliu\t赵 六   \t4,30\n");
    assert_eq!(lines(&scene, &["list-members", "30", "--recursive"]), below);
    let all = lines(&scene, &["list-members", "--recursive"]);
    assert_eq!(all, format!("lisi\t李四\t1,2\nzhangsan\t张三\t1\nwangwu\t王五\t2\n{below}"));
    let ids = "GET /cgi-bin/department/simplelist?access_token=TOKEN";
    let of = |id: u32| format!("GET /cgi-bin/user/simplelist?access_token=TOKEN&department_id={id}");
    let mut expected = vec![ids.to_owned(), of(1), of(30), of(4), format!("{ids}&id=30"), of(30), of(4)];
    expected.extend([ids.to_owned(), of(1), of(2), of(30), of(4)]);
    assert_eq!(asked(&scene.wecom), expected);
}

#[test]
fn tags_and_who_has_them() {
    let scene = Scene::with(corp().start());
    assert_eq!(lines(&scene, &["list-tags"]), "1\t值班\n7\t夜班 二线\n");
    let expected =
        "user\tzhaoliu\t赵 六   \nuser\tlisi\t李四\ndepartment\t4\t后端 [31m组\ndepartment\t30\t研发 部 二线\n";
    assert_eq!(lines(&scene, &["list-tag-members", "7"]), expected);
    let name = |id: u32| format!("GET /cgi-bin/department/get?access_token=TOKEN&id={id}");
    let mut expected = vec!["GET /cgi-bin/tag/list?access_token=TOKEN".to_owned()];
    expected.extend(["GET /cgi-bin/tag/get?access_token=TOKEN&tagid=7".to_owned(), name(4), name(30)]);
    assert_eq!(asked(&scene.wecom), expected);
}

#[test]
fn json_has_the_same_rows() {
    let scene = Scene::with(corp().start());
    let rows = |args: &[&str], field: &str| {
        let run = scene.cmd(args).run().assert_code(0);
        assert!(!run.stdout.trim_end().contains(|c: char| c.is_control() || c == '\u{202e}'), "{}", run.stdout);
        let told = run.json();
        assert_eq!((&told["status"], &told["route"]), (&json!("ok"), &json!("app")));
        assert_eq!((&told["errcode"], &told["errmsg"], &told["warnings"]), (&json!(0), &json!("ok"), &json!([])));
        told[field].clone()
    };
    let departments = json!([
        {"id": 30, "parentid": 1, "name": "研发\t部\n二线"},
        {"id": 4, "parentid": 30, "name": "后端\u{1b}[31m组\u{202e}"},
    ]);
    assert_eq!(rows(&["list-departments", "--under", "30"], "departments"), departments);
    let members = json!([{"userid": "zhaoliu", "name": "赵\t六\r\n\u{7f}", "departments": [4, 30]}]);
    assert_eq!(rows(&["list-members", "4"], "members"), members);
    let tags = json!([{"id": 1, "name": "值班"}, {"id": 7, "name": "夜班\t二线"}]);
    assert_eq!(rows(&["list-tags"], "tags"), tags);
    let tagged = json!([
        {"kind": "user", "id": "zhangsan", "name": "张三"},
        {"kind": "department", "id": "2", "name": "运维部"},
    ]);
    assert_eq!(rows(&["list-tag-members", "1"], "members"), tagged);
}

#[test]
fn a_dry_run_shows_the_requests_and_makes_none() {
    let scene = Scene::new();
    for (args, expected) in [
        (&["list-departments"][..], "GET /cgi-bin/department/list\n"),
        (&["list-departments", "--under", "2"], "GET /cgi-bin/department/list?id=2\n"),
        (&["list-members"], "GET /cgi-bin/department/simplelist\nGET /cgi-bin/user/simplelist?department_id=ID\n"),
        (&["list-members", "2"], "GET /cgi-bin/user/simplelist?department_id=2\n"),
        (
            &["list-members", "2", "--recursive"],
            "GET /cgi-bin/department/simplelist?id=2\nGET /cgi-bin/user/simplelist?department_id=ID\n",
        ),
        (&["list-tags"], "GET /cgi-bin/tag/list\n"),
        (&["list-tag-members", "3"], "GET /cgi-bin/tag/get?tagid=3\nGET /cgi-bin/department/get?id=ID\n"),
    ] {
        // No credentials are needed for it.
        let run = scene.env.cmd(args.iter().copied()).arg("--dry-run").base_url(&scene.wecom).run().assert_code(0);
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), (expected, ""), "{args:?}");
    }
    assert_eq!(scene.wecom.requests().len(), 0);
}

#[test]
fn what_is_no_id_is_refused_before_any_request() {
    let scene = Scene::new();
    for (args, shown, next) in [
        (
            &["list-departments", "--under", "运维部"][..],
            "\"运维部\" is not the id of a department",
            "list-departments",
        ),
        (&["list-departments", "--under", ""], "\"\" is not the id of a department", "list-departments"),
        (&["list-members", "0"], "\"0\" is not the id of a department", "list-departments"),
        (&["list-members", "4294967296"], "\"4294967296\" is not the id of a department", "list-departments"),
        (&["list-tag-members", "值班"], "\"值班\" is not the id of a tag", "list-tags"),
    ] {
        for dry in [None, Some("--dry-run")] {
            let run = list(&scene, args).args(dry).run().assert_code(2);
            assert_eq!(run.stdout, "", "{args:?}");
            let told = format!("wecom-alert: error[usage]: {}: {shown}\nhint: give its number", args[0]);
            assert!(run.stderr.starts_with(&told) && run.stderr.contains(next), "{args:?}: {}", run.stderr);
        }
    }
    assert!(list(&scene, &["list-tag-members"]).run().assert_code(2).stderr.contains("TAG"));
    assert_eq!(scene.wecom.requests().len(), 0);
}
