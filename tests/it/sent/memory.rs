//! What an upload costs: a file is streamed from disk, so the process stays small.

use std::fs;
use std::time::Duration;

use super::{MIB, last_upload};
use crate::support::fake::tls::Certificate;
use crate::support::fake::{Endpoint, FakeWecom, Reply};
use crate::support::{HTTP_ROUTES, Scene};

#[test]
fn tls_does_not_change_that() {
    let wecom = FakeWecom::builder().tls(Certificate::Good).start();
    let scene = Scene::with(wecom);
    let file = scene.env.sized_file("large.bin", b"x", 20 * MIB);
    let ca = scene.env.file("ca.pem", scene.wecom.ca_pem());
    let late = Reply::delayed(Duration::from_millis(200), Reply::Normal);
    scene.wecom.script(Endpoint::WebhookUploadMedia, [late]);
    let cmd = scene.cmd(&["upload-media", "--route", "webhook", "--timeout", "60s", "--ca-file"]).arg(ca).arg(file);
    let running = cmd.spawn();
    let most = running.watch_memory();
    running.wait().assert_code(0);
    assert_eq!(last_upload(&scene, "large").bytes.len(), 20 * MIB);
    assert!(most > 0 && most < 10 * 1024, "{most} KiB at the peak");
}

#[test]
fn the_largest_file_takes_less_memory_than_it_has_bytes() {
    for route in HTTP_ROUTES {
        for from_stdin in [false, true] {
            let scene = Scene::new();
            let file = scene.env.sized_file("large.bin", b"x", 20 * MIB);
            // The answer comes late, so that the last look is at a process that has sent all of it.
            for endpoint in [Endpoint::MediaUpload, Endpoint::WebhookUploadMedia] {
                scene.wecom.script(endpoint, [Reply::delayed(Duration::from_millis(200), Reply::Normal)]);
            }
            let cmd = scene.cmd(&["upload-media", "--route", route.as_str()]);
            let cmd = if from_stdin { cmd.arg("-").stdin_from(fs::File::open(&file).unwrap()) } else { cmd.arg(&file) };
            let running = cmd.spawn();
            let most = running.watch_memory();
            running.wait().assert_code(0);
            assert_eq!(last_upload(&scene, "large").bytes.len(), 20 * MIB);
            let case = format!("{} from stdin: {from_stdin}", route.as_str());
            assert!(most > 0, "{case}: nothing was seen");
            assert!(most < 10 * 1024, "{case}: {most} KiB at the peak");
        }
    }
}
