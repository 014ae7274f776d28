//! The blocks of template cards, field by field. Lengths in characters are recommendations (document path 90236);
//! where webhooks have another (document path 99110), it is in brackets.

use serde_json::Number;

use crate::message::shape::wire;

wire! {
    /// The source of the card.
    pub struct CardSource {
        /// A picture, best 72×72.
        pub icon_url: Option<String>,
        /// 20 characters (13).
        pub desc: Option<String>,
        /// 0 grey, 1 black, 2 red, 3 green; not on vote and multiple cards.
        pub desc_color: Option<i64>,
    }
}

wire! {
    /// The menu behind the dots.
    pub struct ActionMenu {
        /// What the menu is about.
        pub desc: Option<String>,
        /// 1 to 3.
        pub action_list: Vec<Action>,
    }
}

wire! {
    /// An entry of an [`ActionMenu`].
    pub struct Action {
        /// The entry.
        pub text: String,
        /// At most 1024 bytes, unique in the menu; comes back as `EventKey`.
        pub key: String,
    }
}

wire! {
    /// The title.
    pub struct MainTitle {
        /// 36 characters, on vote cards 16 (26).
        pub title: Option<String>,
        /// 44 characters, on vote and multiple cards 160 (30).
        pub desc: Option<String>,
    }
}

wire! {
    /// A quotation.
    pub struct QuoteArea {
        /// What a click opens: 0 nothing, 1 `url`, 2 the mini program.
        pub r#type: Option<i64>,
        /// Required with type 1.
        pub url: Option<String>,
        /// Required with type 2.
        pub appid: Option<String>,
        /// A page of the mini program.
        pub pagepath: Option<String>,
        /// Its title.
        pub title: Option<String>,
        /// The words quoted.
        pub quote_text: Option<String>,
    }
}

wire! {
    /// One large figure.
    pub struct CardEmphasis {
        /// 14 characters (10).
        pub title: Option<String>,
        /// 22 characters (15).
        pub desc: Option<String>,
    }
}

wire! {
    /// A small picture with text.
    pub struct ImageTextArea {
        /// What a click opens: 0 nothing, 1 `url`, 2 the mini program.
        pub r#type: Option<i64>,
        /// Required with type 1.
        pub url: Option<String>,
        /// Required with type 2.
        pub appid: Option<String>,
        /// A page of the mini program.
        pub pagepath: Option<String>,
        /// Its title.
        pub title: Option<String>,
        /// Its text.
        pub desc: Option<String>,
        /// The picture.
        pub image_url: String,
    }
}

wire! {
    /// A large picture.
    pub struct CardImage {
        /// The picture.
        pub url: String,
        /// Width by height, 1.3 to 2.25; 1.3 when absent.
        pub aspect_ratio: Option<Number>,
    }
}

wire! {
    /// A title with a text under it.
    pub struct VerticalContent {
        /// 38 characters (26).
        pub title: String,
        /// 160 characters (112).
        pub desc: Option<String>,
    }
}

wire! {
    /// A name with its value.
    pub struct HorizontalContent {
        /// What a click opens: 0 nothing, 1 `url`, 2 the file `media_id` (not of an aibot), 3 the member `userid`.
        pub r#type: Option<i64>,
        /// 5 characters.
        pub keyname: String,
        /// 30 characters (26); with type 2 the file's name with its extension.
        pub value: Option<String>,
        /// Required with type 1.
        pub url: Option<String>,
        /// Required with type 2; from an upload of the same channel.
        pub media_id: Option<String>,
        /// Required with type 3.
        pub userid: Option<String>,
    }
}

wire! {
    /// A link under the text.
    pub struct CardJump {
        /// What a click does: 0 nothing, 1 opens `url`, 2 opens the mini program, 3 asks the aibot.
        pub r#type: Option<i64>,
        /// 18 characters (13).
        pub title: String,
        /// Required with type 3, which only cards of an aibot have: at most 200 bytes, which reach it as a message.
        pub question: Option<String>,
        /// Required with type 1.
        pub url: Option<String>,
        /// Required with type 2.
        pub appid: Option<String>,
        /// A page of the mini program.
        pub pagepath: Option<String>,
    }
}

wire! {
    /// What a click on the card opens.
    pub struct CardAction {
        /// 1 `url`, 2 the mini program; on button cards also 0, nothing.
        pub r#type: Option<i64>,
        /// Required with type 1.
        pub url: Option<String>,
        /// Required with type 2.
        pub appid: Option<String>,
        /// A page of the mini program.
        pub pagepath: Option<String>,
    }
}

wire! {
    /// An option of a drop-down list.
    #[derive(serde::Serialize, serde::Deserialize)]
    pub struct SelectOption {
        /// At most 128 bytes, unique in its list.
        pub id: String,
        /// 16 characters.
        pub text: String,
    }
}

wire! {
    /// A button.
    pub struct CardButton {
        /// 0 calls back, 1 opens `url`; an aibot's buttons have neither field.
        pub r#type: Option<i64>,
        /// 10 characters.
        pub text: String,
        /// 1 to 4; 1 when absent.
        pub style: Option<i64>,
        /// Required with type 0: at most 1024 bytes, unique in its list; comes back as `EventKey`.
        pub key: Option<String>,
        /// Required with type 1.
        pub url: Option<String>,
    }
}

wire! {
    /// A list of choices.
    pub struct Checkbox {
        /// At most 1024 bytes; comes back in the event.
        pub question_key: String,
        /// 0 one choice, 1 several.
        pub mode: Option<i64>,
        /// 1 to 20.
        pub option_list: Vec<CheckboxOption>,
    }
}

wire! {
    /// A choice of a [`Checkbox`].
    pub struct CheckboxOption {
        /// At most 128 bytes, unique in its list.
        pub id: String,
        /// 17 characters.
        pub text: String,
        /// Whether it is chosen at first.
        pub is_checked: bool,
    }
}

wire! {
    /// A drop-down list: above the buttons of a button_interaction card, or one of a multiple_interaction card.
    pub struct Select {
        /// At most 1024 bytes, unique on the card; comes back in the event.
        pub question_key: String,
        /// The label to its left.
        pub title: Option<String>,
        /// 1 to 10.
        pub option_list: Vec<SelectOption>,
        /// The `id` that is chosen at first; the first option when absent.
        pub selected_id: Option<String>,
    }
}

wire! {
    /// The button that sends the choice.
    pub struct SubmitButton {
        /// 10 characters.
        pub text: String,
        /// At most 1024 bytes; comes back as `EventKey`.
        pub key: String,
    }
}
