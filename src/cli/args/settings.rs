//! The options of settings, made of the rows of the settings' table, and what was given for them.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, PossibleValue, PossibleValuesParser, StringValueParser, TypedValueParser};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, ValueHint};

use wecom_alert::channel::{Channel, MsgType};
use wecom_alert::config::{OptionGroup, Overrides, RawValue, Setting, ValueKind};
use wecom_alert::input::decode_argument;

/// The options of one [`OptionGroup`], to be flattened where they stand in help. Values are read by [`overrides`].
pub(crate) struct SettingArgs<const GROUP: u8>;

impl<const GROUP: u8> Args for SettingArgs<GROUP> {
    fn augment_args(command: Command) -> Command {
        let is_here = |setting: &&Setting| setting.row().group as u8 == GROUP && !setting.row().option.is_empty();
        let name = command.get_name().to_owned();
        let is_global = GROUP == OptionGroup::Global as u8;
        let parser = if is_global { parser_options() } else { Vec::new() };
        command.args(Setting::ALL.iter().filter(is_here).map(|setting| arg(*setting, &name))).args(parser)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<const GROUP: u8> FromArgMatches for SettingArgs<GROUP> {
    fn from_arg_matches(_: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self)
    }

    fn update_from_arg_matches(&mut self, _: &ArgMatches) -> Result<(), clap::Error> {
        Ok(())
    }
}

/// The options that the parser itself carries out. Its own ones would be listed before all others.
fn parser_options() -> Vec<Arg> {
    let option = |name, short, action, help| {
        Arg::new(name).long(name).short(short).action(action).help(help).help_heading(heading(OptionGroup::Global))
    };
    vec![
        option("help", 'h', ArgAction::Help, "Print help"),
        option("version", 'V', ArgAction::Version, "Print version"),
    ]
}

/// The variable of a setting, where it counts for that command: those of recipients say who gets alerts, and not whose card
/// is to change.
pub(crate) fn variable_of(setting: Setting, command: &str) -> Option<&'static str> {
    let row = setting.row();
    row.variable.filter(|_| command != "update-card" || row.group != OptionGroup::Recipients)
}

/// The option of a setting.
fn arg(setting: Setting, command: &str) -> Arg {
    let row = setting.row();
    let help = match variable_of(setting, command) {
        Some(variable) => format!("{} [env: {variable}]", row.help.trim()),
        None => row.help.trim().to_owned(),
    };
    let arg = Arg::new(setting.name())
        .long(row.option.trim_start_matches("--"))
        .short(row.short)
        .help(help)
        .help_heading(heading(row.group));
    let arg = match row.kind {
        ValueKind::Flag => return special(setting, command, arg.action(ArgAction::SetTrue)),
        ValueKind::Count => return arg.action(ArgAction::Count),
        ValueKind::List | ValueKind::NumberList => arg.action(ArgAction::Append),
        ValueKind::Path => arg.value_parser(path_parser()).value_hint(ValueHint::FilePath),
        ValueKind::Text => arg.value_parser(text_parser()),
        _ => arg,
    };
    let arg = match row.bare {
        Some(bare) => arg.num_args(0..=1).require_equals(true).default_missing_value(bare),
        None => arg,
    };
    let arg = match row.words {
        [] => arg,
        words if row.words_only => {
            arg.value_parser(OrEmpty(PossibleValuesParser::new(words)).map(Option::unwrap_or_default))
        }
        words => arg.value_parser(Offered(words)).hide_possible_values(true),
    };
    special(setting, command, arg.value_name(row.value_name))
}

/// Help and values that differ by command.
fn special(setting: Setting, command: &str, arg: Arg) -> Arg {
    match (setting, command) {
        (Setting::SkipEmpty, _) if command != "ask" => arg.conflicts_with(Setting::IfEmpty.name()),
        (Setting::Encoding, "run") => arg.help("Encoding of the output: auto, utf-8 or gb18030").help_heading("Run"),
        (Setting::Msgtype, "app-send") => of_types(arg, Channel::App).help(
            "text, markdown, image, voice, video, file, textcard, news, mpnews, miniprogram_notice, template_card",
        ),
        (Setting::Msgtype, "webhook-send") => of_types(arg, Channel::Webhook),
        (Setting::Msgtype, "chat-send") => of_types(arg, Channel::Chat),
        (Setting::Msgtype, "aibot-send") => of_types(arg, Channel::Aibot),
        // Nobody can be mentioned, which is said.
        (Setting::Mention | Setting::MentionMobile | Setting::MentionFallback, "aibot-send") => arg.hide(true),
        (Setting::AllowPartial, "aibot-send") => arg.help("Exit 0 although some recipients or parts did not get it"),
        // They do not go with a question, which is said.
        (
            Setting::AllowPartial
            | Setting::Outbox
            | Setting::Cooldown
            | Setting::CooldownKey
            | Setting::CooldownScope
            | Setting::SkipEmpty
            | Setting::Jitter,
            "ask",
        ) => arg.hide(true),
        (Setting::Safe, "chat-send") => {
            arg.value_name("0|1").help("Confidential: 1 with watermark [bare: 1]").help_heading("Group chat")
        }
        // Nobody can be mentioned by it there, which is said.
        (Setting::MentionMobile, "chat-send") => arg.hide(true),
        (Setting::AllowPartial, "app-send") => arg.help("Exit 0 although some recipients did not get it"),
        (Setting::AllowPartial, "webhook-send" | "chat-send") => arg.help("Exit 0 although some parts did not arrive"),
        _ => arg,
    }
}

fn of_types(arg: Arg, channel: Channel) -> Arg {
    let types = channel.facts().types;
    arg.value_parser(Offered(types)).hide_possible_values(true).help(MsgType::names(types).join(", "))
}

/// A path, which may be empty: that of an empty variable counts as not given.
pub(super) fn path_parser() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// Words for the receiver: what is not UTF-8 is decoded as the text is, since a script in GBK has both.
pub(super) fn text_parser() -> impl TypedValueParser<Value = String> {
    OsStringValueParser::new().map(|value| decode_argument(&value))
}

/// The names of channels.
pub(super) fn channel_parser() -> impl TypedValueParser<Value = Channel> {
    PossibleValuesParser::new(Channel::ALL.iter().copied().map(Channel::as_str))
        .try_map(|name| name.parse().map_err(|_| "there is no such route"))
}

fn heading(group: OptionGroup) -> &'static str {
    match group {
        OptionGroup::Global => "Global options",
        OptionGroup::Escaping | OptionGroup::Encodings | OptionGroup::Empty | OptionGroup::MessageType => "Message",
        OptionGroup::Titles | OptionGroup::LinksAndPrefix => "Alert",
        OptionGroup::Recipients | OptionGroup::People => "Recipients (repeatable; comma or | separated)",
        OptionGroup::Aibot => "Recipients (repeatable; comma or | separated)",
        OptionGroup::Chat => "Group chat",
        OptionGroup::Confidential | OptionGroup::AppMessage => "Options of apps",
        OptionGroup::Mentions => "Mentions",
        OptionGroup::Delivery => "Delivery",
        OptionGroup::Asking => "Question",
    }
}

/// What the command line gave for settings. A global option may be before the command and after it; the last one counts.
pub(crate) fn overrides(matches: &ArgMatches) -> Overrides {
    let levels = std::iter::successors(Some(matches), |matches| matches.subcommand().map(|(_, below)| below));
    levels.fold(Overrides::default(), |overrides, matches| {
        // In a debug build clap panics for an option that the command does not have.
        let is_known = |name: &str| matches.try_contains_id(name).unwrap_or(false);
        let is_given = |name: &str| is_known(name) && matches.value_source(name) == Some(ValueSource::CommandLine);
        let given = Setting::ALL.iter().filter(|setting| is_given(setting.name()));
        let overrides =
            given.fold(overrides, |overrides, setting| overrides.set(*setting, raw_value(*setting, matches)));
        let has_empty = |name: &str| {
            let mut values = is_given(name).then(|| matches.get_raw(name)).flatten().into_iter().flatten();
            values.any(is_empty)
        };
        let decides = DECIDING.iter().map(|name| (*name, true)).chain(SHOWN.iter().map(|name| (*name, false)));
        decides.filter(|(name, _)| has_empty(name)).fold(overrides, |overrides, (name, is_told)| {
            overrides.empty(format!("--{}", name.replace('_', "-")), is_told)
        })
    })
}

/// Options that are no settings' and decide something: an empty one counts as not given, and that is told.
const DECIDING: [&str; 5] = ["on", "route", "tail_lines", "time_limit", "card"];
/// Those whose absence can be seen.
const SHOWN: [&str; 6] = ["source", "emphasis", "quote", "jump", "button", "option"];

fn is_empty(value: &OsStr) -> bool {
    value.as_encoded_bytes().trim_ascii().is_empty()
}

/// The value of an option that may be empty, as that of an empty variable: ignored then.
pub(super) type UnlessEmpty<T> = Option<T>;

/// Reads an option that may be empty; other values as `P` does.
#[derive(Clone)]
pub(super) struct OrEmpty<P>(pub(super) P);

impl<P: TypedValueParser> TypedValueParser for OrEmpty<P> {
    type Value = UnlessEmpty<P::Value>;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<Self::Value, clap::Error> {
        if is_empty(value) { Ok(None) } else { self.0.parse_ref(command, arg, value).map(Some) }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        self.0.possible_values()
    }
}

fn raw_value(setting: Setting, matches: &ArgMatches) -> RawValue {
    let name = setting.name();
    match setting.row().kind {
        ValueKind::Flag => RawValue::Flag(true),
        ValueKind::Count => RawValue::Text(matches.get_count(name).to_string()),
        ValueKind::List | ValueKind::NumberList => {
            RawValue::List(matches.get_many(name).into_iter().flatten().cloned().collect())
        }
        ValueKind::Path => RawValue::Path(matches.get_one::<PathBuf>(name).cloned().unwrap_or_default()),
        _ => RawValue::Text(matches.get_one::<String>(name).cloned().unwrap_or_default()),
    }
}

/// Values that completions offer. Others are accepted here too: the code that reads the option refuses them with its own hint.
#[derive(Clone)]
pub(super) struct Offered<T: 'static = &'static str>(pub(super) &'static [T]);

impl<T: Copy + Into<&'static str> + Send + Sync> TypedValueParser for Offered<T> {
    type Value = String;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().map(|value| PossibleValue::new((*value).into()))))
    }
}
