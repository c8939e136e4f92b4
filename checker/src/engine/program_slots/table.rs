//! The states of each object that matter, numbered over all objects.

use crate::engine::program_slots::Move;
use crate::engine::programs::Programs;

/// No state, or no place.
pub(super) const NONE: u32 = u32::MAX;
/// States for each operation, up to which every state is listed.
const DENSE_FACTOR: u64 = 4;

/// The states that matter, object by object, in ascending order.
pub(super) struct Table {
    /// Which state it is.
    pub(super) states: Vec<u64>,
    /// The first state of each object, and one past the last of all.
    pub(super) starts: Vec<u32>,
    /// The place of the move that leads from the state to the next, if one says so.
    pub(super) owners: Vec<u32>,
    /// How many finds there are that may find no later state.
    pub(super) bounds: Vec<u32>,
    /// For each place, the state that it needs first: for a find the first, for a move the one before.
    pub(super) first: Vec<u32>,
    /// For each place, the last state that it may find.
    pub(super) last: Vec<u32>,
}

impl Table {
    /// Or two places that lead to the same state.
    pub(super) fn of<T>(programs: &Programs<T>, moves: &[Move]) -> Result<Self, (usize, usize)> {
        let objects = programs.object_count();
        let mut wanted = vec![(0u64, 0u64); objects];
        let ends = |does: &Move| match *does {
            Move::Find { first, last } => (first, if last == u64::MAX { first } else { last }),
            Move::To(state) => (state - 1, state),
            Move::Next | Move::Never => (0, 0),
        };
        for (operation, does) in programs.operations().iter().zip(moves) {
            let (count, most) = &mut wanted[operation.object()];
            *count += 1;
            *most = (*most).max(ends(does).1);
        }
        let mut sparse: Vec<Vec<u64>> = vec![Vec::new(); objects];
        let is_dense = |object: usize| wanted[object].1 <= wanted[object].0 * DENSE_FACTOR;
        for (operation, does) in programs.operations().iter().zip(moves) {
            if !is_dense(operation.object()) {
                let (first, last) = ends(does);
                sparse[operation.object()].extend([first, last]);
            }
        }
        let mut table = Self {
            states: Vec::new(),
            starts: vec![0],
            owners: Vec::new(),
            bounds: Vec::new(),
            first: Vec::with_capacity(moves.len()),
            last: Vec::with_capacity(moves.len()),
        };
        for (object, states) in sparse.iter_mut().enumerate() {
            if is_dense(object) {
                table.states.extend(0..=wanted[object].1);
            } else {
                states.push(0);
                states.sort_unstable();
                states.dedup();
                table.states.append(states);
            }
            table.starts.push(table.states.len() as u32);
        }
        table.owners = vec![NONE; table.states.len()];
        table.bounds = vec![0; table.states.len()];
        for (place, (operation, does)) in programs.operations().iter().zip(moves).enumerate() {
            table.enter(place, operation.object(), is_dense(operation.object()), does)?;
        }
        Ok(table)
    }

    fn enter(
        &mut self,
        place: usize,
        object: usize,
        is_dense: bool,
        does: &Move,
    ) -> Result<(), (usize, usize)> {
        let (start, end) = (self.starts[object] as usize, self.starts[object + 1] as usize);
        let states = &self.states[start..end];
        let at = |state: u64| {
            let index =
                if is_dense { state as usize } else { states.partition_point(|other| *other < state) };
            (start + index) as u32
        };
        let (first, last) = match *does {
            Move::Find { first, last: u64::MAX } => (at(first), NONE),
            Move::Find { first, last } => (at(first), at(last)),
            Move::To(state) => (at(state - 1), at(state)),
            Move::Next | Move::Never => (NONE, NONE),
        };
        self.first.push(first);
        self.last.push(last);
        match *does {
            Move::Find { .. } if last != NONE => self.bounds[last as usize] += 1,
            Move::To(_) => {
                let owner = std::mem::replace(&mut self.owners[first as usize], place as u32);
                if owner != NONE {
                    return Err((owner as usize, place));
                }
            }
            Move::Find { .. } | Move::Next | Move::Never => {}
        }
        Ok(())
    }

    /// How many objects have a state that matters to somebody.
    pub(super) fn used_count(&self) -> usize {
        let is_used = |states: &&[u32]| states[1] - states[0] > 1 || self.bounds[states[0] as usize] > 0;
        self.starts.windows(2).filter(is_used).count()
    }
}
