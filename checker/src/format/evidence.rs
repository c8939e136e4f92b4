//! Evidence files: what a check leaves for a verifier, and a digest of the history that it is about.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::jsonl;
use crate::chain_audit::Digest;
use crate::drawing::Drawable;
use crate::history::OperationIndex;
use crate::judge::{Family, OperationsVisitor};
use crate::keyed::KeyedHistory;

/// What the first field of an evidence file says.
pub const FORMAT: &str = "counterclock-evidence";
/// The version of the file that is written and read.
pub const VERSION: u32 = 1;

/// Verdicts on one history, each with its certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// Which history, and how it was read.
    pub history: Reading,
    /// The verdicts.
    pub checks: Vec<Checked>,
}

/// How a history was read: the options of `check`, where they were given, and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The format that was read.
    pub format: String,
    /// `--model`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The text of the file that `--model` names, where it names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// `--init`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init: Option<String>,
    /// `--nil`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nil: Option<String>,
    /// SHA-256 of the history as it was read, see [`digest`].
    pub digest: Digest,
}

/// A verdict on one family of objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// The name of the family.
    pub family: String,
    /// The name of the check: a level of consistency, or a promise about records.
    pub check: String,
    /// What is claimed.
    pub verdict: Claim,
    /// Why it is so.
    #[serde(flatten)]
    pub certificate: Certificate,
}

/// What is claimed of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Claim {
    /// It has the level, or the promise was kept.
    Holds,
    /// It has not, or the promise was broken.
    Violated,
    /// Nothing.
    Undecided,
}

impl Claim {
    /// As a verdict is called.
    pub fn word(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Violated => "violated",
            Self::Undecided => "undecided",
        }
    }
}

/// Why a verdict is right. Operations are named by number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "certificate", rename_all = "kebab-case")]
pub enum Certificate {
    /// Holds: for each object, a legal order of its operations that respects real time.
    Orders {
        /// By key.
        orders: BTreeMap<String, Vec<OperationIndex>>,
    },
    /// Holds: a legal order of all operations on all objects that keeps the order of each client.
    Order {
        /// From first to last.
        order: Vec<OperationIndex>,
    },
    /// Holds: an order of all updates, and what each observation sees of them.
    Visibility {
        /// All answered updates, and some of those of unknown outcome.
        arbitration: Vec<OperationIndex>,
        /// An observation, and updates that it sees beside those that the level makes visible anyway.
        sees: Vec<(OperationIndex, Vec<OperationIndex>)>,
    },
    /// Violated: these operations have no explanation, whichever others are added. All are tried.
    Core {
        /// The operations that must have happened.
        core: Vec<OperationIndex>,
        /// What of the others is tried.
        others: Others,
        /// How many nodes the search of all possibilities has, at most.
        work: u64,
    },
    /// Violated: facts that follow from one another, the last of which is impossible.
    Chain {
        /// From first to last.
        steps: Vec<Step>,
    },
    /// A promise about records: those that break it, none if it holds.
    Records {
        /// By number.
        records: Vec<OperationIndex>,
    },
    /// There is none.
    None {
        /// Why.
        reason: String,
    },
}

/// What of the operations that are not part of a core is tried beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Others {
    /// Each of them may have happened, as it was recorded, or not.
    Optional,
    /// The same of those that the specification does not rule out: some no answer of the core can need.
    Needed,
    /// Nothing: the core is all operations of its objects.
    Nothing,
}

/// One step of a chain: a fact, and why it is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Which rule.
    pub because: Because,
    /// The operations that the rule is about.
    pub of: Vec<OperationIndex>,
}

/// Why a fact follows. Operations are listed as the rule names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Because {
    /// `[a, b]`: a returned before b was invoked, so a is before b.
    Time,
    /// `[a, b]`: their client asked a before b, so a is before b.
    Program,
    /// `[w, r]`: r finds the state that only w can leave, so w is before r; at weaker levels, r sees w.
    ReadsFrom,
    /// `[r, u]`: r finds the initial state, which nothing restores, so r is before the update u.
    Initial,
    /// `[r, u]`: r reads from w, and w is before the update u: r is before u. At weaker levels `[u, r]`:
    /// r sees u and reads from w, so u is before w.
    Overwritten,
    /// `[u, r]`: r reads from w, and the update u is before r: u is before w.
    Hidden,
    /// `[a, b, c]`: a is before b, and b before c.
    Transitive,
    /// `[o, u]`: u is an earlier update of the client of o, so o sees it.
    Own,
    /// `[o, e, u]`: e, an earlier operation of the client of o, sees u, so o does.
    Again,
    /// `[o, u, e]`: o sees u, so it sees the earlier update e of the same client.
    Prefix,
    /// `[o, u, e, s]`: o sees u; e, an operation of the client of u no later than u, sees s: so does o.
    Cause,
    /// `[s, e, u]`: e, an operation of the client of u no later than u, sees s: s is before u.
    Follows,
    /// `[r]`: r finds a state that no operation can leave.
    Nowhere,
    /// `[r]`: r reads from a later operation of its own client.
    Later,
    /// `[r, u]`: r reads the initial value, though it sees the write u.
    Unwritten,
}

/// A text that is not evidence.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// It is not JSON of this shape.
    #[error("not an evidence file: {0}")]
    Json(#[from] serde_json::Error),
    /// It is something else, or of another version.
    #[error("expected \"format\": \"{FORMAT}\" and \"version\": {VERSION}, found {format:?} and {version}")]
    Version {
        /// The format it names.
        format: String,
        /// The version it names.
        version: u32,
    },
}

impl Evidence {
    /// Verdicts on a history.
    pub fn new(history: Reading, checks: Vec<Checked>) -> Self {
        Self { format: FORMAT.to_owned(), version: VERSION, history, checks }
    }

    /// Reads an evidence file.
    ///
    /// # Errors
    /// If it is none, or of another version.
    pub fn read(bytes: &[u8]) -> Result<Self, EvidenceError> {
        let evidence: Self = serde_json::from_slice(bytes)?;
        if evidence.format != FORMAT || evidence.version != VERSION {
            return Err(EvidenceError::Version { format: evidence.format, version: evidence.version });
        }
        Ok(evidence)
    }
}

/// SHA-256 of families: of their models with all parameters, then of every operation or record.
pub fn digest(families: &[Family]) -> Digest {
    let mut hashed = Hashed(Sha256::new());
    hashed.line(&jsonl::header(families));
    for family in families {
        hashed.line(&family.name);
        if family.kind.visit(HashOperations(&mut hashed)).is_none() {
            hashed.line(&format_args!("{:?}", family.kind));
        }
    }
    Digest(hashed.0.finalize().into())
}

struct Hashed(Sha256);

impl Hashed {
    fn line(&mut self, words: &dyn fmt::Display) {
        writeln!(self, "{words}").expect("a hash takes any text");
    }
}

impl fmt::Write for Hashed {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text.as_bytes());
        Ok(())
    }
}

struct HashOperations<'a>(&'a mut Hashed);

impl OperationsVisitor for HashOperations<'_> {
    type Output = ();

    fn visit<S: Drawable>(self, _spec: &S, history: &KeyedHistory<S>) {
        let mut line = String::new();
        for (key, part) in history.parts() {
            self.0.line(&format_args!("{key:?}"));
            for one in part.operations() {
                line.clear();
                let times = (one.invoked, one.returned, one.invoked_at, one.returned_at);
                let written =
                    write!(line, "{} {} {times:?} {:?} {:?}", one.number, one.client, one.call, one.answer());
                written.expect("a string takes any text");
                self.0.line(&line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{Options, parse};

    fn digest_of(text: &str) -> Digest {
        digest(&parse(text.as_bytes(), &Options::default()).unwrap())
    }

    #[test]
    fn the_digest_tells_histories_apart_by_answers_order_times_and_parameters() {
        let texts = [
            "# model=register-cas\n0 i w 1\n0 o w 1\n1 i r\n1 o r 1\n",
            "# model=register-cas\n0 i w 1\n0 o w 1\n1 i r\n1 o r 2\n",
            "# model=register-cas\n0 i w 1\n1 i r\n0 o w 1\n1 o r 1\n",
            "# model=register-cas\n0 i w 1\n0 o w 1\n2 i r\n2 o r 1\n",
            "# model=register-cas init=7\n0 i w 1\n0 o w 1\n1 i r\n1 o r 1\n",
            "# model=bcounter cap=3\n0 i res 1\n0 o res 1\n",
            "# model=bcounter cap=4\n0 i res 1\n0 o res 1\n",
        ];
        for (place, text) in texts.iter().enumerate() {
            assert_eq!(digest_of(text), digest_of(text));
            for other in &texts[..place] {
                assert_ne!(digest_of(text), digest_of(other), "{text}\n{other}");
            }
        }
    }

    #[test]
    fn evidence_of_another_version_is_no_evidence() {
        let mut evidence = Evidence::new(Reading::default(), Vec::new());
        let text = serde_json::to_vec(&evidence).unwrap();
        assert_eq!(Evidence::read(&text).unwrap(), evidence);
        evidence.version = 2;
        let text = serde_json::to_vec(&evidence).unwrap();
        assert!(matches!(Evidence::read(&text), Err(EvidenceError::Version { version: 2, .. })));
        assert!(matches!(Evidence::read(b"{"), Err(EvidenceError::Json(_))));
    }
}
