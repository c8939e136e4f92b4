//! Writes a history of any size from a seed, for the `check` command.
//!
//! ```text
//! cargo run --release -p counterclock-checker --example generate -- \
//!     cas5 --operations 10000 --clients 16 --unknown 1/100 --seed 7 [--illegal] > file.hist
//! ```
//!
//! Text is in format `hist`; that of `text` in format `kv`. The same arguments give the same bytes.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

#[path = "../benches/histories/mod.rs"]
#[expect(dead_code, reason = "shared with benches that use more of it")]
mod histories;

use histories::chance::Ratio;
use histories::written::{Keys, Written};
use histories::{Load, Truth};
use histories::{causal, counters, lagging, registers, reservations, sequences, tickets};

const USAGE: &str = "\
usage: generate NAME --operations N --clients N --seed N [--unknown HITS/OF] [--illegal]
linearizable: register, kv, cas5, inc, add, bcounter, text
sequential:   sequential-register, sequential-inc, sequential-add
causal:       causal";

const REGISTER: &str = "# model=register-cas init=nil";
const KEY_VALUE: &str = "# model=kv";
const INCREMENTS: &str = "# model=counter-inc";
const ADDITIONS: &str = "# model=counter-rw";

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
enum GenerateError {
    /// Not a history that there is.
    #[error("there is no history named {0:?}\n{USAGE}")]
    UnknownName(String),
    /// A flag without its value, or one that does not exist.
    #[error("{0:?} is no flag, or its value is missing or wrong\n{USAGE}")]
    Flag(String),
    /// A flag that must be given.
    #[error("operations, clients and seed must be given\n{USAGE}")]
    Missing,
    /// The output failed.
    #[error("writing failed: {0}")]
    Output(#[from] io::Error),
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match generate(&arguments, BufWriter::new(io::stdout().lock())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nowhere else to say it.
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::from(2)
        }
    }
}

fn generate(arguments: &[String], output: impl Write) -> Result<(), GenerateError> {
    let (name, flags) = arguments.split_first().ok_or(GenerateError::Missing)?;
    let load = load_of(flags)?;
    let capacity = format!("# model=bcounter cap={}", reservations::CAPACITY);
    let (plain, named) = (Keys::Unnamed, Keys::Named);
    match name.as_str() {
        "register" => text(output, REGISTER, plain, |text| registers::unique_register(&load, text)),
        "kv" => text(output, KEY_VALUE, named, |text| registers::unique_keys(&load, text)),
        "cas5" => text(output, REGISTER, plain, |text| registers::five_values(&load, text)),
        "inc" => text(output, INCREMENTS, plain, |text| counters::increments(&load, text)),
        "add" => text(output, ADDITIONS, plain, |text| counters::additions(&load, text)),
        "bcounter" => text(output, &capacity, plain, |text| reservations::reservations(&load, text)),
        "text" => text(output, "", named, |text| sequences::texts(&load, text)),
        "sequential-register" => text(output, REGISTER, plain, |text| lagging::unique_register(&load, text)),
        "sequential-inc" => text(output, INCREMENTS, plain, |text| tickets::increments(&load, 1, text)),
        "sequential-add" => text(output, ADDITIONS, plain, |text| lagging::additions(&load, text)),
        "causal" => text(output, KEY_VALUE, named, |text| causal::unique_keys(&load, text)),
        _ => Err(GenerateError::UnknownName(name.clone())),
    }
}

/// A header, and the events that follow it.
fn text<W: Write>(
    output: W,
    header: &str,
    keys: Keys,
    events: impl FnOnce(&mut Written<W>),
) -> Result<(), GenerateError> {
    let mut written = Written::new(output, header, keys);
    events(&mut written);
    written.finish()?;
    Ok(())
}

fn load_of(flags: &[String]) -> Result<Load, GenerateError> {
    let (mut operations, mut clients, mut seed) = (None, None, None);
    let (mut unknown, mut truth) = (Ratio::NEVER, Truth::Legal);
    let mut flags = flags.iter();
    while let Some(flag) = flags.next() {
        let wrong = || GenerateError::Flag(flag.clone());
        if flag == "--illegal" {
            truth = Truth::Illegal;
            continue;
        }
        let value = flags.next().ok_or_else(wrong)?;
        let number = || value.parse::<usize>().map_err(|_| wrong());
        match flag.as_str() {
            "--operations" => operations = Some(number()?),
            "--clients" => clients = Some(number()?),
            "--seed" => seed = Some(value.parse().map_err(|_| wrong())?),
            "--unknown" => unknown = ratio(value).ok_or_else(wrong)?,
            _ => return Err(wrong()),
        }
    }
    match (operations, clients, seed) {
        (Some(operations), Some(clients), Some(seed)) => {
            Ok(Load { operations, clients, unknown, seed, truth })
        }
        _ => Err(GenerateError::Missing),
    }
}

fn ratio(text: &str) -> Option<Ratio> {
    let (hits, of) = text.split_once('/')?;
    let ratio = Ratio { hits: hits.parse().ok()?, of: of.parse().ok()? };
    (ratio.of > 0).then_some(ratio)
}
