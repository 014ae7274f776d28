//! What is asked: what can be pressed, which of it declines, and whose press counts. Pure.

use serde::{Deserialize, Serialize};

use crate::alert::{Button, SUBMIT_KEY};
use crate::error::{Error, Result};
use crate::message::card::{CardType, SelectOption};
use crate::message::recipients::ids;
use crate::suggest::{is_near, nearest};
use crate::words::Words;

/// What can be pressed or chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Choice {
    /// What the command prints.
    pub(super) key: String,
    /// What the card shows.
    pub(super) text: String,
}

/// A question, as far as it decides about presses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Question {
    pub(super) choices: Vec<Choice>,
    /// Whether what is chosen is sent with a button of its own, as on cards with choices.
    pub(super) is_vote: bool,
    /// The keys that decline.
    pub(super) declines: Vec<String>,
    /// Whose press counts; empty: everybody's.
    pub(super) only: Vec<String>,
    /// Whose press does not count.
    pub(super) not: Vec<String>,
    /// Whether a command on this machine may answer.
    pub(super) allows_local: bool,
    /// Whether a press in a group does not count: it confirms, and nobody was named who may.
    pub(super) refuses_groups: bool,
}

/// Who pressed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Presser<'a> {
    /// As the event names them: plain or encrypted.
    pub(super) userid: &'a str,
    /// The plain id of an encrypted one, where it is known.
    pub(super) plain: Option<&'a str>,
    /// Whether it was in a group.
    pub(super) is_group: bool,
}

impl<'a> Presser<'a> {
    /// The plain id where it is known, else the one of the event.
    pub(super) fn id(&self) -> &'a str {
        self.plain.unwrap_or(self.userid)
    }
}

/// Whether an id looks like one that WeCom encrypted for a bot which an ordinary member created.
pub(super) fn is_encrypted(userid: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    userid.starts_with("wo") && userid.len() >= 16 && userid.bytes().all(is_letter)
}

/// What a press means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It answers: the key, and what was chosen, in the order of the card.
    Answers {
        /// The key that was pressed.
        key: String,
        /// The ids that were chosen, of a card with choices.
        options: Vec<String>,
    },
    /// It is not theirs to press.
    NotAllowed,
    /// It is none of what is asked: an entry of a menu, or a choice of nothing.
    SaysNothing,
}

impl Question {
    /// What the press of a key by somebody means; `selected` are the ids that they chose.
    pub(super) fn judge(&self, who: Presser<'_>, key: &str, selected: &[String]) -> Verdict {
        if !self.may_answer(who) {
            return Verdict::NotAllowed;
        }
        let options: Vec<String> = match self.is_vote {
            true => self.choices.iter().map(|choice| &choice.key).filter(|id| selected.contains(id)).cloned().collect(),
            false => Vec::new(),
        };
        // The event of a menu entry may have a selection too.
        let is_known = match self.is_vote {
            true => key == SUBMIT_KEY && !options.is_empty(),
            false => self.choices.iter().any(|choice| choice.key == key),
        };
        if is_known { Verdict::Answers { key: key.to_owned(), options } } else { Verdict::SaysNothing }
    }

    /// Whether the plain id behind this one is to be asked for: it is encrypted, and not named as it is.
    pub(super) fn needs_plain_id(&self, userid: &str) -> bool {
        is_encrypted(userid) && !self.only.iter().chain(&self.not).any(|id| id == userid)
    }

    /// Whether somebody's press counts. The case of plain ids does not matter. An encrypted one may be anybody's: where
    /// people are named it counts only if it is named itself.
    fn may_answer(&self, who: Presser<'_>) -> bool {
        let userid = who.id();
        if userid.is_empty() || (self.refuses_groups && who.is_group) {
            return false;
        }
        if is_encrypted(userid) && !(self.only.is_empty() && self.not.is_empty()) {
            return self.only.iter().any(|id| id == userid) && !self.not.iter().any(|id| id == userid);
        }
        let is_among = |ids: &[String]| ids.iter().any(|id| id.eq_ignore_ascii_case(userid));
        (self.only.is_empty() || is_among(&self.only)) && !is_among(&self.not)
    }

    /// Whether it was asked with `--confirm`.
    pub(super) fn is_confirm(&self) -> bool {
        self.choices.iter().map(|choice| choice.key.as_str()).eq([YES, NO]) && self.declines.iter().any(|key| key == NO)
    }

    /// Whether an answer declines: it is, or holds, one of the keys that do.
    pub(super) fn declines(&self, key: &str, options: &[String]) -> bool {
        self.declines.iter().any(|decline| decline == key || options.contains(decline))
    }

    /// What the card shows for an answer; the key itself where the card does not know it.
    pub(super) fn text_of(&self, key: &str, options: &[String], words: &Words) -> String {
        let text = |key: &str| {
            let choice = self.choices.iter().find(|choice| choice.key == key);
            choice.map_or_else(|| key.to_owned(), |choice| choice.text.clone())
        };
        if options.is_empty() {
            text(key)
        } else {
            options.iter().map(|id| text(id)).collect::<Vec<_>>().join(words.comma)
        }
    }
}

/// What the options say of buttons and choices.
#[derive(Debug, Clone, Default)]
pub(super) struct QuestionOptions<'a> {
    pub(super) card: Option<CardType>,
    pub(super) buttons: Vec<Button>,
    pub(super) options: Vec<SelectOption>,
    /// `--confirm`, with the texts that were given.
    pub(super) confirm: Option<Option<&'a str>>,
    pub(super) declines: &'a [String],
    pub(super) only: &'a [String],
    pub(super) not: &'a [String],
    pub(super) allows_local: bool,
    /// `--anyone`.
    pub(super) anyone: bool,
}

/// The keys of `--confirm`.
const YES: &str = "yes";
const NO: &str = "no";
/// The key where nothing else is asked.
const ACKNOWLEDGE: &str = "ack";

/// The question, with the card and the buttons that ask it.
///
/// # Errors
///
/// Usage: options that contradict each other, or a key that is not on the card.
pub(super) fn read_question(asked: QuestionOptions<'_>, words: &Words) -> Result<(Question, CardType, Vec<Button>)> {
    let QuestionOptions { card, mut buttons, options, confirm, declines, .. } = asked;
    let mut declines = declines.to_vec();
    let is_vote = card.is_some_and(CardType::is_asking) || (card.is_none() && !options.is_empty());
    if let Some(card) = card.filter(|card| card.is_notice()) {
        return Err(Error::usage(
            format!("nothing can be pressed on a {} card", card.as_str()),
            "leave --card out, or use --card vote_interaction with --option",
        ));
    }
    if let Some(texts) = confirm {
        if !buttons.is_empty() || is_vote || !declines.is_empty() {
            return Err(Error::usage(
                "--confirm has its own two buttons",
                "leave --button, --option, --card and --decline out, or leave --confirm out and give --button and --decline",
            ));
        }
        let [yes, no] = confirm_texts(texts, words)?;
        buttons = vec![button(YES, &yes, Some(1)), button(NO, &no, Some(2))];
        declines.push(NO.to_owned());
    }
    if if is_vote { !buttons.is_empty() } else { !options.is_empty() } {
        return Err(Error::usage(
            "a question has either --button or --option",
            "leave --card and --button out to have one of several chosen, or leave --option out",
        ));
    }
    if buttons.is_empty() && !is_vote {
        buttons.push(button(ACKNOWLEDGE, words.acknowledge, None));
    }
    let choice = |key: &str, text: &str| Choice { key: key.to_owned(), text: text.to_owned() };
    let choices: Vec<Choice> = match is_vote {
        true => options.iter().map(|option| choice(&option.id, &option.text)).collect(),
        false => buttons.iter().map(|button| choice(&button.key, &button.text)).collect(),
    };
    let keys: Vec<&str> = choices.iter().map(|choice| choice.key.as_str()).collect();
    if let Some(decline) = declines.iter().find(|decline| !keys.contains(&decline.as_str())) {
        let near = nearest(decline, keys.iter().copied()).filter(|key| is_near(decline, key));
        let near = near.map(|key| format!("did you mean {key}? ")).unwrap_or_default();
        return Err(Error::usage(
            format!("--decline: nothing with the key {decline:?} can be pressed"),
            format!("{near}give the key of a button or the id of an option: {}", keys.join(", ")),
        ));
    }
    let card = card.unwrap_or(if is_vote { CardType::VoteInteraction } else { CardType::ButtonInteraction });
    let question = Question {
        choices,
        is_vote,
        declines,
        only: people(asked.only, "--only")?,
        not: people(asked.not, "--not")?,
        allows_local: asked.allows_local || (confirm.is_none() && asked.only.is_empty()),
        refuses_groups: confirm.is_some() && asked.only.is_empty() && !asked.anyone,
    };
    Ok((question, card, buttons))
}

fn button(key: &str, text: &str, style: Option<u8>) -> Button {
    Button { key: key.to_owned(), text: text.to_owned(), style }
}

/// The texts of the two buttons: given as `YES,NO`, or the words for them.
fn confirm_texts(given: Option<&str>, words: &Words) -> Result<[String; 2]> {
    let Some(given) = given else { return Ok([words.approve.to_owned(), words.reject.to_owned()]) };
    match given.split_once([',', '，']).map(|(yes, no)| [yes.trim(), no.trim()]) {
        Some([yes, no]) if !yes.is_empty() && !no.is_empty() => Ok([yes.to_owned(), no.to_owned()]),
        _ => Err(Error::usage(
            "--confirm has no texts for two buttons",
            "write both with a comma between them, as in --confirm=Approve,Reject, or leave them out",
        )),
    }
}

/// The ids of an option that may be given several times, several at a time. An empty value must not let everybody in.
fn people(given: &[String], option: &str) -> Result<Vec<String>> {
    let mut people = Vec::new();
    for value in given {
        for id in ids(value) {
            if id.is_empty() || id.starts_with('$') || id.starts_with('@') {
                return Err(Error::usage(
                    format!("{option}: {id:?} is no userid"),
                    "give the 账号 of 通讯录 → the member; is a variable empty?",
                ));
            }
            people.push(id.to_owned());
        }
    }
    Ok(people)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Language;

    fn read(asked: QuestionOptions<'_>) -> Result<Question> {
        read_question(asked, Language::English.words()).map(|(question, ..)| question)
    }

    fn buttons(given: &[&str]) -> Vec<Button> {
        given.iter().map(|button| button.parse().unwrap()).collect()
    }

    fn keys(question: &Question) -> Vec<&str> {
        question.choices.iter().map(|choice| choice.key.as_str()).collect()
    }

    fn member(userid: &str) -> Presser<'_> {
        Presser { userid, plain: None, is_group: false }
    }

    #[test]
    fn without_buttons_there_is_one() {
        let question = read(QuestionOptions::default()).unwrap();
        assert_eq!((keys(&question), question.allows_local), (vec!["ack"], true));
        let (_, card, buttons) = read_question(QuestionOptions::default(), Language::Chinese.words()).unwrap();
        assert_eq!((card, buttons[0].text.as_str()), (CardType::ButtonInteraction, "认领"));
    }

    #[test]
    fn confirm_has_yes_and_no() {
        let question = read(QuestionOptions { confirm: Some(None), ..QuestionOptions::default() }).unwrap();
        assert_eq!((keys(&question), question.allows_local), (vec!["yes", "no"], false));
        assert!(question.declines("no", &[]) && !question.declines("yes", &[]));
        for texts in ["Go,Stop", "Go ， Stop"] {
            let question = read(QuestionOptions { confirm: Some(Some(texts)), ..QuestionOptions::default() }).unwrap();
            assert_eq!(question.choices[1], Choice { key: "no".to_owned(), text: "Stop".to_owned() });
        }
        for texts in ["", "Go", "Go,", ",Stop"] {
            assert!(
                read(QuestionOptions { confirm: Some(Some(texts)), ..QuestionOptions::default() }).is_err(),
                "{texts}"
            );
        }
        assert!(
            read(QuestionOptions { confirm: Some(None), buttons: buttons(&["a=A"]), ..QuestionOptions::default() })
                .is_err()
        );
    }

    #[test]
    fn a_key_that_declines_is_on_the_card() {
        let declines = ["mute".to_owned()];
        let asked = |given: &[&str]| QuestionOptions {
            buttons: buttons(given),
            declines: &declines,
            ..QuestionOptions::default()
        };
        assert!(read(asked(&["ack=Ack", "mute=Mute"])).is_ok());
        assert!(read(asked(&["ack=Ack"])).is_err());
    }

    #[test]
    fn whose_press_counts() {
        let (only, not) = (["zhangsan,LiSi".to_owned()], ["lisi".to_owned()]);
        let asked = QuestionOptions { only: &only, ..QuestionOptions::default() };
        let question = read(asked.clone()).unwrap();
        let judge = |question: &Question, userid: &str| question.judge(member(userid), "ack", &[]);
        let answers = Verdict::Answers { key: "ack".to_owned(), options: vec![] };
        assert_eq!(judge(&question, "ZhangSan"), answers);
        assert_eq!(judge(&question, "lisi"), answers);
        assert_eq!(judge(&question, "wangwu"), Verdict::NotAllowed);
        assert_eq!(judge(&question, ""), Verdict::NotAllowed);
        assert!(!question.allows_local);
        let question = read(QuestionOptions { not: &not, ..asked }).unwrap();
        assert_eq!(judge(&question, "lisi"), Verdict::NotAllowed);
        assert_eq!(question.judge(member("zhangsan"), "menu", &[]), Verdict::SaysNothing);
    }

    #[test]
    fn an_encrypted_id_counts_where_nobody_is_named_or_its_plain_one_is_known() {
        let encrypted = "woAJ2GCAAAXtWyujaWJHDDGi0mACAAAA";
        let people = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let counts = |only: &[&str], not: &[&str], plain| {
            let (only, not) = (people(only), people(not));
            let question = read(QuestionOptions { only: &only, not: &not, ..QuestionOptions::default() }).unwrap();
            let who = Presser { userid: encrypted, plain, is_group: false };
            question.judge(who, "ack", &[]) != Verdict::NotAllowed
        };
        assert!(counts(&[], &[], None));
        assert!(!counts(&[], &["zhangsan"], None) && !counts(&["zhangsan"], &[], None));
        assert!(!counts(&[], &["zhangsan"], Some("ZhangSan")) && counts(&[], &["zhangsan"], Some("lisi")));
        assert!(counts(&["zhangsan"], &[], Some("ZhangSan")) && !counts(&["zhangsan"], &[], Some("lisi")));
        assert!(counts(&[encrypted], &[], None) && !counts(&[&encrypted.to_lowercase()], &[], None));
        assert!(!is_encrypted("wolfgang") && !is_encrypted("wolfgang.amadeus@example.com"));
    }

    #[test]
    fn a_press_in_a_group_confirms_where_people_are_named_or_anybody_may() {
        let only = ["lisi".to_owned()];
        let asked = QuestionOptions { confirm: Some(None), ..QuestionOptions::default() };
        let in_group = |asked: QuestionOptions<'_>| {
            let who = Presser { is_group: true, ..member("lisi") };
            read(asked).unwrap().judge(who, "yes", &[]) != Verdict::NotAllowed
        };
        assert!(!in_group(asked.clone()));
        assert!(
            in_group(QuestionOptions { anyone: true, ..asked.clone() })
                && in_group(QuestionOptions { only: &only, ..asked })
        );
        assert!(in_group(QuestionOptions { buttons: buttons(&["yes=Yes"]), ..QuestionOptions::default() }));
    }

    #[test]
    fn nobody_is_let_in_by_an_empty_name() {
        for given in ["", "zhangsan,", "$ONCALL", "@all"] {
            let only = [given.to_owned()];
            assert!(read(QuestionOptions { only: &only, ..QuestionOptions::default() }).is_err(), "{given}");
        }
    }

    #[test]
    fn choices_come_in_the_order_of_the_card() {
        let options = ["a=A", "b=B", "c=C"].map(|option| option.parse().unwrap()).to_vec();
        let declines = ["c".to_owned()];
        let asked = QuestionOptions { options, declines: &declines, ..QuestionOptions::default() };
        let (question, card, _) = read_question(asked, Language::English.words()).unwrap();
        assert_eq!(card, CardType::VoteInteraction);
        let chosen = |ids: &[&str]| {
            let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
            question.judge(member("lisi"), "submit", &ids)
        };
        let answers = |ids: &[&str]| Verdict::Answers {
            key: "submit".to_owned(),
            options: ids.iter().map(|id| (*id).to_owned()).collect(),
        };
        assert_eq!(chosen(&["b", "a"]), answers(&["a", "b"]));
        assert_eq!(chosen(&["x", "c"]), answers(&["c"]));
        assert_eq!(chosen(&[]), Verdict::SaysNothing);
        // An entry of the menu, with what was selected when it was pressed.
        assert_eq!(question.judge(member("lisi"), "menu", &["a".to_owned()]), Verdict::SaysNothing);
        assert!(question.declines("submit", &["a".to_owned(), "c".to_owned()]));
        assert_eq!(question.text_of("submit", &["a".to_owned(), "b".to_owned()], Language::English.words()), "A, B");
        assert_eq!(question.text_of("recovered", &[], Language::English.words()), "recovered");
    }
}
