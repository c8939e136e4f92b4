//! How long nodes of a log wait for one another: counts of ticks, from the delays of their network.
//!
//! A heartbeat is answered within a round trip, or it does not count. So a node that waits for less than a round trip
//! never hears a majority, and no leader is ever elected.

use sim::network_profile::NetworkProfile;
use sim::time::Span;

/// How long a tick is.
pub const TICK_EVERY: Span = Span::from_ms(20);
/// What a round of heartbeats takes besides the network: disks, and the inputs that are handled first.
const MARGIN: Span = Span::from_ms(60);
/// A round of heartbeats takes no fewer ticks.
const ELECTION_TICKS_MIN: u64 = 5;
/// A letter that is early waits for no fewer ticks.
const PATIENCE_TICKS_MIN: u64 = 2;

/// Counts of ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// One round of heartbeats: longer than a round trip.
    pub election_ticks: u64,
    /// The library says again after that what it repeats at all: see [`super::library`].
    pub resend_ticks: u64,
    /// A letter that is early waits for those before it until that many ticks have begun: longer than letters overtake
    /// one another, shorter than a round of heartbeats.
    pub patience_ticks: u64,
}

impl Pace {
    /// The pace of a network whose messages take from `fastest` to `slowest`.
    ///
    /// `election = (2 * slowest + 60 ms) / 20 ms`, rounded up, 5 at least; `resend` is twice that;
    /// `patience = (slowest - fastest) / 20 ms + 1`, rounded up, 2 at least.
    #[must_use]
    pub fn between(fastest: Span, slowest: Span) -> Self {
        let ticks = |span: Span| span.as_ns().div_ceil(TICK_EVERY.as_ns());
        let round = Span::from_ns(2 * slowest.as_ns() + MARGIN.as_ns());
        let election_ticks = ticks(round).max(ELECTION_TICKS_MIN);
        let patience_ticks = (ticks(slowest.saturating_sub(fastest)) + 1).max(PATIENCE_TICKS_MIN);
        Self { election_ticks, resend_ticks: 2 * election_ticks, patience_ticks }
    }

    /// The pace of a network of that profile.
    #[must_use]
    pub fn of(network: &NetworkProfile) -> Self {
        Self::between(network.latency.min, network.delay_max())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(network: &NetworkProfile, want: (u64, u64, u64)) {
        let Pace { election_ticks, resend_ticks, patience_ticks } = Pace::of(network);
        assert_eq!((election_ticks, resend_ticks, patience_ticks), want);
    }

    #[test]
    fn within_a_region_five_ticks_are_enough() {
        check(&NetworkProfile::lan(), (5, 10, 2));
        check(&NetworkProfile::cross_az(), (5, 10, 2));
        check(&NetworkProfile::perfect(Span::from_ms(20)), (5, 10, 2));
    }

    #[test]
    fn over_an_ocean_a_round_is_longer_than_the_longest_round_trip() {
        check(&NetworkProfile::wan(), (53, 106, 24));
        check(&NetworkProfile::perfect(Span::from_ms(51)), (9, 18, 2));
        check(&NetworkProfile::perfect(Span::from_ms(150)), (18, 36, 2));
    }

    #[test]
    fn a_round_is_longer_than_a_round_trip_and_than_the_patience() {
        for slowest_ms in 0..2_000 {
            for fastest_ms in [0, slowest_ms / 2, slowest_ms] {
                let (fastest, slowest) = (Span::from_ms(fastest_ms), Span::from_ms(slowest_ms));
                let pace = Pace::between(fastest, slowest);
                assert!(pace.election_ticks * 20 >= 2 * slowest_ms + 60, "{slowest_ms} ms: {pace:?}");
                assert!(pace.patience_ticks * 20 > slowest_ms - fastest_ms, "{slowest_ms} ms: {pace:?}");
                assert!(pace.patience_ticks < pace.election_ticks, "{slowest_ms} ms: {pace:?}");
            }
        }
    }
}
