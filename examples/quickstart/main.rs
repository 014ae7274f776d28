//! The whole way in one command: builds the program, starts a stand-in for WeCom on loopback, sends real messages
//! through the real binary by app, webhook and aibot, asks a question that somebody answers, shows what arrived, and fails
//! if anything did not.

#[path = "../../tests/it/support/fake/mod.rs"]
mod fake;
mod program;
mod question;
mod tour;

use std::process::ExitCode;

use fake::FakeWecom;
use program::Program;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("\nquickstart: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    println!("Building wecom-alert …");
    let binary = program::build()?;
    let wecom = FakeWecom::start();
    println!("A stand-in for WeCom listens on {}. Nothing leaves this machine.", wecom.base_url());
    let program = Program::new(binary, &wecom)?;
    let steps = tour::steps();
    for step in &steps {
        tour::take(step, &program, &wecom)?;
    }
    println!("\nAll {} messages arrived exactly as given. Now a question:", steps.len());
    question::ask(&program, &wecom)?;
    println!("Try it yourself: cargo run --example sandbox, then paste the lines that it prints into another shell.");
    Ok(())
}
