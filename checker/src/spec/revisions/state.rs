//! What a store remembers, and what it does with one request.

use std::sync::Arc;

use super::{
    ActionResult, Condition, Expected, FoundEntry, FoundRange, KeyRange, StoreAction, StoreAnswer, StoreCall,
    StoreStep, StoreTxn, StoreValue,
};

/// What a store remembers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StoreState {
    revision: i64,
    /// The revision of the last compaction.
    compacted: i64,
    /// By key.
    entries: Arc<Vec<(Arc<str>, Entry)>>,
    /// Sorted.
    leases: Arc<Vec<i64>>,
}

/// What a store remembers of a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// Its value.
    pub value: StoreValue,
    /// The revision of its last put.
    pub modified: i64,
    /// How often it was put since it was last absent.
    pub version: i64,
    /// Its lease; 0 if it has none.
    pub lease: i64,
}

impl Default for StoreState {
    fn default() -> Self {
        // etcd takes a compaction of revision 0, so none was yet at -1.
        Self { revision: 1, compacted: -1, entries: Arc::default(), leases: Arc::default() }
    }
}

impl StoreState {
    /// How often something was changed, plus 1.
    pub fn revision(&self) -> i64 {
        self.revision
    }

    /// What there is, by key.
    pub fn entries(&self) -> &[(Arc<str>, Entry)] {
        &self.entries
    }

    /// How much memory it takes beside itself.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(self.entries.as_slice()) + size_of_val(self.leases.as_slice())
    }

    /// The state after a step; none if its answer is another one here.
    pub(super) fn after(&self, step: &StoreStep) -> Option<Self> {
        let answer = step.answer.as_ref();
        match &step.call {
            StoreCall::Range(range) => self.is_answer_of(range, answer?).then(|| self.clone()),
            StoreCall::RangeAt { range, revision } => {
                self.is_answer_at(range, *revision, answer?).then(|| self.clone())
            }
            StoreCall::Txn(txn) => self.after_txn(txn, answer),
            StoreCall::GrantLease(lease) => self.told(answer, self.with_lease(*lease)),
            StoreCall::RevokeLease(lease) => self.told(answer, self.without_lease(*lease)),
            StoreCall::Compact(revision) => self.after_compaction(*revision, answer),
            StoreCall::Defragment => Some(self.clone()),
        }
    }

    /// `next`, if that is where the answer says that the store is.
    fn told(&self, answer: Option<&StoreAnswer>, next: Self) -> Option<Self> {
        let revision = answer.and_then(StoreAnswer::revision);
        revision.is_none_or(|revision| revision == next.revision).then_some(next)
    }

    fn is_answer_of(&self, range: &KeyRange, answer: &StoreAnswer) -> bool {
        let is_present = answer.revision().is_none_or(|revision| revision == self.revision);
        match answer {
            StoreAnswer::Range { found, .. } => is_present && self.holds(range, found),
            StoreAnswer::Persisted { .. } => is_present,
            StoreAnswer::Txn { .. } | StoreAnswer::Compacted | StoreAnswer::FutureRevision => false,
        }
    }

    fn is_answer_at(&self, range: &KeyRange, revision: i64, answer: &StoreAnswer) -> bool {
        match answer {
            StoreAnswer::FutureRevision => revision > self.revision,
            StoreAnswer::Compacted => revision < self.compacted,
            _ if revision == self.revision => self.is_answer_of(range, answer),
            StoreAnswer::Range { revision: present, .. } | StoreAnswer::Persisted { revision: present } => {
                revision < self.revision
                    && revision >= self.compacted
                    && present.is_none_or(|present| present == self.revision)
            }
            StoreAnswer::Txn { .. } => false,
        }
    }

    fn after_compaction(&self, revision: i64, answer: Option<&StoreAnswer>) -> Option<Self> {
        let is_old = revision <= self.compacted;
        let is_future = revision > self.revision;
        match answer {
            Some(StoreAnswer::Compacted) => is_old.then(|| self.clone()),
            Some(StoreAnswer::FutureRevision) => (!is_old && is_future).then(|| self.clone()),
            Some(_) if is_old || is_future => None,
            None if is_old || is_future => Some(self.clone()),
            Some(_) | None => Some(Self { compacted: revision, ..self.clone() }),
        }
    }

    fn after_txn(&self, txn: &StoreTxn, answer: Option<&StoreAnswer>) -> Option<Self> {
        let is_failed = !txn.conditions.iter().all(|condition| self.meets(condition));
        let wanted = match answer {
            Some(StoreAnswer::Txn { is_failed: told, results, .. }) => {
                if *told != is_failed {
                    return None;
                }
                Some(results)
            }
            Some(StoreAnswer::Persisted { .. }) | None => None,
            Some(StoreAnswer::Range { .. } | StoreAnswer::Compacted | StoreAnswer::FutureRevision) => {
                return None;
            }
        };
        let mut next = self.clone();
        for (index, action) in txn.actions(is_failed).iter().enumerate() {
            let result = match wanted {
                Some(results) => Some(results.get(index)?),
                None => None,
            };
            if !next.act(action, result, self.revision + 1) {
                return None;
            }
        }
        self.told(answer, next)
    }

    /// Does a part of a transaction, whose changes are of `revision`; false if its result is another one.
    fn act(&mut self, action: &StoreAction, result: Option<&ActionResult>, revision: i64) -> bool {
        match action {
            StoreAction::Range(range) => result.is_none_or(|result| self.holds(range, &result.found)),
            StoreAction::Put { key, value, lease } => {
                if *lease == 0 || self.leases.binary_search(lease).is_ok() {
                    self.put(key, value.clone(), *lease, revision);
                }
                true
            }
            StoreAction::Delete { key } => {
                let is_deleted = self.delete(key, revision);
                result.is_none_or(|result| (result.deleted > 0) == is_deleted && result.deleted <= 1)
            }
        }
    }

    fn put(&mut self, key: &Arc<str>, value: StoreValue, lease: i64, revision: i64) {
        self.revision = revision;
        let entries = Arc::make_mut(&mut self.entries);
        match entries.binary_search_by(|(other, _)| other.cmp(key)) {
            Ok(place) => {
                let entry = &mut entries[place].1;
                *entry = Entry { value, modified: revision, version: entry.version + 1, lease };
            }
            Err(place) => {
                let entry = Entry { value, modified: revision, version: 1, lease };
                entries.insert(place, (key.clone(), entry));
            }
        }
    }

    fn delete(&mut self, key: &str, revision: i64) -> bool {
        let Some(place) = self.place(key) else { return false };
        Arc::make_mut(&mut self.entries).remove(place);
        self.revision = revision;
        true
    }

    fn with_lease(&self, lease: i64) -> Self {
        let mut next = self.clone();
        // The answer to a request that failed had no number: nobody can use the lease.
        if lease != 0
            && let Err(place) = next.leases.binary_search(&lease)
        {
            Arc::make_mut(&mut next.leases).insert(place, lease);
        }
        next
    }

    fn without_lease(&self, lease: i64) -> Self {
        let mut next = self.clone();
        if let Ok(place) = next.leases.binary_search(&lease) {
            Arc::make_mut(&mut next.leases).remove(place);
            if next.entries.iter().any(|(_, entry)| entry.lease == lease) {
                Arc::make_mut(&mut next.entries).retain(|(_, entry)| entry.lease != lease);
                next.revision += 1;
            }
        }
        next
    }

    fn meets(&self, condition: &Condition) -> bool {
        let entry = self.place(&condition.key).map(|place| &self.entries[place].1);
        match condition.expected {
            Expected::Revision(revision) => entry.map_or(0, |entry| entry.modified) == revision,
            Expected::Version(version) => entry.map_or(0, |entry| entry.version) == version,
        }
    }

    fn place(&self, key: &str) -> Option<usize> {
        self.entries.binary_search_by(|(other, _)| (**other).cmp(key)).ok()
    }

    /// Whether this is what the range holds.
    fn holds(&self, range: &KeyRange, found: &FoundRange) -> bool {
        let first = self.entries.partition_point(|(key, _)| **key < *range.start);
        let inside = self.entries[first..].iter().take_while(|(key, _)| range.contains(key));
        let limit = if range.limit == 0 { u64::MAX } else { range.limit };
        let mut shown = found.entries.iter();
        let mut count = 0;
        for (key, entry) in inside {
            if count < limit && !shown.next().is_some_and(|found| is_shown(found, key, entry)) {
                return false;
            }
            count += 1;
        }
        shown.next().is_none() && count == found.count
    }
}

fn is_shown(found: &FoundEntry, key: &str, entry: &Entry) -> bool {
    *found.key == *key
        && found.value == entry.value
        && found.modified.is_none_or(|modified| modified == entry.modified)
        && found.version.is_none_or(|version| version == entry.version)
}
