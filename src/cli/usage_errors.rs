//! Command lines that the parser refuses: its complaint in this program's form, with a hint.

use std::ffi::OsString;

use clap::Arg;
use clap::error::{ContextKind, ErrorKind};

use wecom_alert::ci::SYSTEMS;
use wecom_alert::error::{Error, Status};
use wecom_alert::suggest::{is_near, nearest};

use super::args::{Command, definition, is_own};
use super::unparsed::valued_option;

/// Converts an error of the parser (clap) to ours: one line, with a hint.
pub(crate) fn refusal(error: &clap::Error, command: Option<&str>, arguments: &[OsString]) -> Error {
    let rendered = error.render().to_string();
    let complaint = rendered.split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = complaint.trim_start_matches("error:").split_whitespace().collect();
    let mut message = words.join(" ");
    if matches!(error.kind(), ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand) {
        message = match command {
            Some("outbox" | "config") => format!("missing subcommand: there are {}", choices(command)),
            _ => format!("missing command: there are {}", choices(None)),
        };
    }
    if error.kind() == ErrorKind::InvalidUtf8 {
        return not_utf8(message, command, arguments);
    }
    if let Some(hint) = mistyped(arguments) {
        return Error::usage(message, hint);
    }
    let unknown = error.get(ContextKind::InvalidArg).filter(|_| error.kind() == ErrorKind::UnknownArgument);
    let hint = match unknown.map(ToString::to_string) {
        Some(option) if option.starts_with('-') => unknown_option(&option, command, arguments),
        Some(_) => one_too_many(command, arguments),
        None if is_without_value(error) => {
            let option = error.get(ContextKind::InvalidArg).map(ToString::to_string).unwrap_or_default();
            let option = option.split([' ', '=']).next().unwrap_or_default();
            format!("is a variable empty? quote it, and it is ignored: {option} \"$VARIABLE\"")
        }
        None if command == Some("run") && arguments.last().is_some_and(|word| word == "--") => {
            "is a variable empty? the command goes after --, as in: wecom-alert run -- backup.sh --all".to_owned()
        }
        None if command == Some("run") && error.kind() == ErrorKind::MissingRequiredArgument => {
            "the command goes after --, as in: wecom-alert run -- backup.sh --all".to_owned()
        }
        None if error.kind() == ErrorKind::InvalidSubcommand && !rendered.contains("tip: ") => {
            // The word may come before the command that is named.
            let usage = rendered.lines().find_map(|line| line.strip_prefix("Usage: ")).unwrap_or_default();
            let is_below = |name: &&str| usage.split_whitespace().nth(1) == Some(name);
            format!("there are {}", choices(command.filter(is_below)))
        }
        None => tip(&rendered, command),
    };
    Error::usage(message, hint)
}

/// Whether an option was given without its value: what stood there may have been a variable, empty and not in quotes.
fn is_without_value(error: &clap::Error) -> bool {
    error.kind() == ErrorKind::InvalidValue
        && error.get(ContextKind::InvalidValue).is_some_and(|value| value.to_string().is_empty())
}

/// The subcommands of a command; all commands, where it has none.
fn choices(command: Option<&str>) -> String {
    let root = definition();
    let below = command.and_then(|name| root.find_subcommand(name)).filter(|command| command.has_subcommands());
    let Some(below) = below else { return Command::NAMES.join(", ") };
    let names = below.get_subcommands().map(clap::Command::get_name);
    names.filter(|name| *name != "help").collect::<Vec<_>>().join(", ")
}

/// A word that is not UTF-8 where it must be: all but the text and paths.
fn not_utf8(message: String, command: Option<&str>, arguments: &[OsString]) -> Error {
    let at = arguments.iter().position(|word| word.to_str().is_none()).unwrap_or(arguments.len());
    // `--title=…`, or the option before it.
    let attached = arguments.get(at).map(|word| word.to_string_lossy());
    let attached = attached.as_deref().and_then(|word| word.split_once('=')).map(|(name, _)| name);
    let is_name = |c: char| c.is_ascii_lowercase() || c == '-';
    let attached = attached.filter(|name| name.starts_with("--") && name.chars().all(is_name));
    let before = arguments[..at].last().and_then(|word| word.to_str()).filter(|word| word.starts_with("--"));
    let message = attached.or(before).map_or(message, |option| format!("{option}: the value is not UTF-8"));
    let hint = match command {
        Some(command) if command.ends_with("-send") => {
            "convert it, for example with iconv -f gb18030 -t utf-8; only the text itself may be in another encoding"
        }
        _ => "convert it, for example with iconv -f gb18030 -t utf-8",
    };
    Error::usage(message, hint)
}

/// The hint about signs of an input method in place of dashes and quotes.
fn mistyped(arguments: &[OsString]) -> Option<String> {
    let mut words = arguments.iter().skip(1).take_while(|word| *word != "--").filter_map(|word| word.to_str());
    words.find_map(|word| {
        if let Some((dashes, name)) = with_long_dash(word) {
            return Some(format!("write -- in place of {dashes}, as in: --{name}"));
        }
        let quote = word.chars().next().filter(|quote| matches!(quote, '“' | '”' | '‘' | '’'))?;
        let is_open = !word.ends_with(['”', '’']);
        is_open.then(|| format!("write \" in place of {quote}: a shell knows only the quotes \" and '"))
    })
}

/// The dashes of an input method, and the name of the option after them.
fn with_long_dash(word: &str) -> Option<(&str, &str)> {
    let name = word.trim_start_matches(['–', '—', '－', '-']);
    let dashes = &word[..word.len() - name.len()];
    let is_option = dashes.chars().any(|dash| dash != '-') && name.starts_with(|c: char| c.is_ascii_lowercase());
    let name = name.split('=').next().unwrap_or_default();
    (is_option && !name.contains(char::is_whitespace)).then_some((dashes, name))
}

/// The warning about a text that is an option with the dash of an input method. It was sent: an alert must go out.
pub(crate) fn warning_about_text(text: &str) -> Option<String> {
    let (dashes, name) = with_long_dash(text.trim())?;
    let option = format!("--{name}");
    let is_known = !owners(&option).is_empty() || definition().get_arguments().any(|arg| is_named(arg, &option));
    is_known.then(|| format!("CONTENT is {dashes}{name}, which is taken as the text: the option is written {option}"))
}

/// The suggestion of the parser, else where the help is.
fn tip(rendered: &str, command: Option<&str>) -> String {
    let tip = rendered.lines().find_map(|line| line.trim().strip_prefix("tip: "));
    tip.map_or_else(|| help_hint(command), str::to_owned)
}

fn help_hint(command: Option<&str>) -> String {
    match command {
        Some(command) => format!("wecom-alert {command} --help shows the options"),
        None => "wecom-alert --help shows the commands".to_owned(),
    }
}

fn unknown_option(option: &str, command: Option<&str>, arguments: &[OsString]) -> String {
    if is_credential(option) {
        return "credentials are never options, since other users can read a command line: use the config file, or \
                WECOM_ALERT_SECRET[_FILE] and WECOM_ALERT_WEBHOOK[_FILE]"
            .to_owned();
    }
    if let Some(hint) = hint_for(option, command) {
        return hint;
    }
    let owners = owners(option);
    let own = match command {
        Some(command) if owners.contains(&command) => {
            Some(format!("{option} goes after {}", place_of(option, command)))
        }
        _ if !owners.is_empty() => Some(format!("{option} belongs to {}", owners.join(", "))),
        _ => nearest_option(option, command).map(|nearest| format!("the nearest option is --{nearest}")),
    };
    own.or_else(|| command.and_then(|command| dashes(command, option, arguments))).unwrap_or_else(|| help_hint(command))
}

/// How to write what begins with `-` and is no option: a text, or the value of the option before it.
fn dashes(command: &str, option: &str, arguments: &[OsString]) -> Option<String> {
    let at = arguments.iter().position(|word| word.to_str().is_some_and(|word| word.starts_with(option)))?;
    let root = definition();
    let own = root.find_subcommand(command)?;
    let known: Vec<&Arg> = own.get_arguments().collect();
    let before = arguments.get(at.checked_sub(1)?)?.to_str()?;
    if let Some((valued, None)) = valued_option(&known, before) {
        let name = valued.get_long()?;
        return Some(format!("a value that begins with - goes after =, as in: --{name}='-5 degrees'"));
    }
    let takes_text = command.ends_with("-send");
    // It may be either.
    let help = if option.starts_with("--") { format!("{}; ", help_hint(Some(command))) } else { String::new() };
    takes_text
        .then(|| format!("{help}text that begins with - goes after --, as in: wecom-alert {command} -- '-5 degrees'"))
}

/// Options that other programs have, or that one would expect.
const EXPECTED: [(&[&str], &str); 15] = [
    (&["--json", "--format", "-o"], "for JSON on stdout: --output json"),
    (
        &["--message", "--text", "--content", "--body", "--msg", "-m"],
        "the text needs no option: wecom-alert webhook-send 'TEXT'; or give it on stdin, or with --text-file FILE",
    ),
    (
        &["--text-from", "--stdin", "-f"],
        "text is read from stdin without an option, or with --text-file FILE; --file FILE sends a file",
    ),
    (&["--subject", "--summary", "--heading"], "the first line of an alert is its --title"),
    (&["--severity", "--priority", "--loglevel"], "how bad it is: --level info, ok, warning or critical"),
    (
        &["--at", "--at-all", "--mention-all", "--mentions"],
        "to draw somebody's attention: --mention ID, or --mention @all",
    ),
    (&["--markdown", "--md"], "for markdown: -t markdown; an alert with --title chooses its type by itself"),
    (&["--attachment", "--attachments"], "a file after the text: --attach PATH"),
    (&["--link", "--href"], "a link to more: --url URL"),
    (&["--debug", "--trace"], "to see each attempt: -v"),
    (&["--silent"], "to see errors only: -q"),
    (&["--insecure", "--no-verify", "-k"], "to trust a certificate: --ca-file PEM"),
    (&["-c", "--config-file", "--conf"], "the config file: --config FILE"),
    (&["-p"], "the profile: -P NAME, or --profile NAME"),
    (&["--dryrun", "--noop", "-n"], "to send nothing: --dry-run"),
];

/// Options that name recipients, here or in other programs.
const RECIPIENTS: [&str; 11] = [
    "-u",
    "--to-user",
    "--to-party",
    "--to-tag",
    "--to-mobile",
    "--to-email",
    "--to",
    "--user",
    "--touser",
    "--recipient",
    "--users",
];

/// Options that name people by what is looked up.
const LOOK_UPS: [&str; 6] = ["--to-mobile", "--to-email", "--mobile", "--email", "--phone", "--member-mobile"];

/// The hint for an option that is known, but not to this command.
fn hint_for(option: &str, command: Option<&str>) -> Option<String> {
    let hint = match command {
        Some("webhook-send") if RECIPIENTS.contains(&option) => {
            "a webhook reaches its whole group: to draw a member's attention use --mention ID; to write to members use app-send"
        }
        Some("chat-send") if RECIPIENTS.contains(&option) => {
            "a message reaches the whole chat of --chat ID: to draw a member's attention use --mention ID; to write to members use app-send"
        }
        Some("aibot-send") if RECIPIENTS.contains(&option) => {
            "an aibot writes to members and groups: name them with -u ID and --chat ID; departments and tags are reached by app-send"
        }
        Some("aibot-send") if matches!(option, "--safe" | "--id-trans" | "--duplicate-check") => {
            "messages of an aibot have nothing of the kind: leave it out, or use app-send"
        }
        Some("chat-create" | "chat-update") if LOOK_UPS.contains(&option) => {
            "members are named by userid: wecom-alert get-userid --mobile NUMBER, or --email ADDRESS, prints it"
        }
        Some("chat-create") if RECIPIENTS.contains(&option) || option == "--members" => {
            "name the members with --member ID"
        }
        Some("chat-update") if RECIPIENTS.contains(&option) || option == "--member" => {
            "who joins is named with --add ID, who leaves with --remove ID"
        }
        Some("app-send" | "run") if RECIPIENTS.contains(&option) && owners(option).is_empty() => {
            "name recipients with -u ID, --to-party ID or --to-tag ID"
        }
        Some("app-send") if option.starts_with("--mention") => {
            "app messages address their recipients already: name them with -u, --to-party or --to-tag"
        }
        Some("webhook-send" | "app-send" | "run") if option == "--type" => {
            "the message type: -t TYPE, or --msgtype TYPE"
        }
        Some("upload-media") if option == "--file" => "the file needs no option: wecom-alert upload-media FILE",
        Some("run") if option == "--file" => "to send a file with the alert: --attach PATH",
        // One that another command has is named as that.
        _ => {
            let (_, hint) = EXPECTED.iter().find(|(names, _)| names.contains(&option))?;
            if !owners(option).is_empty() {
                return None;
            }
            hint
        }
    };
    Some(hint.to_owned())
}

/// The command that takes an option of this one: itself, or one below it.
fn place_of(option: &str, name: &str) -> String {
    let root = definition();
    let mut below = root.find_subcommand(name).into_iter().flat_map(clap::Command::get_subcommands);
    let owner = below.find(|command| command.get_arguments().any(|arg| is_own(arg) && is_named(arg, option)));
    owner.map_or_else(|| name.to_owned(), |owner| format!("{name} {}", owner.get_name()))
}

/// A word where no further argument is allowed.
fn one_too_many(command: Option<&str>, arguments: &[OsString]) -> String {
    let mut pairs = arguments.windows(2).take_while(|pair| pair[0] != "--");
    let spaced = pairs.find(|pair| pair[0] == "--safe" && ["0", "1", "2"].iter().any(|value| pair[1] == *value));
    let mut pairs = arguments.windows(2).take_while(|pair| pair[0] != "--");
    if let Some(pair) = pairs.find(|pair| pair[0] == "--ci" && SYSTEMS.iter().any(|system| pair[1] == *system.name)) {
        return format!("--ci takes its value after =: --ci={}", pair[1].to_string_lossy());
    }
    match (command, spaced) {
        (Some(name @ ("get-token" | "check" | "list-tags")), _) => format!("{name} takes no text"),
        (Some("upload-media"), _) => "one file at a time; a name with blanks in it must be quoted".to_owned(),
        (Some("explain"), _) => "one code at a time".to_owned(),
        (Some("completions"), _) => "one shell at a time: bash, zsh, fish, powershell or elvish".to_owned(),
        (Some("run"), _) => "the command goes after --, as in: wecom-alert run -- backup.sh --all".to_owned(),
        (Some("get-userid"), _) => "say what is looked up: --mobile NUMBER, or --email ADDRESS".to_owned(),
        (Some("chat-create"), _) => "options say it all: --name NAME, --member ID, --chat ID, --hello TEXT".to_owned(),
        (Some("chat-update"), _) => {
            "options say what changes: --name NAME, --owner ID, --add ID, --remove ID".to_owned()
        }
        (Some("chat-get"), _) => "one chat at a time".to_owned(),
        (Some("list-departments"), _) => "it takes no words; --under ID lists those below a department".to_owned(),
        (Some("list-members"), _) => "one department at a time, by its number".to_owned(),
        (Some("list-tag-members"), _) => "one tag at a time, by its number".to_owned(),
        (Some("outbox"), _) => "list and flush take no words, show takes one id, drop takes ids".to_owned(),
        (Some("app-send"), Some(pair)) => {
            format!("--safe takes its value after =: --safe={}", pair[1].to_string_lossy())
        }
        (Some("listen"), _) => "the program goes after --, as in: wecom-alert listen -- ./on-press.sh".to_owned(),
        (Some(name), _) if !takes_text(name) => format!("it takes no text: wecom-alert {name} --help"),
        _ => "quote the text, so that it is one argument".to_owned(),
    }
}

fn takes_text(name: &str) -> bool {
    let root = definition();
    let command = root.find_subcommand(name);
    command.is_some_and(|command| command.get_positionals().any(|arg| arg.get_id() == "content"))
}

/// The commands that have this option, of their own.
fn owners(option: &str) -> Vec<&'static str> {
    let root = definition();
    let has = |command: &clap::Command| all_arguments(command).any(|arg| is_named(arg, option));
    Command::NAMES.into_iter().filter(|name| root.find_subcommand(name).is_some_and(has)).collect()
}

/// Its own, and those of the commands below it.
fn all_arguments(command: &clap::Command) -> impl Iterator<Item = &Arg> {
    let below = command.get_subcommands().flat_map(clap::Command::get_arguments);
    command.get_arguments().chain(below).filter(|arg| is_own(arg))
}

fn is_named(arg: &Arg, option: &str) -> bool {
    match option.strip_prefix("--") {
        Some(long) => arg.get_long() == Some(long),
        None => arg.get_short().is_some_and(|short| option == format!("-{short}")),
    }
}

/// The long option that this one is a typo of.
fn nearest_option(option: &str, command: Option<&str>) -> Option<String> {
    let given = option.strip_prefix("--")?;
    let root = definition();
    let own = command.and_then(|name| root.find_subcommand(name)).into_iter().flat_map(all_arguments);
    let known = root.get_arguments().chain(own).filter_map(Arg::get_long).chain(["help", "version"]);
    nearest(given, known).filter(|known| is_near(given, known)).map(str::to_owned)
}

fn is_credential(argument: &str) -> bool {
    ["--secret", "--corp-secret", "--corpsecret", "--webhook", "--key", "--token", "--access-token", "--password"]
        .iter()
        .any(|name| argument.starts_with(name))
}

/// The error of a script with Windows line ends: the carriage return at the end of a line belongs to its last word, and
/// cannot be seen.
pub(crate) fn about_line_ends(error: Error, arguments: &[OsString]) -> Error {
    let is_told = |word: &OsString| {
        let word = word.to_string_lossy();
        match error.status() {
            Status::Usage | Status::Config => {
                word.strip_suffix('\r').is_some_and(|word| !word.is_empty() && error.message().contains(word))
            }
            // A file that is missing, as it was written.
            Status::Partial => {
                let path = word.strip_prefix("--attach=").unwrap_or(&word);
                path.ends_with('\r') && error.message().contains(&format!("{path:?}"))
            }
            _ => false,
        }
    };
    if !arguments.iter().any(is_told) {
        return error;
    }
    error.with_hint(
        "the word ends with a carriage return, since the script has Windows line ends: remove them, as with: \
         sed -i 's/\\r$//' SCRIPT",
    )
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::args::Cli;
    use super::super::unparsed::read_unparsed;
    use super::*;

    fn hint(line: &str) -> String {
        let arguments: Vec<OsString> =
            std::iter::once("wecom-alert").chain(line.split_whitespace()).map(OsString::from).collect();
        let error = Cli::try_parse_from(&arguments).err().unwrap();
        refusal(&error, read_unparsed(&arguments).command, &arguments).hint().unwrap().to_owned()
    }

    #[test]
    fn an_unknown_option() {
        let dashes = |command: &str| {
            format!("text that begins with - goes after --, as in: wecom-alert {command} -- '-5 degrees'")
        };
        let group = "a webhook reaches its whole group: to draw a member's attention use --mention ID; to write to \
                     members use app-send";
        let by_userid =
            "members are named by userid: wecom-alert get-userid --mobile NUMBER, or --email ADDRESS, prints it";
        let json = "for JSON on stdout: --output json";
        let text =
            "the text needs no option: wecom-alert webhook-send 'TEXT'; or give it on stdin, or with --text-file FILE";
        let cases = [
            ("webhook-send -u x", group.to_owned()),
            ("webhook-send -ux y", group.to_owned()),
            ("webhook-send --to x", group.to_owned()),
            ("webhook-send --user x y", group.to_owned()),
            ("app-send --to x y", "name recipients with -u ID, --to-party ID or --to-tag ID".to_owned()),
            (
                "chat-send -u x y",
                "a message reaches the whole chat of --chat ID: to draw a member's attention use --mention ID; to write to \
                 members use app-send"
                    .to_owned(),
            ),
            ("chat-create --to-mobile 13800000003", by_userid.to_owned()),
            ("chat-update ops --mobile 13800000003", by_userid.to_owned()),
            ("chat-create -u lisi", "name the members with --member ID".to_owned()),
            (
                "chat-update ops --member lisi",
                "who joins is named with --add ID, who leaves with --remove ID".to_owned(),
            ),
            ("webhook-send --json x", json.to_owned()),
            ("--json check", json.to_owned()),
            ("get-token --json", json.to_owned()),
            ("webhook-send --message x", text.to_owned()),
            ("app-send -m x", text.to_owned()),
            ("webhook-send --content=x", text.to_owned()),
            ("webhook-send --severity critical x", "how bad it is: --level info, ok, warning or critical".to_owned()),
            ("webhook-send --type markdown x", "the message type: -t TYPE, or --msgtype TYPE".to_owned()),
            ("upload-media --file x", "the file needs no option: wecom-alert upload-media FILE".to_owned()),
            ("run --file x -- y", "to send a file with the alert: --attach PATH".to_owned()),
            ("webhook-send --insecure x", "to trust a certificate: --ca-file PEM".to_owned()),
            ("webhook-send --safe=1 x", "--safe belongs to app-send, chat-send, preview, batch, run".to_owned()),
            (
                "app-send --mention a b",
                "app messages address their recipients already: name them with -u, --to-party or --to-tag".to_owned(),
            ),
            ("app-send --refresh a", "--refresh belongs to get-token".to_owned()),
            ("get-token -t x", "-t belongs to app-send, webhook-send, chat-send, aibot-send, preview, batch, run, upload-media".to_owned()),
            (
                "upload-media --text-file a",
                "--text-file belongs to app-send, webhook-send, chat-send, aibot-send, preview, ask, update-card".to_owned(),
            ),
            ("-u x app-send hi", "-u goes after app-send".to_owned()),
            ("-u x", "-u belongs to app-send, aibot-send, preview, ask, batch, update-card, run".to_owned()),
            ("app-send --to-usr x y", "the nearest option is --to-user".to_owned()),
            ("webhook-send --mentoin x y", "the nearest option is --mention".to_owned()),
            ("get-token --profil x", "the nearest option is --profile".to_owned()),
            (
                "webhook-send --exclaim x",
                format!("wecom-alert webhook-send --help shows the options; {}", dashes("webhook-send")),
            ),
            ("webhook-send -5 degrees", dashes("webhook-send")),
            ("app-send -5 degrees", dashes("app-send")),
            (
                "app-send --title -5 degrees",
                "a value that begins with - goes after =, as in: --title='-5 degrees'".to_owned(),
            ),
            ("outbox --all", "--all goes after outbox drop".to_owned()),
            ("outbox --exit-code list", "--exit-code goes after outbox list".to_owned()),
            ("outbox drop --faild", "the nearest option is --failed".to_owned()),
            ("get-token --outbox", "--outbox belongs to app-send, webhook-send, chat-send, aibot-send, preview, ask, batch, run".to_owned()),
            ("outbox flush -x", "wecom-alert outbox --help shows the options".to_owned()),
            ("upload-media -x", "wecom-alert upload-media --help shows the options".to_owned()),
            ("run --time-limt 1h -- y", "the nearest option is --time-limit".to_owned()),
            ("webhook-send --time-limit 1h x", "--time-limit belongs to run".to_owned()),
            ("--bogus", "wecom-alert --help shows the commands".to_owned()),
        ];
        for (line, wanted) in cases {
            assert_eq!(hint(line), wanted, "{line}");
        }
        for line in ["--token x", "--key k", "--webhook u", "--secret s", "--webhook-url=u", "--password p"] {
            assert!(hint(&format!("webhook-send {line}")).starts_with("credentials are never options"), "{line}");
        }
        assert!(!hint(&format!("webhook-send --{} x", "mention".repeat(9))).contains("nearest"));
    }

    #[test]
    fn signs_of_an_input_method() {
        for (line, wanted) in [
            ("app-send —title 磁盘", "write -- in place of —, as in: --title"),
            ("app-send ——title 磁盘 text", "write -- in place of ——, as in: --title"),
            ("app-send –to-user=x text", "write -- in place of –, as in: --to-user"),
            ("run —name 备份 -- false", "write -- in place of —, as in: --name"),
            ("app-send “磁盘 已满”", "write \" in place of “: a shell knows only the quotes \" and '"),
        ] {
            assert_eq!(hint(line), wanted, "{line}");
        }
        for line in ["app-send — text", "app-send “磁盘” 已满", "app-send 磁盘—full 已满"] {
            assert!(!hint(line).contains("in place of"), "{line}");
        }
        assert!(warning_about_text("–dry-run").unwrap().contains("the option is written --dry-run"));
        assert!(warning_about_text("—title=x").is_some());
        for text in ["—磁盘已满", "–nosuch", "--title", "– dry-run", "–dry-run of the backup"] {
            assert_eq!(warning_about_text(text), None, "{text}");
        }
    }

    #[test]
    fn a_word_too_many() {
        let quote = "quote the text, so that it is one argument";
        let cases = [
            ("get-token extra", "get-token takes no text"),
            ("check extra", "check takes no text"),
            ("upload-media a b", "one file at a time; a name with blanks in it must be quoted"),
            ("app-send --safe 1 x", "--safe takes its value after =: --safe=1"),
            ("app-send x --safe 2", "--safe takes its value after =: --safe=2"),
            ("app-send --safe x y", quote),
            ("app-send disk full", quote),
            ("webhook-send -- --safe 1", quote),
            ("config init x", "it takes no text: wecom-alert config --help"),
            ("chat-send disk full", quote),
            ("update-card --response-code c disk full", quote),
            ("run backup.sh --all", "the command goes after --, as in: wecom-alert run -- backup.sh --all"),
            ("listen ./on-press.sh", "the program goes after --, as in: wecom-alert listen -- ./on-press.sh"),
            ("outbox list x", "list and flush take no words, show takes one id, drop takes ids"),
            ("get-userid 13800000001", "say what is looked up: --mobile NUMBER, or --email ADDRESS"),
            ("chat-create 值班群", "options say it all: --name NAME, --member ID, --chat ID, --hello TEXT"),
            ("chat-update ops x", "options say what changes: --name NAME, --owner ID, --add ID, --remove ID"),
            ("chat-get a b", "one chat at a time"),
            ("list-departments 2", "it takes no words; --under ID lists those below a department"),
            ("list-members 1 2", "one department at a time, by its number"),
            ("list-tags x", "list-tags takes no text"),
            ("list-tag-members 1 2", "one tag at a time, by its number"),
        ];
        for (line, wanted) in cases {
            assert_eq!(hint(line), wanted, "{line}");
        }
    }

    /// Only a command with a text is told to quote it.
    #[test]
    fn a_command_without_text_is_not_told_to_quote_it() {
        let quoting = Command::NAMES.into_iter().filter(|name| one_too_many(Some(name), &[]).starts_with("quote"));
        assert_eq!(
            quoting.collect::<Vec<_>>(),
            ["app-send", "webhook-send", "chat-send", "aibot-send", "preview", "ask", "update-card"]
        );
    }

    #[test]
    fn a_drop_says_what() {
        let parses = |line: &str| Cli::try_parse_from(line.split(' ')).is_ok();
        for line in ["drop a", "drop a b", "drop --all", "drop --failed", "list", "list --exit-code", "flush -q"] {
            assert!(parses(&format!("wecom-alert outbox {line}")), "{line}");
        }
        for line in ["drop", "drop a --all", "drop --all --failed", "flush a", "flush --all"] {
            assert!(!parses(&format!("wecom-alert outbox {line}")), "{line}");
        }
    }

    #[test]
    fn what_the_parser_suggests() {
        assert_eq!(hint("webhok-send x"), "some similar subcommands exist: 'chat-send', 'aibot-send', 'webhook-send'");
        assert_eq!(hint("outbox frob"), "there are list, show, flush, drop");
        assert_eq!(hint("outbox flus"), "a similar subcommand exists: 'flush'");
        for line in ["frob", "frob outbox"] {
            assert!(hint(line).starts_with("there are app-send, webhook-send, "), "{line}");
        }
        assert!(hint("").contains("--help"));
        assert!(hint("outbox").contains("--help"));
        assert!(hint("app-send --title").contains("is a variable empty? "));
    }
}
