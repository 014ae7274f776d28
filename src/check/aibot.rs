//! `check` of an aibot, which does not take its connection: whether a process of this machine has it.

use super::CheckedTarget;
use super::report::CheckReport;
use crate::aibot::KnownHolder;
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
        Ok(Some(KnownHolder { host, process, since_ms })) => {
            let whose = host.map_or_else(|| "this machine".to_owned(), |host| format!("machine {host}"));
            match since_ms.map(|since_ms| clock::wall(clock::at_ms(since_ms))) {
                Some(since) => {
                    report.ok(
                        NAME,
                        format!("process {process} of {whose} has it since {since}, and sends for the others"),
                    );
                }
                None => report.skip(NAME, format!("process {process} of {whose} is about to have it")),
            }
        }
        Ok(None) if sends => {
            report.skip(NAME, "no other process of this machine has it: this one subscribes for the message")
        }
        Ok(None) => report.skip(NAME, "no process of this machine has it: the next send subscribes"),
        Err(error) => checked.blocked = report.block(NAME, &error, &[]).err(),
    }
}
