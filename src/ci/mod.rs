//! Facts about a CI run: repository, branch, commit, author, job, duration and the link to the run, from the variables that
//! its system sets. Pure: the caller gives a function that looks a variable up, and the time.
//!
//! Only the variables named in `systems` are read, of which none holds a credential; addresses lose user and password.

mod systems;
mod value;

#[cfg(test)]
mod tests;

pub use systems::{CiSystem, SYSTEMS};

use value::CiStatus;

use crate::alert::Field;
use crate::clock;
use crate::error::{Error, Result};
use crate::sanitize::truncate;
use crate::words::{Words, spaced};

/// What is known about a run.
#[derive(Debug)]
pub(crate) struct CiContext {
    system: &'static CiSystem,
    /// What is known of it, in this order. Each value is one line of at most 200 characters.
    facts: Vec<(Fact, String)>,
    /// For how many seconds it has run.
    duration: Option<u64>,
    /// The link to the run: `http://` or `https://`, without user and password.
    pub(crate) url: Option<String>,
    /// How it ended, where the system tells.
    status: Option<CiStatus>,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fact {
    Repository,
    Branch,
    Tag,
    Commit,
    Author,
    Job,
}

impl CiContext {
    /// A title where the sender gave none: `shop/api: unit-tests failed`, without what is not known. The number of bytes
    /// before the job is that of words which stand behind it where there is little room.
    pub(crate) fn title(&self, words: &Words) -> (String, usize) {
        let job = self.job().unwrap_or(self.system.title);
        let end = match self.status {
            None => job.to_owned(),
            Some(CiStatus::Succeeded) => spaced(job, words.succeeded),
            Some(CiStatus::Failed) => spaced(job, words.failed),
            Some(CiStatus::Canceled) => spaced(job, words.canceled),
        };
        let repository = self.fact(Fact::Repository).map(|name| format!("{name}{}", words.colon)).unwrap_or_default();
        (format!("{repository}{end}"), repository.len())
    }

    /// The name of the job.
    pub(crate) fn job(&self) -> Option<&str> {
        self.fact(Fact::Job)
    }

    fn fact(&self, wanted: Fact) -> Option<&str> {
        self.facts.iter().find(|(fact, _)| *fact == wanted).map(|(_, value)| value.as_str())
    }

    /// The facts as fields.
    pub(crate) fn fields(&self, words: &Words) -> Vec<Field> {
        let field = |(fact, value): &(Fact, String)| {
            let key = match fact {
                Fact::Repository => words.repository,
                Fact::Branch => words.branch,
                Fact::Tag => words.tag,
                Fact::Commit => words.commit,
                Fact::Author => words.author,
                Fact::Job => words.job,
            };
            Field { key: key.to_owned(), value: value.clone() }
        };
        let duration = self.duration.map(|seconds| clock::elapsed_in_ci(seconds, &words.units));
        let duration = duration.map(|value| Field { key: words.duration.to_owned(), value });
        self.facts.iter().map(field).chain(duration).collect()
    }
}

/// A name in patterns that stands for no variable: the job sends an alert about its own command.
const TELLS_OF_ITSELF: &str = "TELLS_OF_ITSELF";

/// Whether it is the name of a system.
pub(crate) fn is_name(text: &str) -> bool {
    SYSTEMS.iter().any(|system| system.name == text)
}

/// What is known about this run. `wanted` is `auto` or the name of a system, `get` gives a variable's value, `now` is the
/// time in seconds since 1970 (UTC). `tells_of_itself` says that the alert is about a command of this very job. `None`: no
/// system was named, and none is here.
///
/// A usage error if there is no system of that name, or if it is not here: the error says which variable was looked for.
pub(crate) fn context(
    wanted: &str,
    tells_of_itself: bool,
    get: impl Fn(&str) -> Option<String>,
    now: u64,
) -> Result<Option<CiContext>> {
    let get = |name: &str| if name == TELLS_OF_ITSELF { tells_of_itself.then(|| "1".to_owned()) } else { get(name) };
    let system = if wanted == "auto" { systems::detect(&get) } else { Some(named(wanted, &get)?) };
    Ok(system.map(|system| read(system, &get, now)))
}

/// The system of that name, if this is a job of it.
fn named(name: &str, get: &impl Fn(&str) -> Option<String>) -> Result<&'static CiSystem> {
    let Some(system) = SYSTEMS.iter().find(|system| system.name == name) else {
        let names = SYSTEMS.each_ref().map(|system| system.name).join(", ");
        let (name, _) = truncate(name, 40);
        return Err(Error::usage(
            format!("--ci {name:?} is not a CI system"),
            format!("write --ci=auto, or one of {names}"),
        ));
    };
    if !system.is_here(get) {
        let markers = system.markers.join(" or ");
        return Err(Error::usage(
            format!("--ci={name}: this is not a job of {}: {markers} is not set", system.title),
            "use --ci=auto, or leave it out; in a container, hand the variable on",
        ));
    }
    Ok(system)
}

fn read(system: &'static CiSystem, get: &impl Fn(&str) -> Option<String>, now: u64) -> CiContext {
    let first = |patterns| value::first(patterns, get);
    let branch_name = |text: &str| value::branch(text, system.remote);
    let request = first(system.request_source).map(|source| match first(system.request_target) {
        Some(target) => format!("{} → {}", branch_name(&source), branch_name(&target)),
        None => branch_name(&source),
    });
    let branch = first(system.branch);
    let tag_of_branch = || branch.as_ref()?.strip_prefix("refs/tags/").map(str::to_owned);
    let (place, name) = match (request, first(system.tag).or_else(tag_of_branch)) {
        (Some(request), _) => (Fact::Branch, Some(request)),
        (None, Some(tag)) => (Fact::Tag, Some(tag)),
        (None, None) => (Fact::Branch, branch.as_deref().map(branch_name)),
    };
    let facts = [
        (Fact::Repository, first(system.repository).map(|repository| value::repository(&repository))),
        (place, name),
        (Fact::Commit, first(system.commit).and_then(|commit| value::commit(&commit))),
        (Fact::Author, first(system.author).map(|author| value::person(&author))),
        (Fact::Job, first(system.job)),
    ];
    let facts = facts.into_iter().filter_map(|(fact, value)| {
        let value = value::shown(&value?);
        (!value.is_empty()).then_some((fact, value))
    });
    CiContext {
        system,
        facts: facts.collect(),
        duration: first(system.started).and_then(|started| value::duration(&started, now)),
        url: first(system.url).and_then(|url| value::url(&url)),
        status: first(system.status).and_then(|status| value::status(&status)),
    }
}
