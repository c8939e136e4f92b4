//! What a search for a visibility and an arbitration is given.

use std::ops::Range;

use super::set::Set;
use crate::weak::Guarantee;

/// What visibility and arbitration have to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duty {
    /// These guarantees.
    Guarantees(&'static [Guarantee]),
    /// Every observation sees all answered updates, and any of the others.
    All,
}

impl Duty {
    pub(crate) fn has(self, guarantee: Guarantee) -> bool {
        match self {
            Self::Guarantees(guarantees) => guarantees.contains(&guarantee),
            Self::All => false,
        }
    }
}

/// Which client an operation belongs to, and how many operations of the client come before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct InSession {
    pub(crate) session: usize,
    pub(crate) at: usize,
}

/// Something that changes an object.
#[derive(Clone, Debug)]
pub(crate) struct Update<T> {
    pub(crate) place: InSession,
    pub(crate) object: usize,
    /// What it does: the first that is possible; if none is, nothing.
    pub(crate) effects: [Option<T>; 2],
    pub(crate) is_answered: bool,
    /// Position of its invocation: the order in which to try.
    pub(crate) invoked: u64,
    /// For the caller: which operation this is.
    pub(crate) tag: usize,
}

/// Something that was answered.
#[derive(Clone, Debug)]
pub(crate) struct Observation<T> {
    pub(crate) place: InSession,
    pub(crate) object: usize,
    /// What must be legal after what it sees.
    pub(crate) step: T,
    /// Position of its answer: what was invoked later is tried last.
    pub(crate) returned: u64,
    /// For the caller: which operation this is.
    pub(crate) tag: usize,
}

/// Updates to be ordered, and observations that see some of them.
#[derive(Clone, Debug)]
pub(crate) struct Problem<T> {
    pub(crate) duty: Duty,
    /// By invocation.
    pub(crate) updates: Vec<Update<T>>,
    /// By client and its order.
    pub(crate) observations: Vec<Observation<T>>,
    /// Per client, where its observations stand.
    pub(crate) sessions: Vec<Range<usize>>,
    /// Per client, its updates in order.
    pub(crate) of_client: Vec<Vec<usize>>,
}

impl<T> Problem<T> {
    /// Sorts both lists.
    pub(crate) fn new(
        duty: Duty,
        mut updates: Vec<Update<T>>,
        mut observations: Vec<Observation<T>>,
    ) -> Self {
        updates.sort_by_key(|update| update.invoked);
        observations.sort_by_key(|observation| observation.place);
        let places =
            updates.iter().map(|update| update.place).chain(observations.iter().map(|one| one.place));
        let session_count = places.map(|place| place.session + 1).max().unwrap_or(0);
        let start = |session| observations.partition_point(|one| one.place.session < session);
        let sessions = (0..session_count).map(|session| start(session)..start(session + 1)).collect();
        let mut of_client = vec![Vec::new(); session_count];
        for (update, one) in updates.iter().enumerate() {
            of_client[one.place.session].push(update);
        }
        Self { duty, updates, observations, sessions, of_client }
    }

    /// How many objects there are.
    pub(super) fn object_count(&self) -> usize {
        let updates = self.updates.iter().map(|one| one.object);
        updates.chain(self.observations.iter().map(|one| one.object)).max().map_or(0, |most| most + 1)
    }

    /// The updates of each object.
    pub(super) fn by_object(&self) -> Vec<Set> {
        let mut by_object = vec![Set::default(); self.object_count()];
        for (update, one) in self.updates.iter().enumerate() {
            by_object[one.object].insert(update);
        }
        by_object
    }

    /// Whether the first of two operations is an earlier one of the same client.
    pub(crate) fn is_before(first: InSession, second: InSession) -> bool {
        first.session == second.session && first.at < second.at
    }

    /// Whether the update may be left out of arbitration.
    ///
    /// One of unknown outcome that is the last of its client need not be: at the end of arbitration,
    /// where nobody sees it, it asks nothing of anyone.
    pub(crate) fn may_be_left_out(&self, update: usize) -> bool {
        let place = self.updates[update].place;
        let is_later = |other: InSession| Self::is_before(place, other);
        let mut observed = self.observations[self.sessions[place.session].clone()].iter();
        let mut updated = self.of_client[place.session].iter();
        !self.updates[update].is_answered
            && (observed.any(|one| is_later(one.place))
                || updated.any(|other| is_later(self.updates[*other].place)))
    }
}
