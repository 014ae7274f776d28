//! Which blocks each card type has, requires or lacks (document path 90236 for apps, 99110 for webhooks, 101032 for aibots). The fields
//! inside a block are checked in `rules`.

use strum::VariantArray;

use super::{CardType, TemplateCard};
use crate::channel::{Cards, Channel};
use crate::message::finding::At;
use crate::message::shape::{Wire, plain};

use Use::{Absent as X, Optional as N, Required as Y};

/// Reports blocks that a card of this type and channel does not have, and missing ones that it needs.
pub(super) fn check(card: &TemplateCard, card_type: CardType, channel: Channel, at: &mut At<'_>) {
    for block in BLOCKS {
        let is_given = (block.is_given)(card);
        let mut place = at.field(block.name);
        match block.use_on(card_type, channel) {
            Use::Absent if is_given => place.error(block.why_not(card_type, channel)),
            Use::Required if !is_given => {
                place.error(format!("missing, {} cards of {}s need it", card_type.as_str(), channel.as_str()));
            }
            _ => {}
        }
    }
}

/// Whether a card must have a block (`Y`), may have it (`N`: not needed), or must not have it (`X`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Required,
    Optional,
    Absent,
}

struct Block {
    name: &'static str,
    is_given: fn(&TemplateCard) -> bool,
    /// In app messages, in the order of [`CardType`].
    uses: [Use; 5],
    /// The channels that have it, by their cards.
    on: &'static [Cards],
}

macro_rules! blocks {
    ($($name:ident $uses:tt $on:ident,)*) => {
        &[$(Block {
            name: plain(stringify!($name)),
            is_given: |card| !card.$name.is_absent(),
            uses: $uses,
            on: $on,
        },)*]
    };
}

const ALL: &[Cards] = &[Cards::OfApp, Cards::OfAibot, Cards::Notices];
/// Those with interactive cards.
const MOST: &[Cards] = &[Cards::OfApp, Cards::OfAibot];
const AIBOT: &[Cards] = &[Cards::OfAibot];

const BLOCKS: &[Block] = blocks! {
    //                      text news button vote multiple
    source                  [N,   N,   N,     N,   N] ALL,
    action_menu             [N,   N,   N,     X,   X] MOST,
    task_id                 [N,   N,   Y,     Y,   Y] MOST,
    main_title              [N,   Y,   Y,     Y,   Y] ALL,
    quote_area              [N,   N,   N,     X,   X] ALL,
    emphasis_content        [N,   X,   X,     X,   X] ALL,
    sub_title_text          [N,   X,   N,     X,   X] ALL,
    image_text_area         [X,   N,   X,     X,   X] ALL,
    card_image              [X,   N,   X,     X,   X] ALL,
    vertical_content_list   [X,   N,   X,     X,   X] ALL,
    horizontal_content_list [N,   N,   N,     X,   X] ALL,
    jump_list               [N,   N,   X,     X,   X] ALL,
    card_action             [Y,   Y,   N,     X,   X] ALL,
    button_selection        [X,   X,   N,     X,   X] MOST,
    button_list             [X,   X,   Y,     X,   X] MOST,
    checkbox                [X,   X,   X,     Y,   X] MOST,
    select_list             [X,   X,   X,     X,   Y] MOST,
    submit_button           [X,   X,   X,     Y,   Y] MOST,
    feedback                [N,   N,   N,     N,   N] AIBOT,
};

impl Block {
    fn use_on(&self, card_type: CardType, channel: Channel) -> Use {
        if !self.on.contains(&channel.facts().cards) {
            return Use::Absent;
        }
        if !channel.has_interactive_cards() {
            if !card_type.is_notice() {
                return Use::Absent;
            }
            if self.name == "main_title" || (self.name == "card_image" && card_type == CardType::NewsNotice) {
                return Use::Required;
            }
        }
        match self.uses[card_type as usize] {
            // The page of aibots lets this one do without.
            Use::Required
                if channel.facts().cards == Cards::OfAibot
                    && self.name == "task_id"
                    && card_type == CardType::MultipleInteraction =>
            {
                Use::Optional
            }
            other => other,
        }
    }

    fn why_not(&self, card_type: CardType, channel: Channel) -> String {
        let owners = |of: Channel| {
            let types = CardType::VARIANTS.iter().filter(|owner| self.use_on(**owner, of) != Use::Absent);
            types.map(|owner| owner.as_str()).collect::<Vec<_>>().join(", ")
        };
        let here = owners(channel);
        let other = Channel::ALL.iter().find(|other| self.on.contains(&other.facts().cards));
        if let (true, Some(other)) = (here.is_empty(), other) {
            format!("{channel} cards do not have it, only {other} cards do: {}", owners(*other))
        } else {
            format!("{} cards do not have it, only these do: {here}", card_type.as_str())
        }
    }
}
