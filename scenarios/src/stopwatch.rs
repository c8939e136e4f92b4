//! The host's clock, for the two figures of a run that are not part of it: `wall_ns` and `check_ns`.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "measures the host, never steers a run"
)]

use std::time::Instant;

/// Measures how long the host took.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    began: Instant,
}

impl Stopwatch {
    /// Starts measuring.
    #[must_use]
    pub fn start() -> Self {
        Self { began: Instant::now() }
    }

    /// Nanoseconds since the start.
    #[must_use]
    pub fn elapsed_ns(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}
