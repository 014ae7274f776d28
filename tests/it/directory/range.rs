//! What the app may not see: it is left out or refused, and where it is granted is said.

use super::{COMMANDS, asked, lines, list};
use crate::support::Scene;
use crate::support::fake::{Builder, CORP_ID, Endpoint, FakeWecom, Person, Reply};

/// The app sees department 3 with 4 below it, and zhangsan by name.
fn partly() -> Builder {
    let person = Person { name: "赵六".to_owned(), departments: vec![4], ..Person::default() };
    let corp = FakeWecom::builder().department(3, 1, "研发部").department(4, 3, "后端组").person("zhaoliu", person);
    corp.range(&["zhangsan"], &["3"], &[])
}

#[test]
fn a_part_of_the_corp_is_listed_as_a_whole() {
    let scene = Scene::with(partly().start());
    assert_eq!(lines(&scene, &["list-departments"]), "3\t1\t研发部\n4\t3\t后端组\n");
    assert_eq!(lines(&scene, &["list-members", "--recursive"]), "zhaoliu\t赵六\t4\n");
    // The topmost department of the range has nobody of its own, which is no reason to believe that it is empty.
    let run = list(&scene, &["list-members", "3"]).run().assert_code(0);
    assert_eq!(run.stdout, "");
    for part in
        ["wecom-alert: warning: nobody whom the app may see is in this department itself", "--recursive", "可见范围"]
    {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
}

#[test]
fn a_department_of_a_tag_that_cannot_be_seen_has_no_name() {
    let scene = Scene::with(partly().tag(9, "夜班", &["zhaoliu", "lisi"], &[4, 2, 77]).start());
    let expected = "user\tzhaoliu\t赵六\ndepartment\t4\t后端组\ndepartment\t2\t\ndepartment\t77\t\n";
    assert_eq!(lines(&scene, &["list-tag-members", "9"]), expected);
    // Its name is asked for once: it will not be granted meanwhile.
    assert_eq!(scene.wecom.count(Endpoint::DepartmentGet), 3);
}

#[test]
fn nothing_in_range_is_said() {
    let scene = Scene::with(FakeWecom::builder().range(&["zhangsan"], &[], &[]).tag(8, "空", &[], &[]).start());
    for (args, told) in [
        (&["list-departments"][..], "no department is in the app's visible range"),
        (&["list-members"], "nobody is in a topmost department of the app's visible range: --recursive lists"),
        (&["list-members", "--recursive"], "members who are in it without their department are not listed"),
        (&["list-tag-members", "8"], "nobody whom the app may see has this tag"),
    ] {
        let run = list(&scene, args).run().assert_code(0);
        assert_eq!(run.stdout, "", "{args:?}");
        assert!(run.stderr.contains(told), "{args:?}: {}", run.stderr);
        assert!(run.stderr.contains("应用管理 → the app → 可见范围"), "{args:?}: {}", run.stderr);
        let quiet = list(&scene, args).arg("-q").run().assert_code(0);
        assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""), "{args:?}");
        let told_json = scene.cmd(args).run().assert_code(0).json();
        let rows = told_json.get("members").or_else(|| told_json.get("departments"));
        assert_eq!((rows.unwrap().as_array().unwrap().len(), told_json["warnings"].as_array().unwrap().len()), (0, 1));
    }
    scene
        .wecom
        .always(Endpoint::TagList, Reply::Json(serde_json::json!({"errcode": 0, "errmsg": "ok", "taglist": []})));
    assert!(list(&scene, &["list-tags"]).run().assert_code(0).stderr.contains("通讯录 → 标签"));
}

#[test]
fn what_may_not_be_seen_is_refused_with_where_it_is_granted() {
    let scene = Scene::with(partly().start());
    let range = "应用管理 → the app → 可见范围";
    for (args, errcode, hint) in [
        (&["list-departments", "--under", "2"][..], 60011, range),
        (&["list-departments", "--under", "77"], 60003, range),
        (&["list-members", "2"], 60011, range),
        (&["list-members", "1", "--recursive"], 60011, range),
        (&["list-members", "77"], 60003, "通讯录"),
        (&["list-tag-members", "9"], 40068, "通讯录 → 标签"),
    ] {
        let run = list(&scene, args).run().assert_code(5);
        assert_eq!(run.stdout, "", "{args:?}");
        let told = format!("wecom-alert: error[refused]: {}: WeCom answered {errcode}: ", args[0]);
        assert!(run.stderr.starts_with(&told) && run.stderr.contains(hint), "{args:?}: {}", run.stderr);
        assert_eq!(scene.cmd(args).run().assert_code(5).json()["errcode"], errcode, "{args:?}");
    }
    // Each was asked once: a refusal is not tried again.
    assert_eq!(asked(&scene.wecom).len(), 12);
}

#[test]
fn refusals_of_the_credential_end_with_4() {
    let scene = Scene::new();
    for args in COMMANDS {
        for (errcode, hint) in [(48002, "may not read the directory"), (48009, "通讯录同步"), (60020, "企业可信IP")]
        {
            for endpoint in
                [Endpoint::DepartmentList, Endpoint::DepartmentSimplelist, Endpoint::TagList, Endpoint::TagGet]
            {
                scene.wecom.always(endpoint, Reply::errcode(errcode, "no"));
            }
            let run = list(&scene, args).run().assert_code(4);
            assert!(run.stdout.is_empty() && run.stderr.contains(hint), "{args:?} {errcode}: {}", run.stderr);
        }
    }
}

#[test]
fn the_secret_of_contact_sync_is_explained() {
    let secret = "test-contact-secret";
    let scene = Scene::with(FakeWecom::builder().contact_secret(CORP_ID, secret).start());
    let run = |args: &[&str]| list(&scene, args).env("WECOM_ALERT_SECRET", secret).secret(secret).run();
    for args in [&["list-departments"][..], &["list-members"]] {
        let refused = run(args).assert_code(4);
        assert!(refused.stderr.contains("48009") && refused.stderr.contains("self-built app"), "{}", refused.stderr);
    }
    for (args, expected) in
        [(&["list-tags"][..], "1\t\n"), (&["list-tag-members", "1"], "user\tzhangsan\t\ndepartment\t2\t\n")]
    {
        let listed = run(args).assert_code(0);
        assert_eq!(listed.stdout, expected);
        let told = "wecom-alert: warning: WeCom told no names, only ids";
        assert!(listed.stderr.starts_with(told) && listed.stderr.contains("通讯录同步"), "{}", listed.stderr);
    }
}

#[test]
fn without_an_app_nothing_is_asked() {
    let scene = Scene::new();
    for args in COMMANDS {
        let run = scene.env.cmd(args.iter().copied()).base_url(&scene.wecom).webhook().run().assert_code(3);
        assert!(run.stdout.is_empty() && run.stderr.contains("WECOM_ALERT_CORP_ID"), "{args:?}: {}", run.stderr);
    }
    assert_eq!(scene.wecom.requests().len(), 0);
}
