//! Interactive cards of an app: who sees what, presses on them, and the response_codes that let them be changed (document
//! paths 90236, 90240 and 94888).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::FakeWecom;
use super::aibot::{Click, check_chosen, keys_of};
use super::server::lock;
use super::world::World;

/// A card of an app.
#[derive(Debug, Clone)]
pub struct SentCard {
    pub task_id: String,
    /// That of the answer to the send, then one of each press.
    pub codes: Vec<ResponseCode>,
    /// Whether it has a button of its own, which can be turned off.
    pub has_button: bool,
    /// Who got it, in lower case, `@all` for everybody; departments and tags.
    pub users: Vec<String>,
    pub parties: Vec<String>,
    pub tags: Vec<String>,
    /// As it was sent.
    pub sent: Value,
    /// What everybody sees now who has no entry in `faces`.
    pub face: Value,
    /// What single members see since an update with `userids`.
    pub faces: BTreeMap<String, Value>,
    /// How often it was changed.
    pub changes: usize,
}

/// What a card may be changed with: once, within 72 hours.
#[derive(Debug, Clone)]
pub struct ResponseCode {
    pub text: String,
    /// Who pressed; empty for that of the send.
    pub userid: String,
    pub is_used: bool,
    pub at: Instant,
    /// How much older it is than `at` says.
    pub aged: Duration,
}

impl ResponseCode {
    pub fn new(world: &mut World, userid: &str) -> Self {
        let text = format!("test-response-code-{:06}", world.next_serial());
        Self { text, userid: userid.to_owned(), is_used: false, at: Instant::now(), aged: Duration::ZERO }
    }

    pub fn is_good(&self) -> bool {
        !self.is_used && self.at.elapsed() + self.aged <= Duration::from_secs(72 * 3600)
    }
}

impl SentCard {
    /// What that member sees.
    pub fn face_of(&self, userid: &str) -> &Value {
        self.faces.get(&userid.to_lowercase()).unwrap_or(&self.face)
    }

    fn is_for(&self, userid: &str) -> bool {
        // Who is in a department or has a tag is not asked here.
        let is_wide = !self.parties.is_empty() || !self.tags.is_empty() || self.users == ["@all"];
        is_wide || self.users.contains(&userid.to_lowercase())
    }

    /// The card with its buttons turned off, or another one in its place, for these members or for everybody.
    pub fn change(&mut self, update: &Value, userids: &[String]) {
        let mut face = match update.get("template_card") {
            Some(card) => card.clone(),
            None => {
                let mut face = self.face.clone();
                face["replace_text"] = update["button"]["replace_name"].clone();
                face
            }
        };
        if face.get("replace_text").is_some() {
            let fields = face.as_object_mut().unwrap();
            fields.remove("button_list");
            fields.remove("submit_button");
        }
        self.changes += 1;
        if userids.is_empty() {
            self.face = face;
            self.faces.clear();
        } else {
            self.faces.extend(userids.iter().map(|userid| (userid.to_lowercase(), face.clone())));
        }
    }
}

/// A press as its event tells it.
pub struct AppPress {
    pub response_code: String,
    pub card_type: String,
    /// An entry of the menu at the top right, which has an event of its own.
    pub is_menu: bool,
}

/// Presses a card: a new response_code; else why nobody can press there.
pub fn click(world: &mut World, click: &Click) -> Result<AppPress, String> {
    let code = ResponseCode::new(world, click.userid);
    let cards = world.sent.iter_mut().filter_map(|sent| sent.card.as_mut());
    let Some(card) = { cards }.find(|card| card.task_id == click.task_id && !click.task_id.is_empty()) else {
        return Err(format!("there is no card {:?}", click.task_id));
    };
    if !card.is_for(click.userid) {
        return Err(format!("{} did not get the card of {:?}", click.userid, card.users));
    }
    let face = if click.on_any_face { &card.sent } else { card.face_of(click.userid) };
    let keys = keys_of(face);
    if !keys.iter().any(|key| key == click.key) {
        return Err(format!("the card has no {:?} to press, but {keys:?}", click.key));
    }
    check_chosen(face, click)?;
    let menu = json!({ "action_menu": face["action_menu"] });
    let is_menu = keys_of(&menu).iter().any(|key| key == click.key);
    let card_type = face["card_type"].as_str().unwrap_or_default().to_owned();
    let press = AppPress { response_code: code.text.clone(), card_type, is_menu };
    card.codes.push(code);
    Ok(press)
}

impl FakeWecom {
    /// The interactive cards that apps sent, in order, as they stand now.
    pub fn app_cards(&self) -> Vec<SentCard> {
        lock(&self.shared.world).sent.iter().filter_map(|sent| sent.card.clone()).collect()
    }

    /// That of one task_id.
    pub fn app_card(&self, task_id: &str) -> Option<SentCard> {
        let world = lock(&self.shared.world);
        world.sent.iter().filter_map(|sent| sent.card.as_ref()).find(|card| card.task_id == task_id).cloned()
    }
}
