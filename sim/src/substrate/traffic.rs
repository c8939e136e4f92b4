//! What is on its way between nodes on a network that is not ours, and what a reset takes of it.
//!
//! ```text
//!   set out ──► waits for its connection ──► departed ──► arrived
//!                     └───── reset ─────────────┘   counted, and not taken if it arrives all the same
//! ```
//!
//! Each message takes along how often its link had been reset when it set out, as on the kernel it takes along how many
//! cuts had begun. So whatever the network does with what was in flight, a message meets a cut or it does not.

use crate::node::NodeId;

/// How often a link was reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Resets(u32);

/// One link, one way.
#[derive(Clone, Copy, Debug, Default)]
struct Link {
    resets: Resets,
    /// Messages that set out and wait for their connection, since the last reset.
    waiting: u64,
    /// Messages that a connection carries, since the last reset.
    departed: u64,
}

/// All links, one way each.
#[derive(Debug)]
pub(super) struct Traffic {
    node_count: usize,
    /// Shape: `node_count x node_count`, row = sender, column = receiver.
    links: Vec<Link>,
}

impl Traffic {
    /// Links with nothing on them.
    pub(super) fn new(node_count: usize) -> Self {
        Self { node_count, links: vec![Link::default(); node_count * node_count] }
    }

    /// How often a link was reset.
    pub(super) fn resets(&self, (from, to): (NodeId, NodeId)) -> Resets {
        self.links[from.index() * self.node_count + to.index()].resets
    }

    /// A message sets out; what it takes along.
    pub(super) fn set_out(&mut self, link: (NodeId, NodeId)) -> Resets {
        let link = self.link(link);
        link.waiting += 1;
        link.resets
    }

    /// A connection has taken a message.
    pub(super) fn depart(&mut self, link: (NodeId, NodeId), resets: Resets) {
        let link = self.link(link);
        if link.resets == resets {
            link.waiting -= 1;
            link.departed += 1;
        }
    }

    /// No connection takes a message; whether it is still to be counted.
    pub(super) fn give_up(&mut self, link: (NodeId, NodeId), resets: Resets) -> bool {
        let link = self.link(link);
        let is_current = link.resets == resets;
        link.waiting -= u64::from(is_current);
        is_current
    }

    /// A message arrives; whether it may: not if its link was reset on its way.
    pub(super) fn arrive(&mut self, link: (NodeId, NodeId), resets: Resets) -> bool {
        let link = self.link(link);
        let is_current = link.resets == resets;
        link.departed -= u64::from(is_current);
        is_current
    }

    /// Takes everything off a link; how much that was.
    pub(super) fn reset(&mut self, link: (NodeId, NodeId)) -> u64 {
        let link = self.link(link);
        let Link { resets: Resets(before), waiting, departed } = *link;
        *link = Link { resets: Resets(before + 1), ..Link::default() };
        waiting + departed
    }

    /// Loses what is on its way to a host that is dead, and what that had not sent yet; how much that was.
    pub(super) fn lose_with_host(&mut self, node: NodeId) -> u64 {
        let others = (0..).map(NodeId).take(self.node_count);
        let lost = others.map(|other| {
            let unsent = core::mem::take(&mut self.link((node, other)).waiting);
            unsent + self.reset((other, node))
        });
        lost.sum()
    }

    fn link(&mut self, (from, to): (NodeId, NodeId)) -> &mut Link {
        &mut self.links[from.index() * self.node_count + to.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: (NodeId, NodeId) = (NodeId(0), NodeId(1));
    const BACK: (NodeId, NodeId) = (NodeId(1), NodeId(0));

    #[test]
    fn a_reset_takes_what_waits_and_what_departed_and_nothing_that_sets_out_later() {
        let mut traffic = Traffic::new(2);
        let early = [(); 3].map(|()| traffic.set_out(LINK));
        traffic.depart(LINK, early[0]);
        traffic.depart(LINK, early[1]);
        assert!(traffic.arrive(LINK, early[0]));
        assert_eq!(traffic.reset(LINK), 2);
        let late = traffic.set_out(LINK);
        assert!(!traffic.arrive(LINK, early[1]), "it was in flight");
        assert!(!traffic.give_up(LINK, early[2]), "it is counted already");
        traffic.depart(LINK, early[2]);
        traffic.depart(LINK, late);
        assert!(traffic.arrive(LINK, late));
        assert_eq!((traffic.reset(LINK), traffic.reset(BACK)), (0, 0));
    }

    #[test]
    fn with_a_host_dies_what_it_has_not_sent_and_what_it_has_not_heard() {
        let mut traffic = Traffic::new(2);
        let sent = [(); 2].map(|()| traffic.set_out(LINK));
        traffic.depart(LINK, sent[0]);
        let unheard = traffic.set_out(BACK);
        traffic.depart(BACK, unheard);
        assert_eq!(traffic.lose_with_host(NodeId(0)), 2, "one not sent, one not heard");
        assert!(traffic.arrive(LINK, sent[0]), "what a dead node had sent arrives");
        assert!(!traffic.arrive(BACK, unheard));
    }
}
