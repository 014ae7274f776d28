//! `check` of an aibot, which does not take its connection: whether a process of this machine has it.

use super::CheckedTarget;
use super::report::CheckReport;
use crate::clock;

/// What is said of the connection.
pub(super) const NAME: &str = "aibot_connection";

/// Asks the process that holds the connection, if there is one.
pub(super) async fn look(checked: &mut CheckedTarget, sends: bool, report: &mut CheckReport) {
    if let Some(failed) = checked.blocked {
        return report.skip_after(&[NAME], failed);
    }
    let Some(link) = checked.courier.as_ref().and_then(|courier| courier.link()) else { return };
    match link.holder().await {
        Ok(Some((process, Some(since_ms)))) => {
            let since = clock::wall(clock::at_ms(since_ms));
            report
                .ok(NAME, format!("process {process} of this machine has it since {since}, and sends for the others"));
        }
        Ok(Some((process, None))) => {
            report.skip(NAME, format!("process {process} of this machine is about to have it"))
        }
        Ok(None) if sends => {
            report.skip(NAME, "no other process of this machine has it: this one subscribes for the message")
        }
        Ok(None) => report.skip(NAME, "no process of this machine has it: the next send subscribes"),
        Err(error) => checked.blocked = report.block(NAME, &error, &[]).err(),
    }
}
