//! Chains of forced orders: every rule is tried on a few operations until a contradiction follows.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use crate::format::evidence::{Because, Step};
use crate::history::OperationIndex;
use crate::spec::Spec;
use crate::verify::{Facts, Level, Whole};

/// Operations up to which every rule is tried on all of them.
const NODES_MAX: usize = 40;

/// What a step shows. Operations are places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Fact {
    Before(usize, usize),
    Sees(usize, usize),
    /// Where it reads from.
    Source(usize),
    /// That it took effect, and the state that it found.
    Certain(usize),
    Contradiction,
}

struct Chaining<'a, 'w, S: Spec> {
    whole: &'a Whole<'w, S>,
    facts: Facts<'a, 'w, S>,
    is_order: bool,
    made: Vec<(Because, Vec<usize>)>,
    /// The step that shows a fact.
    known: HashMap<Fact, usize, FxBuildHasher>,
}

/// Steps from the operations of a core to a contradiction. None if there is none, or the core is large.
pub(super) fn chain<S: Spec>(
    whole: &Whole<'_, S>,
    level: Level,
    core: &[OperationIndex],
) -> Option<Vec<Step>> {
    let mut nodes = whole.find_all(core).ok()?;
    let mut chaining = Chaining {
        whole,
        facts: Facts::new(whole, level),
        is_order: matches!(level, Level::RealTime | Level::Programs),
        made: Vec::new(),
        known: HashMap::default(),
    };
    let mut first = Vec::new();
    let mut at = 0;
    while let Some(&one) = nodes.get(at).filter(|_| nodes.len() <= NODES_MAX) {
        at += 1;
        let Some((is_initial, leaving)) = chaining.facts.leaving(one) else { continue };
        match leaving[..] {
            [] if is_initial => first.push(one),
            [] => chaining.attempt(Because::Nowhere, &[one]),
            [source] => {
                chaining.attempt(Because::ReadsFrom, &[source, one]);
                chaining.attempt(Because::Later, &[one]);
                if !nodes.contains(&source) {
                    nodes.push(source);
                }
            }
            [..] => {}
        }
    }
    (nodes.len() <= NODES_MAX).then(|| chaining.close(&nodes, &first))?;
    chaining.told()
}

impl<S: Spec> Chaining<'_, '_, S> {
    /// Tries every rule on all operations until nothing new follows.
    fn close(&mut self, nodes: &[usize], first: &[usize]) {
        let mut count = usize::MAX;
        while count != self.made.len() && !self.known.contains_key(&Fact::Contradiction) {
            count = self.made.len();
            for &a in nodes {
                for &b in nodes {
                    self.pair(a, b, first.contains(&a));
                    for &c in nodes {
                        self.triple(a, b, c, nodes);
                    }
                }
            }
        }
    }

    fn pair(&mut self, a: usize, b: usize, is_first: bool) {
        for because in [Because::Time, Because::Program, Because::Overwritten, Because::Hidden, Because::Own]
        {
            self.attempt(because, &[a, b]);
        }
        if is_first {
            self.attempt(Because::Initial, &[a, b]);
            self.attempt(Because::Unwritten, &[a, b]);
        }
    }

    fn triple(&mut self, a: usize, b: usize, c: usize, nodes: &[usize]) {
        for because in [Because::Transitive, Because::Again, Because::Prefix, Because::Follows] {
            self.attempt(because, &[a, b, c]);
        }
        if self.known.contains_key(&Fact::Sees(a, b)) {
            for &d in nodes {
                self.attempt(Because::Cause, &[a, b, c, d]);
            }
        }
    }

    /// Takes a step, if it follows and shows something new.
    fn attempt(&mut self, because: Because, of: &[usize]) {
        let is_over = self.known.contains_key(&Fact::Contradiction);
        if is_over || self.shown(because, of).is_some_and(|fact| self.known.contains_key(&fact)) {
            return;
        }
        let Some(is_end) = self.facts.step(because, of) else { return };
        let step = self.made.len();
        self.made.push((because, of.to_vec()));
        if is_end {
            self.known.insert(Fact::Contradiction, step);
        }
        if let Some(fact) = self.shown(because, of) {
            self.known.insert(fact, step);
        }
        if let (Because::ReadsFrom, &[source, reader]) = (because, of) {
            self.known.insert(Fact::Source(reader), step);
            self.known.entry(Fact::Certain(source)).or_insert(step);
        }
    }

    /// What a step shows, if it is no mere contradiction.
    fn shown(&self, because: Because, of: &[usize]) -> Option<Fact> {
        Some(match (because, of) {
            (Because::Time | Because::Program | Because::Initial, &[a, b]) => Fact::Before(a, b),
            (Because::ReadsFrom, &[w, r]) if self.is_order => Fact::Before(w, r),
            (Because::ReadsFrom, &[w, r]) => Fact::Sees(r, w),
            (Because::Overwritten, &[r, u]) if self.is_order => Fact::Before(r, u),
            (Because::Overwritten | Because::Hidden, &[u, r]) => Fact::Before(u, self.facts.source(r)?),
            (Because::Transitive, &[a, _, c]) | (Because::Follows, &[a, _, c]) => Fact::Before(a, c),
            (Because::Own, &[o, u]) | (Because::Again, &[o, _, u]) | (Because::Prefix, &[o, _, u]) => {
                Fact::Sees(o, u)
            }
            (Because::Cause, &[o, _, _, s]) => Fact::Sees(o, s),
            _ => return None,
        })
    }

    /// What a step follows from.
    fn premises(&self, because: Because, of: &[usize]) -> Vec<Fact> {
        let mut premises: Vec<Fact> = of
            .iter()
            .filter(|one| because == Because::ReadsFrom || !self.whole.is_answered(**one))
            .map(|one| Fact::Certain(*one))
            .collect();
        match (because, of) {
            (Because::Overwritten, &[r, u]) if self.is_order => {
                premises.push(Fact::Source(r));
                premises.extend(self.facts.source(r).map(|w| Fact::Before(w, u)));
            }
            (Because::Overwritten, &[u, r]) => premises.extend([Fact::Source(r), Fact::Sees(r, u)]),
            (Because::Hidden, &[u, r]) => premises.extend([Fact::Source(r), Fact::Before(u, r)]),
            (Because::Transitive, &[a, b, c]) => premises.extend([Fact::Before(a, b), Fact::Before(b, c)]),
            (Because::Again, &[_, e, u]) => premises.push(Fact::Sees(e, u)),
            (Because::Prefix, &[o, u, _]) => premises.push(Fact::Sees(o, u)),
            (Because::Cause, &[o, u, e, s]) => premises.extend([Fact::Sees(o, u), Fact::Sees(e, s)]),
            (Because::Follows, &[s, e, _]) => premises.push(Fact::Sees(e, s)),
            (Because::Unwritten, &[r, u]) => premises.push(Fact::Sees(r, u)),
            _ => {}
        }
        premises
    }

    /// The steps that the contradiction needs.
    fn told(&self) -> Option<Vec<Step>> {
        let end = *self.known.get(&Fact::Contradiction)?;
        let mut is_needed = vec![false; end + 1];
        is_needed[end] = true;
        for step in (0..=end).rev() {
            if is_needed[step] {
                let (because, of) = &self.made[step];
                let shown = self.premises(*because, of).into_iter().filter_map(|fact| self.known.get(&fact));
                shown.filter(|other| **other < step).for_each(|other| is_needed[*other] = true);
            }
        }
        let needed = self.made[..=end].iter().zip(is_needed).filter(|(_, is_needed)| *is_needed);
        let step = |(because, of): &(Because, Vec<usize>)| Step {
            because: *because,
            of: of.iter().map(|one| self.whole.number(*one)).collect(),
        };
        Some(needed.map(|(made, _)| step(made)).collect())
    }
}
