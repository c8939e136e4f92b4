//! The one binary: reads arguments, calls a command, exits with its code.

mod command;

use std::process::ExitCode;

use clap::Parser;

use command::Command;

/// Runs a counter, config and replication service in a world of drifting clocks, broken networks and dying nodes, and
/// judges what came out.
///
/// Exit codes: 0 every promise held, 1 one was broken, 2 bad usage or input, 3 nothing broken but something undecided
/// or vacuous.
#[derive(Parser)]
#[command(name = "counterclock", version, max_term_width = 80, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    match Arguments::parse().command.execute() {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            command::output::complain(&error);
            ExitCode::from(2)
        }
    }
}
