//! A chain of facts that follow from one another, each by a rule of its own, up to a contradiction.
//!
//! Facts are of two kinds: an operation is before another (in the one order of all, or in arbitration),
//! and an observation sees an update. A step that does not follow from the history and from the facts
//! before it is refused.

use hashbrown::{HashMap, HashSet};
use rustc_hash::FxBuildHasher;

use super::{Level, Refusal, Rules, Whole};
use crate::format::evidence::{Because, Step};
use crate::spec::{Access, Spec};

/// Steps of a chain that are looked at.
const STEPS_MAX: usize = 10_000;

type Pairs = HashSet<(usize, usize), FxBuildHasher>;

/// What is known so far. Operations are places.
pub(crate) struct Facts<'a, 'w, S: Spec> {
    whole: &'a Whole<'w, S>,
    level: Level,
    before: Pairs,
    sees: Pairs,
    source: HashMap<usize, usize, FxBuildHasher>,
    /// The state that an operation finds.
    finds: HashMap<usize, S::State, FxBuildHasher>,
    /// Operations of unknown outcome that certainly took effect.
    certain: HashSet<usize, FxBuildHasher>,
}

/// That the steps follow from one another and end in a contradiction.
pub(crate) fn contradiction<S: Spec>(
    whole: &Whole<'_, S>,
    level: Level,
    steps: &[Step],
) -> Result<(), Refusal> {
    if steps.len() > STEPS_MAX {
        return Err(Refusal::TooMuchWork(STEPS_MAX as u64));
    }
    let mut facts = Facts::new(whole, level);
    let mut is_over = false;
    for (at, step) in steps.iter().enumerate() {
        is_over = facts.step(step.because, &whole.find_all(&step.of)?).ok_or(Refusal::NoStep(at + 1))?;
    }
    if is_over { Ok(()) } else { Err(Refusal::NoContradiction) }
}

impl<'a, 'w, S: Spec> Facts<'a, 'w, S> {
    pub(crate) fn new(whole: &'a Whole<'w, S>, level: Level) -> Self {
        Self {
            whole,
            level,
            before: Pairs::default(),
            sees: Pairs::default(),
            source: HashMap::default(),
            finds: HashMap::default(),
            certain: HashSet::default(),
        }
    }

    /// Where an operation reads from.
    pub(crate) fn source(&self, one: usize) -> Option<usize> {
        self.source.get(&one).copied()
    }

    /// Whether an operation finds the initial state, and which operations can leave what it finds.
    pub(crate) fn leaving(&self, one: usize) -> Option<(bool, Vec<usize>)> {
        let (state, leaving) = match self.level {
            Level::RealTime | Level::Programs => {
                let state = self.found(one)?;
                let leaving = self.leaving_state(one, &state);
                (state, leaving)
            }
            Level::Weak(_) | Level::Converged => {
                let state = self.read(one)?;
                let leaving = self.written(one, &state)?;
                (state, leaving)
            }
        };
        Some((state == self.whole.spec.initial(), leaving))
    }

    /// Takes one step: whether it is a contradiction; none if it does not follow.
    pub(crate) fn step(&mut self, because: Because, of: &[usize]) -> Option<bool> {
        match self.level {
            Level::RealTime | Level::Programs => self.order(because, of),
            Level::Weak(rules) => self.weak(rules, because, of),
            Level::Converged => None,
        }
    }

    /// A step about a total order.
    fn order(&mut self, because: Because, of: &[usize]) -> Option<bool> {
        match (because, of) {
            (Because::Time, &[a, b]) => {
                let is_over = self.whole.acts[a].is_over_before(&self.whole.acts[b]);
                self.before(a, b, is_over && self.level == Level::RealTime)
            }
            (Because::Program, &[a, b]) => self.before(a, b, self.whole.is_earlier(a, b)),
            (Because::ReadsFrom, &[w, r]) => {
                let state = self.found(r).filter(|state| *state != self.whole.spec.initial())?;
                let is_sole = self.leaving_state(r, &state) == [w];
                if !is_sole {
                    return None;
                }
                self.certain.insert(w);
                self.source.insert(r, w);
                self.finds.extend(
                    self.whole.spec.finds_before(self.whole.acts[w].step(), &state).map(|at| (w, at)),
                );
                self.before(w, r, true)
            }
            (Because::Initial, &[r, u]) => {
                let is_first = self.changes_same(u, r)
                    && self.found(r)? == self.whole.spec.initial()
                    && self.leaving_state(r, &self.whole.spec.initial()).is_empty();
                self.before(r, u, is_first)
            }
            (Because::Overwritten, &[r, u]) => {
                let is_after = self.before.contains(&(*self.source.get(&r)?, u));
                self.before(r, u, is_after && self.changes_same(u, r))
            }
            (Because::Hidden, &[u, r]) => {
                let w = *self.source.get(&r)?;
                self.before(u, w, self.before.contains(&(u, r)) && self.changes_same(u, w))
            }
            (Because::Transitive, &[a, b, c]) => self.joined(a, b, c),
            (Because::Nowhere, &[r]) => {
                let state = self.found(r).filter(|state| *state != self.whole.spec.initial())?;
                self.leaving_state(r, &state).is_empty().then_some(true)
            }
            _ => None,
        }
    }

    /// The same about a visibility and an arbitration.
    fn weak(&mut self, rules: Rules, because: Because, of: &[usize]) -> Option<bool> {
        let whole = self.whole;
        let is_up_to = |one: usize, other: usize| one == other || whole.is_earlier(one, other);
        match (because, of) {
            (Because::ReadsFrom, &[w, r]) => {
                let value = self.read(r).filter(|value| *value != whole.spec.initial())?;
                let shown = self.seen(r, w, self.written(r, &value)? == [w])?;
                self.source.insert(r, w);
                Some(shown)
            }
            (Because::Own, &[o, u]) => self.seen(o, u, rules.own && whole.is_earlier(u, o)),
            (Because::Again, &[o, e, u]) => {
                self.seen(o, u, rules.again && whole.is_earlier(e, o) && self.sees.contains(&(e, u)))
            }
            (Because::Prefix, &[o, u, e]) => {
                self.seen(o, e, rules.prefix && whole.is_earlier(e, u) && self.sees.contains(&(o, u)))
            }
            (Because::Cause, &[o, u, e, s]) => {
                let is_seen = self.sees.contains(&(o, u)) && self.sees.contains(&(e, s));
                self.seen(o, s, rules.cause && is_seen && is_up_to(e, u))
            }
            (Because::Program, &[a, b]) => {
                let are_updates = whole.is_update(a) && whole.is_update(b);
                self.before(a, b, rules.prefix && are_updates && whole.is_earlier(a, b))
            }
            (Because::Follows, &[s, e, u]) => {
                let is_caused = whole.is_update(u) && is_up_to(e, u) && self.sees.contains(&(e, s));
                self.before(s, u, rules.cause && is_caused)
            }
            (Because::Overwritten, &[u, r]) => {
                let w = *self.source.get(&r)?;
                self.before(u, w, self.sees.contains(&(r, u)) && self.changes_same(u, w))
            }
            (Because::Transitive, &[a, b, c]) => self.joined(a, b, c),
            (Because::Nowhere, &[r]) => {
                let value = self.read(r).filter(|value| *value != whole.spec.initial())?;
                self.written(r, &value)?.is_empty().then_some(true)
            }
            (Because::Later, &[r]) => {
                let value = self.read(r).filter(|value| *value != whole.spec.initial())?;
                let written = self.written(r, &value)?;
                matches!(written[..], [w] if is_up_to(r, w)).then_some(true)
            }
            (Because::Unwritten, &[r, u]) => {
                let value = self.read(r).filter(|value| *value == whole.spec.initial())?;
                let is_bare = self.written(r, &value)?.is_empty() && self.changes_same(u, r);
                (is_bare && self.sees.contains(&(r, u))).then_some(true)
            }
            _ => None,
        }
    }

    fn is_certain(&self, one: usize) -> bool {
        self.whole.acts[one].is_answered() || self.certain.contains(&one)
    }

    fn before(&mut self, a: usize, b: usize, follows: bool) -> Option<bool> {
        (follows && self.is_certain(a) && self.is_certain(b)).then(|| {
            self.before.insert((a, b));
            a == b
        })
    }

    fn joined(&mut self, a: usize, b: usize, c: usize) -> Option<bool> {
        self.before(a, c, self.before.contains(&(a, b)) && self.before.contains(&(b, c)))
    }

    fn seen(&mut self, o: usize, u: usize, follows: bool) -> Option<bool> {
        (follows && self.whole.acts[o].is_answered() && self.whole.is_update(u)).then(|| {
            self.sees.insert((o, u));
            self.certain.insert(u);
            false
        })
    }

    /// Whether the first is an update of the object of the second, and another operation.
    fn changes_same(&self, update: usize, other: usize) -> bool {
        let is_same = self.whole.acts[update].object == self.whole.acts[other].object;
        update != other && is_same && self.whole.is_update(update)
    }

    /// The state that a certain operation finds, if only one will do.
    fn found(&self, one: usize) -> Option<S::State> {
        let own = || self.whole.spec.finds(self.whole.acts[one].step());
        self.finds.get(&one).cloned().or_else(own).filter(|_| self.is_certain(one))
    }

    /// The operations after which the object of another one may hold this.
    fn leaving_state(&self, one: usize, state: &S::State) -> Vec<usize> {
        let (whole, object) = (self.whole, self.whole.acts[one].object);
        let may_leave = |place: &usize| {
            let act = &whole.acts[*place];
            act.object == object && whole.is_update(*place) && whole.spec.may_leave(act.step(), state)
        };
        (0..whole.acts.len()).filter(may_leave).collect()
    }

    /// What an answered operation reads.
    fn read(&self, one: usize) -> Option<S::State> {
        let act = &self.whole.acts[one];
        let access = self.whole.spec.access(act.step()).filter(|_| act.is_answered());
        access.and_then(|access| if let Access::Read(value) = access { Some(value) } else { None })
    }

    /// The operations that write a value to the object of another one; none if it is not just read and written.
    fn written(&self, one: usize, value: &S::State) -> Option<Vec<usize>> {
        let mut writes = Vec::new();
        for (place, act) in self.whole.acts.iter().enumerate() {
            if act.object == self.whole.acts[one].object && act.step.is_some() {
                let is_writing =
                    matches!(self.whole.spec.access(act.step())?, Access::Write(other) if other == *value);
                writes.extend(Some(place).filter(|_| is_writing));
            }
        }
        Some(writes)
    }
}
