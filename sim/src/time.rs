//! Instants and spans in nanoseconds: the world's time and a node's time are different types.
//!
//! ```text
//!   TrueTime        the world's; only the kernel, the plan and the checker's input know it
//!   LocalTime       what a node's wall clock shows (UTC as that node believes it)
//!   MonotonicTime   what a node's monotonic clock shows (its rate only; restarts at 0 with the node)
//! ```
//!
//! There is no conversion between them here: [`crate::clock`] is the one place that makes one.

use core::fmt;
use core::ops::{Add, AddAssign, Sub};

use serde::{Deserialize, Serialize};

/// A length of time, never negative. Unit: ns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(u64);

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A span of `ns` nanoseconds.
    #[must_use]
    pub const fn from_ns(ns: u64) -> Self {
        Self(ns)
    }

    /// A span of `us` microseconds.
    #[must_use]
    pub const fn from_us(us: u64) -> Self {
        Self(us * 1_000)
    }

    /// A span of `ms` milliseconds.
    #[must_use]
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms * 1_000_000)
    }

    /// A span of `seconds` seconds.
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds * 1_000_000_000)
    }

    /// Its length in ns.
    #[must_use]
    pub const fn as_ns(self) -> u64 {
        self.0
    }

    /// Its length in ns, signed. Spans of a run stay far below `i64::MAX` (292 years).
    ///
    /// # Panics
    /// If the span is longer than 292 years.
    #[must_use]
    pub fn as_signed_ns(self) -> i64 {
        i64::try_from(self.0).expect("a span of a run is shorter than 292 years")
    }

    /// The span `count` times in a row.
    #[must_use]
    pub const fn times(self, count: u64) -> Self {
        Self(self.0 * count)
    }

    /// Both spans in a row, or the longest span there is.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left after taking `other` away, at least zero.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Add for Span {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl fmt::Display for Span {
    /// Prints with the largest unit that leaves no more than three decimals, as in `1.5 s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit_ns, unit) = match self.0 {
            0..1_000 => return write!(f, "{} ns", self.0),
            1_000..1_000_000 => (1_000, "us"),
            1_000_000..1_000_000_000 => (1_000_000, "ms"),
            _ => (1_000_000_000, "s"),
        };
        let thousandths = self.0 % unit_ns * 1_000 / unit_ns;
        let decimals = format!("{thousandths:03}");
        let decimals = decimals.trim_end_matches('0');
        let dot = if decimals.is_empty() { "" } else { "." };
        write!(f, "{}{dot}{decimals} {unit}", self.0 / unit_ns)
    }
}

macro_rules! instant {
    ($(#[$doc:meta])* $name:ident, $repr:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name($repr);

        impl $name {
            /// Where this clock begins.
            pub const ZERO: Self = Self(0);

            /// The instant `ns` nanoseconds after this clock's beginning.
            #[must_use]
            pub const fn from_ns(ns: $repr) -> Self {
                Self(ns)
            }

            /// Nanoseconds since this clock's beginning.
            #[must_use]
            pub const fn as_ns(self) -> $repr {
                self.0
            }
        }
    };
}

instant!(
    /// An instant of the world. Unit: ns since the run began.
    TrueTime,
    u64
);
instant!(
    /// What a node's wall clock shows. Unit: ns; a perfect clock shows the same number as [`TrueTime`].
    LocalTime,
    i64
);
instant!(
    /// What a node's monotonic clock shows. Unit: ns since the node last started.
    MonotonicTime,
    u64
);

impl TrueTime {
    /// The span from `earlier` to this instant.
    ///
    /// # Panics
    /// If `earlier` is later: a world does not run backwards.
    #[must_use]
    pub fn since(self, earlier: Self) -> Span {
        Span::from_ns(self.0.checked_sub(earlier.0).expect("the earlier instant comes first"))
    }
}

impl MonotonicTime {
    /// The span from `earlier` to this instant.
    ///
    /// # Panics
    /// If `earlier` is later: a monotonic clock does not run backwards.
    #[must_use]
    pub fn since(self, earlier: Self) -> Span {
        Span::from_ns(self.0.checked_sub(earlier.0).expect("the earlier reading comes first"))
    }
}

impl LocalTime {
    /// Signed distance from `other` to this reading. Unit: ns.
    #[must_use]
    pub const fn minus(self, other: Self) -> i64 {
        self.0 - other.0
    }
}

impl Add<Span> for TrueTime {
    type Output = Self;

    fn add(self, span: Span) -> Self {
        Self(self.0 + span.as_ns())
    }
}

impl AddAssign<Span> for TrueTime {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Add<Span> for MonotonicTime {
    type Output = Self;

    fn add(self, span: Span) -> Self {
        Self(self.0 + span.as_ns())
    }
}

impl Add<Span> for LocalTime {
    type Output = Self;

    fn add(self, span: Span) -> Self {
        Self(self.0 + span.as_signed_ns())
    }
}

impl Sub<Span> for LocalTime {
    type Output = Self;

    fn sub(self, span: Span) -> Self {
        Self(self.0 - span.as_signed_ns())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_print_with_their_largest_unit() {
        let check = |span: Span, want: &str| assert_eq!(span.to_string(), want);
        check(Span::from_ns(999), "999 ns");
        check(Span::from_us(1), "1 us");
        check(Span::from_ms(1500), "1.5 s");
        check(Span::from_ns(1_234_567), "1.234 ms");
    }

    #[test]
    #[should_panic(expected = "the earlier instant comes first")]
    fn true_time_does_not_run_backwards() {
        let _ = TrueTime::ZERO.since(TrueTime::from_ns(1));
    }
}
