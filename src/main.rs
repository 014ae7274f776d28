//! The process: arguments in, exit code out.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::report_panics();
    match cli::run(std::env::args_os().collect()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            cli::report_defect(&error);
            ExitCode::FAILURE
        }
    }
}
