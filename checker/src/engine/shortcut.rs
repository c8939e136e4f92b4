//! What a near-linear algorithm is given, and what it answers.
//!
//! Such an algorithm applies to a history only under a precondition (unique values, unit increments,
//! ...), which it checks itself: where it does not hold, the general search decides.

/// One operation, as an algorithm sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen<T> {
    /// What it does; none if it cannot matter.
    pub step: Option<T>,
    /// Position of its invocation.
    pub invoked: u64,
    /// Position of its answer; `u64::MAX` if its outcome is unknown.
    pub returned: u64,
}

/// The operations on one object, by invocation.
pub trait View<T> {
    /// How many there are.
    fn count(&self) -> usize;

    /// The operation at `place`, below [`count`](Self::count).
    fn at(&self, place: usize) -> Seen<T>;
}

/// What a shortcut found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The name of the algorithm.
    pub algorithm: &'static str,
    /// What it found.
    pub finding: Finding,
}

/// Whether there is a legal order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// There is.
    Legal,
    /// There is none.
    Illegal(Conflict),
}

/// A few operations that rule out every order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Their places: without the answers to all others there is still no legal order.
    pub places: Vec<usize>,
    /// Why, as the second half of a sentence that names them first.
    pub reason: String,
}

impl<T> Seen<T> {
    /// Whether its outcome is unknown.
    pub fn is_unknown(&self) -> bool {
        self.returned == u64::MAX
    }
}
