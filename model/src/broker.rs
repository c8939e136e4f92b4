//! A broker: what is published goes to those who are connected at that moment, and nobody keeps it.
//!
//! ```text
//!   publish ──► broker ──► every subscriber connected now
//!                 └──✗──   who is cut off, late or not yet back hears nothing, and is not told so
//! ```
//!
//! Subscriptions are in memory: a restart or a reset connection ends them, until the subscriber asks again. Source:
//! fire-and-forget publish and subscribe in the manner of Redis (`SUBSCRIBE`, `PUBLISH`; "at most once").

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sim::node::{Effects, Node, NodeId};

/// What a broker is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToBroker<T, C> {
    /// From now on the sender hears what is published about the topic; said again, it changes nothing.
    Subscribe(T),
    /// It hears no more of it.
    Unsubscribe(T),
    /// For whoever is connected.
    Publish(Published<T, C>),
}

/// What was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published<T, C> {
    /// About what.
    pub topic: T,
    /// What.
    pub content: C,
}

/// The broker node, with topics `T`.
#[derive(Clone, Debug)]
pub struct Broker<T> {
    /// At most one entry for each node and topic.
    subscribers: BTreeMap<T, BTreeSet<NodeId>>,
}

impl<T: Clone + Ord> Broker<T> {
    /// A broker that nobody is connected to.
    #[must_use]
    pub const fn new() -> Self {
        Self { subscribers: BTreeMap::new() }
    }

    /// Reacts to a message.
    pub fn message<C: Clone, N: Node>(&mut self, from: NodeId, message: ToBroker<T, C>, fx: &mut Effects<N>)
    where
        N::Message: From<Published<T, C>>,
    {
        match message {
            ToBroker::Subscribe(topic) => {
                self.subscribers.entry(topic).or_default().insert(from);
            }
            ToBroker::Unsubscribe(topic) => {
                if let Some(connected) = self.subscribers.get_mut(&topic) {
                    connected.remove(&from);
                }
            }
            ToBroker::Publish(published) => {
                for subscriber in self.subscribers.get(&published.topic).into_iter().flatten() {
                    fx.send(*subscriber, published.clone());
                }
            }
        }
    }

    /// The connection to a node was reset: what the node had subscribed to is forgotten.
    pub fn reset(&mut self, peer: NodeId) {
        for connected in self.subscribers.values_mut() {
            connected.remove(&peer);
        }
    }
}

impl<T: Clone + Ord> Default for Broker<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{ChannelId, Offset};
    use crate::probe::Probe;
    use crate::replication::broadcast::Member;
    use crate::replication::broadcast::message::{Message, Notice};
    use sim::time::Span;
    use std::sync::Arc;

    type Told = ToBroker<ChannelId, Notice>;

    const ONE: ChannelId = ChannelId(1);

    /// Who hears a message about channel 1 after `told`.
    fn check(told: &[(u32, Told)], reset: Option<NodeId>) -> Vec<u32> {
        let mut broker = Broker::new();
        let mut probe = Probe::<Member>::new(Span::ZERO);
        for (from, message) in told {
            probe.ask(|_, fx| broker.message(NodeId(*from), message.clone(), fx));
        }
        reset.into_iter().for_each(|peer| broker.reset(peer));
        let content = Notice::Entries { from: Offset(0), entries: Arc::new([]), tail: Offset(0) };
        let publish = ToBroker::Publish(Published { topic: ONE, content });
        probe.ask(|_, fx| broker.message(NodeId(9), publish, fx));
        let sent = probe.done().sent;
        assert!(sent.iter().all(|(_, message)| matches!(message, Message::Published(_))));
        sent.into_iter().map(|(to, _)| to.0).collect()
    }

    #[test]
    fn only_who_is_subscribed_to_the_topic_hears_and_once() {
        let told = [
            (3, Told::Subscribe(ONE)),
            (3, Told::Subscribe(ONE)),
            (4, Told::Subscribe(ChannelId(2))),
            (5, Told::Subscribe(ONE)),
            (5, Told::Unsubscribe(ONE)),
        ];
        assert_eq!(check(&told, None), [3]);
    }

    #[test]
    fn a_reset_connection_takes_its_subscriptions_along() {
        let told = [(3, Told::Subscribe(ONE)), (4, Told::Subscribe(ONE))];
        assert_eq!(check(&told, Some(NodeId(3))), [4]);
    }
}
