//! The options of the commands that explain this program: completions and manual pages.

use clap::Args;
use clap_complete::Shell;

/// Print completions for a shell
#[derive(Args)]
pub(crate) struct CompletionsArgs {
    /// bash, zsh, fish, powershell or elvish
    #[arg(value_name = "SHELL", hide_possible_values = true)]
    pub(crate) shell: Shell,
}

/// Print a manual page: of the program, or of a command
#[derive(Args)]
pub(crate) struct ManArgs {
    /// The command whose page it is; default: that of the program itself
    #[arg(value_name = "COMMAND", num_args = 0..=2)]
    pub(crate) command: Vec<String>,
}
