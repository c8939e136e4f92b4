//! The store's side of a watch: who watches, what they get, and what is kept for those who come back.
//!
//! Versions leave in order, each batch with the version it follows, so that a gap shows. Of what was committed only the
//! newest few are kept as events; who asks for older ones is told to read everything. Heartbeats name the newest version;
//! while one is being made durable there are none, since a process that heard one could take it for the newest.

use std::collections::BTreeMap;
use std::sync::Arc;

use sim::node::{Context, Effects, NodeId, TimerKey};
use sim::time::Span;

use crate::config::message::{ConfigVersion, Host, Message, Observation, Question};
use crate::ids::Version;

/// What watchers get.
#[derive(Clone, Copy, Debug)]
pub struct WatchersSetup {
    /// How often each hears a heartbeat.
    pub beat_every: Span,
    /// How many of the newest versions are kept as events.
    pub kept_count: usize,
}

/// Who watches, and through which watch.
#[derive(Clone, Debug)]
pub struct Watchers {
    setup: WatchersSetup,
    timer: TimerKey,
    watches: BTreeMap<NodeId, u64>,
    beats: u64,
}

/// Nodes that watch at once.
const WATCHES_MAX: usize = 10_000;

impl Watchers {
    /// Nobody yet.
    #[must_use]
    pub const fn new(setup: WatchersSetup, timer: TimerKey) -> Self {
        Self { setup, timer, watches: BTreeMap::new(), beats: 0 }
    }

    /// Begins to beat.
    pub fn start<N: Host>(&self, fx: &mut Effects<N>) {
        fx.set_timer(self.timer, self.setup.beat_every);
    }

    /// A node watches what follows `from`, or from now on.
    pub fn watch<N: Host>(
        &mut self,
        (node, watch): (NodeId, u64),
        from: Option<Version>,
        versions: &[ConfigVersion],
        fx: &mut Effects<N>,
    ) {
        let kept_from = versions.len().saturating_sub(self.setup.kept_count);
        let compacted = number_before(versions, kept_from);
        let from = from.unwrap_or_else(|| number_before(versions, versions.len()));
        if from < compacted {
            fx.send(node, Message::Compacted { watch, after: compacted });
        } else if self.watches.len() < WATCHES_MAX || self.watches.contains_key(&node) {
            self.watches.insert(node, watch);
            let versions = versions.iter().filter(|version| version.version > from).copied().collect();
            fx.send(node, Message::Changed { watch, after: from, versions });
        }
    }

    /// The last of `versions` was just committed.
    pub fn changed<N: Host>(&self, versions: &[ConfigVersion], fx: &mut Effects<N>) {
        let Some(last) = versions.last() else { return };
        let after = number_before(versions, versions.len() - 1);
        let versions: Arc<[_]> = [*last].into();
        for (node, watch) in &self.watches {
            let versions = Arc::clone(&versions);
            fx.send(*node, Message::Changed { watch: *watch, after, versions });
        }
    }

    /// Everybody hears which version is the newest; none: one is on its way, so that nobody hears anything.
    pub fn beat<N: Host>(&mut self, newest: Option<Version>, context: &Context<'_>, fx: &mut Effects<N>) {
        fx.set_timer(self.timer, self.setup.beat_every);
        let Some(revision) = newest else { return };
        self.beats += 1;
        let beat = Question { stamp: context.interval().earliest, nonce: self.beats };
        for (node, watch) in &self.watches {
            fx.observe(Observation::Served { to: *node, question: beat });
            fx.send(*node, Message::Alive { watch: *watch, revision, beat });
        }
    }
}

/// The number of the version before that place; 0 if there is none.
fn number_before(versions: &[ConfigVersion], place: usize) -> Version {
    versions[..place].last().map_or(Version(0), |version| version.version)
}
