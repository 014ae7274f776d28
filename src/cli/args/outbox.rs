//! The options of `outbox`, the one command that has commands of its own.

use clap::{Args, Subcommand};

// `outbox`.
#[derive(Args)]
pub(crate) struct OutboxArgs {
    #[command(subcommand)]
    pub(crate) command: OutboxCommand,
}

// What to do with the alerts that could not go out yet.
#[derive(Subcommand)]
pub(crate) enum OutboxCommand {
    /// Show what waits, and what WeCom refused for good
    #[command(after_help = "Example:\n  wecom-alert outbox list --exit-code > /dev/null || echo 'alerts are waiting'")]
    List(OutboxListArgs),
    /// Deliver what waits, in order
    #[command(after_help = "Example, for a crontab:\n  3-59/5 * * * *  wecom-alert -q outbox flush")]
    Flush(OutboxFlushArgs),
    /// Discard entries
    #[command(after_help = "Example:\n  wecom-alert outbox drop --failed")]
    Drop(OutboxDropArgs),
}

// `outbox list`.
#[derive(Args)]
pub(crate) struct OutboxListArgs {
    /// Exit with another code than 0 while something waits
    #[arg(long)]
    pub(crate) exit_code: bool,
}

// `outbox flush`.
#[derive(Args)]
pub(crate) struct OutboxFlushArgs {
    /// Try again, too, what was refused for good or became too old
    #[arg(long)]
    pub(crate) failed: bool,
}

// `outbox drop`.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct OutboxDropArgs {
    /// Entries by the id that `outbox list` shows
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// Everything
    #[arg(long)]
    pub(crate) all: bool,
    /// What WeCom refused for good or what became too old
    #[arg(long)]
    pub(crate) failed: bool,
}
