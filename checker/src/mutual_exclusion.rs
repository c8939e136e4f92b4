//! Was there one holder at a time, or at least one at a time whom the resource obeyed?
//!
//! ```text
//!   holder 1   [─ section ──· paused ·── late write ]
//!   holder 2                   [─── section ────]          overlap: not exclusive
//!   resource       1     1        2        2      ✗ 1      fenced: the late token is refused
//! ```
//!
//! Fencing does not keep a paused holder from believing in its lock. It promises less: what the
//! resource accepted looks as if the holders had come one after another.
//!
//! Assumes:
//! - Instants are true time. Who leaves at the instant at which another enters is not in its way.
//! - A section of unknown end may have ended as soon as it began; for a holder that was still inside
//!   when the run ended, the recorder gives that instant.
//! - Grants are all that the lock or the election decided, also those whose holder never learned. A
//!   lock without any grant on record leaves open who got which token.
//! - The accesses of one resource stand in the order in which it decided them. An access whose fate
//!   nobody knows is not on record.
//!
//! Source of the fenced reading: M. Burrows, "The Chubby lock service for loosely-coupled distributed
//! systems", OSDI 2006, where the tokens are called sequencers.

use crate::instants::{seconds, span};
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use crate::verdict::Verdict;

/// Something that locks, their holders or the resources behind them did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum LockRecord {
    /// A holder worked under a lock.
    Section(Section),
    /// A lock was granted, or a leader elected.
    Grant(Grant),
    /// A resource was asked to do something under a lock.
    Access(Access),
}

/// A holder worked under a lock, as itself believed to be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// Which lock.
    pub lock: u64,
    /// Who.
    pub holder: u64,
    /// True time from which it was inside, in ns.
    pub from_ns: u64,
    /// True time from which it was inside no more, in ns; none if nobody knows.
    pub until_ns: Option<u64>,
}

/// A lock was granted with a fencing token, or a leader elected for an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Which lock.
    pub lock: u64,
    /// The token, or the epoch.
    pub token: u64,
    /// The holder, or the leader.
    pub holder: u64,
    /// True time of the decision, in ns.
    pub at_ns: u64,
}

/// A resource was asked to do something and decided whether to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// The lock in whose name it was asked.
    pub lock: u64,
    /// Which resource.
    pub resource: u32,
    /// The token that came with it.
    pub token: u64,
    /// Who asked.
    pub holder: u64,
    /// True time of the decision, in ns.
    pub at_ns: u64,
    /// Whether the resource did it.
    pub is_accepted: bool,
}

/// What a lock or an election promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exclusion {
    /// The sections of two holders of a lock never overlap.
    Sections,
    /// Tokens are granted in increasing order, each to one holder; what a resource accepts carries a
    /// token granted to who asks, and none smaller than one that it accepted before.
    Fencing,
    /// Each epoch has at most one leader, whatever the order in which leaders learn of their election;
    /// what a resource accepts comes from the leader of its epoch, and from none older than one that it
    /// accepted before.
    Epochs,
}

impl LockRecord {
    /// True time of what is recorded, or of its beginning, in ns.
    pub fn at_ns(&self) -> u64 {
        match self {
            Self::Section(section) => section.from_ns,
            Self::Grant(grant) => grant.at_ns,
            Self::Access(access) => access.at_ns,
        }
    }

    /// The holder or leader.
    pub fn holder(&self) -> u64 {
        match self {
            Self::Section(section) => section.holder,
            Self::Grant(grant) => grant.holder,
            Self::Access(access) => access.holder,
        }
    }

    /// Whether nobody knows when it ended.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Section(Section { until_ns: None, .. }))
    }
}

/// Whether the promise was kept; a violation names records by their places in the list.
pub fn mutual_exclusion(records: &[LockRecord], promise: Exclusion) -> Verdict {
    let words = match promise {
        Exclusion::Sections => return sections_apart(records),
        Exclusion::Fencing => Words { lock: "lock", token: "token", holder: "holder" },
        Exclusion::Epochs => Words { lock: "election", token: "epoch", holder: "leader" },
    };
    let fence = Fence { records, words };
    let verdict = match promise {
        Exclusion::Sections | Exclusion::Epochs => None,
        Exclusion::Fencing => fence.granted_out_of_order(),
    };
    verdict
        .or_else(|| fence.granted_twice())
        .or_else(|| fence.accepted_after_newer())
        .or_else(|| fence.accepted_from_two())
        .or_else(|| fence.accepted_without_grant())
        .unwrap_or(Verdict::Holds)
}

fn sections_apart(records: &[LockRecord]) -> Verdict {
    let mut sections: Vec<Inside> =
        (0..).zip(records).filter_map(|(place, record)| Inside::of(place, record)).collect();
    sections.sort_unstable_by_key(|inside| (inside.from_ns, inside.until_ns, inside.place));
    // While no two overlap, all sections of other holders end before the last holder entered.
    let mut last_by_lock: HashMap<u64, Inside, FxBuildHasher> = HashMap::default();
    for inside in sections {
        let last = last_by_lock.entry(inside.lock).or_insert(inside);
        if inside.holder == last.holder {
            *last = if inside.until_ns > last.until_ns { inside } else { *last };
        } else if inside.from_ns < last.until_ns {
            return overlap(last, &inside);
        } else {
            *last = inside;
        }
    }
    Verdict::Holds
}

/// When a holder certainly was inside: from its entry until it left, or only then if nobody knows.
#[derive(Clone, Copy)]
struct Inside {
    place: usize,
    lock: u64,
    holder: u64,
    from_ns: u64,
    until_ns: u64,
}

impl Inside {
    fn of(place: usize, record: &LockRecord) -> Option<Self> {
        match *record {
            LockRecord::Section(Section { lock, holder, from_ns, until_ns }) => {
                let until_ns = until_ns.map_or(from_ns, |until_ns| until_ns.max(from_ns));
                Some(Self { place, lock, holder, from_ns, until_ns })
            }
            LockRecord::Grant(_) | LockRecord::Access(_) => None,
        }
    }
}

fn overlap(before: &Inside, inside: &Inside) -> Verdict {
    let explanation = format!(
        "holder {} was inside lock {} from {} to {} (record {}) when holder {} entered it at {}, {} before that (record {})",
        before.holder,
        inside.lock,
        seconds(before.from_ns),
        seconds(before.until_ns),
        before.place,
        inside.holder,
        seconds(inside.from_ns),
        span(before.until_ns.saturating_sub(inside.from_ns)),
        inside.place
    );
    Verdict::by_records(&[before.place, inside.place], explanation)
}

/// How a lock with tokens, or an election with epochs, is spoken of.
#[derive(Clone, Copy)]
struct Words {
    lock: &'static str,
    token: &'static str,
    holder: &'static str,
}

/// What was granted, and what the resources made of it.
struct Fence<'a> {
    records: &'a [LockRecord],
    words: Words,
}

impl<'a> Fence<'a> {
    fn grants(&self) -> impl Iterator<Item = (usize, &'a Grant)> {
        (0..).zip(self.records).filter_map(|(place, record)| match record {
            LockRecord::Grant(grant) => Some((place, grant)),
            LockRecord::Section(_) | LockRecord::Access(_) => None,
        })
    }

    fn accepted(&self) -> impl Iterator<Item = (usize, &'a Access)> {
        (0..).zip(self.records).filter_map(|(place, record)| match record {
            LockRecord::Access(access) if access.is_accepted => Some((place, access)),
            LockRecord::Section(_) | LockRecord::Grant(_) | LockRecord::Access(_) => None,
        })
    }

    /// A token granted after a larger one. Of two granted at one instant, the smaller may have been first.
    fn granted_out_of_order(&self) -> Option<Verdict> {
        let mut grants: Vec<(usize, &Grant)> = self.grants().collect();
        grants.sort_unstable_by_key(|(place, grant)| (grant.at_ns, grant.token, *place));
        let mut largest: HashMap<u64, (usize, &Grant), FxBuildHasher> = HashMap::default();
        for (place, grant) in grants {
            let Some((earlier_place, earlier)) = largest.insert(grant.lock, (place, grant)) else { continue };
            if earlier.token > grant.token {
                let Words { lock, token, .. } = self.words;
                let explanation = format!(
                    "{lock} {} was granted with {token} {} at {} ({}), after {token} {} at {} ({})",
                    grant.lock,
                    grant.token,
                    seconds(grant.at_ns),
                    self.holder(grant.holder, place),
                    earlier.token,
                    seconds(earlier.at_ns),
                    self.holder(earlier.holder, earlier_place)
                );
                return Some(Verdict::by_records(&[earlier_place, place], explanation));
            }
        }
        None
    }

    /// A token of two holders.
    fn granted_twice(&self) -> Option<Verdict> {
        let mut owners: HashMap<(u64, u64), (usize, &Grant), FxBuildHasher> = HashMap::default();
        self.grants().find_map(|(place, grant)| {
            let (earlier_place, earlier) = *owners.entry((grant.lock, grant.token)).or_insert((place, grant));
            (earlier.holder != grant.holder).then(|| {
                let Words { lock, token, .. } = self.words;
                let explanation = format!(
                    "{lock} {} was granted with {token} {} to two: {} at {} and {} at {}",
                    grant.lock,
                    grant.token,
                    self.holder(earlier.holder, earlier_place),
                    seconds(earlier.at_ns),
                    self.holder(grant.holder, place),
                    seconds(grant.at_ns)
                );
                Verdict::by_records(&[earlier_place, place], explanation)
            })
        })
    }

    /// An access accepted after one with a larger token.
    fn accepted_after_newer(&self) -> Option<Verdict> {
        let mut largest: HashMap<(u64, u32), (usize, &Access), FxBuildHasher> = HashMap::default();
        self.accepted().find_map(|(place, access)| {
            let (earlier_place, earlier) = largest.insert((access.lock, access.resource), (place, access))?;
            (earlier.token > access.token).then(|| {
                let explanation = format!(
                    "{}, after {} {} from {} at {}",
                    self.accepted_in_words(place, access),
                    self.words.token,
                    earlier.token,
                    self.holder(earlier.holder, earlier_place),
                    seconds(earlier.at_ns)
                );
                Verdict::by_records(&[earlier_place, place], explanation)
            })
        })
    }

    /// Accesses accepted with one token from two holders, at one resource or at two.
    fn accepted_from_two(&self) -> Option<Verdict> {
        let mut users: HashMap<(u64, u64), (usize, &Access), FxBuildHasher> = HashMap::default();
        self.accepted().find_map(|(place, access)| {
            let (earlier_place, earlier) =
                *users.entry((access.lock, access.token)).or_insert((place, access));
            (earlier.holder != access.holder).then(|| {
                let explanation = format!(
                    "{}, though resource {} had accepted the same from {} at {}",
                    self.accepted_in_words(place, access),
                    earlier.resource,
                    self.holder(earlier.holder, earlier_place),
                    seconds(earlier.at_ns)
                );
                Verdict::by_records(&[earlier_place, place], explanation)
            })
        })
    }

    /// An access accepted with a token that had not been granted to who asked.
    fn accepted_without_grant(&self) -> Option<Verdict> {
        let mut granted: HashMap<(u64, u64), (usize, &Grant), FxBuildHasher> = HashMap::default();
        let mut has_grants: HashMap<u64, (), FxBuildHasher> = HashMap::default();
        for (place, grant) in self.grants() {
            has_grants.insert(grant.lock, ());
            let first = granted.entry((grant.lock, grant.token)).or_insert((place, grant));
            if grant.at_ns < first.1.at_ns {
                *first = (place, grant);
            }
        }
        self.accepted().filter(|(_, access)| has_grants.contains_key(&access.lock)).find_map(
            |(place, access)| {
                let (places, why) = match granted.get(&(access.lock, access.token)) {
                    Some((_, grant)) if grant.holder == access.holder && grant.at_ns <= access.at_ns => {
                        return None;
                    }
                    Some((grant_place, grant)) => {
                        let to = self.holder(grant.holder, *grant_place);
                        (
                            vec![*grant_place, place],
                            format!("was granted to {to} at {}", seconds(grant.at_ns)),
                        )
                    }
                    None => (vec![place], "was never granted".to_owned()),
                };
                let explanation = format!("{}, though it {why}", self.accepted_in_words(place, access));
                Some(Verdict::by_records(&places, explanation))
            },
        )
    }

    fn accepted_in_words(&self, place: usize, access: &Access) -> String {
        let Words { lock, token, .. } = self.words;
        format!(
            "resource {} accepted {token} {} of {lock} {} from {} at {}",
            access.resource,
            access.token,
            access.lock,
            self.holder(access.holder, place),
            seconds(access.at_ns)
        )
    }

    fn holder(&self, holder: u64, place: usize) -> String {
        format!("{} {holder}, record {place}", self.words.holder)
    }
}

#[cfg(test)]
mod tests;
