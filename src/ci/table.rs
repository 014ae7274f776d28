//! Which variables each system sets, as its own documentation names them. Nothing else is ever asked for.
//!
//! What is asked for in several ways stands in a list, the best first; `{A}/{B}` needs both. None of these variables
//! holds a credential, and none may be added that does.

use super::System;
use super::value::set;

/// What a system calls things.
pub(super) struct Table {
    /// One of them tells that this is its job.
    pub(super) markers: &'static [Marker],
    pub(super) repository: &'static [&'static str],
    /// Where a pull or merge request is built.
    pub(super) request: Option<Request>,
    pub(super) tag: &'static [&'static str],
    pub(super) branch: &'static [&'static str],
    /// What stands before the name of a branch.
    pub(super) remote: &'static str,
    pub(super) commit: &'static [&'static str],
    /// Who wrote the commit, or else who started the run.
    pub(super) author: &'static [&'static str],
    pub(super) job: &'static [&'static str],
    pub(super) url: &'static [&'static str],
    /// When the run began.
    pub(super) started: &'static [&'static str],
    pub(super) status: &'static [&'static str],
}

/// What is set in a job of this system alone.
pub(super) enum Marker {
    /// These variables, all of them.
    Set(&'static [&'static str]),
    /// A variable with this value.
    Is(&'static str, &'static str),
}

impl Marker {
    pub(super) fn is_set(&self, get: &impl Fn(&str) -> Option<String>) -> bool {
        match self {
            Self::Set(names) => names.iter().all(|name| set(get, name).is_some()),
            Self::Is(name, value) => set(get, name).is_some_and(|is| is == *value),
        }
    }

    /// As an error names it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Set(names) => names.join(" with "),
            Self::Is(name, value) => format!("{name}={value}"),
        }
    }
}

/// A pull or merge request.
#[derive(Clone, Copy)]
pub(super) struct Request {
    /// Set, and not `false`, in such a run alone.
    pub(super) marker: &'static str,
    /// The branch that is to be merged, as a pattern.
    pub(super) source: &'static str,
    /// The branch it is to be merged into, as a pattern.
    pub(super) target: &'static str,
}

impl Table {
    pub(super) fn of(system: System) -> &'static Self {
        match system {
            System::GitHub => &GITHUB,
            System::GitLab => &GITLAB,
            System::Jenkins => &JENKINS,
            System::Gitee => &GITEE,
            System::Coding => &CODING,
            System::Drone => &DRONE,
            System::Woodpecker => &WOODPECKER,
            System::Travis => &TRAVIS,
            System::Bitbucket => &BITBUCKET,
            System::Azure => &AZURE,
            System::Buildkite => &BUILDKITE,
            System::CircleCi => &CIRCLECI,
        }
    }
}

/// Sets neither the start of a run nor its status.
static GITHUB: Table = Table {
    markers: &[Marker::Set(&["GITHUB_ACTIONS"])],
    repository: &["{GITHUB_REPOSITORY}"],
    request: Some(Request { marker: "GITHUB_HEAD_REF", source: "{GITHUB_HEAD_REF}", target: "{GITHUB_BASE_REF}" }),
    tag: &[],
    branch: &["{GITHUB_REF}"],
    remote: "",
    commit: &["{GITHUB_SHA}"],
    author: &["{GITHUB_ACTOR}"],
    job: &["{GITHUB_WORKFLOW} / {GITHUB_JOB}", "{GITHUB_JOB}"],
    url: &["{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}"],
    started: &[],
    status: &[],
};

static GITLAB: Table = Table {
    markers: &[Marker::Set(&["GITLAB_CI"])],
    repository: &["{CI_PROJECT_PATH}"],
    request: Some(Request {
        marker: "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME",
        source: "{CI_MERGE_REQUEST_SOURCE_BRANCH_NAME}",
        target: "{CI_MERGE_REQUEST_TARGET_BRANCH_NAME}",
    }),
    tag: &["{CI_COMMIT_TAG}"],
    branch: &["{CI_COMMIT_BRANCH}", "{CI_COMMIT_REF_NAME}"],
    remote: "",
    commit: &["{CI_COMMIT_SHA}"],
    author: &["{CI_COMMIT_AUTHOR}", "{GITLAB_USER_NAME}"],
    job: &["{CI_JOB_NAME}"],
    url: &["{CI_PIPELINE_URL}", "{CI_JOB_URL}"],
    started: &["{CI_PIPELINE_CREATED_AT}"],
    // Known in an after_script.
    status: &["{CI_JOB_STATUS}"],
};

/// `GIT_*` come from its Git plugin, `CHANGE_*`, `BRANCH_NAME` and `TAG_NAME` from multibranch projects.
static JENKINS: Table = Table {
    markers: &[Marker::Set(&["JENKINS_URL"])],
    repository: &["{GIT_URL}"],
    request: Some(Request { marker: "CHANGE_ID", source: "{CHANGE_BRANCH}", target: "{CHANGE_TARGET}" }),
    tag: &["{TAG_NAME}"],
    branch: &["{BRANCH_NAME}", "{GIT_LOCAL_BRANCH}", "{GIT_BRANCH}"],
    remote: "origin/",
    commit: &["{GIT_COMMIT}"],
    author: &["{CHANGE_AUTHOR_DISPLAY_NAME}", "{CHANGE_AUTHOR}"],
    job: &["{JOB_NAME} #{BUILD_NUMBER}", "{JOB_NAME}"],
    url: &["{BUILD_URL}"],
    started: &[],
    status: &[],
};

/// Sets no link. In a pull request `GITEE_BRANCH` is the target.
static GITEE: Table = Table {
    markers: &[Marker::Set(&["GITEE_PIPELINE_NAME"])],
    repository: &["{GITEE_REPO}"],
    request: Some(Request { marker: "GITEE_PULL_ID", source: "{GITEE_SOURCE_BRANCH}", target: "{GITEE_BRANCH}" }),
    tag: &[],
    branch: &["{GITEE_BRANCH}"],
    remote: "",
    commit: &["{GITEE_SOURCE_COMMIT}", "{GITEE_COMMIT}"],
    author: &["{GITEE_PIPELINE_TRIGGER_USER}"],
    job: &["{GITEE_PIPELINE_NAME} #{GITEE_PIPELINE_BUILD_NUMBER}", "{GITEE_PIPELINE_NAME}"],
    url: &[],
    started: &[],
    status: &[],
};

/// Built on Jenkins, with names of its own; `CODING_*` are those of its container builds.
static CODING: Table = Table {
    markers: &[Marker::Is("CODING", "true"), Marker::Set(&["PROJECT_WEB_URL", "CI_BUILD_NUMBER"])],
    repository: &["{PROJECT_NAME}/{DEPOT_NAME}", "{GIT_HTTP_URL}", "{CODING_REPO_NAME}", "{PROJECT_NAME}"],
    request: Some(Request { marker: "MR_SOURCE_BRANCH", source: "{MR_SOURCE_BRANCH}", target: "{MR_TARGET_BRANCH}" }),
    tag: &["{GIT_TAG}"],
    branch: &["{GIT_LOCAL_BRANCH}", "{BRANCH_NAME}", "{GIT_BRANCH}", "{CODING_BRANCH}"],
    remote: "origin/",
    commit: &["{MR_SOURCE_SHA}", "{GIT_COMMIT}", "{CODING_COMMIT}"],
    author: &["{GIT_AUTHOR_NAME}", "{GIT_COMMITTER_NAME}", "{CODING_COMMITTER}"],
    job: &["{JOB_NAME} #{CI_BUILD_NUMBER}", "{CODING_PIPELINE_NAME}"],
    url: &["{PROJECT_WEB_URL}/ci/job/{JOB_ID}/build/{CI_BUILD_NUMBER}/pipeline", "{CODING_BUILD_WEB_URL}"],
    started: &["{CODING_BUILD_START_TIME}"],
    status: &[],
};

static DRONE: Table = Table {
    markers: &[Marker::Set(&["DRONE"])],
    repository: &["{DRONE_REPO}"],
    request: Some(Request {
        marker: "DRONE_PULL_REQUEST",
        source: "{DRONE_SOURCE_BRANCH}",
        target: "{DRONE_TARGET_BRANCH}",
    }),
    tag: &["{DRONE_TAG}"],
    branch: &["{DRONE_BRANCH}", "{DRONE_COMMIT_REF}"],
    remote: "",
    commit: &["{DRONE_COMMIT_SHA}", "{DRONE_COMMIT}"],
    author: &["{DRONE_COMMIT_AUTHOR_NAME}", "{DRONE_COMMIT_AUTHOR}"],
    // The step that sends is no news: the steps that failed are.
    job: &["{DRONE_STAGE_NAME} / {DRONE_FAILED_STEPS}", "{DRONE_STAGE_NAME}"],
    url: &["{DRONE_BUILD_LINK}"],
    started: &["{DRONE_BUILD_STARTED}"],
    status: &["{DRONE_BUILD_STATUS}"],
};

static WOODPECKER: Table = Table {
    markers: &[Marker::Is("CI", "woodpecker")],
    repository: &["{CI_REPO}"],
    request: Some(Request {
        marker: "CI_COMMIT_PULL_REQUEST",
        source: "{CI_COMMIT_SOURCE_BRANCH}",
        target: "{CI_COMMIT_TARGET_BRANCH}",
    }),
    tag: &["{CI_COMMIT_TAG}"],
    branch: &["{CI_COMMIT_BRANCH}", "{CI_COMMIT_REF}"],
    remote: "",
    commit: &["{CI_COMMIT_SHA}"],
    author: &["{CI_COMMIT_AUTHOR}"],
    job: &["{CI_WORKFLOW_NAME}"],
    url: &["{CI_PIPELINE_URL}"],
    started: &["{CI_PIPELINE_STARTED}"],
    status: &[],
};

/// Sets no author.
static TRAVIS: Table = Table {
    markers: &[Marker::Set(&["TRAVIS"])],
    repository: &["{TRAVIS_REPO_SLUG}"],
    request: Some(Request {
        marker: "TRAVIS_PULL_REQUEST",
        source: "{TRAVIS_PULL_REQUEST_BRANCH}",
        target: "{TRAVIS_BRANCH}",
    }),
    tag: &["{TRAVIS_TAG}"],
    branch: &["{TRAVIS_BRANCH}"],
    remote: "",
    commit: &["{TRAVIS_PULL_REQUEST_SHA}", "{TRAVIS_COMMIT}"],
    author: &[],
    job: &["{TRAVIS_JOB_NAME} #{TRAVIS_JOB_NUMBER}", "#{TRAVIS_JOB_NUMBER}"],
    url: &["{TRAVIS_BUILD_WEB_URL}", "{TRAVIS_JOB_WEB_URL}"],
    started: &[],
    status: &["{TRAVIS_TEST_RESULT}"],
};

/// Sets neither author nor step. `BITBUCKET_BRANCH` is the source branch.
static BITBUCKET: Table = Table {
    markers: &[Marker::Set(&["BITBUCKET_BUILD_NUMBER"])],
    repository: &["{BITBUCKET_REPO_FULL_NAME}"],
    request: Some(Request {
        marker: "BITBUCKET_PR_ID",
        source: "{BITBUCKET_BRANCH}",
        target: "{BITBUCKET_PR_DESTINATION_BRANCH}",
    }),
    tag: &["{BITBUCKET_TAG}"],
    branch: &["{BITBUCKET_BRANCH}"],
    remote: "",
    commit: &["{BITBUCKET_COMMIT}"],
    author: &[],
    job: &["pipeline #{BITBUCKET_BUILD_NUMBER}"],
    url: &["https://bitbucket.org/{BITBUCKET_REPO_FULL_NAME}/pipelines/results/{BITBUCKET_BUILD_NUMBER}"],
    started: &[],
    // Known in an after-script.
    status: &["{BITBUCKET_EXIT_CODE}"],
};

static AZURE: Table = Table {
    markers: &[Marker::Set(&["TF_BUILD"])],
    repository: &["{BUILD_REPOSITORY_NAME}"],
    request: Some(Request {
        marker: "SYSTEM_PULLREQUEST_SOURCEBRANCH",
        source: "{SYSTEM_PULLREQUEST_SOURCEBRANCH}",
        target: "{SYSTEM_PULLREQUEST_TARGETBRANCH}",
    }),
    tag: &[],
    branch: &["{BUILD_SOURCEBRANCH}"],
    remote: "",
    commit: &["{SYSTEM_PULLREQUEST_SOURCECOMMITID}", "{BUILD_SOURCEVERSION}"],
    author: &["{BUILD_REQUESTEDFOR}"],
    job: &["{BUILD_DEFINITIONNAME} / {SYSTEM_JOBDISPLAYNAME}", "{BUILD_DEFINITIONNAME}"],
    // The collection's address ends in a slash.
    url: &["{SYSTEM_COLLECTIONURI}{SYSTEM_TEAMPROJECT}/_build/results?buildId={BUILD_BUILDID}"],
    started: &["{SYSTEM_PIPELINESTARTTIME}"],
    status: &["{AGENT_JOBSTATUS}"],
};

/// A tag's build has its name as the branch too.
static BUILDKITE: Table = Table {
    markers: &[Marker::Set(&["BUILDKITE"])],
    repository: &["{BUILDKITE_REPO}"],
    request: Some(Request {
        marker: "BUILDKITE_PULL_REQUEST",
        source: "{BUILDKITE_BRANCH}",
        target: "{BUILDKITE_PULL_REQUEST_BASE_BRANCH}",
    }),
    tag: &["{BUILDKITE_TAG}"],
    branch: &["{BUILDKITE_BRANCH}"],
    remote: "",
    commit: &["{BUILDKITE_COMMIT}"],
    author: &["{BUILDKITE_BUILD_AUTHOR}", "{BUILDKITE_BUILD_CREATOR}"],
    job: &["{BUILDKITE_PIPELINE_SLUG} / {BUILDKITE_LABEL}", "{BUILDKITE_PIPELINE_SLUG}"],
    url: &["{BUILDKITE_BUILD_URL}"],
    started: &[],
    // Known in hooks.
    status: &["{BUILDKITE_COMMAND_EXIT_STATUS}"],
};

/// `CIRCLE_BRANCH` is the source branch; the target is not told.
static CIRCLECI: Table = Table {
    markers: &[Marker::Set(&["CIRCLECI"])],
    repository: &["{CIRCLE_PROJECT_USERNAME}/{CIRCLE_PROJECT_REPONAME}", "{CIRCLE_REPOSITORY_URL}"],
    request: None,
    tag: &["{CIRCLE_TAG}"],
    branch: &["{CIRCLE_BRANCH}"],
    remote: "",
    commit: &["{CIRCLE_SHA1}"],
    author: &["{CIRCLE_USERNAME}"],
    job: &["{CIRCLE_JOB}"],
    url: &["{CIRCLE_BUILD_URL}"],
    started: &[],
    status: &[],
};
