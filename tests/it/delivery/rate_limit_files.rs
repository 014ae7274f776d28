//! The files behind the slots: whose they are, and what becomes of an alert where they cannot be used.

use std::fs;

use super::{End, disk_full, sent_and_delivered};
use crate::support::{Cmd, HTTP_ROUTES, Scene, at_once};

const ONE: [&str; 4] = ["--rate", "1/1h", "--on-rate-limit", "fail"];

/// What the pacing folder below `state` holds.
fn files(state: &std::path::Path) -> Vec<std::path::PathBuf> {
    fs::read_dir(state.join("pacing")).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// All go, though there is one slot, and why is told under -v alone, once for a command.
fn assert_unpaced(case: &str, scene: &Scene, prepare: impl Fn(Cmd) -> Cmd) {
    for route in HTTP_ROUTES {
        for verbose in [false, true] {
            let run = prepare(disk_full(scene, route).args(ONE).args(verbose.then_some("-v"))).run();
            End::new(0, 1).check_loud(case, &run);
            let told = run.stderr.matches("pacing is not possible").count();
            assert_eq!(told, usize::from(verbose), "{case}: {}", run.stderr);
            assert!(verbose || run.stderr.is_empty(), "{case}: {}", run.stderr);
        }
    }
    assert_eq!(sent_and_delivered(scene), (6, 6), "{case}");
}

#[test]
fn without_a_usable_folder_alerts_go_unpaced() {
    let scene = Scene::new();
    let file = scene.env.file("a-file", "");
    assert_unpaced("a file where the folder should be", &scene, |cmd| cmd.env("WECOM_ALERT_STATE_DIR", &file));
    assert_eq!(fs::read(file).unwrap(), b"", "it is somebody's");
}

#[test]
fn without_a_usable_file_alerts_go_unpaced() {
    let (found, scene) = (Scene::new(), Scene::new());
    for route in HTTP_ROUTES {
        End::new(0, 1).check("for its name", &disk_full(&found, route).args(ONE).run());
    }
    for file in files(&found.env.state()) {
        fs::create_dir_all(scene.env.state().join("pacing").join(file.file_name().unwrap())).unwrap();
    }
    assert_unpaced("a folder where the file should be", &scene, |cmd| cmd);
}

#[test]
fn a_damaged_rate_limit_file_is_ignored() {
    at_once(HTTP_ROUTES, |route| {
        let scene = Scene::new();
        End::new(0, 1).check("first", &disk_full(&scene, route).args(ONE).run());
        let file = files(&scene.env.state()).pop().unwrap();
        let content = fs::read(&file).unwrap();
        let half = content.get(..content.len() / 2).unwrap().to_vec();
        for nonsense in [b"".to_vec(), b"not what was written\n".to_vec(), vec![0xff; 100_000], half] {
            fs::write(&file, &nonsense).unwrap();
            End::new(0, 1).check("nonsense says nothing", &disk_full(&scene, route).args(ONE).run());
            assert_eq!(disk_full(&scene, route).args(ONE).run().code, Some(8), "and is written over");
        }
        assert_eq!(files(&scene.env.state()).len(), 1, "nothing lies about");
    });
}

#[cfg(unix)]
#[test]
fn rate_limit_files_are_private_or_shared_with_the_group() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().mode() & 0o7777;
    for (shared, folder_mode, file_mode) in [(false, 0o700, 0o600), (true, 0o2770, 0o660)] {
        for route in HTTP_ROUTES {
            let scene = Scene::new();
            let state = scene.env.state();
            if shared {
                fs::create_dir_all(&state).unwrap();
                fs::set_permissions(&state, fs::Permissions::from_mode(0o2775)).unwrap();
            }
            End::new(0, 1).check("sent", &disk_full(&scene, route).args(ONE).run());
            let found = files(&state);
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!(mode(&found[0]), file_mode, "{shared} {}", route.as_str());
            assert_eq!(mode(&state.join("pacing")), folder_mode, "{shared} {}", route.as_str());
            assert_eq!(mode(&state), if shared { 0o2775 } else { 0o700 }, "its owner's choice is left alone");
            // The name and the content tell nobody who is alerted.
            let text = format!("{} {}", found[0].display(), fs::read_to_string(&found[0]).unwrap());
            assert!(!text.contains("zhangsan") && !text.contains(crate::support::fake::WEBHOOK_KEY), "{text}");
        }
    }
}
