//! Template cards: five layouts in app messages (document path 90236), two of them through webhooks
//! (document path 99110). The blocks are in `blocks`, which card has which in `matrix`, their rules in `rules`,
//! the lengths that are recommended in `lengths`.

mod blocks;
mod lengths;
mod matrix;
mod rules;
#[cfg(test)]
mod tests;

pub use blocks::{
    Action, ActionMenu, Button, ButtonSelection, CardAction, CardImage, Checkbox, CheckboxOption, Emphasis,
    HorizontalContent, ImageTextArea, Jump, MainTitle, QuoteArea, Select, SelectOption, Source, SubmitButton,
    VerticalContent,
};
pub use lengths::Lengths;
pub use rules::TASK_ID_BYTES;

use super::shape::wire;
use crate::channel::{Cards, Channel};

wire! {
    /// The payload of msgtype `template_card`. Which blocks a card has and needs depends on its type and on the channel.
    #[derive(Default)]
    pub struct TemplateCard {
        /// One of the names of [`CardType`].
        pub card_type: String,
        /// Who speaks: the line at the top.
        pub source: Option<Source>,
        /// The menu behind the dots; app messages alone.
        pub action_menu: Option<ActionMenu>,
        /// Names the card in events. At most 128 bytes of letters, digits, `_`, `-` and `@`, new for each message of an
        /// app; app messages alone.
        pub task_id: Option<String>,
        /// The title.
        pub main_title: Option<MainTitle>,
        /// A quotation.
        pub quote_area: Option<QuoteArea>,
        /// One large figure.
        pub emphasis_content: Option<Emphasis>,
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
        pub jump_list: Option<Vec<Jump>>,
        /// What a click on the card opens.
        pub card_action: Option<CardAction>,
        /// A drop-down list; app messages alone.
        pub button_selection: Option<ButtonSelection>,
        /// 1 to 6 buttons; app messages alone.
        pub button_list: Option<Vec<Button>>,
        /// 1 to 20 choices; app messages alone.
        pub checkbox: Option<Checkbox>,
        /// 1 to 3 drop-down lists; app messages alone.
        pub select_list: Option<Vec<Select>>,
        /// The button that sends the choice; app messages alone.
        pub submit_button: Option<SubmitButton>,
    }
}

/// The layout of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardType {
    /// Text, with one large figure where wanted.
    TextNotice,
    /// Text with a picture.
    NewsNotice,
    /// Buttons; app messages alone.
    ButtonInteraction,
    /// One list of choices; app messages alone.
    VoteInteraction,
    /// Drop-down lists; app messages alone.
    MultipleInteraction,
}

impl CardType {
    /// All card types, in the order of the official page.
    pub const ALL: [Self; 5] =
        [Self::TextNotice, Self::NewsNotice, Self::ButtonInteraction, Self::VoteInteraction, Self::MultipleInteraction];

    /// The value of `card_type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TextNotice => "text_notice",
            Self::NewsNotice => "news_notice",
            Self::ButtonInteraction => "button_interaction",
            Self::VoteInteraction => "vote_interaction",
            Self::MultipleInteraction => "multiple_interaction",
        }
    }

    /// The type of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|card_type| card_type.as_str() == name)
    }

    /// Whether it asks its readers to choose.
    pub fn is_asking(self) -> bool {
        matches!(self, Self::VoteInteraction | Self::MultipleInteraction)
    }

    /// Whether a channel has it.
    pub fn is_on(self, channel: Channel) -> bool {
        match channel.facts().cards {
            Cards::All => true,
            Cards::Notices => self.is_notice(),
        }
    }

    /// Whether webhooks have it too.
    pub fn is_notice(self) -> bool {
        matches!(self, Self::TextNotice | Self::NewsNotice)
    }
}
