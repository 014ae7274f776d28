//! Where a CI job runs: repository, branch, commit, author, job, duration and the link to the run, from the variables
//! that its system sets. Pure: whoever calls gives a way to ask for a variable, and the time.
//!
//! Asked for are the names in `table` alone, of which none holds a credential; addresses lose what stands before `@`.

mod table;
mod value;

#[cfg(test)]
mod tests;

use std::str::FromStr;

use table::Table;

use crate::alert::Field;
use crate::error::{Error, Result};
use crate::sanitize::truncate;

/// A CI system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// GitHub Actions, and what runs its workflows, such as Gitea and Forgejo.
    GitHub,
    /// GitLab CI.
    GitLab,
    /// Jenkins.
    Jenkins,
    /// Gitee Go.
    Gitee,
    /// CODING.
    Coding,
    /// Drone.
    Drone,
    /// Woodpecker.
    Woodpecker,
    /// Travis CI.
    Travis,
    /// Bitbucket Pipelines.
    Bitbucket,
    /// Azure Pipelines.
    Azure,
    /// Buildkite.
    Buildkite,
    /// CircleCI.
    CircleCi,
}

impl System {
    /// All systems.
    pub const ALL: [Self; 12] = [
        Self::GitHub,
        Self::GitLab,
        Self::Jenkins,
        Self::Gitee,
        Self::Coding,
        Self::Drone,
        Self::Woodpecker,
        Self::Travis,
        Self::Bitbucket,
        Self::Azure,
        Self::Buildkite,
        Self::CircleCi,
    ];

    /// The name in options.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
            Self::Jenkins => "jenkins",
            Self::Gitee => "gitee",
            Self::Coding => "coding",
            Self::Drone => "drone",
            Self::Woodpecker => "woodpecker",
            Self::Travis => "travis",
            Self::Bitbucket => "bitbucket",
            Self::Azure => "azure",
            Self::Buildkite => "buildkite",
            Self::CircleCi => "circleci",
        }
    }

    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::GitHub => "GitHub Actions",
            Self::GitLab => "GitLab CI",
            Self::Jenkins => "Jenkins",
            Self::Gitee => "Gitee Go",
            Self::Coding => "CODING",
            Self::Drone => "Drone",
            Self::Woodpecker => "Woodpecker",
            Self::Travis => "Travis CI",
            Self::Bitbucket => "Bitbucket Pipelines",
            Self::Azure => "Azure Pipelines",
            Self::Buildkite => "Buildkite",
            Self::CircleCi => "CircleCI",
        }
    }
}

/// What `--ci` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Whatever this is.
    Auto,
    /// This system, and an error if it is not.
    System(System),
}

impl FromStr for Wanted {
    type Err = Error;

    /// `auto`, or the name of a system, in lower case.
    fn from_str(name: &str) -> Result<Self> {
        if name == "auto" {
            return Ok(Self::Auto);
        }
        System::ALL.into_iter().find(|system| system.as_str() == name).map(Self::System).ok_or_else(|| {
            let names: Vec<_> = System::ALL.iter().map(|system| system.as_str()).collect();
            let (name, _) = truncate(name, 40);
            Error::usage(
                format!("--ci {name:?} is no CI system"),
                format!("write --ci=auto, or one of {}", names.join(", ")),
            )
        })
    }
}

/// What is known about a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Whose run it is.
    pub system: System,
    /// What is known of `repository`, `branch` or `tag`, `commit`, `author`, `job`, `duration`, in this order. Each
    /// value is one line of at most 200 characters.
    pub fields: Vec<Field>,
    /// The link to the run: `http://` or `https://`, without user and password.
    pub url: Option<String>,
    /// The job's name, as in the fields.
    pub job: Option<String>,
    /// `succeeded`, `failed` or `canceled`, where the system tells.
    pub status: Option<&'static str>,
}

impl Context {
    /// A title where the sender gave none: `unit-tests failed`, the job alone, or the system's name.
    pub fn title(&self) -> String {
        let job = self.job.as_deref().unwrap_or_else(|| self.system.title());
        self.status.map_or_else(|| job.to_owned(), |status| format!("{job} {status}"))
    }
}

/// The system whose variables are set. `get` gives a variable's value.
pub fn detect(get: impl Fn(&str) -> Option<String>) -> Option<System> {
    // Before Jenkins come those that are built on it.
    let order = [System::Coding, System::Woodpecker].into_iter().chain(System::ALL);
    order.into_iter().find(|system| is_here(Table::of(*system), &get))
}

/// What is known about this run. `get` gives a variable's value, `now` is the time in seconds since 1970 (UTC).
/// `None`: no system was named, and none is here.
///
/// # Errors
///
/// Usage: the named system is not here; the error says which variable was looked for.
pub fn context(wanted: Wanted, get: impl Fn(&str) -> Option<String>, now: u64) -> Result<Option<Context>> {
    let system = match wanted {
        Wanted::Auto => match detect(&get) {
            Some(system) => system,
            None => return Ok(None),
        },
        Wanted::System(system) => {
            let table = Table::of(system);
            if !is_here(table, &get) {
                let names: Vec<_> = table.markers.iter().map(table::Marker::name).collect();
                return Err(Error::usage(
                    format!(
                        "--ci={}: this is no job of {}: {} is not set",
                        system.as_str(),
                        system.title(),
                        names.join(" or ")
                    ),
                    "use --ci=auto, or leave it out; in a container, hand the variable on",
                ));
            }
            system
        }
    };
    Ok(Some(read(system, &get, now)))
}

fn is_here(table: &Table, get: &impl Fn(&str) -> Option<String>) -> bool {
    table.markers.iter().any(|marker| marker.is_set(get))
}

fn read(system: System, get: &impl Fn(&str) -> Option<String>, now: u64) -> Context {
    let table = Table::of(system);
    let first = |patterns: &[&str]| value::first(patterns, get);
    let request = table.request.and_then(|request| {
        value::set(get, request.marker)?;
        let source = value::branch(&first(&[request.source])?, table.remote);
        let target = first(&[request.target]).map(|target| value::branch(&target, table.remote));
        Some(target.map_or_else(|| source.clone(), |target| format!("{source} → {target}")))
    });
    let reference = || first(table.branch);
    let tag = first(table.tag).or_else(|| reference()?.strip_prefix("refs/tags/").map(str::to_owned));
    let (place, name) = match (request, tag) {
        (Some(request), _) => ("branch", Some(request)),
        (None, Some(tag)) => ("tag", Some(tag)),
        (None, None) => ("branch", reference().map(|branch| value::branch(&branch, table.remote))),
    };
    let job = first(table.job).map(|job| value::shown(&job));
    let duration = first(table.started).and_then(|started| value::duration(&started, now));
    let facts = [
        ("repository", first(table.repository).map(|repository| value::repository(&repository))),
        (place, name),
        ("commit", first(table.commit).and_then(|commit| value::commit(&commit))),
        ("author", first(table.author).map(|author| value::person(&author))),
        ("job", job.clone()),
        ("duration", duration),
    ];
    let fields = facts.into_iter().filter_map(|(key, value)| {
        let value = value::shown(&value?);
        (!value.is_empty()).then(|| Field { key: key.to_owned(), value })
    });
    Context {
        system,
        fields: fields.collect(),
        url: first(table.url).and_then(|url| value::url(&url)),
        job,
        status: first(table.status).and_then(|status| value::status(&status)),
    }
}
