//! The end of the tour: the program asks, somebody presses a button, the program prints which, and the card changes.

use std::time::{Duration, Instant};

use crate::fake::{AIBOT_ID, FakeWecom, keys_of};
use crate::program::Program;
use crate::tour::show_command;

/// How long everything may take before the tour is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks with the real binary and answers as a member would.
pub(crate) fn ask(program: &Program, wecom: &FakeWecom) -> Result<(), String> {
    let arguments = [
        "ask",
        "--to-user",
        "zhangsan",
        "--title",
        "Disk almost full",
        "--button",
        "ack=I do it",
        "--button",
        "mute=Mute 2 h",
        "--wait",
        "1m",
        "/data on web-3 is at 98 %",
    ];
    show_command(&arguments, None);
    let before = wecom.aibot(AIBOT_ID).cards().len();
    let (output, pressed) = std::thread::scope(|scope| {
        let presser = scope.spawn(|| press_when_there(wecom, before));
        let output = program.run(&arguments, None);
        (output, presser.join().unwrap_or_else(|_| Err("nobody could press".to_owned())))
    });
    let output = output?;
    pressed?;
    let printed = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() || printed.trim() != "ack" {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(format!("the program ended with {} and printed {printed:?}: {said}", output.status));
    }
    println!("  the program prints {:?} and ends with 0", printed.trim());
    let cards = wecom.aibot(AIBOT_ID).cards();
    let Some(card) =
        cards.get(before).filter(|card| card.changes == 1 && !keys_of(&card.face).contains(&"mute".to_owned()))
    else {
        return Err("the card did not change".to_owned());
    };
    println!("  the card now: {}", card.face);
    Ok(())
}

/// Waits for the card and presses its first button.
fn press_when_there(wecom: &FakeWecom, before: usize) -> Result<(), String> {
    let bot = wecom.aibot(AIBOT_ID);
    let since = Instant::now();
    while since.elapsed() < PATIENCE {
        if let Some(card) = bot.cards().get(before) {
            println!("  a card arrived: {}", card.sent);
            bot.press(&card.task_id, "ack", "zhangsan");
            println!("  zhangsan presses \"ack\"");
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Err("no card arrived".to_owned())
}
