//! The faults of one kind that are under way at one place, earliest begun first.

/// A fault's place in its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FaultIndex(pub(crate) u32);

/// The running faults of one kind, each with what it says.
#[derive(Clone, Debug)]
pub(crate) struct Windows<T> {
    open: Vec<(FaultIndex, T)>,
}

impl<T> Default for Windows<T> {
    fn default() -> Self {
        Self { open: Vec::new() }
    }
}

impl<T: Copy> Windows<T> {
    /// Begins one.
    pub(crate) fn begin(&mut self, fault: FaultIndex, content: T) {
        self.open.push((fault, content));
    }

    /// Ends one; whether it was running.
    pub(crate) fn end(&mut self, fault: FaultIndex) -> bool {
        let before = self.open.len();
        self.open.retain(|(index, _)| *index != fault);
        self.open.len() < before
    }

    /// Whether none is running.
    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// The one that began last: where they contradict one another, it wins.
    pub(crate) fn last(&self) -> Option<(FaultIndex, T)> {
        self.open.last().copied()
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (FaultIndex, T)> + '_ {
        self.open.iter().copied()
    }

    /// Ends all.
    pub(crate) fn clear(&mut self) {
        self.open.clear();
    }
}
