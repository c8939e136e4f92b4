//! Did everybody who decided about a transaction decide alike, and commit only what all had agreed to?
//!
//! ```text
//!   coordinator    begun ─────────────── commit ── told: commit
//!   participant 1     └─ yes ───────────────┴──── commit
//!   participant 2        └─ yes ─── crash ─ ? ─── abort        lost its vote: violated
//!   participant 3        └─ yes ─────────────────────────►     in doubt: blocked, counted, no violation
//! ```
//!
//! The rules, for each transaction:
//! - All decisions on record are the same: of the coordinator, of every participant, and what clients
//!   were told. So nobody changes its decision either.
//! - By the first commit every participant had voted yes, and none votes no, unless it had committed
//!   itself before. Who votes no is free to abort at once, so it may have done so already; after its
//!   own commit a no only says that it has forgotten the transaction.
//! - Aborting is always allowed before a commit, and so is not deciding at all: who voted yes and never
//!   learned is blocked, which [`commit_report`] counts.
//!
//! Assumes:
//! - Instants are true time. A vote counts from when it was cast, and may decide at the same instant.
//! - Votes are on record when they were sent, whether or not they arrived, decisions when whoever took
//!   them acts on them or reveals them. What was asked of a disk and perhaps lost is not on record; so
//!   a missing decision accuses nobody, but a commit without a vote on record was not agreed to.
//! - A client that never learned was told nothing.
//!
//! Source: P. A. Bernstein, V. Hadzilacos and N. Goodman, "Concurrency Control and Recovery in Database
//! Systems", Addison-Wesley 1987, chapter 7: conditions AC1 to AC3 of atomic commitment. AC4 and AC5, that
//! commits and decisions happen at all, are not judged here.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::instants::seconds;
use crate::verdict::Verdict;

/// Something that was said or decided about a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum CommitRecord {
    /// A coordinator took it on.
    Begun(Begun),
    /// A participant voted.
    Vote(Vote),
    /// Somebody decided.
    Decision(Decision),
    /// A client got its answer.
    Told(Told),
}

/// A coordinator took a transaction on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// Which transaction.
    pub transaction: u64,
    /// Who has to agree.
    pub participants: Vec<u32>,
    /// True time, in ns.
    pub at_ns: u64,
}

/// A participant voted; one that asks itself again after a crash may vote again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// On which transaction.
    pub transaction: u64,
    /// Who.
    pub participant: u32,
    /// How.
    pub vote: Ballot,
    /// True time, in ns.
    pub at_ns: u64,
}

/// Somebody decided about a transaction, or acted on a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// About which transaction.
    pub transaction: u64,
    /// The participant; none if it was the coordinator.
    pub participant: Option<u32>,
    /// What.
    pub fate: Fate,
    /// True time, in ns.
    pub at_ns: u64,
}

/// A client was told how its transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Which transaction.
    pub transaction: u64,
    /// What it was told.
    pub fate: Fate,
    /// True time, in ns.
    pub at_ns: u64,
}

/// Whether a participant can commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ballot {
    /// It can, and will if told so, whatever happens to it meanwhile.
    Yes,
    /// It cannot, and may abort at once.
    No,
}

/// How a transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// All of it happened.
    Commit,
    /// Nothing of it happened.
    Abort,
}

/// What can be counted about transactions, whatever the verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitReport {
    /// Transactions about which somebody decided to commit, or said so.
    pub committed_count: usize,
    /// The other transactions about which somebody decided to abort, or said so.
    pub aborted_count: usize,
    /// Transactions about which nobody decided.
    pub undecided_count: usize,
    /// Who was blocked when the records ended, by transaction and participant.
    pub in_doubt: Vec<InDoubt>,
    /// The longest time from a participant's yes to its decision, in ns, among those that have decided.
    pub blocked_ns_max: u64,
    /// Participants that voted no after they had voted yes, transaction by transaction.
    pub lost_votes_count: usize,
}

/// A participant that may neither commit nor abort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InDoubt {
    /// The transaction.
    pub transaction: u64,
    /// The participant.
    pub participant: u32,
    /// When it first voted yes, in ns of true time.
    pub since_ns: u64,
}

impl CommitRecord {
    /// Which transaction it is about.
    pub fn transaction(&self) -> u64 {
        match self {
            Self::Begun(begun) => begun.transaction,
            Self::Vote(vote) => vote.transaction,
            Self::Decision(decision) => decision.transaction,
            Self::Told(told) => told.transaction,
        }
    }

    /// True time, in ns.
    pub fn at_ns(&self) -> u64 {
        match self {
            Self::Begun(begun) => begun.at_ns,
            Self::Vote(vote) => vote.at_ns,
            Self::Decision(decision) => decision.at_ns,
            Self::Told(told) => told.at_ns,
        }
    }

    /// The participant that voted or decided.
    pub fn participant(&self) -> Option<u64> {
        match self {
            Self::Vote(vote) => Some(u64::from(vote.participant)),
            Self::Decision(decision) => decision.participant.map(u64::from),
            Self::Begun(_) | Self::Told(_) => None,
        }
    }
}

/// Whether every transaction was atomic; a violation names records by their places in the list.
pub fn atomic_commit(records: &[CommitRecord]) -> Verdict {
    for (transaction, places) in by_transaction(records) {
        let case = Case::of(transaction, records, &places);
        if let Some(verdict) = case.decided_both_ways().or_else(|| case.committed_without_agreement()) {
            return verdict;
        }
    }
    Verdict::Holds
}

/// Counts how transactions ended, and who is blocked.
pub fn commit_report(records: &[CommitRecord]) -> CommitReport {
    let mut report = CommitReport::default();
    for (transaction, places) in by_transaction(records) {
        let case = Case::of(transaction, records, &places);
        match (case.first(Fate::Commit), case.first(Fate::Abort)) {
            (Some(_), _) => report.committed_count += 1,
            (None, Some(_)) => report.aborted_count += 1,
            (None, None) => report.undecided_count += 1,
        }
        let mut decided: BTreeMap<Party, u64> = BTreeMap::new();
        for said in &case.said {
            decided.entry(said.party).or_insert(said.moment.at_ns);
        }
        for (participant, votes) in &case.votes {
            report.lost_votes_count += usize::from(votes.has_lost_yes());
            let Some(yes) = votes.yes.filter(|_| votes.no.is_empty()) else { continue };
            let since_ns = yes.at_ns;
            match decided.get(&Party::Participant(*participant)) {
                Some(decided_ns) => {
                    let blocked_ns = decided_ns.saturating_sub(since_ns);
                    report.blocked_ns_max = report.blocked_ns_max.max(blocked_ns);
                }
                None => report.in_doubt.push(InDoubt { transaction, participant: *participant, since_ns }),
            }
        }
    }
    report
}

/// The places of the records of each transaction, in order.
fn by_transaction(records: &[CommitRecord]) -> BTreeMap<u64, Vec<usize>> {
    let mut places: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (place, record) in records.iter().enumerate() {
        places.entry(record.transaction()).or_default().push(place);
    }
    places
}

/// All that was said about one transaction.
struct Case {
    transaction: u64,
    participants: BTreeSet<u32>,
    votes: BTreeMap<u32, Votes>,
    said: Vec<Said>,
}

/// Who speaks of a fate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Party {
    Coordinator,
    Participant(u32),
    Client,
}

/// A fate that somebody spoke of.
#[derive(Clone, Copy)]
struct Said {
    party: Party,
    fate: Fate,
    moment: Moment,
}

/// When something was recorded, and where.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Moment {
    at_ns: u64,
    place: usize,
}

/// How one participant voted.
#[derive(Default)]
struct Votes {
    /// The first yes.
    yes: Option<Moment>,
    no: Vec<Moment>,
}

impl Votes {
    fn add(&mut self, ballot: Ballot, moment: Moment) {
        match ballot {
            Ballot::Yes => self.yes = Some(self.yes.map_or(moment, |yes| yes.min(moment))),
            Ballot::No => self.no.push(moment),
        }
    }

    fn has_lost_yes(&self) -> bool {
        self.yes.is_some_and(|yes| self.no.iter().any(|no| *no > yes))
    }
}

impl Case {
    fn of(transaction: u64, records: &[CommitRecord], places: &[usize]) -> Self {
        let mut case =
            Self { transaction, participants: BTreeSet::new(), votes: BTreeMap::new(), said: Vec::new() };
        for &place in places {
            let moment = Moment { at_ns: records[place].at_ns(), place };
            match &records[place] {
                CommitRecord::Begun(begun) => case.participants.extend(&begun.participants),
                CommitRecord::Vote(vote) => {
                    case.votes.entry(vote.participant).or_default().add(vote.vote, moment);
                }
                CommitRecord::Decision(decision) => {
                    let party = decision.participant.map_or(Party::Coordinator, Party::Participant);
                    case.said.push(Said { party, fate: decision.fate, moment });
                }
                CommitRecord::Told(told) => {
                    case.said.push(Said { party: Party::Client, fate: told.fate, moment });
                }
            }
        }
        case.said.sort_unstable_by_key(|said| said.moment);
        case
    }

    fn first(&self, fate: Fate) -> Option<&Said> {
        self.said.iter().find(|said| said.fate == fate)
    }

    /// A commit and an abort: of one party if one said both, else the first of each.
    fn decided_both_ways(&self) -> Option<Verdict> {
        let (commit, abort) = (self.first(Fate::Commit)?, self.first(Fate::Abort)?);
        let mut by_party: BTreeMap<Party, &Said> = BTreeMap::new();
        let changed = self.said.iter().find_map(|said| {
            let first = *by_party.entry(said.party).or_insert(said);
            (first.fate != said.fate).then_some((first, said))
        });
        let (one, other) =
            changed.unwrap_or(if commit.moment < abort.moment { (commit, abort) } else { (abort, commit) });
        let explanation = format!("transaction {}: {}, but {}", self.transaction, one, other);
        Some(violated(explanation, &[one.moment, other.moment]))
    }

    /// A commit by which some participant had not voted yes, or despite a no.
    fn committed_without_agreement(&self) -> Option<Verdict> {
        let commit = self.first(Fate::Commit)?;
        let silent = self.participants.iter().find_map(|participant| {
            let yes = self.votes.get(participant).and_then(|votes| votes.yes);
            let is_late = yes.is_none_or(|yes| yes.at_ns > commit.moment.at_ns);
            is_late.then_some((*participant, yes))
        });
        if let Some((participant, yes)) = silent {
            let when = match yes {
                Some(yes) => format!("voted yes only at {} (record {})", seconds(yes.at_ns), yes.place),
                None => "never voted yes".to_owned(),
            };
            let explanation =
                format!("transaction {}: {commit}, but participant {participant} {when}", self.transaction);
            let moments: Vec<Moment> = yes.into_iter().chain([commit.moment]).collect();
            return Some(violated(explanation, &moments));
        }
        let (participant, no) = self.first_refusal()?;
        let yes = self.votes[&participant].yes.filter(|yes| *yes < no);
        let lost = yes
            .map(|yes| format!(", though it had voted yes at {} (record {})", seconds(yes.at_ns), yes.place));
        let lost = lost.unwrap_or_default();
        let explanation = format!(
            "transaction {}: {commit}, but participant {participant} voted no at {} (record {}){lost}",
            self.transaction,
            seconds(no.at_ns),
            no.place
        );
        Some(violated(explanation, &[commit.moment, no]))
    }

    /// The first no of a participant that had not committed before it, where all who decided committed.
    fn first_refusal(&self) -> Option<(u32, Moment)> {
        let mut committed: BTreeMap<Party, u64> = BTreeMap::new();
        for said in &self.said {
            committed.entry(said.party).or_insert(said.moment.at_ns);
        }
        let refusals = self.votes.iter().filter_map(|(participant, votes)| {
            let no = votes.no.iter().min()?;
            let committed_ns = committed.get(&Party::Participant(*participant));
            committed_ns.is_none_or(|at_ns| no.at_ns < *at_ns).then_some((*participant, *no))
        });
        refusals.min_by_key(|(_, no)| *no)
    }
}

impl std::fmt::Display for Said {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Moment { at_ns, place } = self.moment;
        let fate = match self.fate {
            Fate::Commit => "commit",
            Fate::Abort => "abort",
        };
        match self.party {
            Party::Coordinator => write!(formatter, "the coordinator decided {fate}")?,
            Party::Participant(participant) => write!(formatter, "participant {participant} decided {fate}")?,
            Party::Client => write!(formatter, "the client was told {fate}")?,
        }
        write!(formatter, " at {} (record {place})", seconds(at_ns))
    }
}

fn violated(explanation: String, moments: &[Moment]) -> Verdict {
    let mut places: Vec<usize> = moments.iter().map(|moment| moment.place).collect();
    places.sort_unstable();
    Verdict::by_records(&places, explanation)
}

#[cfg(test)]
mod tests;
