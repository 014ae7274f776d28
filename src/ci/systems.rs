//! Which variables each CI system sets, as its own documentation names them. Nothing else is ever asked for.
//!
//! None of these variables holds a credential, and none may be added that does.

use super::value::{Patterns, holds};

/// A CI system: its names, and the patterns that give the facts of a run. To add one, write its row in
/// [`SYSTEMS`].
#[derive(Debug)]
pub struct CiSystem {
    /// The name in options.
    pub name: &'static str,
    /// The name that people use.
    pub title: &'static str,
    /// What is set only in a job of this system, the best first: a variable, `A with B` for both, `A=value`.
    pub(super) markers: &'static [&'static str],
    pub(super) repository: Patterns,
    /// In the run of a pull or merge request: the branch that is to be merged.
    pub(super) request_source: Patterns,
    /// The branch that it is to be merged into.
    pub(super) request_target: Patterns,
    pub(super) tag: Patterns,
    pub(super) branch: Patterns,
    /// What stands before the name of a branch.
    pub(super) remote: &'static str,
    pub(super) commit: Patterns,
    /// Who wrote the commit, or else who started the run.
    pub(super) author: Patterns,
    pub(super) job: Patterns,
    /// The address of the run.
    pub(super) url: Patterns,
    /// When the run began.
    pub(super) started: Patterns,
    pub(super) status: Patterns,
}

/// The system whose variables are set.
pub(super) fn detect(get: &impl Fn(&str) -> Option<String>) -> Option<&'static CiSystem> {
    // These set another system's variables as well: CODING those of Jenkins, Woodpecker those of Drone, Forgejo those of
    // Gitea and GitHub, Gitea those of GitHub. They are looked for first, in the order of the table.
    let first = SYSTEMS.iter().filter(|system| matches!(system.name, "coding" | "woodpecker" | "forgejo" | "gitea"));
    first.chain(&SYSTEMS).find(|system| system.is_here(get))
}

impl CiSystem {
    /// Whether the variables are those of a job of this system.
    pub(super) fn is_here(&self, get: &impl Fn(&str) -> Option<String>) -> bool {
        self.markers.iter().any(|marker| marker.split(" with ").all(|condition| holds(condition, get)))
    }
}

/// The variables of GitHub Actions, which Forgejo and Gitea set as well. Neither the start of a run nor its status is set.
const GITHUB: CiSystem = CiSystem {
    name: "github",
    title: "GitHub Actions",
    markers: &["GITHUB_ACTIONS"],
    repository: &["{GITHUB_REPOSITORY}"],
    request_source: &["{GITHUB_HEAD_REF}"],
    request_target: &["{GITHUB_BASE_REF}"],
    branch: &["{GITHUB_REF}"],
    commit: &["{GITHUB_SHA}"],
    author: &["{GITHUB_ACTOR}"],
    job: &["{GITHUB_WORKFLOW} / {GITHUB_JOB}", "{GITHUB_JOB}"],
    // Without the attempt, the link of a first run leads to its latest re-run.
    url: &[
        "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}/attempts/{GITHUB_RUN_ATTEMPT}",
        "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}",
    ],
    ..NO_VARIABLES
};

/// The jobs of Forgejo and Gitea with the number that their pages show.
const NUMBERED_JOBS: Patterns =
    &["{GITHUB_WORKFLOW} / {GITHUB_JOB} #{GITHUB_RUN_NUMBER}", "{GITHUB_JOB} #{GITHUB_RUN_NUMBER}", "{GITHUB_JOB}"];

/// What a system does not set.
const NO_VARIABLES: CiSystem = CiSystem {
    name: "",
    title: "",
    markers: &[],
    repository: &[],
    request_source: &[],
    request_target: &[],
    tag: &[],
    branch: &[],
    remote: "",
    commit: &[],
    author: &[],
    job: &[],
    url: &[],
    started: &[],
    status: &[],
};

/// All systems, in the order in which they are listed.
pub static SYSTEMS: [CiSystem; 14] = [
    GITHUB,
    // The page of a run has its number, not its id.
    CiSystem {
        name: "forgejo",
        title: "Forgejo Actions",
        markers: &["FORGEJO_ACTIONS"],
        job: NUMBERED_JOBS,
        url: &["{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_NUMBER}"],
        ..GITHUB
    },
    // The page of a run has its number before Gitea 1.26 and its id from then on, and no variable tells the version. With the
    // wrong one it is missing or another run's, so the link leads to the list of runs.
    CiSystem {
        name: "gitea",
        title: "Gitea Actions",
        markers: &["GITEA_ACTIONS"],
        job: NUMBERED_JOBS,
        url: &["{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions"],
        ..GITHUB
    },
    CiSystem {
        name: "gitlab",
        title: "GitLab CI",
        markers: &["GITLAB_CI"],
        repository: &["{CI_PROJECT_PATH}"],
        request_source: &["{CI_MERGE_REQUEST_SOURCE_BRANCH_NAME}"],
        request_target: &["{CI_MERGE_REQUEST_TARGET_BRANCH_NAME}"],
        tag: &["{CI_COMMIT_TAG}"],
        branch: &["{CI_COMMIT_BRANCH}", "{CI_COMMIT_REF_NAME}"],
        commit: &["{CI_COMMIT_SHA}"],
        author: &["{CI_COMMIT_AUTHOR}", "{GITLAB_USER_NAME}"],
        // In an after_script it is known how the job ended. Elsewhere the job may only be the one that tells of another's end,
        // and in the stage .post it is; but one in which a command is run tells of itself.
        job: &[
            "{?TELLS_OF_ITSELF}{CI_JOB_NAME}",
            "{?CI_JOB_STATUS=failed}{CI_JOB_NAME}",
            "{!CI_JOB_STAGE=.post}{CI_JOB_NAME}",
        ],
        url: &[
            "{?TELLS_OF_ITSELF}{CI_JOB_URL}",
            "{?CI_JOB_STATUS=failed}{CI_JOB_URL}",
            "{?CI_JOB_STATUS=canceled}{CI_JOB_URL}",
            "{CI_PIPELINE_URL}",
            "{CI_JOB_URL}",
        ],
        started: &["{CI_PIPELINE_CREATED_AT}"],
        status: &["{CI_JOB_STATUS}"],
        ..NO_VARIABLES
    },
    // `GIT_*` come from its Git plugin, `CHANGE_*`, `BRANCH_NAME` and `TAG_NAME` from multibranch projects.
    CiSystem {
        name: "jenkins",
        title: "Jenkins",
        markers: &["JENKINS_URL"],
        repository: &["{GIT_URL}"],
        request_source: &["{?CHANGE_ID}{CHANGE_BRANCH}"],
        request_target: &["{CHANGE_TARGET}"],
        tag: &["{TAG_NAME}"],
        branch: &["{BRANCH_NAME}", "{GIT_LOCAL_BRANCH}", "{GIT_BRANCH}"],
        remote: "origin/",
        commit: &["{GIT_COMMIT}"],
        author: &["{CHANGE_AUTHOR_DISPLAY_NAME}", "{CHANGE_AUTHOR}"],
        // A multibranch project's job ends in its branch, percent-encoded.
        job: &["{%JOB_NAME} #{BUILD_NUMBER}", "{%JOB_NAME}"],
        url: &["{BUILD_URL}"],
        ..NO_VARIABLES
    },
    // Sets no link. In a pull request `GITEE_BRANCH` is the target.
    CiSystem {
        name: "gitee",
        title: "Gitee Go",
        markers: &["GITEE_PIPELINE_NAME"],
        repository: &["{GITEE_REPO}"],
        request_source: &["{?GITEE_PULL_ID}{GITEE_SOURCE_BRANCH}"],
        request_target: &["{GITEE_BRANCH}"],
        branch: &["{GITEE_BRANCH}"],
        commit: &["{GITEE_SOURCE_COMMIT}", "{GITEE_COMMIT}"],
        author: &["{GITEE_PIPELINE_TRIGGER_USER}"],
        job: &["{GITEE_PIPELINE_NAME} #{GITEE_PIPELINE_BUILD_NUMBER}", "{GITEE_PIPELINE_NAME}"],
        ..NO_VARIABLES
    },
    // Built on Jenkins, with names of its own; `CODING_*` are those of its container builds.
    CiSystem {
        name: "coding",
        title: "CODING",
        markers: &["CODING=true", "PROJECT_WEB_URL with CI_BUILD_NUMBER"],
        repository: &["{PROJECT_NAME}/{DEPOT_NAME}", "{GIT_HTTP_URL}", "{CODING_REPO_NAME}", "{PROJECT_NAME}"],
        request_source: &["{MR_SOURCE_BRANCH}"],
        request_target: &["{MR_TARGET_BRANCH}"],
        tag: &["{GIT_TAG}"],
        branch: &["{GIT_LOCAL_BRANCH}", "{BRANCH_NAME}", "{GIT_BRANCH}", "{CODING_BRANCH}"],
        remote: "origin/",
        commit: &["{MR_SOURCE_SHA}", "{GIT_COMMIT}", "{CODING_COMMIT}"],
        author: &["{GIT_AUTHOR_NAME}", "{GIT_COMMITTER_NAME}", "{CODING_COMMITTER}"],
        job: &["{%JOB_NAME} #{CI_BUILD_NUMBER}", "{CODING_PIPELINE_NAME}"],
        url: &["{PROJECT_WEB_URL}/ci/job/{JOB_ID}/build/{CI_BUILD_NUMBER}/pipeline", "{CODING_BUILD_WEB_URL}"],
        started: &["{CODING_BUILD_START_TIME}"],
        ..NO_VARIABLES
    },
    CiSystem {
        name: "drone",
        title: "Drone",
        markers: &["DRONE"],
        repository: &["{DRONE_REPO}"],
        request_source: &["{?DRONE_PULL_REQUEST}{DRONE_SOURCE_BRANCH}"],
        request_target: &["{DRONE_TARGET_BRANCH}"],
        tag: &["{DRONE_TAG}"],
        branch: &["{DRONE_BRANCH}", "{DRONE_COMMIT_REF}"],
        commit: &["{DRONE_COMMIT_SHA}", "{DRONE_COMMIT}"],
        author: &["{DRONE_COMMIT_AUTHOR_NAME}", "{DRONE_COMMIT_AUTHOR}"],
        // Not the current step, which sends the alert: the steps that failed.
        job: &["{DRONE_STAGE_NAME} / {DRONE_FAILED_STEPS}", "{DRONE_STAGE_NAME}"],
        url: &["{DRONE_BUILD_LINK}"],
        started: &["{DRONE_BUILD_STARTED}"],
        status: &["{DRONE_BUILD_STATUS}"],
        ..NO_VARIABLES
    },
    CiSystem {
        name: "woodpecker",
        title: "Woodpecker",
        markers: &["CI=woodpecker"],
        repository: &["{CI_REPO}"],
        request_source: &["{?CI_COMMIT_PULL_REQUEST}{CI_COMMIT_SOURCE_BRANCH}"],
        request_target: &["{CI_COMMIT_TARGET_BRANCH}"],
        tag: &["{CI_COMMIT_TAG}"],
        branch: &["{CI_COMMIT_BRANCH}", "{CI_COMMIT_REF}"],
        commit: &["{CI_COMMIT_SHA}"],
        author: &["{CI_COMMIT_AUTHOR}"],
        job: &["{CI_WORKFLOW_NAME}"],
        url: &["{CI_PIPELINE_URL}"],
        started: &["{CI_PIPELINE_STARTED}"],
        ..NO_VARIABLES
    },
    // Sets no author.
    CiSystem {
        name: "travis",
        title: "Travis CI",
        markers: &["TRAVIS"],
        repository: &["{TRAVIS_REPO_SLUG}"],
        request_source: &["{?TRAVIS_PULL_REQUEST}{TRAVIS_PULL_REQUEST_BRANCH}"],
        request_target: &["{TRAVIS_BRANCH}"],
        tag: &["{TRAVIS_TAG}"],
        branch: &["{TRAVIS_BRANCH}"],
        commit: &["{TRAVIS_PULL_REQUEST_SHA}", "{TRAVIS_COMMIT}"],
        job: &["{TRAVIS_JOB_NAME} #{TRAVIS_JOB_NUMBER}", "#{TRAVIS_JOB_NUMBER}"],
        url: &["{TRAVIS_BUILD_WEB_URL}", "{TRAVIS_JOB_WEB_URL}"],
        status: &["{TRAVIS_TEST_RESULT}"],
        ..NO_VARIABLES
    },
    // Sets neither author nor step. `BITBUCKET_BRANCH` is the source branch.
    CiSystem {
        name: "bitbucket",
        title: "Bitbucket Pipelines",
        markers: &["BITBUCKET_BUILD_NUMBER"],
        repository: &["{BITBUCKET_REPO_FULL_NAME}"],
        request_source: &["{?BITBUCKET_PR_ID}{BITBUCKET_BRANCH}"],
        request_target: &["{BITBUCKET_PR_DESTINATION_BRANCH}"],
        tag: &["{BITBUCKET_TAG}"],
        branch: &["{BITBUCKET_BRANCH}"],
        commit: &["{BITBUCKET_COMMIT}"],
        job: &["Bitbucket Pipelines #{BITBUCKET_BUILD_NUMBER}"],
        url: &["https://bitbucket.org/{BITBUCKET_REPO_FULL_NAME}/pipelines/results/{BITBUCKET_BUILD_NUMBER}"],
        // Known in an after-script.
        status: &["{BITBUCKET_EXIT_CODE}"],
        ..NO_VARIABLES
    },
    CiSystem {
        name: "azure",
        title: "Azure Pipelines",
        markers: &["TF_BUILD"],
        repository: &["{BUILD_REPOSITORY_NAME}"],
        request_source: &["{SYSTEM_PULLREQUEST_SOURCEBRANCH}"],
        request_target: &["{SYSTEM_PULLREQUEST_TARGETBRANCH}"],
        branch: &["{BUILD_SOURCEBRANCH}"],
        commit: &["{SYSTEM_PULLREQUEST_SOURCECOMMITID}", "{BUILD_SOURCEVERSION}"],
        author: &["{BUILD_REQUESTEDFOR}"],
        job: &["{BUILD_DEFINITIONNAME} / {SYSTEM_JOBDISPLAYNAME}", "{BUILD_DEFINITIONNAME}"],
        // The collection's address ends in a slash.
        url: &["{SYSTEM_COLLECTIONURI}{SYSTEM_TEAMPROJECT}/_build/results?buildId={BUILD_BUILDID}"],
        started: &["{SYSTEM_PIPELINESTARTTIME}"],
        status: &["{AGENT_JOBSTATUS}"],
        ..NO_VARIABLES
    },
    // A tag's build has its name as the branch too.
    CiSystem {
        name: "buildkite",
        title: "Buildkite",
        markers: &["BUILDKITE"],
        repository: &["{BUILDKITE_REPO}"],
        request_source: &["{?BUILDKITE_PULL_REQUEST}{BUILDKITE_BRANCH}"],
        request_target: &["{BUILDKITE_PULL_REQUEST_BASE_BRANCH}"],
        tag: &["{BUILDKITE_TAG}"],
        branch: &["{BUILDKITE_BRANCH}"],
        commit: &["{BUILDKITE_COMMIT}"],
        author: &["{BUILDKITE_BUILD_AUTHOR}", "{BUILDKITE_BUILD_CREATOR}"],
        job: &["{BUILDKITE_PIPELINE_SLUG} / {BUILDKITE_LABEL}", "{BUILDKITE_PIPELINE_SLUG}"],
        url: &["{BUILDKITE_BUILD_URL}"],
        // Known in hooks.
        status: &["{BUILDKITE_COMMAND_EXIT_STATUS}"],
        ..NO_VARIABLES
    },
    // `CIRCLE_BRANCH` is the source branch; no variable has the target.
    CiSystem {
        name: "circleci",
        title: "CircleCI",
        markers: &["CIRCLECI"],
        repository: &["{CIRCLE_PROJECT_USERNAME}/{CIRCLE_PROJECT_REPONAME}", "{CIRCLE_REPOSITORY_URL}"],
        tag: &["{CIRCLE_TAG}"],
        branch: &["{CIRCLE_BRANCH}"],
        commit: &["{CIRCLE_SHA1}"],
        author: &["{CIRCLE_USERNAME}"],
        job: &["{CIRCLE_JOB}"],
        url: &["{CIRCLE_BUILD_URL}"],
        ..NO_VARIABLES
    },
];
