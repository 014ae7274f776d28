//! Which blocks each card type has, requires or lacks (document path 90236 for apps, 99110 for webhooks). The fields
//! inside a block are checked in `rules`.

use strum::VariantArray;

use super::{CardType, TemplateCard};
use crate::channel::Channel;
use crate::message::finding::At;
use crate::message::shape::{Wire, plain};

use Use::{Absent as X, Optional as N, Required as Y};

/// Reports blocks that a card of this type and channel does not have, and missing ones that it needs.
pub(super) fn check(card: &TemplateCard, card_type: CardType, channel: Channel, at: &mut At<'_>) {
    for block in BLOCKS {
        let is_given = (block.is_given)(card);
        let mut place = at.field(block.name);
        match block.on(card_type, channel) {
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
    on_webhooks: bool,
}

macro_rules! blocks {
    ($($name:ident $uses:tt $on_webhooks:ident,)*) => {
        &[$(Block {
            name: plain(stringify!($name)),
            is_given: |card| !card.$name.is_absent(),
            uses: $uses,
            on_webhooks: $on_webhooks,
        },)*]
    };
}

const APP: bool = false;
const BOTH: bool = true;

const BLOCKS: &[Block] = blocks! {
    //                      text news button vote multiple
    source                  [N,   N,   N,     N,   N] BOTH,
    action_menu             [N,   N,   N,     X,   X] APP,
    task_id                 [N,   N,   Y,     Y,   Y] APP,
    main_title              [N,   Y,   Y,     Y,   Y] BOTH,
    quote_area              [N,   N,   N,     X,   X] BOTH,
    emphasis_content        [N,   X,   X,     X,   X] BOTH,
    sub_title_text          [N,   X,   N,     X,   X] BOTH,
    image_text_area         [X,   N,   X,     X,   X] BOTH,
    card_image              [X,   N,   X,     X,   X] BOTH,
    vertical_content_list   [X,   N,   X,     X,   X] BOTH,
    horizontal_content_list [N,   N,   N,     X,   X] BOTH,
    jump_list               [N,   N,   X,     X,   X] BOTH,
    card_action             [Y,   Y,   N,     X,   X] BOTH,
    button_selection        [X,   X,   N,     X,   X] APP,
    button_list             [X,   X,   Y,     X,   X] APP,
    checkbox                [X,   X,   X,     Y,   X] APP,
    select_list             [X,   X,   X,     X,   Y] APP,
    submit_button           [X,   X,   X,     Y,   Y] APP,
};

impl Block {
    fn on(&self, card_type: CardType, channel: Channel) -> Use {
        if !channel.has_interactive_cards() {
            if !self.on_webhooks || !card_type.is_notice() {
                return Use::Absent;
            }
            if self.name == "main_title" || (self.name == "card_image" && card_type == CardType::NewsNotice) {
                return Use::Required;
            }
        }
        self.uses[card_type as usize]
    }

    fn why_not(&self, card_type: CardType, channel: Channel) -> String {
        let owners = |of: Channel| {
            let types = CardType::VARIANTS.iter().filter(|owner| self.on(**owner, of) != Use::Absent);
            types.map(|owner| owner.as_str()).collect::<Vec<_>>().join(", ")
        };
        let here = owners(channel);
        if here.is_empty() {
            format!("webhook cards do not have it, only app cards do: {}", owners(Channel::App))
        } else {
            format!("{} cards do not have it, only these do: {here}", card_type.as_str())
        }
    }
}
