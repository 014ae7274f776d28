//! A script that the store runs at one go: known to it by its sum, so that its text is sent once.

use std::sync::OnceLock;

use redis::{Cmd, cmd};
use sha1::{Digest as _, Sha1};

/// A Lua script. Keep it in a `static`.
#[derive(Debug)]
pub(crate) struct Script {
    text: &'static str,
    sum: OnceLock<String>,
}

/// What the text of a script is given: keys, then arguments.
#[derive(Debug, Default)]
pub(crate) struct ScriptInput {
    keys: Vec<String>,
    arguments: Vec<Vec<u8>>,
}

impl ScriptInput {
    /// These keys, and no arguments yet.
    pub(crate) fn of_keys(keys: impl IntoIterator<Item = String>) -> Self {
        Self { keys: keys.into_iter().collect(), arguments: Vec::new() }
    }

    /// One argument more.
    pub(crate) fn with(mut self, argument: impl ToString) -> Self {
        self.arguments.push(argument.to_string().into_bytes());
        self
    }

    /// One argument more, of any bytes.
    pub(crate) fn with_bytes(mut self, argument: Vec<u8>) -> Self {
        self.arguments.push(argument);
        self
    }
}

impl Script {
    /// A script of this text. `KEYS` and `ARGV` hold what it is given.
    pub(crate) const fn new(text: &'static str) -> Self {
        Self { text, sum: OnceLock::new() }
    }

    /// The command that runs it where the store knows it already.
    pub(super) fn by_sum(&self, input: &ScriptInput) -> Cmd {
        let sum = self
            .sum
            .get_or_init(|| Sha1::digest(self.text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect());
        Self::command("EVALSHA", sum, input)
    }

    /// The command that runs it and makes it known.
    pub(super) fn by_text(&self, input: &ScriptInput) -> Cmd {
        Self::command("EVAL", self.text, input)
    }

    fn command(name: &str, script: &str, input: &ScriptInput) -> Cmd {
        let mut command = cmd(name);
        command.arg(script).arg(input.keys.len());
        input.keys.iter().for_each(|key| {
            command.arg(key.as_str());
        });
        input.arguments.iter().for_each(|argument| {
            command.arg(argument.as_slice());
        });
        command
    }
}
