//! What the clocks of a world will show if nothing happens to them: made and steered from its seed without running it.

use core::cmp::Reverse;

use crate::chance::{Seed, Stream};
use crate::clock::NodeClock;
use crate::clock_profile::ClockProfile;
use crate::node::NodeId;
use crate::time::TrueTime;

/// One clock, at the instant of its last change of rate.
struct Foreseen {
    clock: NodeClock,
    chance: Stream,
    changes_at: Option<TrueTime>,
}

/// The clocks of a world, at instants that never go back.
pub struct ClockForecast {
    clocks: Vec<Foreseen>,
}

impl ClockForecast {
    /// The clocks of a world with these profiles, by node, at its beginning.
    ///
    /// # Panics
    /// If a profile is not valid.
    #[must_use]
    pub fn new<'a>(seed: Seed, profiles: impl IntoIterator<Item = &'a ClockProfile>) -> Self {
        let foresee = |(profile, node): (&ClockProfile, u64)| {
            let mut chance = seed.stream("clock", node);
            let clock = NodeClock::new(profile.clone(), &mut chance);
            let changes_at = clock.first_change(&mut chance);
            Foreseen { clock, chance, changes_at }
        };
        Self { clocks: profiles.into_iter().zip(0..).map(foresee).collect() }
    }

    /// The node among `nodes` whose wall clock will be furthest ahead at `at`; of several the first by number. None if
    /// `nodes` is empty.
    ///
    /// # Panics
    /// If a node does not exist, or `at` lies before the instant asked about last.
    pub fn leader(&mut self, nodes: &[NodeId], at: TrueTime) -> Option<NodeId> {
        let error = |&node: &NodeId| (self.clocks[node.index()].error_ns(at), Reverse(node));
        nodes.iter().map(error).max().map(|(_, Reverse(node))| node)
    }
}

impl Foreseen {
    fn error_ns(&mut self, at: TrueTime) -> i64 {
        while let Some(changes_at) = self.changes_at.filter(|changes_at| *changes_at <= at) {
            self.clock.wander(&mut self.chance, changes_at);
            self.changes_at = self.clock.profile().changes_every().map(|every| changes_at + every);
        }
        self.clock.error_ns(at)
    }
}
