//! Answers that nothing in reach explains: one pass finds them, before any search.
//!
//! ```text
//!   [r7]                       nothing that makes 7 begins before the read returns: a core of one
//!   [w7]   [w3]   [r7]         every 7 was over before 3 was shown, and 3 before the read: a core of two
//! ```
//!
//! An operation of unknown outcome may make its value at any time after its invocation. So what is found
//! is certain: no order of these few is legal, whichever others took effect.

mod holder;
mod sum;

pub(crate) use holder::{Glance, conflict_of_holder};
pub(crate) use sum::{Change, conflict_of_sum};

use crate::engine::shortcut::{Seen, View};
use crate::spec::register::{Value, written};

/// The name of this as an algorithm.
pub(crate) const FIRST_SIGHT: &str = "first-sight";

/// A value in words, as a sentence names it.
pub(crate) trait Spoken {
    /// The words.
    fn spoken(&self) -> String;
}

impl Spoken for Value {
    fn spoken(&self) -> String {
        format!("the value {}", written(*self))
    }
}

/// A history without real time: every operation begins before any returns.
pub(crate) struct AtOnce<'a, V>(pub(crate) &'a V);

impl<T, V: View<T>> View<T> for AtOnce<'_, V> {
    fn count(&self) -> usize {
        self.0.count()
    }

    fn at(&self, place: usize) -> Seen<T> {
        let Seen { step, returned, .. } = self.0.at(place);
        let count = self.0.count();
        let returned = if returned == u64::MAX { u64::MAX } else { (count + place) as u64 };
        Seen { step, invoked: place as u64, returned }
    }
}

#[cfg(test)]
pub(crate) mod tests;
