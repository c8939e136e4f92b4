//! Makes and verifies the evidence of one generated history, once, and says how long each step took.
//!
//! ```text
//! cargo run --release -p counterclock-checker --example evidence -- \
//!     register --operations 1000000 --clients 16 --seed 7 [--unknown 1/100] [--illegal]
//! ```

use std::io::{self, Write};
use std::process::ExitCode;

use counterclock_checker::budget::Budget;
use counterclock_checker::evidence::certify_objects;
use counterclock_checker::format::evidence::{Checked, Claim};
use counterclock_checker::keyed::{KeyedBuilder, KeyedHistory};
use counterclock_checker::lattice::{Level, judge_level};
use counterclock_checker::spec::Spec;
use counterclock_checker::spec::capacity::Capacity;
use counterclock_checker::spec::counter::{Counter, CounterKind};
use counterclock_checker::spec::log::Log;
use counterclock_checker::spec::register::Register;
use counterclock_checker::spec::text::Text;
use counterclock_checker::verdict::Verdict;
use counterclock_checker::verify::accept_on;

#[path = "../benches/histories/mod.rs"]
#[expect(dead_code, reason = "shared with benches that use more of it")]
mod histories;

use histories::arguments::{self, ArgumentError, FLAGS};
use histories::recorder::{keyed, single};
use histories::{causal, counters, lagging, registers, reservations, sequences, tickets};

const NAMES: &str = "\
linearizable: register, kv, cas5, inc, add, bcounter, log, log-without-offsets, text
sequential:   sequential-register, sequential-inc, sequential-incs, sequential-add
causal:       causal, pram, read-your-writes";

const BUDGET: Budget = Budget { steps_max: 10_000_000 };

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (text, code) = match measure(&arguments) {
        Ok(text) => (text, ExitCode::SUCCESS),
        Err(error) => (format!("{error}\nusage: evidence NAME {FLAGS}\n{NAMES}"), ExitCode::from(2)),
    };
    match writeln!(io::stdout(), "{text}") {
        Ok(()) => code,
        Err(_) => ExitCode::from(2),
    }
}

fn measure(arguments: &[String]) -> Result<String, ArgumentError> {
    let (name, load) = arguments::read(arguments)?;
    let register = Register::default();
    let capacity = Capacity { capacity: Some(reservations::CAPACITY) };
    let (increments, additions) =
        (Counter { kind: CounterKind::Increment }, Counter { kind: CounterKind::AddAndRead });
    let (lin, seq) = (Level::Linearizable, Level::Sequential);
    let part = |history| KeyedHistory::single("x", history);
    Ok(match name {
        "register" => report(lin, &register, &part(single(|into| registers::unique_register(&load, into)))),
        "kv" => report(lin, &register, &of(|into| registers::unique_keys(&load, into))),
        "cas5" => report(lin, &register, &part(single(|into| registers::five_values(&load, into)))),
        "inc" => report(
            lin,
            &increments,
            &KeyedHistory::single("x", single(|into| counters::increments(&load, into))),
        ),
        "add" => report(
            lin,
            &additions,
            &KeyedHistory::single("x", single(|into| counters::additions(&load, into))),
        ),
        "bcounter" => report(
            lin,
            &capacity,
            &KeyedHistory::single("x", single(|into| reservations::reservations(&load, into))),
        ),
        "log" => report(
            lin,
            &Log,
            &KeyedHistory::single("x", single(|into| sequences::log_with_offsets(&load, into))),
        ),
        "log-without-offsets" => report(
            lin,
            &Log,
            &KeyedHistory::single("x", single(|into| sequences::log_without_offsets(&load, into))),
        ),
        "text" => report(lin, &Text::default(), &of(|into| sequences::texts(&load, into))),
        "sequential-register" => report(seq, &register, &of(|into| lagging::unique_register(&load, into))),
        "sequential-inc" => report(seq, &increments, &of(|into| tickets::increments(&load, 1, into))),
        "sequential-incs" => report(seq, &increments, &of(|into| tickets::increments(&load, 8, into))),
        "sequential-add" => report(seq, &additions, &of(|into| lagging::additions(&load, into))),
        "causal" => report(Level::Causal, &register, &of(|into| causal::unique_keys(&load, into))),
        "pram" => report(Level::Pram, &register, &of(|into| causal::unique_keys(&load, into))),
        "read-your-writes" => {
            report(Level::ReadYourWrites, &register, &of(|into| causal::unique_keys(&load, into)))
        }
        _ => return Err(ArgumentError::UnknownName(name.to_owned())),
    })
}

fn of<S: Spec>(generate: impl FnOnce(&mut KeyedBuilder<S>)) -> KeyedHistory<S> {
    keyed(generate)
}

#[expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "this measures the host")]
fn report<S: Spec>(level: Level, spec: &S, history: &KeyedHistory<S>) -> String {
    let started = std::time::Instant::now();
    let judgement = judge_level(level, spec, history, BUDGET);
    let judged = started.elapsed();
    let started = std::time::Instant::now();
    let certificate = certify_objects(spec, history, (level, &judgement.verdict), BUDGET);
    let certified = started.elapsed();
    let verdict = match judgement.verdict {
        Verdict::Holds => Claim::Holds,
        Verdict::Violated(_) => Claim::Violated,
        Verdict::Undecided(_) => Claim::Undecided,
    };
    let checked = Checked { family: "x".to_owned(), check: level.name().to_owned(), verdict, certificate };
    let started = std::time::Instant::now();
    let accepted = accept_on(spec, history, &checked);
    let verified = started.elapsed();
    let bytes = serde_json::to_string(&checked).map_or(0, |text| text.len());
    format!(
        "{} by {}: checked in {} ms, evidence in {} ms ({} KB), verified in {} ms: {accepted:?}",
        verdict.word(),
        judgement.algorithm,
        judged.as_millis(),
        certified.as_millis(),
        bytes / 1_000,
        verified.as_millis()
    )
}
