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

use histories::arguments::{self, ArgumentError, FLAGS};
use histories::written::{Keys, Written};
use histories::{causal, counters, lagging, registers, reservations, sequences, tickets};

const NAMES: &str = "\
linearizable: register, kv, cas5, inc, add, bcounter, log, log-without-offsets, text
sequential:   sequential-register, sequential-inc, sequential-add
causal:       causal";

const REGISTER: &str = "# model=register-cas init=nil";
const KEY_VALUE: &str = "# model=kv";
const INCREMENTS: &str = "# model=counter-inc";
const LOG: &str = "# model=log";
const ADDITIONS: &str = "# model=counter-rw";

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
enum GenerateError {
    /// The arguments make no sense.
    #[error("{0}\nusage: generate NAME {FLAGS}\n{NAMES}")]
    Arguments(#[from] ArgumentError),
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
    let (name, load) = arguments::read(arguments)?;
    let capacity = format!("# model=bcounter cap={}", reservations::CAPACITY);
    let (plain, named) = (Keys::Unnamed, Keys::Named);
    match name {
        "register" => text(output, REGISTER, plain, |text| registers::unique_register(&load, text)),
        "kv" => text(output, KEY_VALUE, named, |text| registers::unique_keys(&load, text)),
        "cas5" => text(output, REGISTER, plain, |text| registers::five_values(&load, text)),
        "inc" => text(output, INCREMENTS, plain, |text| counters::increments(&load, text)),
        "add" => text(output, ADDITIONS, plain, |text| counters::additions(&load, text)),
        "bcounter" => text(output, &capacity, plain, |text| reservations::reservations(&load, text)),
        "log" => text(output, LOG, plain, |text| sequences::log_with_offsets(&load, text)),
        "log-without-offsets" => text(output, LOG, plain, |text| sequences::log_without_offsets(&load, text)),
        "text" => text(output, "", named, |text| sequences::texts(&load, text)),
        "sequential-register" => text(output, REGISTER, plain, |text| lagging::unique_register(&load, text)),
        "sequential-inc" => text(output, INCREMENTS, plain, |text| tickets::increments(&load, 1, text)),
        "sequential-add" => text(output, ADDITIONS, plain, |text| lagging::additions(&load, text)),
        "causal" => text(output, KEY_VALUE, named, |text| causal::unique_keys(&load, text)),
        _ => Err(ArgumentError::UnknownName(name.to_owned()).into()),
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
