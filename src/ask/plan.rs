//! The plan of a question: what is asked, who gets it when, and how long it is open.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::escalation::{Escalation, StepKind};
use super::question::{Question, QuestionOptions, read_question};
use super::request::AskRequest;
use crate::alert::full_width;
use crate::channel::Channel;
use crate::clock::in_ms;
use crate::config::{EscalationStep, LONGEST_WAIT_HOURS, Setting, Settings, TargetName, parse_duration_up_to};
use crate::error::{Error, Result};
use crate::input::{clean, is_blank};
use crate::sanitize::one_line;
use crate::send::{Place, Request, Session, channel_for_question};
use crate::sort;

/// How long a question is open after its last step, unless `--wait` says otherwise.
const DEFAULT_WAIT: Duration = Duration::from_secs(10 * 60);
const SHORTEST_REMIND: Duration = Duration::from_secs(60);
const LONGEST_WAIT: Duration = Duration::from_secs(LONGEST_WAIT_HOURS * 60 * 60);

/// Settings of other commands that a question cannot have: it must not end with success without an answer.
const REFUSED: [Setting; 6] = [
    Setting::Outbox,
    Setting::Cooldown,
    Setting::CooldownKey,
    Setting::CooldownScope,
    Setting::SkipEmpty,
    Setting::AllowPartial,
];

/// What is to happen.
pub(super) struct Plan {
    pub(super) question: Question,
    /// The targets, as the escalation numbers them.
    pub(super) places: Vec<Place>,
    /// What they are called.
    pub(super) names: Vec<String>,
    /// How they come in steps, and how long after the start.
    pub(super) steps: Vec<PlannedStep>,
    /// The time between two cards of a target.
    pub(super) remind: Option<Duration>,
    pub(super) escalation: Escalation,
    pub(super) tell: Vec<Place>,
    /// The name that was given.
    pub(super) id: Option<String>,
    /// Whether it is withdrawn when the command is stopped.
    pub(super) is_confirm: bool,
    /// Whether others wait for the answer.
    pub(super) is_detached: bool,
}

/// A step of a plan, with how many targets it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PlannedStep {
    pub(super) kind: StepKind,
    pub(super) after_ms: u64,
    pub(super) targets: usize,
}

/// Makes the plan, and the message that asks. Settings that a question cannot have are put aside.
///
/// # Errors
///
/// Usage, where options are wrong or contradict each other; exit 3 where there is nothing to send with.
pub(super) fn make_plan(session: &mut Session<'_>, request: AskRequest) -> Result<(Plan, Request)> {
    refuse_options(&session.settings)?;
    let settings = &mut session.settings;
    (settings.outbox, settings.skip_empty, settings.allow_partial) = (false, false, false);
    (settings.cooldown, settings.cooldown_key, settings.jitter) = (None, None, None);
    let channel = match request.channel.map_or_else(|| channel_for_question(settings), Ok) {
        Ok(channel) => channel,
        Err(_) if settings.dry_run => Channel::Aibot,
        Err(_) => return Err(settings.missing_credentials_to_ask()),
    };
    session.channel = Some(channel);
    let words = session.settings.language.words();
    let AskRequest {
        mut alert,
        channel: _,
        decline,
        confirm,
        anyone,
        only,
        not,
        wait,
        remind,
        tell,
        id,
        allow_local_answer,
        detach,
    } = request;
    if detach && confirm.is_some() {
        return Err(Error::usage(
            "--detach does not go with --confirm, whose answer is the end of this command",
            "leave one of the two out",
        ));
    }
    let fields = &mut alert.alert;
    if fields.task_id.is_some() {
        return Err(Error::usage("--task-id does not go with ask, whose cards have ids of their own", "leave it out"));
    }
    let card = fields.card.as_deref().map(|card| {
        card.parse().map_err(|_| Error::usage(format!("there is no card of type {card}"), "see wecom-alert help cards"))
    });
    let (question, card, buttons) = read_question(
        QuestionOptions {
            card: card.transpose()?,
            buttons: fields.button.iter().map(|given| clean(given).parse()).collect::<Result<_>>()?,
            options: fields.option.iter().map(|given| clean(given).parse()).collect::<Result<_>>()?,
            confirm: confirm.as_ref().map(Option::as_deref),
            declines: &decline,
            only: &only,
            not: &not,
            allows_local: allow_local_answer,
            anyone,
        },
        words,
    )?;
    // They are written with the plain sign below.
    let wide = fields.button.iter().filter(|given| !given.contains('='));
    session.warnings.extend(wide.filter_map(|given| full_width("--button", given)));
    fields.card = Some(card.as_str().to_owned());
    let is_vote = question.is_vote;
    fields.button = buttons
        .iter()
        .filter(|_| !is_vote)
        .map(|button| match button.style {
            Some(style) => format!("{}={}:{style}", button.key, button.text),
            None => format!("{}={}", button.key, button.text),
        })
        .collect();
    alert.channel = channel;
    let is_confirm = confirm.is_some();
    let (steps, wait) = times(session, wait.as_deref(), is_confirm)?;
    let remind = remind.as_deref().map(|remind| duration("--remind", remind)).transpose()?;
    if remind.is_some_and(|remind| remind < SHORTEST_REMIND) {
        return Err(Error::usage("--remind is shorter than a minute", "write at least 1m"));
    }
    let (places, steps) = places(session, channel, &steps);
    let escalation = escalation(&steps, &places, wait, remind);
    if is_confirm
        && question.only.is_empty()
        && !anyone
        && let Some(place) = places
            .iter()
            .find(|place| place.may_be_group() && place.channel().is_some_and(Channel::has_interactive_cards))
    {
        let shown = place.shown(session.settings.profile.as_deref());
        let message = match place.is_group() {
            true => {
                format!("--confirm goes to a group, a department, a tag or all ({shown}), where anybody could press")
            }
            false => format!("--confirm goes to {shown}, which may be a group, where anybody could press"),
        };
        return Err(Error::usage(message, "say whose press counts with --only ID, or --anyone if anybody may"));
    }
    let names = places.iter().map(|place| place.shown(session.settings.profile.as_deref())).collect();
    let tell = places_to_tell(session, &tell)?;
    let id = id.map(|id| one_line(id.trim()));
    if id.as_deref().is_some_and(|id| is_blank(id) || id.starts_with('$')) {
        return Err(Error::usage(
            "--id names nothing",
            "give a name that is new for each question; is a variable empty?",
        ));
    }
    Ok((Plan { question, places, names, steps, remind, escalation, tell, id, is_confirm, is_detached: detach }, alert))
}

/// Who is told of the answer. A wrong name does not keep the question back.
fn places_to_tell(session: &mut Session<'_>, names: &[String]) -> Result<Vec<Place>> {
    let mut places = Vec::new();
    for name in names {
        let read = name.parse::<TargetName>().and_then(|name| {
            session.further_target(&name, "--tell")?;
            Ok(Place::further(session, &name, "--tell"))
        });
        match read {
            Ok(found) => places.extend(found),
            Err(error) if session.settings.dry_run => return Err(as_usage("--tell", &error)),
            Err(error) => session.warnings.push(format!("--tell: {error}: it is left out")),
        }
    }
    Ok(places)
}

fn refuse_options(settings: &Settings) -> Result<()> {
    match REFUSED.iter().find(|setting| settings.is_option(**setting)) {
        None => Ok(()),
        Some(setting) => Err(Error::usage(
            format!("{} does not go with ask, which succeeds only with an answer", setting.row().option),
            "leave it out",
        )),
    }
}

fn duration(option: &str, text: &str) -> Result<Duration> {
    parse_duration_up_to(LONGEST_WAIT_HOURS, text.trim()).map_err(|error| as_usage(option, &error))
}

fn as_usage(option: &str, error: &Error) -> Error {
    Error::usage(format!("{option}: {error}"), error.hint().unwrap_or("correct the value"))
}

/// The steps that count, in the order of their times, and how long the question is open.
fn times(session: &mut Session<'_>, wait: Option<&str>, is_confirm: bool) -> Result<(Vec<EscalationStep>, Duration)> {
    let is_option = session.settings.is_option(Setting::Escalate);
    let mut steps = session.settings.escalate.clone();
    if is_confirm && !is_option {
        steps.clear();
    }
    sort::sort_by_key(&mut steps, |step| step.after);
    let last = steps.last().map_or(Duration::ZERO, |step| step.after);
    let wait = match wait {
        Some(wait) => duration("--wait", wait)?,
        None => (last + DEFAULT_WAIT).min(LONGEST_WAIT),
    };
    let is_late = |step: &EscalationStep| step.after >= wait;
    if let Some(late) = steps.iter().find(|step| is_late(step)) {
        let told = format!("the step of {} comes when --wait is over", late.target);
        if is_option {
            return Err(Error::usage(told, "give --wait more time, or the step less"));
        }
        session.warnings.push(format!("{told}: it is left out"));
        steps.retain(|step| !is_late(step));
    }
    Ok((steps, wait))
}

fn places(session: &Session<'_>, channel: Channel, steps: &[EscalationStep]) -> (Vec<Place>, Vec<PlannedStep>) {
    let (mut places, mut planned) = (Vec::new(), Vec::new());
    let mut add = |kind: StepKind, after: Duration, found: Vec<Place>| {
        planned.push(PlannedStep { kind, after_ms: in_ms(after), targets: found.len() });
        places.extend(found);
    };
    add(StepKind::Own, Duration::ZERO, Place::own(session, channel));
    for name in &session.settings.also {
        add(StepKind::Also, Duration::ZERO, Place::further(session, name, "--also"));
    }
    if let Some(name) = &session.settings.fallback {
        add(StepKind::Fallback, Duration::ZERO, Place::further(session, name, "--fallback"));
    }
    for step in steps {
        add(StepKind::Escalation, step.after, Place::of_step(session, step));
    }
    (places, planned)
}

/// The steps with their targets.
pub(super) fn escalation(
    steps: &[PlannedStep],
    places: &[Place],
    wait: Duration,
    remind: Option<Duration>,
) -> Escalation {
    let mut escalation = Escalation::new(wait, remind);
    let mut can_answer = places.iter().map(|place| place.channel().is_some_and(Channel::has_interactive_cards));
    for step in steps {
        let of_step: Vec<bool> = can_answer.by_ref().take(step.targets).collect();
        escalation.add(step.kind, Duration::from_millis(step.after_ms), of_step);
    }
    escalation
}
