//! Template cards: five layouts in app messages (document path 90236) and by an aibot (document path 101032), two of them
//! through webhooks (document path 99110). The blocks are in `blocks`, which card has which in `matrix`, their rules in `rules`.

mod blocks;
mod matrix;
mod pressed;
mod rules;
#[cfg(test)]
mod tests;
mod update;

pub use blocks::{
    Action, ActionMenu, CardAction, CardButton, CardEmphasis, CardImage, CardJump, CardSource, Checkbox,
    CheckboxOption, HorizontalContent, ImageTextArea, MainTitle, QuoteArea, Select, SelectOption, SubmitButton,
    VerticalContent,
};
pub(crate) use pressed::{CardChange, Form, by_whom, close, refused_by, with_line, without_line};
pub use rules::TASK_ID_BYTES;
pub use update::{REPLACE_NAME, TARGETS, check_update};

use super::aibot::Feedback;
use super::shape::wire;
use crate::channel::{Cards, Channel};

wire! {
    /// The payload of msgtype `template_card`. Which blocks a card has and needs depends on its type and on the channel.
    pub struct TemplateCard {
        /// One of the names of [`CardType`].
        pub card_type: String,
        /// The source: the line at the top.
        pub source: Option<CardSource>,
        /// The menu behind the dots; not through webhooks.
        pub action_menu: Option<ActionMenu>,
        /// Names the card in events. At most 128 bytes of letters, digits, `_`, `-` and `@`, new for each message of an
        /// app or aibot; not through webhooks.
        pub task_id: Option<String>,
        /// The title.
        pub main_title: Option<MainTitle>,
        /// A quotation.
        pub quote_area: Option<QuoteArea>,
        /// One large figure.
        pub emphasis_content: Option<CardEmphasis>,
        /// The text under the title: 160 characters are recommended at most, 112 through webhooks.
        pub sub_title_text: Option<String>,
        /// A small picture with text.
        pub image_text_area: Option<ImageTextArea>,
        /// A large picture.
        pub card_image: Option<CardImage>,
        /// At most 4 titles with text.
        pub vertical_content_list: Option<Vec<VerticalContent>>,
        /// At most 6 names with values.
        pub horizontal_content_list: Option<Vec<HorizontalContent>>,
        /// At most 3 links.
        pub jump_list: Option<Vec<CardJump>>,
        /// What a click on the card opens.
        pub card_action: Option<CardAction>,
        /// A drop-down list; not through webhooks.
        pub button_selection: Option<Select>,
        /// 1 to 6 buttons; not through webhooks.
        pub button_list: Option<Vec<CardButton>>,
        /// 1 to 20 choices; not through webhooks.
        pub checkbox: Option<Checkbox>,
        /// 1 to 3 drop-down lists; not through webhooks.
        pub select_list: Option<Vec<Select>>,
        /// The button that sends the choice; not through webhooks.
        pub submit_button: Option<SubmitButton>,
        /// Lets readers say whether it was of use; aibot only.
        pub feedback: Option<Feedback>,
    }
}

/// The layout of a card. The variants are in the order of the official page.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum CardType {
    /// Text, with one large figure where wanted.
    TextNotice,
    /// Text with a picture.
    NewsNotice,
    /// Buttons; not through webhooks.
    ButtonInteraction,
    /// One list of choices; not through webhooks.
    VoteInteraction,
    /// Drop-down lists; not through webhooks.
    MultipleInteraction,
}

impl CardType {
    /// The value of `card_type`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether it asks its readers to choose.
    pub fn is_asking(self) -> bool {
        matches!(self, Self::VoteInteraction | Self::MultipleInteraction)
    }

    /// Whether a channel has it.
    pub fn is_on(self, channel: Channel) -> bool {
        match channel.facts().cards {
            Cards::OfApp | Cards::OfAibot => true,
            Cards::Notices => self.is_notice(),
            Cards::None => false,
        }
    }

    /// Whether webhooks have it too.
    pub fn is_notice(self) -> bool {
        matches!(self, Self::TextNotice | Self::NewsNotice)
    }
}

/// The recommended lengths of a card's texts, in characters (document path 90236 for apps, 99110 for webhooks, 101032 for
/// aibots). Longer text is
/// sent, but may be shown cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lengths {
    /// `source.desc`
    pub source: usize,
    /// `main_title.title`
    pub title: usize,
    /// `main_title.desc`
    pub title_desc: usize,
    /// `emphasis_content.title`
    pub emphasis: usize,
    /// `emphasis_content.desc`
    pub emphasis_desc: usize,
    /// `sub_title_text`
    pub sub_title: usize,
    /// `horizontal_content_list[].keyname`, in Chinese characters: see [`chinese_chars`](crate::sanitize::chinese_chars).
    pub horizontal_key: usize,
    /// `horizontal_content_list[].value`
    pub horizontal_value: usize,
    /// `jump_list[].title`
    pub jump: usize,
    /// `vertical_content_list[].title`
    pub vertical: usize,
    /// `vertical_content_list[].desc`
    pub vertical_desc: usize,
    /// `checkbox.option_list[].text`
    pub choice: usize,
    /// The options of a drop-down list.
    pub option: usize,
    /// The label of a drop-down list; an app's has no published length.
    pub select_title: usize,
}

const APP: Lengths = Lengths {
    source: 20,
    title: 36,
    title_desc: 44,
    emphasis: 14,
    emphasis_desc: 22,
    sub_title: 160,
    horizontal_key: 5,
    horizontal_value: 30,
    jump: 18,
    vertical: 38,
    vertical_desc: 160,
    choice: 17,
    option: 16,
    select_title: usize::MAX,
};

const APP_VOTE: Lengths = Lengths { title: 16, title_desc: 160, ..APP };
const APP_MULTIPLE: Lengths = Lengths { title_desc: 160, ..APP };

/// Those of webhooks, which aibots share (document path 101032); a webhook has nothing to choose.
const WEBHOOK: Lengths = Lengths {
    source: 13,
    title: 26,
    title_desc: 30,
    emphasis: 10,
    emphasis_desc: 15,
    sub_title: 112,
    horizontal_key: 5,
    horizontal_value: 26,
    jump: 13,
    vertical: 26,
    vertical_desc: 112,
    choice: 11,
    option: 10,
    select_title: 13,
};

impl Lengths {
    /// The lengths of a card of this type on this channel.
    pub fn of(channel: Channel, card_type: CardType) -> &'static Self {
        match (channel, card_type) {
            (Channel::Webhook | Channel::Aibot, _) => &WEBHOOK,
            (Channel::App, CardType::VoteInteraction) => &APP_VOTE,
            (Channel::App, CardType::MultipleInteraction) => &APP_MULTIPLE,
            // A group chat has no cards.
            (Channel::App | Channel::Chat, _) => &APP,
        }
    }
}
