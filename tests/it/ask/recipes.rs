//! The recipes in `examples/answer`, as their users call them.

use std::path::Path;

use super::{command, press, scene};
use crate::support::{Cmd, Scene};

/// A recipe, which finds this program in its PATH.
fn recipe(scene: &Scene, name: &str, args: &[&str]) -> Cmd {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/answer").join(name);
    let folder = Path::new(env!("CARGO_BIN_EXE_wecom-alert")).parent().unwrap();
    // The program runs it, so that it has the sealed environment; its own exit code is the script's.
    let cmd = command(scene, "run").args(["--on", "success", "--", "/bin/sh"]).arg(script).args(args.iter().copied());
    cmd.env("PATH", format!("{}:/usr/bin:/bin", folder.display())).env("APPROVERS", "zhangsan")
}

#[test]
fn a_deployment_waits_for_its_approval() {
    for (number, (key, code, is_deployed)) in [("yes", 0, true), ("no", 11, false)].into_iter().enumerate() {
        let scene = scene();
        let mark = scene.env.home().join("deployed");
        let running = recipe(&scene, "deploy.sh", &["web 17", "touch", mark.to_str().unwrap()]).spawn();
        press(&scene, 0, key, "zhangsan");
        running.wait().assert_code(code);
        assert_eq!(mark.exists(), is_deployed, "{number}");
    }
}

#[test]
fn a_job_that_fails_is_run_again_when_somebody_says_so() {
    let scene = scene();
    let mark = scene.env.home().join("once");
    let job = format!("test -e '{0}' || {{ touch '{0}'; exit 7; }}", mark.display());
    let running = recipe(&scene, "cron.sh", &["backup", "/bin/sh", "-c", &job]).spawn();
    press(&scene, 0, "again", "zhangsan");
    running.wait().assert_code(0);
    let scene = super::scene();
    let running = recipe(&scene, "cron.sh", &["backup", "/bin/sh", "-c", "exit 7"]).spawn();
    press(&scene, 0, "leave", "zhangsan");
    running.wait().assert_code(7);
}

#[test]
fn nobody_is_called_where_somebody_answers() {
    let scene = scene();
    let mark = scene.env.home().join("called");
    let running = recipe(&scene, "phone.sh", &["disk full", "touch", mark.to_str().unwrap()]).spawn();
    press(&scene, 0, "false", "zhangsan");
    running.wait().assert_code(0);
    assert!(!mark.exists());
}
