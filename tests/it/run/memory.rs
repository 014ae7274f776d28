//! What watching costs: however much a command writes, little of it is kept.

use std::fs::File;

use super::{has, sh};
use crate::support::{Scene, wait_until};

#[cfg(target_os = "linux")]
#[test]
fn a_flood_of_output_takes_little_memory() {
    let null = File::create("/dev/null").unwrap();
    // Short lines, one line without an end, and one that is written over again and again.
    for (writer, ends_with) in
        [("yes", "y"), ("cat /dev/zero", "exit 3"), ("yes 'progress 12%' | tr '\\n' '\\r'", "progress 12%")]
    {
        let scene = Scene::new();
        // It lives on until somebody has looked at the peak.
        let script = format!(
            "({writer}) 2> /dev/null | head -c 200000000; touch passed; until test -e go; do sleep 0.01; done; exit 3"
        );
        let running = sh(&scene, &[], &script).stdout_into(&null).spawn();
        wait_until("the flood", || has(&scene, "passed"));
        let most = running.peak_memory();
        scene.env.file("go", "");
        let most = most.max(running.watch_memory());
        running.wait().assert_code(3);
        assert!(most > 0 && most < 10 * 1024, "{writer}: {most} KiB at the peak");
        let texts = scene.texts();
        assert!(texts.len() == 1 && texts[0].len() <= 2048, "{writer}: {} texts", texts.len());
        assert!(texts[0].trim_end().contains(ends_with), "{writer}: {}", texts[0]);
    }
}
