//! How long the texts of a card should be: recommended in characters (document path 90236 for apps, 99110 for webhooks).
//! Longer text is sent, but may be shown cut.

use super::CardType;
use crate::channel::Channel;

/// Recommended lengths in characters.
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
    /// `horizontal_content_list[].keyname`
    pub horizontal_key: usize,
    /// `horizontal_content_list[].value`
    pub horizontal_value: usize,
    /// `jump_list[].title`
    pub jump: usize,
    /// `vertical_content_list[].title`
    pub vertical: usize,
    /// `vertical_content_list[].desc`
    pub vertical_desc: usize,
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
};

const APP_VOTE: Lengths = Lengths { title: 16, title_desc: 160, ..APP };
const APP_MULTIPLE: Lengths = Lengths { title_desc: 160, ..APP };

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
};

impl Lengths {
    /// The lengths of a card of this type on this channel.
    pub fn of(channel: Channel, card_type: CardType) -> &'static Self {
        match (channel, card_type) {
            (Channel::Webhook, _) => &WEBHOOK,
            (Channel::App, CardType::VoteInteraction) => &APP_VOTE,
            (Channel::App, CardType::MultipleInteraction) => &APP_MULTIPLE,
            (Channel::App, _) => &APP,
        }
    }
}
