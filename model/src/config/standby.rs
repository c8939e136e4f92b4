//! An asynchronous standby of the store: what it has heard of is what a fail-over leaves.
//!
//! ```text
//!   store ──replicate, once a second──► standby
//!   store back after a fail-over ──take over──► standby ──taken over: what it has──► store
//! ```
//!
//! The address stays with the store, as behind a floating one, so that clients see a fail-over as a restart that forgot the
//! newest versions. Source: PostgreSQL documentation, "Log-Shipping Standby Servers": asynchronous streaming replication
//! loses transactions that were committed but not yet sent.

use std::sync::Arc;

use sim::node::{Effects, NodeId};

use crate::config::message::{ConfigVersion, Host, Message};

/// The standby node.
#[derive(Clone, Debug)]
pub struct Standby {
    versions: Arc<[ConfigVersion]>,
}

impl Standby {
    /// A standby of a store that has `versions` from the beginning.
    #[must_use]
    pub fn new(versions: &[ConfigVersion]) -> Self {
        Self { versions: versions.into() }
    }

    /// Reacts to a message.
    pub fn message<N: Host>(&mut self, from: NodeId, message: &Message, fx: &mut Effects<N>) {
        match message {
            // A late copy of an older list replaces nothing.
            Message::Replicate { versions } if versions.len() >= self.versions.len() => {
                self.versions = Arc::clone(versions);
            }
            Message::TakeOver => fx.send(from, Message::TakenOver { versions: Arc::clone(&self.versions) }),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use sim::time::{LocalTime, Span};

    use super::*;
    use crate::config::Member;
    use crate::config::message::Payload;
    use crate::ids::Version;
    use crate::probe::Probe;

    fn version(number: u32) -> ConfigVersion {
        let payload = Payload { limit: 1, delay: Span::ZERO, include_mood: false };
        ConfigVersion { version: Version(number), start_at: LocalTime::from_ns(i64::from(number)), payload }
    }

    #[test]
    fn a_fail_over_leaves_what_the_standby_has_heard_of() {
        let (mut standby, mut probe) = (Standby::new(&[version(1)]), Probe::<Member>::new(Span::ZERO));
        let store = NodeId(0);
        for count in [2, 1] {
            let versions = (1..=count).map(version).collect();
            probe.ask(|_, fx| standby.message(store, &Message::Replicate { versions }, fx));
        }
        probe.ask(|_, fx| standby.message(store, &Message::TakeOver, fx));
        let done = probe.done();
        let [(NodeId(0), Message::TakenOver { versions })] = done.sent.as_slice() else { panic!("{done:?}") };
        assert_eq!(versions[..], [version(1), version(2)]);
    }
}
