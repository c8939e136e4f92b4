//! The arguments of the examples: which history, and how much of it.

use super::chance::Ratio;
use super::{Load, Truth};

/// What may follow the name of a history.
pub(crate) const FLAGS: &str = "--operations N --clients N --seed N [--unknown HITS/OF] [--illegal]";

/// Why arguments make no sense.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ArgumentError {
    /// No name stands first.
    #[error("no history is named")]
    Unnamed,
    /// Not a history that there is.
    #[error("there is no history named {0:?}")]
    UnknownName(String),
    /// A flag without its value, or one that does not exist.
    #[error("{0:?} is no flag, or its value is missing or wrong")]
    Flag(String),
    /// A flag that must be given.
    #[error("--operations, --clients and --seed must be given, and there must be a client")]
    Missing,
}

/// The name of a history, and its load.
pub(crate) fn read(arguments: &[String]) -> Result<(&str, Load), ArgumentError> {
    let (name, flags) = arguments.split_first().ok_or(ArgumentError::Unnamed)?;
    let (mut operations, mut clients, mut seed) = (None, None, None);
    let (mut unknown, mut truth) = (Ratio::NEVER, Truth::Legal);
    let mut flags = flags.iter();
    while let Some(flag) = flags.next() {
        let wrong = || ArgumentError::Flag(flag.clone());
        if flag == "--illegal" {
            truth = Truth::Illegal;
            continue;
        }
        let value = flags.next().ok_or_else(wrong)?;
        let number = || value.parse::<usize>().map_err(|_| wrong());
        match flag.as_str() {
            "--operations" => operations = Some(number()?),
            "--clients" => clients = Some(number()?).filter(|clients| *clients > 0),
            "--seed" => seed = Some(value.parse().map_err(|_| wrong())?),
            "--unknown" => unknown = ratio(value).ok_or_else(wrong)?,
            _ => return Err(wrong()),
        }
    }
    match (operations, clients, seed) {
        (Some(operations), Some(clients), Some(seed)) => {
            Ok((name, Load { operations, clients, unknown, seed, truth }))
        }
        _ => Err(ArgumentError::Missing),
    }
}

fn ratio(text: &str) -> Option<Ratio> {
    let (hits, of) = text.split_once('/')?;
    let ratio = Ratio { hits: hits.parse().ok()?, of: of.parse().ok()? };
    (ratio.of > 0).then_some(ratio)
}
