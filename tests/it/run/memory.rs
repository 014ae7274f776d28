//! What watching costs: however much a command writes, little of it is kept.

use std::fs::{self, File};
use std::time::Duration;

use super::Scene;

/// The peak of resident memory so far, in KiB; `None` when the process has ended, or where nobody tells.
fn peak(id: u32) -> Option<usize> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

#[cfg(target_os = "linux")]
#[test]
fn a_flood_of_output_takes_little_memory() {
    let null = File::create("/dev/null").unwrap();
    // Short lines, one line without an end, and one that is written over again and again.
    for (writer, ends_with) in
        [("yes", "y"), ("cat /dev/zero", "exit 3"), ("yes 'progress 12%' | tr '\\n' '\\r'", "progress 12%")]
    {
        let scene = Scene::new();
        // That it lives on for a moment shows the peak to whoever looks.
        let script = format!("({writer}) 2> /dev/null | head -c 200000000; sleep 0.2; exit 3");
        let running = scene.sh(&[], &script).stdout_into(&null).spawn();
        let mut most = 0;
        while let Some(now) = peak(running.id()) {
            most = now;
            std::thread::sleep(Duration::from_millis(5));
        }
        running.wait().assert_code(3);
        assert!(most > 0 && most < 24 * 1024, "{writer}: {most} KiB at the peak");
        let texts = scene.texts();
        assert!(texts.len() == 1 && texts[0].len() <= 2048, "{writer}: {} texts", texts.len());
        assert!(texts[0].trim_end().contains(ends_with), "{writer}: {}", texts[0]);
    }
}
