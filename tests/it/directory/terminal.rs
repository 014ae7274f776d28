//! Listings on a terminal: tables with heads, departments as a tree, and how many there are.

use std::process::{Command, Stdio};

use crate::support::fake::{AGENT_ID, CORP_ID, FakeWecom, Person, SECRET};
use crate::support::{TestEnv, needs_terminal};

/// What a person sees of a listing.
fn seen(wecom: &FakeWecom, args: &str) -> String {
    let env = TestEnv::new();
    let mut command = Command::new("script");
    command.args(["-qec", &format!("'{}' {args}", env!("CARGO_BIN_EXE_wecom-alert")), "/dev/null"]).env_clear();
    command.env("PATH", "/usr/bin:/bin").env("HOME", env.home()).env("SHELL", "/bin/sh");
    command.env("WECOM_ALERT_BASE_URL", wecom.base_url()).env("WECOM_ALERT_CORP_ID", CORP_ID);
    command.env("WECOM_ALERT_AGENT_ID", AGENT_ID.to_string()).env("WECOM_ALERT_SECRET", SECRET);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap().replace('\r', "");
    assert_eq!(output.status.code(), Some(0), "{text}");
    text
}

#[test]
fn a_terminal_gets_tables() {
    if !needs_terminal() {
        return;
    }
    let person = Person { name: "赵\t六\u{1b}[2J".to_owned(), departments: vec![40, 3], ..Person::default() };
    let corp = FakeWecom::builder().department(3, 1, "研发部").department(40, 3, "后端\u{1b}[31m组");
    let wecom = corp.department(5, 1, "测试部").person("zhaoliu", person).start();
    let departments = "\
ID  NAME
1   示例公司
2     运维部
3     研发部
40      后端 [31m组
5     测试部
wecom-alert: list-departments: 5 departments
";
    assert_eq!(seen(&wecom, "list-departments"), departments);
    let members = "\
USERID    DEPARTMENTS  NAME
lisi      1,2          李四
zhangsan  1            张三
wangwu    2            王五
zhaoliu   40,3         赵 六 [2J
wecom-alert: list-members: 4 members
";
    assert_eq!(seen(&wecom, "list-members --recursive"), members);
    assert_eq!(seen(&wecom, "-q list-tags"), "ID  NAME\n1   值班\n");
    let tagged = "\
KIND        ID        NAME
user        zhangsan  张三
department  2         运维部
wecom-alert: list-tag-members: 2 members and departments
";
    assert_eq!(seen(&wecom, "list-tag-members 1"), tagged);
    assert_eq!(seen(&wecom, "-q list-members 5"), "");
}
