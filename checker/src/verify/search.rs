//! A core has no legal order: a search of all orders, with memory and without cunning.
//!
//! A node is how far each client has got and the state of each object of the core. A client takes any
//! of its next operations up to the first that must have happened; what it passes over did not happen.

use hashbrown::HashSet;
use rustc_hash::FxBuildHasher;

use super::{Refusal, Whole};
use crate::format::evidence::Others;
use crate::history::OperationIndex;
use crate::spec::Spec;

/// How far each client has got, and the state of each object.
type Node<State> = (Vec<u32>, Vec<State>);

/// An operation, and whether it must have happened.
struct Item {
    place: usize,
    is_known: bool,
}

struct Search<'a, S: Spec> {
    whole: &'a Whole<'a, S>,
    is_real_time: bool,
    /// By client, in its order.
    clients: Vec<Vec<Item>>,
    seen: HashSet<Node<S::State>, FxBuildHasher>,
    open: Vec<Node<S::State>>,
    work: u64,
}

/// That the core has no legal order, in real time or in that of each client: how many nodes it took.
pub(super) fn refute<S: Spec>(
    whole: &Whole<'_, S>,
    core: &[OperationIndex],
    others: Others,
    is_real_time: bool,
    work: u64,
) -> Result<u64, Refusal> {
    let core = whole.find_all(core)?;
    let returned = |place: &usize| whole.acts[*place].operation.returned;
    if let Some(place) = core.iter().find(|place| returned(place).is_none()) {
        return Err(Refusal::Misplaced(whole.acts[*place].number(), "need not have happened"));
    }
    let end = core.iter().filter_map(returned).max().filter(|_| is_real_time);
    let start = core.iter().map(|place| whole.acts[*place].operation.invoked).min();
    let mut is_known = vec![false; whole.acts.len()];
    let mut is_in = vec![false; whole.keys.len()];
    core.iter().for_each(|place| (is_known[*place], is_in[whole.acts[*place].object]) = (true, true));
    // In real time, what is invoked after the core cannot have come before it.
    let is_asked = |place: &usize| {
        is_in[whole.acts[*place].object] && end.is_none_or(|end| whole.acts[*place].operation.invoked <= end)
    };
    let items: Vec<usize> = (0..whole.acts.len()).filter(is_asked).collect();
    let mut steps: Vec<Option<S::Step>> = items.iter().map(|place| whole.acts[*place].step.clone()).collect();
    match others {
        Others::Optional => {}
        Others::Needed => whole.spec.simplify(&mut steps, &|at| !is_known[items[at]]),
        Others::Nothing => items.iter().for_each(|place| {
            is_known[*place] = returned(place).is_some_and(|at| end.is_none_or(|end| at <= end));
        }),
    }
    let mut search = Search {
        whole,
        is_real_time,
        clients: (0..whole.client_count).map(|_| Vec::new()).collect(),
        seen: HashSet::default(),
        open: Vec::new(),
        work,
    };
    let mut before = Vec::new();
    for (place, _) in items.into_iter().zip(steps).filter(|(_, step)| step.is_some()) {
        let act = &whole.acts[place];
        let is_begun = is_real_time && others != Others::Nothing && Some(act.operation.invoked) < start;
        before.extend(Some(place).filter(|_| is_begun));
        // What is still open when the core begins may come before it, and later, too.
        if !(is_begun && returned(&place).is_some_and(|at| Some(at) < start)) {
            search.clients[act.client].push(Item { place, is_known: is_known[place] });
        }
    }
    search.clients.retain(|items| !items.is_empty());
    search.begin(&before)?;
    search.run()
}

impl<S: Spec> Search<'_, S> {
    /// Arrives at all states to which operations before the core may lead, in whatever order and number.
    fn begin(&mut self, before: &[usize]) -> Result<(), Refusal> {
        let mut distinct: HashSet<(usize, &S::Step), FxBuildHasher> = HashSet::default();
        let acts = before.iter().map(|place| &self.whole.acts[*place]);
        let steps: Vec<(usize, &S::Step)> =
            acts.map(|act| (act.object, act.step())).filter(|step| distinct.insert(*step)).collect();
        let first = self.whole.keys.iter().map(|_| self.whole.spec.initial()).collect();
        self.arrive((vec![0; self.clients.len()], first))?;
        let mut done = 0;
        // No order is longer than there are operations.
        for _ in before {
            for at in std::mem::replace(&mut done, self.open.len())..self.open.len() {
                let (positions, states) = self.open[at].clone();
                for (object, step) in &steps {
                    if let Some(next) = self.whole.spec.apply(&states[*object], step) {
                        let mut states = states.clone();
                        states[*object] = next;
                        self.arrive((positions.clone(), states))?;
                    }
                }
            }
        }
        Ok(())
    }

    fn arrive(&mut self, node: Node<S::State>) -> Result<(), Refusal> {
        if !self.seen.contains(&node) {
            if self.seen.len() as u64 >= self.work {
                return Err(Refusal::TooMuchWork(self.work));
            }
            self.seen.insert(node.clone());
            self.open.push(node);
        }
        Ok(())
    }

    fn run(mut self) -> Result<u64, Refusal> {
        while let Some(node) = self.open.pop() {
            let left = |client: usize| &self.clients[client][node.0[client] as usize..];
            if (0..self.clients.len()).all(|client| left(client).iter().all(|item| !item.is_known)) {
                return Err(Refusal::Explained);
            }
            let mut nexts = Vec::new();
            for client in 0..self.clients.len() {
                let known = left(client).iter().position(|item| item.is_known);
                let reach = known.map_or(left(client).len(), |known| known + 1);
                nexts.extend((0..reach).filter_map(|ahead| self.take(&node, client, ahead)));
            }
            for next in nexts {
                self.arrive(next)?;
            }
        }
        Ok(self.seen.len() as u64)
    }

    /// The node after a client took one of its next operations, if that may and need be tried.
    fn take(&self, node: &Node<S::State>, client: usize, ahead: usize) -> Option<Node<S::State>> {
        let at = node.0[client] as usize + ahead;
        let item = &self.clients[client][at];
        let act = &self.whole.acts[item.place];
        let next = self.whole.spec.apply(&node.1[act.object], act.step())?;
        if !item.is_known && next == node.1[act.object] {
            return None;
        }
        let (mut positions, mut states) = node.clone();
        if self.is_real_time {
            for (other, position) in positions.iter_mut().enumerate() {
                while let Some(item) = self.clients[other].get(*position as usize)
                    && self.whole.acts[item.place].is_over_before(act)
                {
                    if item.is_known {
                        return None;
                    }
                    *position += 1;
                }
            }
        }
        positions[client] = at as u32 + 1;
        states[act.object] = next;
        Some((positions, states))
    }
}
