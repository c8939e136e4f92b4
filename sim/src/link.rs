//! One link, one way: the fate of each message from (seed, sender, receiver, index on that link).
//!
//! Every message takes the same six words from the link's own stream, whatever becomes of it, so that
//! no fault and no traffic elsewhere changes the fate of the messages after it.

use crate::chance::{Seed, Stream};
use crate::disturbance::{Disturbance, LinkState};
use crate::node::NodeId;
use crate::windows::{FaultIndex, Windows};

/// Words of chance that each message takes.
pub(crate) const WORDS_PER_MESSAGE: u128 = 6;

/// The words of one message, each for one question only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) loss: u32,
    pub(crate) duplication: u32,
    pub(crate) latency: u32,
    pub(crate) reorder: u32,
    pub(crate) noise_delay: u32,
    pub(crate) copy_latency: u32,
}

/// How many cuts of a whole network had begun: the cuts that began later have larger numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CutNumber(pub(crate) u32);

/// One way between two nodes.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    from: NodeId,
    to: NodeId,
    chance: Stream,
    last_cut: CutNumber,
    last_cut_by: FaultIndex,
    cuts: Windows<()>,
    /// What disturbs this link alone.
    pub(crate) disturbances: Windows<Disturbance>,
    /// What disturbances left behind; none if nothing ever disturbed it.
    state: Option<Box<LinkState>>,
}

/// A stream of a link: its index is `from * 2^32 + to`.
pub(crate) fn stream(seed: Seed, label: &str, from: NodeId, to: NodeId) -> Stream {
    seed.stream(label, (u64::from(from.0) << 32) | u64::from(to.0))
}

impl Link {
    /// The link at the beginning of a run.
    pub(crate) fn new(seed: Seed, from: NodeId, to: NodeId) -> Self {
        Self {
            from,
            to,
            last_cut: CutNumber(0),
            last_cut_by: FaultIndex(0),
            cuts: Windows::default(),
            disturbances: Windows::default(),
            state: None,
            chance: stream(seed, "link", from, to),
        }
    }

    /// Draws from the stream of another seed from now on.
    pub(crate) fn reseed(&mut self, seed: Seed) {
        self.chance = stream(seed, "link", self.from, self.to);
        self.state = None;
    }

    /// The words of the next message.
    #[inline]
    pub(crate) fn words(&mut self) -> Words {
        Words {
            loss: self.chance.next_u32(),
            duplication: self.chance.next_u32(),
            latency: self.chance.next_u32(),
            reorder: self.chance.next_u32(),
            noise_delay: self.chance.next_u32(),
            copy_latency: self.chance.next_u32(),
        }
    }

    /// How many words the messages before the last one took.
    #[inline]
    pub(crate) fn words_before(&self) -> u128 {
        self.chance.position() - WORDS_PER_MESSAGE
    }

    /// What disturbs it, besides what disturbs every link, and what it remembers of that.
    pub(crate) fn trouble(&mut self, seed: Seed) -> (&Windows<Disturbance>, &mut LinkState) {
        let (from, to) = (self.from, self.to);
        let state = self.state.get_or_insert_with(|| Box::new(LinkState::new(seed, from, to)));
        (&self.disturbances, state)
    }

    /// Ends a disturbance.
    pub(crate) fn calm(&mut self, fault: FaultIndex) {
        self.disturbances.end(fault);
        if let Some(state) = &mut self.state {
            state.forget(fault);
        }
    }

    /// Whether it is cut, or something disturbs it alone.
    #[inline]
    pub(crate) fn is_troubled(&self) -> bool {
        !self.cuts.is_empty() || !self.disturbances.is_empty()
    }

    /// What is in flight on it never arrives; `number` is that of the cut, which is over at once.
    pub(crate) fn reset(&mut self, fault: FaultIndex, number: CutNumber) {
        assert!(number > self.last_cut, "cuts begin in order");
        self.last_cut = number;
        self.last_cut_by = fault;
    }

    /// Cuts it; `number` is that of the cut.
    pub(crate) fn cut(&mut self, fault: FaultIndex, number: CutNumber) {
        assert!(number > self.last_cut || self.cut_now() == Some(fault), "cuts begin in order");
        self.last_cut = number;
        self.last_cut_by = fault;
        self.cuts.begin(fault, ());
    }

    /// Ends that cut; others may go on.
    pub(crate) fn mend(&mut self, fault: FaultIndex) {
        self.cuts.end(fault);
    }

    /// The cut that stops messages now, if any.
    pub(crate) fn cut_now(&self) -> Option<FaultIndex> {
        self.cuts.last().map(|(fault, ())| fault)
    }

    /// The cut that a message met in flight, if any, by how many cuts had begun when it was sent.
    pub(crate) fn cut_since(&self, sent: CutNumber) -> Option<FaultIndex> {
        (self.last_cut > sent).then_some(self.last_cut_by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(from: u32, to: u32) -> Vec<Words> {
        let mut link = Link::new(Seed(5), NodeId(from), NodeId(to));
        (0..40).map(|_| link.words()).collect()
    }

    #[test]
    fn each_direction_of_each_pair_has_fates_of_its_own() {
        let fates = [check(0, 1), check(1, 0), check(0, 2), check(1, 2)];
        for (index, fate) in fates.iter().enumerate() {
            assert!(!fates[..index].contains(fate), "{index}");
        }
        assert_eq!(check(0, 1), check(0, 1));
    }

    #[test]
    fn the_fate_of_a_message_is_at_a_fixed_place_of_its_stream() {
        let mut chance = Seed(5).stream("link", 1);
        let words: Vec<u32> = (0..40 * WORDS_PER_MESSAGE).map(|_| chance.next_u32()).collect();
        for (index, fate) in check(0, 1).into_iter().enumerate() {
            assert_eq!(fate.loss, words[index * WORDS_PER_MESSAGE as usize], "message {index}");
        }
    }

    #[test]
    fn a_link_is_open_again_when_the_last_of_its_cuts_ends() {
        let mut link = Link::new(Seed(5), NodeId(0), NodeId(1));
        link.cut(FaultIndex(3), CutNumber(8));
        link.cut(FaultIndex(4), CutNumber(9));
        link.mend(FaultIndex(4));
        assert_eq!(link.cut_now(), Some(FaultIndex(3)));
        link.mend(FaultIndex(3));
        assert_eq!(link.cut_now(), None);
        assert_eq!(
            link.cut_since(CutNumber(7)),
            Some(FaultIndex(4)),
            "the message was in flight all the while"
        );
        assert_eq!(link.cut_since(CutNumber(9)), None, "it was sent after both had begun");
    }
}
