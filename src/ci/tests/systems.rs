//! Each system's variables, and what is made of them.

use super::{facts, found, of_command, words};

const GITHUB: [(&str, &str); 9] = [
    ("GITHUB_ACTIONS", "true"),
    ("GITHUB_REPOSITORY", "acme/shop"),
    ("GITHUB_REF", "refs/heads/feature/a"),
    ("GITHUB_SHA", "0123456789abcdef0123456789abcdef01234567"),
    ("GITHUB_ACTOR", "lisi"),
    ("GITHUB_WORKFLOW", "ci"),
    ("GITHUB_JOB", "unit-tests"),
    ("GITHUB_SERVER_URL", "https://github.example.com"),
    ("GITHUB_RUN_ID", "42"),
];

#[test]
fn github() {
    let context = found(&GITHUB);
    assert_eq!(context.system.name, "github");
    assert_eq!(
        facts(&context),
        ["repository=acme/shop", "branch=feature/a", "commit=01234567", "author=lisi", "job=ci / unit-tests"]
    );
    assert_eq!(context.url.as_deref(), Some("https://github.example.com/acme/shop/actions/runs/42"));
    assert_eq!((context.title(words()).0.as_str(), context.status), ("acme/shop: ci / unit-tests", None));
    let with = |more: &[(&'static str, &'static str)]| facts(&found(&[more, &GITHUB].concat())).join(" ");
    assert!(with(&[("GITHUB_REF", "refs/tags/v1.0")]).contains(" tag=v1.0 "));
    let request = [("GITHUB_REF", "refs/pull/7/merge"), ("GITHUB_HEAD_REF", "fix"), ("GITHUB_BASE_REF", "main")];
    assert!(with(&request).contains(" branch=fix → main "));
    assert!(with(&[("GITHUB_REF", "refs/pull/7/merge")]).contains(" branch=pull/7/merge "));
}

#[test]
fn a_repeated_run_of_github_links_its_attempt() {
    let context = found(&[&GITHUB[..], &[("GITHUB_RUN_ATTEMPT", "2")]].concat());
    assert_eq!(context.url.as_deref(), Some("https://github.example.com/acme/shop/actions/runs/42/attempts/2"));
}

#[test]
fn forgejo_and_gitea_are_told_from_github() {
    let with = |markers: &[(&'static str, &'static str)]| {
        let numbers = [("GITHUB_RUN_NUMBER", "7"), ("GITHUB_RUN_ATTEMPT", "1")];
        found(&[&GITHUB[..], &numbers, markers].concat())
    };
    let gitea = with(&[("GITEA_ACTIONS", "true")]);
    assert_eq!(
        (gitea.system.name, gitea.url.as_deref()),
        ("gitea", Some("https://github.example.com/acme/shop/actions"))
    );
    assert!(facts(&gitea).contains(&"job=ci / unit-tests #7".to_owned()), "{:?}", facts(&gitea));
    assert!(facts(&gitea).contains(&"repository=acme/shop".to_owned()), "{:?}", facts(&gitea));
    let forgejo = with(&[("GITEA_ACTIONS", "true"), ("FORGEJO_ACTIONS", "true")]);
    let page = "https://github.example.com/acme/shop/actions/runs/7";
    assert_eq!((forgejo.system.name, forgejo.url.as_deref()), ("forgejo", Some(page)));
}

#[test]
fn a_job_of_gitlab_is_linked_where_it_is_the_one_that_failed() {
    let with = |status: &'static str| {
        let job = "https://gitlab.example.com/acme/shop/-/jobs/9";
        let pipeline = "https://gitlab.example.com/acme/shop/-/pipelines/3";
        let variables = [("GITLAB_CI", "true"), ("CI_JOB_URL", job), ("CI_PIPELINE_URL", pipeline)];
        found(&[&variables[..], &[("CI_JOB_STATUS", status)]].concat()).url.unwrap()
    };
    assert!(with("failed").ends_with("/jobs/9") && with("canceled").ends_with("/jobs/9"));
    // In a script it is "running": the job may be one that only sends alerts.
    assert!(with("running").ends_with("/pipelines/3") && with("success").ends_with("/pipelines/3"));
}

/// A job in `.post` tells of the others; it knows none of them by name.
#[test]
fn a_job_of_gitlab_that_only_notifies_is_not_named() {
    let (job, pipeline) =
        ("https://gitlab.example.com/acme/shop/-/jobs/9", "https://gitlab.example.com/acme/shop/-/pipelines/3");
    let with = |stage: &'static str, status: &'static str| {
        [
            ("GITLAB_CI", "true"),
            ("CI_PROJECT_PATH", "acme/shop"),
            ("CI_JOB_NAME", "notify"),
            ("CI_JOB_URL", job),
            ("CI_PIPELINE_URL", pipeline),
            ("CI_JOB_STAGE", stage),
            ("CI_JOB_STATUS", status),
        ]
    };
    for (stage, status, names, link) in [
        (".post", "running", false, pipeline),
        (".post", "", false, pipeline),
        // Its own failure, in its after_script.
        (".post", "failed", true, job),
        ("test", "running", true, pipeline),
        ("", "running", true, pipeline),
    ] {
        let context = found(&with(stage, status));
        assert_eq!(facts(&context).contains(&"job=notify".to_owned()), names, "{stage} {status}");
        assert_eq!(context.url.as_deref(), Some(link), "{stage} {status}");
        assert_eq!(context.title(words()).0.contains("notify"), names, "{stage} {status}");
        // One in which a command was run tells of that.
        let own = of_command(&with(stage, status));
        assert!(facts(&own).contains(&"job=notify".to_owned()), "{stage} {status}");
        assert_eq!(own.url.as_deref(), Some(job), "{stage} {status}");
    }
}

#[test]
fn gitlab() {
    let variables = [
        ("GITLAB_CI", "true"),
        ("CI_PROJECT_PATH", "acme/shop"),
        ("CI_COMMIT_REF_NAME", "refs/merge-requests/5/head"),
        ("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "fix"),
        ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
        ("CI_COMMIT_SHA", "abcdefabcdef"),
        ("CI_COMMIT_AUTHOR", "李四 <lisi@example.com>"),
        ("CI_JOB_NAME", "unit tests"),
        ("CI_JOB_STATUS", "failed"),
        ("CI_PIPELINE_CREATED_AT", "2026-03-01T09:56:48Z"),
        ("CI_PIPELINE_URL", "https://ci-user:ci-pass@gitlab.example.com/acme/shop/-/pipelines/3"),
    ];
    let context = found(&variables);
    assert_eq!(context.system.name, "gitlab");
    assert_eq!(
        facts(&context),
        [
            "repository=acme/shop",
            "branch=fix → main",
            "commit=abcdefab",
            "author=李四",
            "job=unit tests",
            "duration=3m 12s"
        ]
    );
    assert_eq!(context.url.as_deref(), Some("https://gitlab.example.com/acme/shop/-/pipelines/3"));
    assert_eq!(context.title(words()).0, "acme/shop: unit tests failed");
    let tagged = found(&[("GITLAB_CI", "true"), ("CI_COMMIT_TAG", "v2"), ("CI_COMMIT_REF_NAME", "v2")]);
    assert_eq!(facts(&tagged), ["tag=v2"]);
    assert_eq!(tagged.title(words()).0, "GitLab CI");
}

#[test]
fn jenkins() {
    let variables = [
        ("JENKINS_URL", "https://jenkins.example.com/"),
        ("GIT_URL", "https://git-user:git-pass@git.example.com/acme/shop.git"),
        ("GIT_BRANCH", "origin/main"),
        ("GIT_COMMIT", "0123456789abcdef"),
        ("JOB_NAME", "shop/feature%2Fnightly"),
        ("BUILD_NUMBER", "17"),
        ("BUILD_URL", "https://jenkins.example.com/job/shop/17/"),
    ];
    let context = found(&variables);
    assert_eq!(context.system.name, "jenkins");
    assert_eq!(
        facts(&context),
        ["repository=acme/shop", "branch=main", "commit=01234567", "job=shop/feature/nightly #17"]
    );
    assert_eq!(context.url.as_deref(), Some("https://jenkins.example.com/job/shop/17/"));
    let request = [
        ("CHANGE_ID", "7"),
        ("CHANGE_BRANCH", "fix"),
        ("CHANGE_TARGET", "main"),
        ("BRANCH_NAME", "PR-7"),
        ("CHANGE_AUTHOR", "lisi"),
    ];
    let context = found(&[&variables[..], &request].concat());
    assert_eq!(facts(&context)[1..4], ["branch=fix → main", "commit=01234567", "author=lisi"]);
}

#[test]
fn gitee() {
    let variables = [
        ("GITEE_PIPELINE_NAME", "shop"),
        ("GITEE_PIPELINE_BUILD_NUMBER", "9"),
        ("GITEE_PIPELINE_TRIGGER_USER", "lisi"),
        ("GITEE_REPO", "shop"),
        ("GITEE_BRANCH", "master"),
        ("GITEE_COMMIT", "0123456789abcdef"),
    ];
    let context = found(&variables);
    assert_eq!(context.system.name, "gitee");
    assert_eq!(facts(&context), ["repository=shop", "branch=master", "commit=01234567", "author=lisi", "job=shop #9"]);
    assert_eq!(context.url, None);
    let request = [("GITEE_PULL_ID", "3"), ("GITEE_SOURCE_BRANCH", "fix"), ("GITEE_SOURCE_COMMIT", "fedcba9876543210")];
    let context = found(&[&variables[..], &request].concat());
    assert_eq!(facts(&context)[1..3], ["branch=fix → master", "commit=fedcba98"]);
}

#[test]
fn coding_is_distinguished_from_jenkins() {
    let variables = [
        ("JENKINS_URL", "https://jenkins.example.com/"),
        ("PROJECT_WEB_URL", "https://acme.coding.example.com/p/shop"),
        ("PROJECT_NAME", "shop"),
        ("DEPOT_NAME", "web"),
        ("CI_BUILD_NUMBER", "12"),
        ("JOB_ID", "345"),
        ("JOB_NAME", "nightly"),
        ("GIT_BRANCH", "main"),
        ("GIT_COMMIT", "0123456789abcdef"),
        ("GIT_AUTHOR_NAME", "lisi"),
    ];
    let context = found(&variables);
    assert_eq!(context.system.name, "coding");
    assert_eq!(
        facts(&context),
        ["repository=shop/web", "branch=main", "commit=01234567", "author=lisi", "job=nightly #12"]
    );
    assert_eq!(context.url.as_deref(), Some("https://acme.coding.example.com/p/shop/ci/job/345/build/12/pipeline"));
    let container = found(&[
        ("CODING", "true"),
        ("CODING_BUILD_WEB_URL", "https://acme.coding.example.com/b/1"),
        ("CODING_BRANCH", "x"),
    ]);
    assert_eq!((container.system.name, facts(&container)), ("coding", vec!["branch=x".to_owned()]));
}

#[test]
fn drone_and_woodpecker() {
    let drone = found(&[
        ("CI", "true"),
        ("DRONE", "true"),
        ("DRONE_REPO", "acme/shop"),
        ("DRONE_BRANCH", "main"),
        ("DRONE_SOURCE_BRANCH", "main"),
        ("DRONE_COMMIT_SHA", "0123456789abcdef"),
        ("DRONE_COMMIT_AUTHOR", "lisi"),
        ("DRONE_STAGE_NAME", "default"),
        ("DRONE_FAILED_STEPS", "test,lint"),
        ("DRONE_BUILD_STATUS", "failure"),
        ("DRONE_BUILD_STARTED", "1772355540"),
        ("DRONE_BUILD_LINK", "https://drone.example.com/acme/shop/8"),
    ]);
    assert_eq!(drone.system.name, "drone");
    assert_eq!(
        facts(&drone),
        [
            "repository=acme/shop",
            "branch=main",
            "commit=01234567",
            "author=lisi",
            "job=default / test,lint",
            "duration=1h 1m"
        ]
    );
    assert_eq!(drone.title(words()).0, "acme/shop: default / test,lint failed");
    let woodpecker = found(&[
        ("CI", "woodpecker"),
        ("CI_REPO", "acme/shop"),
        ("CI_COMMIT_BRANCH", "main"),
        ("CI_COMMIT_PULL_REQUEST", "4"),
        ("CI_COMMIT_SOURCE_BRANCH", "fix"),
        ("CI_COMMIT_TARGET_BRANCH", "main"),
        ("CI_WORKFLOW_NAME", "test"),
        ("CI_PIPELINE_STARTED", "1772359195"),
        ("CI_PIPELINE_URL", "https://ci.example.com/repos/7/pipeline/8"),
    ]);
    assert_eq!(woodpecker.system.name, "woodpecker");
    assert_eq!(facts(&woodpecker), ["repository=acme/shop", "branch=fix → main", "job=test", "duration=5s"]);
}

#[test]
fn travis_bitbucket_and_circleci() {
    let travis = found(&[
        ("TRAVIS", "true"),
        ("TRAVIS_REPO_SLUG", "acme/shop"),
        ("TRAVIS_PULL_REQUEST", "false"),
        ("TRAVIS_PULL_REQUEST_BRANCH", ""),
        ("TRAVIS_BRANCH", "main"),
        ("TRAVIS_JOB_NUMBER", "4.1"),
        ("TRAVIS_TEST_RESULT", "1"),
        ("TRAVIS_BUILD_WEB_URL", "https://app.travis-ci.example.com/acme/shop/builds/5"),
    ]);
    assert_eq!(travis.system.name, "travis");
    assert_eq!(facts(&travis), ["repository=acme/shop", "branch=main", "job=#4.1"]);
    assert_eq!(travis.title(words()).0, "acme/shop: #4.1 failed");
    let bitbucket = found(&[
        ("BITBUCKET_BUILD_NUMBER", "6"),
        ("BITBUCKET_REPO_FULL_NAME", "acme/shop"),
        ("BITBUCKET_BRANCH", "fix"),
        ("BITBUCKET_PR_ID", "2"),
        ("BITBUCKET_PR_DESTINATION_BRANCH", "main"),
        ("BITBUCKET_EXIT_CODE", "0"),
    ]);
    assert_eq!(bitbucket.system.name, "bitbucket");
    assert_eq!(facts(&bitbucket), ["repository=acme/shop", "branch=fix → main", "job=Bitbucket Pipelines #6"]);
    assert_eq!(bitbucket.url.as_deref(), Some("https://bitbucket.org/acme/shop/pipelines/results/6"));
    assert_eq!(bitbucket.status, Some(super::super::value::CiStatus::Succeeded));
    let circleci = found(&[
        ("CIRCLECI", "true"),
        ("CIRCLE_REPOSITORY_URL", "git@github.example.com:acme/shop.git"),
        ("CIRCLE_TAG", "v3"),
        ("CIRCLE_SHA1", "0123456789abcdef"),
        ("CIRCLE_JOB", "test"),
        ("CIRCLE_BUILD_URL", "https://circleci.example.com/gh/acme/shop/7"),
    ]);
    assert_eq!(circleci.system.name, "circleci");
    assert_eq!(facts(&circleci), ["repository=acme/shop", "tag=v3", "commit=01234567", "job=test"]);
}

#[test]
fn azure_and_buildkite() {
    let azure = found(&[
        ("TF_BUILD", "True"),
        ("BUILD_REPOSITORY_NAME", "shop"),
        ("BUILD_SOURCEBRANCH", "refs/heads/release/1"),
        ("BUILD_SOURCEVERSION", "0123456789abcdef"),
        ("BUILD_REQUESTEDFOR", "Li Si"),
        ("BUILD_DEFINITIONNAME", "shop ci"),
        ("SYSTEM_JOBDISPLAYNAME", "Test"),
        ("SYSTEM_COLLECTIONURI", "https://dev.azure.example.com/acme/"),
        ("SYSTEM_TEAMPROJECT", "web shop"),
        ("BUILD_BUILDID", "99"),
        ("SYSTEM_PIPELINESTARTTIME", "2026-03-01 11:00:00+02:00"),
        ("AGENT_JOBSTATUS", "Failed"),
    ]);
    assert_eq!(azure.system.name, "azure");
    assert_eq!(
        facts(&azure),
        [
            "repository=shop",
            "branch=release/1",
            "commit=01234567",
            "author=Li Si",
            "job=shop ci / Test",
            "duration=1h 0m"
        ]
    );
    assert_eq!(azure.url.as_deref(), Some("https://dev.azure.example.com/acme/web%20shop/_build/results?buildId=99"));
    assert_eq!(azure.status, Some(super::super::value::CiStatus::Failed));
    let buildkite = found(&[
        ("BUILDKITE", "true"),
        ("BUILDKITE_REPO", "ssh://git@git.example.com:22/acme/shop.git"),
        ("BUILDKITE_PULL_REQUEST", "false"),
        ("BUILDKITE_BRANCH", "main"),
        ("BUILDKITE_COMMIT", "HEAD"),
        ("BUILDKITE_BUILD_CREATOR", "lisi"),
        ("BUILDKITE_PIPELINE_SLUG", "shop"),
        ("BUILDKITE_LABEL", ":hammer: test"),
        ("BUILDKITE_BUILD_URL", "https://buildkite.example.com/acme/shop/builds/3"),
        ("BUILDKITE_COMMAND_EXIT_STATUS", "137"),
    ]);
    assert_eq!(buildkite.system.name, "buildkite");
    assert_eq!(facts(&buildkite), ["repository=acme/shop", "branch=main", "author=lisi", "job=shop / :hammer: test"]);
    assert_eq!(buildkite.title(words()).0, "acme/shop: shop / :hammer: test failed");
}
