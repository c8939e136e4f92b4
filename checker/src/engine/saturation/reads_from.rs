//! Who wrote what everybody read: known if each value that was read has one writer.
//!
//! An optional write took effect if somebody who certainly did something read it; if nobody read it,
//! it can be left out of any legal order, hence is.

use std::collections::BTreeMap;
use std::hash::Hash;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use crate::engine::programs::Programs;

/// What an operation does to one register; to each register, one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Touch<R, V> {
    /// Which register of its object.
    pub(crate) register: R,
    /// What it finds there first.
    pub(crate) found: Option<V>,
    /// What it leaves there.
    pub(crate) written: Option<V>,
}

/// How steps are understood as reading and writing.
pub(crate) trait Touching<T> {
    /// The name of a register within its object.
    type Register: Clone + Eq + Hash;
    /// What a register holds.
    type Value: Clone + Eq + Hash;

    /// What every register holds at first.
    fn initial(&self) -> Self::Value;

    /// What the step at this place does. None if it cannot be understood so.
    fn touches(
        &self,
        place: usize,
        step: &T,
        into: &mut Vec<Touch<Self::Register, Self::Value>>,
    ) -> Option<()>;
}

/// Where what was found came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Nothing was looked for.
    Nothing,
    /// It was there at first.
    Initial,
    /// This node wrote it.
    Node(u32),
}

/// What a node does to one register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Access {
    pub(super) register: u32,
    pub(super) source: Source,
    pub(super) is_write: bool,
}

/// The operations that certainly took effect, as nodes: those of a chain are neighbours.
pub(super) struct Problem {
    /// The place of each node.
    pub(super) places: Vec<usize>,
    /// The first node of each chain, and one past the last of all.
    pub(super) chain_starts: Vec<u32>,
    /// When each was invoked.
    pub(super) invoked: Vec<u64>,
    accesses: Vec<Access>,
    access_starts: Vec<u32>,
    pub(super) register_count: usize,
    /// For each optional place that took effect, a place that depends on it.
    pub(super) dependants: BTreeMap<usize, usize>,
}

impl Problem {
    pub(super) fn node_count(&self) -> usize {
        self.places.len()
    }

    pub(super) fn chain_count(&self) -> usize {
        self.chain_starts.len() - 1
    }

    pub(super) fn accesses(&self, node: u32) -> &[Access] {
        let node = node as usize;
        &self.accesses[self.access_starts[node] as usize..self.access_starts[node + 1] as usize]
    }
}

/// What became of the question who wrote what.
pub(super) enum Resolved {
    /// It is known.
    Problem(Problem),
    /// Nobody wrote what the operation at this place found, which took effect, for the operations
    /// at the places after it were found to depend on it, each on the one before.
    NeverWritten(Vec<usize>),
    /// A value that was read has several writers, or a step is no reading and writing.
    Unknown,
}

/// Who wrote what everybody read.
pub(super) fn resolve<T, G: Touching<T>>(programs: &Programs<T>, registers: &G) -> Resolved {
    let Some(touched) = Touched::of(programs, registers) else { return Resolved::Unknown };
    match touched.certain(programs) {
        Ok(certain) => Resolved::Problem(touched.problem(programs, certain)),
        Err(Unresolved::NeverWritten(chain)) => Resolved::NeverWritten(chain),
        Err(Unresolved::Several) => Resolved::Unknown,
    }
}

/// A touch with registers and values as numbers.
#[derive(Clone, Copy)]
struct Numbered {
    register: u32,
    found: Option<u32>,
    written: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Writer {
    Nobody,
    Initially,
    Place(u32),
    Several,
}

/// Which operations certainly took effect, and for the optional ones among them because of which.
struct Certain {
    is_certain: Vec<bool>,
    dependants: BTreeMap<usize, usize>,
}

enum Unresolved {
    NeverWritten(Vec<usize>),
    Several,
}

struct Touched {
    touches: Vec<Numbered>,
    starts: Vec<u32>,
    /// The writer of each value.
    writers: Vec<Writer>,
    register_count: usize,
}

impl Touched {
    fn of<T, G: Touching<T>>(programs: &Programs<T>, registers: &G) -> Option<Self> {
        let mut numbering = Numbering { registers: HashMap::default(), values: HashMap::default() };
        let mut this = Self { touches: Vec::new(), starts: vec![0], writers: Vec::new(), register_count: 0 };
        let mut touches = Vec::new();
        for (place, operation) in programs.operations().iter().enumerate() {
            registers.touches(place, &operation.step, &mut touches)?;
            for touch in touches.drain(..) {
                let register = numbering.register(operation.object(), touch.register);
                if register as usize == this.register_count {
                    this.register_count += 1;
                    numbering.value(register, registers.initial());
                    this.writers.push(Writer::Initially);
                }
                let mut value = |value| {
                    let number = numbering.value(register, value);
                    if number as usize == this.writers.len() {
                        this.writers.push(Writer::Nobody);
                    }
                    number
                };
                let (found, written) = (touch.found.map(&mut value), touch.written.map(&mut value));
                // Who leaves what it found has only read.
                let written = written.filter(|written| found != Some(*written));
                if let Some(written) = written {
                    let writer = &mut this.writers[written as usize];
                    let is_first = *writer == Writer::Nobody;
                    *writer = if is_first { Writer::Place(place as u32) } else { Writer::Several };
                }
                this.touches.push(Numbered { register, found, written });
            }
            this.starts.push(this.touches.len() as u32);
        }
        Some(this)
    }

    fn at(&self, place: usize) -> &[Numbered] {
        &self.touches[self.starts[place] as usize..self.starts[place + 1] as usize]
    }

    /// Which operations certainly took effect.
    fn certain<T>(&self, programs: &Programs<T>) -> Result<Certain, Unresolved> {
        let operations = programs.operations();
        let mut is_certain: Vec<bool> = operations.iter().map(|operation| !operation.is_optional).collect();
        let mut dependants = BTreeMap::new();
        let mut waiting: Vec<usize> =
            (0..operations.len()).rev().filter(|place| is_certain[*place]).collect();
        while let Some(place) = waiting.pop() {
            for found in self.at(place).iter().filter_map(|touch| touch.found) {
                match self.writers[found as usize] {
                    Writer::Initially => {}
                    Writer::Several => return Err(Unresolved::Several),
                    Writer::Nobody => {
                        let chain = std::iter::successors(Some(place), |at| dependants.get(at).copied());
                        return Err(Unresolved::NeverWritten(chain.collect()));
                    }
                    Writer::Place(writer) => {
                        let writer = writer as usize;
                        if !std::mem::replace(&mut is_certain[writer], true) {
                            dependants.insert(writer, place);
                            waiting.push(writer);
                        }
                    }
                }
            }
        }
        Ok(Certain { is_certain, dependants })
    }

    fn problem<T>(&self, programs: &Programs<T>, certain: Certain) -> Problem {
        let Certain { is_certain, dependants } = certain;
        let mut problem = Problem {
            places: Vec::new(),
            chain_starts: vec![0],
            invoked: Vec::new(),
            accesses: Vec::new(),
            access_starts: vec![0],
            register_count: self.register_count,
            dependants,
        };
        let mut node_at = vec![u32::MAX; is_certain.len()];
        for chain in programs.chains() {
            let first = problem.places.len();
            for place in chain.clone().filter(|place| is_certain[*place]) {
                node_at[place] = problem.places.len() as u32;
                problem.places.push(place);
                problem.invoked.push(programs.at(place).invoked);
            }
            if problem.places.len() > first {
                problem.chain_starts.push(problem.places.len() as u32);
            }
        }
        for node in 0..problem.places.len() {
            for touch in self.at(problem.places[node]) {
                let source = match touch.found.map(|found| self.writers[found as usize]) {
                    None | Some(Writer::Nobody | Writer::Several) => Source::Nothing,
                    Some(Writer::Initially) => Source::Initial,
                    Some(Writer::Place(writer)) => Source::Node(node_at[writer as usize]),
                };
                let is_write = touch.written.is_some();
                problem.accesses.push(Access { register: touch.register, source, is_write });
            }
            problem.access_starts.push(problem.accesses.len() as u32);
        }
        problem
    }
}

struct Numbering<R, V> {
    registers: HashMap<(usize, R), u32, FxBuildHasher>,
    values: HashMap<(u32, V), u32, FxBuildHasher>,
}

impl<R: Eq + Hash, V: Eq + Hash> Numbering<R, V> {
    fn register(&mut self, object: usize, register: R) -> u32 {
        let next = self.registers.len() as u32;
        *self.registers.entry((object, register)).or_insert(next)
    }

    fn value(&mut self, register: u32, value: V) -> u32 {
        let next = self.values.len() as u32;
        *self.values.entry((register, value)).or_insert(next)
    }
}
