//! Judges one history from a seed, once, and says how long that took and how much memory.
//!
//! ```text
//! cargo run --release -p counterclock-checker --example measure -- \
//!     register --operations 1000000 --clients 16 --seed 7 [--unknown 1/100] [--illegal]
//! ```
//!
//! Memory is the peak of the whole process, as Linux counts it (`VmHWM`), so each history needs a run
//! of its own: what is there before the history is made, with the history, and after the check.

use std::io::{self, Write};
use std::process::ExitCode;

use counterclock_checker::budget::Budget;
use counterclock_checker::history::{Builder, History};
use counterclock_checker::keyed::{KeyedBuilder, KeyedHistory};
use counterclock_checker::linearizable::{
    linearizable, linearizable_by_key, linearizable_by_key_unexplained,
};
use counterclock_checker::sequential::sequential;
use counterclock_checker::spec::Spec;
use counterclock_checker::spec::capacity::Capacity;
use counterclock_checker::spec::counter::{Counter, CounterKind};
use counterclock_checker::spec::log::Log;
use counterclock_checker::spec::register::Register;
use counterclock_checker::spec::text::Text;
use counterclock_checker::verdict::Judgement;
use counterclock_checker::weak::{WeakLevel, weak};

#[path = "../benches/histories/mod.rs"]
#[expect(dead_code, reason = "shared with benches that use more of it")]
mod histories;

use histories::arguments::{self, ArgumentError, FLAGS};
use histories::recorder::{keyed, single};
use histories::{causal, counters, lagging, registers, reservations, sequences, tickets};

const NAMES: &str = "\
linearizable: register, kv, cas5, inc, add, bcounter, log, log-without-offsets, text
sequential:   sequential-register, sequential-inc, sequential-incs, sequential-add
causal:       causal";

const BUDGET: Budget = Budget { steps_max: 10_000_000 };

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (text, code) = match measure(&arguments) {
        Ok(text) => (text, ExitCode::SUCCESS),
        Err(error) => (format!("{error}\nusage: measure NAME {FLAGS}\n{NAMES}"), ExitCode::from(2)),
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
    Ok(match name {
        "register" => one(&register, |history| registers::unique_register(&load, history)),
        "kv" => several(&register, |history| registers::unique_keys(&load, history)),
        "cas5" => one(&register, |history| registers::five_values(&load, history)),
        "inc" => one(&increments, |history| counters::increments(&load, history)),
        "add" => one(&additions, |history| counters::additions(&load, history)),
        "bcounter" => one(&capacity, |history| reservations::reservations(&load, history)),
        "log" => one(&Log, |history| sequences::log_with_offsets(&load, history)),
        "log-without-offsets" => one(&Log, |history| sequences::log_without_offsets(&load, history)),
        "text" => several(&Text::default(), |history| sequences::texts(&load, history)),
        "sequential-register" => program(&register, |history| lagging::unique_register(&load, history)),
        "sequential-inc" => program(&increments, |history| tickets::increments(&load, 1, history)),
        "sequential-incs" => program(&increments, |history| tickets::increments(&load, 8, history)),
        "sequential-add" => program(&additions, |history| lagging::additions(&load, history)),
        "causal" => report(
            || keyed(|history| causal::unique_keys(&load, history)),
            KeyedHistory::len,
            |history| weak(WeakLevel::Causal, &register, history, BUDGET),
        ),
        _ => return Err(ArgumentError::UnknownName(name.to_owned())),
    })
}

/// Linearizability of one object.
fn one<S: Spec>(spec: &S, generate: impl FnOnce(&mut Builder<S>)) -> String {
    report(|| single(generate), History::len, |history| linearizable(spec, history, BUDGET))
}

/// Linearizability of several.
fn several<S: Spec>(spec: &S, generate: impl FnOnce(&mut KeyedBuilder<S>)) -> String {
    report(|| keyed(generate), KeyedHistory::len, |history| linearizable_by_key(spec, history, BUDGET))
}

/// Sequential consistency, the question of linearizability before it included.
fn program<S: Spec>(spec: &S, generate: impl FnOnce(&mut KeyedBuilder<S>)) -> String {
    let judge = |history: &KeyedHistory<S>| {
        let per_key = linearizable_by_key_unexplained(spec, history, BUDGET);
        sequential(spec, history, &per_key, BUDGET)
    };
    report(|| keyed(generate), KeyedHistory::len, judge)
}

#[expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "this measures the host")]
fn report<H>(
    make: impl FnOnce() -> H,
    count: impl FnOnce(&H) -> usize,
    judge: impl FnOnce(&H) -> Judgement,
) -> String {
    let before = Peak::now();
    let history = make();
    let with_history = Peak::now();
    let (started, on_core) = (std::time::Instant::now(), core_time_us());
    let judgement = judge(&history);
    let (taken, on_core) = (started.elapsed(), core_time_us().zip(on_core));
    let on_core = on_core.map(|(after, before)| format!(", {} us of them on a core", after - before));
    let after = Peak::now();
    let operations = count(&history);
    let Judgement { verdict, algorithm, steps } = judgement;
    format!(
        "{} by {algorithm}, {steps} steps, {} us{}\nhistory: {}\nhistory and check: {}",
        verdict.word(),
        taken.as_micros(),
        on_core.unwrap_or_default(),
        before.to(&with_history, operations),
        before.to(&after, operations)
    )
}

/// How long this thread has been on a core, if the host tells: what other work there is does not count.
fn core_time_us() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let on_core_ns: u64 = status.split(' ').next()?.parse().ok()?;
    Some(on_core_ns / 1_000)
}

/// The peak of this process's memory, if the host tells.
struct Peak {
    bytes: Option<u64>,
}

impl Peak {
    fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        Self { bytes: kibibytes.map(|kibibytes| kibibytes * 1024) }
    }

    fn to(&self, later: &Self, operations: usize) -> String {
        match (self.bytes, later.bytes) {
            (Some(before), Some(after)) => {
                let grown = after - before;
                let each = grown / operations.max(1) as u64;
                format!("{} MiB more at the peak, {each} bytes an operation", grown >> 20)
            }
            _ => "skipped: this host has no /proc/self/status".to_owned(),
        }
    }
}
