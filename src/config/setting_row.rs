//! A row of the table of settings: what a value looks like, the option, the variable, and what a wrong value does.

/// What a value looks like, in the file and elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// One word that an error may repeat when it came from the command line.
    Word,
    /// One word that may carry credentials: never repeated.
    Sensitive,
    /// Text for the receiver, taken as it is.
    Text,
    /// A duration.
    Duration,
    /// A path.
    Path,
    /// A path or `credential:NAME`.
    CredentialPath,
    /// A whole number, or its digits in a string.
    Number,
    /// The same; on the command line the number of times that the option stands there.
    Count,
    /// True or false.
    Flag,
    /// One or several strings.
    List,
    /// One or several whole numbers or strings.
    NumberList,
    /// A program and its arguments.
    Program,
}

/// Options that are together in help, and are options of the same commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionGroup {
    /// Of every command.
    Global,
    /// What a text is read as.
    Escaping,
    /// The encoding of what is read.
    Encodings,
    /// What to do with an empty text.
    Empty,
    /// The message type.
    MessageType,
    /// The first line of an alert.
    Titles,
    /// Links of an alert, and its prefix.
    LinksAndPrefix,
    /// To whom an app sends.
    Recipients,
    /// To which group chat an app sends.
    Chat,
    /// To whom an aibot sends.
    Aibot,
    /// Whether a message is confidential.
    Confidential,
    /// Those of them who are looked up.
    People,
    /// Options that only app messages have.
    AppMessage,
    /// Whom a message to a group mentions.
    Mentions,
    /// How an alert is to arrive.
    Delivery,
    /// Who is asked later.
    Asking,
}

/// What a wrong value does to an alert that is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistake {
    /// It is not sent: the setting decides whom it reaches, or whether it may.
    Stops,
    /// A warning, and the default is used, where file or variable hold the value. An option's is a usage error.
    Default,
    /// A warning, and the alert goes without it, wherever the value stands.
    LeftOut,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct SettingRow {
    /// What it looks like.
    pub kind: ValueKind,
    /// Its long option with dashes; empty where it has none.
    pub option: &'static str,
    /// Its short option.
    pub short: Option<char>,
    /// The placeholder for the value in help; empty if the option takes none.
    pub value_name: &'static str,
    /// The group of the option.
    pub group: OptionGroup,
    /// The help of the option, on one line. For a setting without an option: its description.
    pub help: &'static str,
    /// Values that completions offer.
    pub words: &'static [&'static str],
    /// Whether help lists them too, and there are no others.
    pub words_only: bool,
    /// The value of an option that is given without one.
    pub bare: Option<&'static str>,
    /// Short help leaves the option out.
    pub is_rare: bool,
    /// Its environment variable.
    pub variable: Option<&'static str>,
    /// Whether the config file may have it.
    pub is_in_file: bool,
    /// What a wrong value does.
    pub mistake: Mistake,
}

/// A setting that only the config file and variables give.
pub(super) const fn no_option(kind: ValueKind) -> SettingRow {
    SettingRow {
        kind,
        option: "",
        short: None,
        value_name: "",
        group: OptionGroup::Global,
        help: "",
        words: &[],
        words_only: false,
        bare: None,
        is_rare: false,
        variable: None,
        is_in_file: true,
        mistake: Mistake::Default,
    }
}

/// A setting with an option that takes a value.
pub(super) const fn option(
    kind: ValueKind,
    group: OptionGroup,
    option: &'static str,
    value_name: &'static str,
) -> SettingRow {
    SettingRow { group, option, value_name, ..no_option(kind) }
}

/// A setting with an option that takes no value.
pub(super) const fn flag(group: OptionGroup, option: &'static str) -> SettingRow {
    SettingRow { group, option, ..no_option(ValueKind::Flag) }
}

impl SettingRow {
    pub(super) const fn short(self, short: char) -> Self {
        Self { short: Some(short), ..self }
    }

    pub(super) const fn env(self, variable: &'static str) -> Self {
        Self { variable: Some(variable), ..self }
    }

    pub(super) const fn rare(self) -> Self {
        Self { is_rare: true, ..self }
    }

    /// For what decides whom an alert reaches, or whether it may.
    pub(super) const fn decides(self) -> Self {
        Self { mistake: Mistake::Stops, ..self }
    }

    /// For what an alert can do without.
    pub(super) const fn decorates(self) -> Self {
        Self { mistake: Mistake::LeftOut, ..self }
    }

    pub(super) const fn not_in_file(self) -> Self {
        Self { is_in_file: false, ..self }
    }

    pub(super) const fn offers(self, words: &'static [&'static str]) -> Self {
        Self { words, ..self }
    }
}
