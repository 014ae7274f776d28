//! `list-departments`, `list-members`, `list-tags` and `list-tag-members`, through the front door.

mod failures;
mod large;
mod output;
mod range;
mod terminal;

use crate::support::fake::{Endpoint, FakeWecom};
use crate::support::{Cmd, Scene};

/// The commands with what they need.
const COMMANDS: [&[&str]; 4] = [&["list-departments"], &["list-members"], &["list-tags"], &["list-tag-members", "1"]];

/// A listing as text, with the credentials of the app.
fn list(scene: &Scene, args: &[&str]) -> Cmd {
    scene.env.cmd(args.iter().copied()).base_url(&scene.wecom).app_credentials()
}

/// What a listing prints that goes well and has nothing to remark.
fn lines(scene: &Scene, args: &[&str]) -> String {
    let run = list(scene, args).run().assert_code(0);
    assert_eq!(run.stderr, "", "{args:?}");
    run.stdout
}

/// The requests but those for tokens, as on the wire, with `TOKEN` for the token.
fn asked(wecom: &FakeWecom) -> Vec<String> {
    let tokens = wecom.secrets().tokens();
    let shown = |target: &str| tokens.iter().fold(target.to_owned(), |target, token| target.replace(token, "TOKEN"));
    let seen = wecom.requests().into_iter().filter(|seen| seen.endpoint != Endpoint::GetToken);
    seen.map(|seen| format!("{} {}", seen.method, shown(&seen.target))).collect()
}
