//! The options of the commands for group chats.

use clap::Args;

use super::Global;
use super::settings::text_parser;

// `chat-create`. Ids of its own: the settings have a chat too.
#[derive(Args)]
pub(crate) struct ChatCreateArgs {
    /// The id, 1 to 32 of 0-9, a-z, A-Z. A chat that has it already is a success: a script may run twice
    #[arg(id = "chat_id", long = "chat", value_name = "ID")]
    pub(crate) chat: Option<String>,
    /// The name that members see, up to 50 characters
    #[arg(long, value_name = "NAME", value_parser = text_parser())]
    pub(crate) name: Option<String>,
    /// The owner, one of the members
    #[arg(long, value_name = "ID")]
    pub(crate) owner: Option<String>,
    /// A member (repeatable; comma or | separated), 2 to 1999 with the owner
    #[arg(long, value_name = "ID", required = true)]
    pub(crate) member: Vec<String>,
    /// Add members who are not in a chat that exists already; nobody is removed
    #[arg(long, requires = "chat_id")]
    pub(crate) sync: bool,
    /// First message to a chat that was just made: old clients show a chat only when there is one
    #[arg(long, value_name = "TEXT", value_parser = text_parser())]
    pub(crate) hello: Option<String>,
    #[command(flatten)]
    _global: Global,
}

// `chat-update`.
#[derive(Args)]
pub(crate) struct ChatUpdateArgs {
    /// The id that chat-create printed; default: chat of the settings
    #[arg(id = "chat_id", value_name = "ID")]
    pub(crate) chat: Option<String>,
    /// The name that members see, up to 50 characters
    #[arg(long, value_name = "NAME", value_parser = text_parser())]
    pub(crate) name: Option<String>,
    /// The owner, one of the members
    #[arg(long, value_name = "ID")]
    pub(crate) owner: Option<String>,
    /// A member to add (repeatable; comma or | separated)
    #[arg(long, value_name = "ID")]
    pub(crate) add: Vec<String>,
    /// A member to remove; an owner only together with --owner (repeatable; comma or | separated)
    #[arg(long, value_name = "ID")]
    pub(crate) remove: Vec<String>,
    #[command(flatten)]
    _global: Global,
}
