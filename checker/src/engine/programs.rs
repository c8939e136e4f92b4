//! What all clients did on all objects, one chain of operations a client.

use std::ops::Range;

use crate::history::OperationIndex;

/// One operation in the program of its client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned<T> {
    /// What it does.
    pub step: T,
    /// Index of its object.
    pub object: u32,
    /// Whether it may be left out: its outcome is unknown, or nobody asks for it.
    pub is_optional: bool,
    /// Position of its invocation.
    pub invoked: u64,
    /// Its number in the history.
    pub number: OperationIndex,
    /// For the caller: which operation this is.
    pub tag: u32,
}

impl<T> Planned<T> {
    /// Index of its object.
    pub fn object(&self) -> usize {
        self.object as usize
    }

    /// For the caller: which operation this is.
    pub fn tag(&self) -> usize {
        self.tag as usize
    }
}

/// The operations of all clients: the places of a chain are neighbours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programs<T> {
    operations: Vec<Planned<T>>,
    chains: Vec<Range<usize>>,
    object_count: usize,
    rest: Rest,
}

/// What else may have been done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rest {
    /// Nothing: these are all operations.
    #[default]
    Nothing,
    /// Anything, as often as it takes, by clients that did nothing else.
    Anything,
}

impl<T> Programs<T> {
    /// Nobody did anything yet on these objects.
    pub fn new(object_count: usize, capacity: usize) -> Self {
        Self {
            operations: Vec::with_capacity(capacity),
            chains: Vec::new(),
            object_count,
            rest: Rest::Nothing,
        }
    }

    /// The same, if this may have been done besides.
    #[must_use]
    pub fn with_rest(self, rest: Rest) -> Self {
        Self { rest, ..self }
    }

    /// What else may have been done.
    pub fn rest(&self) -> Rest {
        self.rest
    }

    /// One more client, which did this in this order.
    pub fn push(&mut self, operations: impl Iterator<Item = Planned<T>>) {
        let first = self.operations.len();
        self.operations.extend(operations);
        if first < self.operations.len() {
            self.chains.push(first..self.operations.len());
        }
    }

    /// What clients did that did so much each: each operation comes with its client, which did it after
    /// all of its own that came before.
    ///
    /// # Panics
    /// If a client did more or less than that.
    pub fn dealt(
        object_count: usize,
        lengths: &[usize],
        mut operations: impl Iterator<Item = (usize, Planned<T>)>,
    ) -> Self
    where
        T: Clone,
    {
        let mut programs = Self::new(object_count, 0);
        let mut ends = lengths.to_vec();
        for client in 1..ends.len() {
            ends[client] += ends[client - 1];
        }
        let mut next: Vec<usize> = ends.iter().zip(lengths).map(|(end, length)| end - length).collect();
        let chains = next.iter().zip(&ends).map(|(start, end)| *start..*end);
        programs.chains = chains.filter(|chain| !chain.is_empty()).collect();
        if let Some((client, first)) = operations.next() {
            programs.operations = vec![first.clone(); ends.last().copied().unwrap_or(0)];
            for (client, operation) in std::iter::once((client, first)).chain(operations) {
                programs.operations[next[client]] = operation;
                next[client] += 1;
            }
        }
        assert_eq!(next, ends, "every client did as much as was said");
        programs
    }

    /// All operations, by place.
    pub fn operations(&self) -> &[Planned<T>] {
        &self.operations
    }

    /// The operation at a place.
    pub fn at(&self, place: usize) -> &Planned<T> {
        &self.operations[place]
    }

    /// The places of each client's operations.
    pub fn chains(&self) -> &[Range<usize>] {
        &self.chains
    }

    /// How many objects there are.
    pub fn object_count(&self) -> usize {
        self.object_count
    }
}

/// What an algorithm for sequential consistency found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// The name of the algorithm.
    pub algorithm: &'static str,
    /// What it found.
    pub found: Found,
    /// Steps spent.
    pub steps: u64,
}

/// Whether there is a legal order that keeps every chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// This one, by places. It leaves out optional operations only.
    Order(Vec<usize>),
    /// There is none.
    Contradiction(Contradiction),
    /// The budget was used up; these places were still open.
    Exhausted(Vec<usize>),
}

/// Why the operations do not tell what an algorithm has to know of them.
pub(crate) enum Unknown {
    /// It can have come about in several ways.
    Ambiguous,
    /// It can have come about in none.
    Contradiction(Contradiction),
}

impl Unknown {
    /// The ruling of that algorithm, if there is one.
    pub(crate) fn ruling(self, algorithm: &'static str) -> Option<Ruling> {
        match self {
            Self::Ambiguous => None,
            Self::Contradiction(found) => {
                Some(Ruling { algorithm, found: Found::Contradiction(found), steps: 0 })
            }
        }
    }
}

/// Operations that rule out every order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contradiction {
    /// Their places, none of them optional: whichever others are added, there is no legal order.
    pub places: Vec<usize>,
    /// What of the others has to be considered for that.
    pub others: Others,
    /// Why, sentence by sentence without full stops; operations are named by number.
    pub reasons: Vec<String>,
}

/// What of all operations that are not part of a contradiction has to be considered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Others {
    /// At most the operations at these places.
    Listed(Vec<usize>),
    /// These, and anything that can be imagined besides.
    Imagined(Vec<usize>),
    /// Nothing: it is known that no place can be spared.
    Settled,
}

impl Default for Others {
    fn default() -> Self {
        Self::Listed(Vec::new())
    }
}

impl Contradiction {
    /// The same, found in other programs: where each place is in these.
    #[must_use]
    pub fn at_places(self, at: impl Fn(usize) -> usize) -> Self {
        let moved = |places: Vec<usize>| places.into_iter().map(&at).collect();
        let others = match self.others {
            Others::Listed(others) => Others::Listed(moved(others)),
            Others::Imagined(others) => Others::Imagined(moved(others)),
            Others::Settled => Others::Settled,
        };
        Self { places: moved(self.places), others, reasons: self.reasons }
    }
}
