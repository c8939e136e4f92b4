//! Families of any model in one file: a header that declares them, then one event a line.
//!
//! ```text
//!   {"format":"counterclock-history","version":1,"families":[{"name":"slots","model":"bcounter",…},…]}
//!   {"family":"slots","type":"invoke","at":17,"process":3,"f":"reserve","key":"slot-0007","value":{…}}
//!   {"family":"config","type":"adoption","node":2,"version":4,"at_ns":19,"local_ns":21}
//! ```
//!
//! | model | `f`, its value | answer |
//! |---|---|---|
//! | `register-cas`, `kv` with `"values":"numbers"` | `read`, `write` v, `cas` of a pair | v or null; a cas may be `refused` |
//! | `kv` with `"values":"text"` | `get`, `put` "…", `append` "…" | "…" |
//! | `counter-inc`, `counter-rw` | `increment`, `add` d, `read` | the value |
//! | `bcounter` | `reserve`, `release` {order, units}, `read` | {limit, version}, or `refused`; the units in use |
//! | `bcounter-kinds` | the same, with the units of each kind, `[2,1]`, and `"served":false` if the zone is not | as `bcounter`; a refusal may be {served: false}; the units in use {units} |
//! | `append-log` | `append` v, `read` from an offset, `read-at` an offset | the offset; [v,…]; v or null |
//! | `mutex` | `acquire`, `release` | |
//! | `multi-register` | `txn` [["r","x"],["w","y",1],…] | what each read found, `"?"` if that is not told |
//!
//! Of models whose records are no operations, each line has the type and the fields of one record:
//! `switch`, `log`, `reads`, `locks`, `commits`, `accounts` and `chain`.
//!
//! What is written is read again as it was: numbers, positions and times of operations, operations
//! that did not happen, and the order of the records of each family. An unknown outcome is an
//! invocation without an end; a line of type `info` may say so. Lines are ordered by time, and within
//! a family by position. Fields that are not known are passed over.

mod model;
mod reading;
mod record;
mod records;
mod scalar;
mod writing;

pub use reading::read;
pub(super) use reading::read_source;
pub(super) use writing::header;
pub use writing::write;

use serde::{Deserialize, Serialize};

use crate::chain_audit::ChainRules;
use crate::conservation::End;
use crate::mutual_exclusion::Exclusion;
use crate::spec::kinds::KINDS_MAX;
use crate::spec::register::Value;
use crate::switch_timing::{Load, Promise};

/// What the header calls the format.
const FORMAT: &str = "counterclock-history";
/// The version of the format that is written and read.
const VERSION: u32 = 1;

/// The first line.
#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    version: u32,
    families: Vec<Declaration>,
}

/// A family, before its events.
#[derive(Serialize, Deserialize)]
struct Declaration {
    name: String,
    #[serde(flatten)]
    model: Model,
}

/// The model of a family, with what its checks need beside the events.
#[derive(Serialize, Deserialize)]
#[serde(tag = "model", rename_all = "kebab-case")]
enum Model {
    RegisterCas {
        #[serde(default)]
        init: Value,
    },
    Kv(KeyValues),
    CounterInc,
    CounterRw,
    Tally {
        settled_ns: u64,
    },
    Mutex,
    MultiRegister {
        #[serde(default = "zero")]
        init: Value,
    },
    KvRevisions,
    /// Operations on a log; `log` are the records of a replicated one.
    AppendLog,
    #[serde(rename = "bcounter")]
    Capacity {
        #[serde(default)]
        capacity: Option<u64>,
        #[serde(default)]
        uncertainty_ns: u64,
        #[serde(default)]
        schedule: Option<Vec<(u64, u64)>>,
    },
    #[serde(rename = "bcounter-kinds")]
    Kinds {
        /// The share of the limit that each kind has, in percent.
        kinds: Shares,
        #[serde(default)]
        capacity: Option<u64>,
        #[serde(default)]
        uncertainty_ns: u64,
        #[serde(default)]
        schedule: Option<Vec<(u64, u64)>>,
    },
    Switch {
        promise: Promise,
        #[serde(default)]
        healed_ns: Option<u64>,
        ended_ns: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        load: Option<Load>,
    },
    Log,
    Reads,
    Locks {
        promise: Exclusion,
    },
    Commits,
    Accounts {
        end: End,
    },
    Chain {
        #[serde(flatten)]
        rules: ChainRules,
    },
    /// A table of the user's own: named in digests, but its operations have no words here.
    #[serde(skip_deserializing)]
    Table {
        text: String,
    },
}

/// One to three shares, each from 1 to 100.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "Vec<u32>", into = "Vec<u32>")]
struct Shares([u32; KINDS_MAX]);

impl TryFrom<Vec<u32>> for Shares {
    type Error = &'static str;

    fn try_from(found: Vec<u32>) -> Result<Self, &'static str> {
        let is_good =
            (1..=KINDS_MAX).contains(&found.len()) && found.iter().all(|share| (1..=100).contains(share));
        let mut shares = [0; KINDS_MAX];
        if is_good {
            shares[..found.len()].copy_from_slice(&found);
        }
        is_good.then_some(Self(shares)).ok_or("`kinds`: expected 1 to 3 shares, each from 1 to 100 percent")
    }
}

impl From<Shares> for Vec<u32> {
    fn from(Shares(shares): Shares) -> Self {
        shares.into_iter().take_while(|share| *share > 0).collect()
    }
}

/// What is kept under keys, and what is there at first.
#[derive(Serialize, Deserialize)]
#[serde(tag = "values", rename_all = "kebab-case")]
enum KeyValues {
    Numbers {
        #[serde(default)]
        init: Value,
    },
    Text {
        #[serde(default)]
        init: String,
    },
}

#[expect(clippy::unnecessary_wraps, reason = "serde asks for a default of the field's type")]
fn zero() -> Value {
    Some(0)
}

/// Whether a line looks like a header of this format, of whatever version.
pub(super) fn is_header(line: &str) -> bool {
    line.trim_start().starts_with('{') && line.contains(FORMAT)
}

#[cfg(test)]
mod tests;
