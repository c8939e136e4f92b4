//! Who reaches whom, and what becomes of a message.
//!
//! ```text
//!   send ──► words of the link ──► loss? cut? ──► latency (+ reordering) ──► in flight ──► cut meanwhile? ──► arrives
//!                                        └ disturbances? (disturbance.rs) ──┘
//! ```
//!
//! A link is made when it is first used; which ones exist changes no fate.

use crate::chance::Seed;
use crate::disturbance::{Disturbance, PROFILE, Parcel, Passage, Thresholds, part};
use crate::ledger::Ledger;
use crate::link::{CutNumber, Link, Words};
use crate::network_profile::{Latency, NetworkProfile};
use crate::node::NodeId;
use crate::time::Span;
use crate::windows::{FaultIndex, Windows};

/// A link's place among those that were used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LinkIndex(u32);

const UNUSED: u32 = u32::MAX;

/// What becomes of a message that is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It never arrives.
    Lost(LossCause),
    /// It arrives, unless its link is cut meanwhile.
    Travels {
        /// How long it takes.
        after: Span,
        /// How long its double takes, if it has one.
        copy_after: Option<Span>,
    },
}

/// Why a message was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LossCause {
    /// The network's own loss.
    Chance,
    /// Noise, or a burst.
    Noise,
    /// It was damaged, and framing dropped it.
    Corruption,
    /// The queue before its link was full.
    Congestion,
    /// A cut, on sending or in flight.
    Cut,
    /// Its receiver is down.
    Down,
    /// Its receiver's inbox is full.
    Inbox,
}

/// All links.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    seed: Seed,
    node_count: usize,
    latency: Latency,
    /// Words below these are hits; each in `0..=2^32`.
    loss_below: u64,
    duplication_below: u64,
    reorder_below: u64,
    reorder_delay_max: Span,
    /// Places in `links`, or [`UNUSED`]. Shape: `node_count x node_count`, row = sender, column = receiver.
    table: Vec<u32>,
    links: Vec<Link>,
    /// What disturbs every link, the profile's own disturbances first.
    disturbances: Windows<Disturbance>,
    cuts_begun: CutNumber,
    /// How many cuts and disturbances are under way: without any, a message need not look for them on its link.
    trouble_count: u32,
}

impl Network {
    /// A network without faults.
    pub(crate) fn new(seed: Seed, node_count: usize, profile: &NetworkProfile) -> Self {
        let mut disturbances = Windows::default();
        for disturbance in profile.disturbances() {
            disturbances.begin(PROFILE, disturbance);
        }
        Self {
            seed,
            node_count,
            latency: Latency::new(&profile.latency),
            loss_below: profile.loss.threshold(),
            duplication_below: profile.duplication.threshold(),
            reorder_below: profile.reorder.threshold(),
            reorder_delay_max: profile.reorder_delay_max,
            table: vec![UNUSED; node_count * node_count],
            links: Vec::new(),
            // The profile's own are never over, so that this never falls to zero if there are any.
            trouble_count: u32::from(!disturbances.is_empty()),
            disturbances,
            cuts_begun: CutNumber::default(),
        }
    }

    /// The link from one node to another.
    #[inline]
    pub(crate) fn link(&mut self, from: NodeId, to: NodeId) -> LinkIndex {
        assert!(to.index() < self.node_count, "{from} sends to {to}, which does not exist");
        let place = from.index() * self.node_count + to.index();
        match self.table[place] {
            UNUSED => self.make_link(from, to, place),
            index => LinkIndex(index),
        }
    }

    /// Whether a fault of links is under way on that one, or the profile itself disturbs.
    #[inline]
    pub(crate) fn is_troubled(&self, index: LinkIndex) -> bool {
        self.trouble_count > 0
            && (!self.disturbances.is_empty() || self.links[index.0 as usize].is_troubled())
    }

    /// What becomes of the next message on that link, while nothing is under way on it.
    #[inline]
    pub(crate) fn fate(&mut self, index: LinkIndex) -> Fate {
        let words = self.links[index.0 as usize].words();
        if u64::from(words.loss) < self.loss_below {
            return Fate::Lost(LossCause::Chance);
        }
        self.travels(words, Span::ZERO, u64::from(words.duplication) < self.duplication_below)
    }

    /// What becomes of the next message on that link. Faults that change it are told to the ledger.
    #[inline(never)]
    pub(crate) fn troubled_fate(&mut self, index: LinkIndex, parcel: Parcel, ledger: &mut Ledger) -> Fate {
        let link = &mut self.links[index.0 as usize];
        let words = link.words();
        if u64::from(words.loss) < self.loss_below {
            return Fate::Lost(LossCause::Chance);
        }
        if let Some(fault) = link.cut_now() {
            ledger.affect(fault, 1);
            return Fate::Lost(LossCause::Cut);
        }
        if !self.disturbances.is_empty() || !link.disturbances.is_empty() {
            return self.disturbed_fate(index, words, parcel, ledger);
        }
        self.travels(words, Span::ZERO, u64::from(words.duplication) < self.duplication_below)
    }

    /// What a message takes along, for [`Network::cut_since`].
    #[inline]
    pub(crate) const fn cuts_begun(&self) -> CutNumber {
        self.cuts_begun
    }

    /// The cut that a message met in flight, if any, by how many cuts had begun when it was sent.
    #[inline]
    pub(crate) fn cut_since(&self, index: LinkIndex, sent: CutNumber) -> Option<FaultIndex> {
        if sent == self.cuts_begun {
            return None;
        }
        self.links[index.0 as usize].cut_since(sent)
    }

    /// Begins a cut.
    pub(crate) fn cut(&mut self, fault: FaultIndex, pairs: &[(NodeId, NodeId)]) {
        self.trouble_count += 1;
        self.cuts_begun.0 += 1;
        let number = self.cuts_begun;
        self.each_link(pairs, |link| link.cut(fault, number));
    }

    /// Ends a cut.
    pub(crate) fn mend(&mut self, fault: FaultIndex, pairs: &[(NodeId, NodeId)]) {
        self.trouble_count -= 1;
        self.each_link(pairs, |link| link.mend(fault));
    }

    /// Loses what is in flight on a link at this instant, and no more.
    pub(crate) fn reset(&mut self, fault: FaultIndex, pair: (NodeId, NodeId)) {
        self.cuts_begun.0 += 1;
        let number = self.cuts_begun;
        self.each_link(&[pair], |link| link.reset(fault, number));
    }

    /// Begins a disturbance, on every link if no pair is given.
    pub(crate) fn disturb(
        &mut self,
        fault: FaultIndex,
        pairs: &[(NodeId, NodeId)],
        disturbance: Disturbance,
    ) {
        self.trouble_count += 1;
        if pairs.is_empty() {
            self.disturbances.begin(fault, disturbance);
        }
        self.each_link(pairs, |link| link.disturbances.begin(fault, disturbance));
    }

    /// Ends a disturbance.
    pub(crate) fn calm(&mut self, fault: FaultIndex, pairs: &[(NodeId, NodeId)]) {
        self.trouble_count -= 1;
        if self.disturbances.end(fault) {
            for link in &mut self.links {
                link.calm(fault);
            }
        }
        self.each_link(pairs, |link| link.calm(fault));
    }

    /// Lets every link draw from the streams of another seed.
    pub(crate) fn reseed(&mut self, seed: Seed) {
        self.seed = seed;
        for link in &mut self.links {
            link.reseed(seed);
        }
    }

    fn each_link(&mut self, pairs: &[(NodeId, NodeId)], mut change: impl FnMut(&mut Link)) {
        for &(from, to) in pairs {
            let index = self.link(from, to);
            change(&mut self.links[index.0 as usize]);
        }
    }

    #[cold]
    fn make_link(&mut self, from: NodeId, to: NodeId, place: usize) -> LinkIndex {
        let index = u32::try_from(self.links.len()).expect("there are fewer links than 2^32");
        self.links.push(Link::new(self.seed, from, to));
        self.table[place] = index;
        LinkIndex(index)
    }

    fn disturbed_fate(
        &mut self,
        index: LinkIndex,
        words: Words,
        parcel: Parcel,
        ledger: &mut Ledger,
    ) -> Fate {
        let below = Thresholds {
            loss: self.loss_below,
            duplication: self.duplication_below,
            reorder: self.reorder_below,
            ..Thresholds::default()
        };
        let link = &mut self.links[index.0 as usize];
        let words_before = link.words_before();
        let (own, state) = link.trouble(self.seed);
        let mut passage = Passage::new((words_before, words), parcel, below, state, ledger);
        for (fault, disturbance) in self.disturbances.iter().chain(own.iter()) {
            if let Some(cause) = passage.meet(fault, disturbance) {
                return Fate::Lost(cause);
            }
        }
        if let Some(cause) = passage.queue() {
            return Fate::Lost(cause);
        }
        let (delay, has_copy) = (passage.delay, passage.has_copy);
        self.travels(words, delay, has_copy)
    }

    #[inline]
    fn travels(&self, words: Words, delay: Span, has_copy: bool) -> Fate {
        let mut after = self.latency.draw(words.latency) + delay;
        if u64::from(words.reorder) < self.reorder_below {
            // Among the words that hit, the place below the threshold is even: it says how late.
            after = after + part(self.reorder_delay_max, words.reorder, self.reorder_below);
        }
        let copy_after = has_copy.then(|| self.latency.draw(words.copy_latency) + delay);
        Fate::Travels { after, copy_after }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Ratio;
    use crate::fault::Family;
    use crate::time::TrueTime;

    const FAULT: FaultIndex = FaultIndex(0);

    fn network(profile: &NetworkProfile) -> Network {
        Network::new(Seed(9), 3, profile)
    }

    fn ledger() -> Ledger {
        let mut ledger = Ledger::new([Family::Noise].into_iter());
        ledger.fire(FAULT);
        ledger
    }

    fn fate(network: &mut Network, link: LinkIndex, ledger: &mut Ledger) -> Fate {
        if network.is_troubled(link) {
            network.troubled_fate(link, Parcel { now: TrueTime::ZERO, bytes: 1 }, ledger)
        } else {
            network.fate(link)
        }
    }

    /// The fates of 10,000 messages from node 0 to node 1.
    fn check(network: &mut Network, ledger: &mut Ledger) -> Vec<Fate> {
        let link = network.link(NodeId(0), NodeId(1));
        (0..10_000).map(|_| fate(network, link, ledger)).collect()
    }

    fn noisy() -> NetworkProfile {
        NetworkProfile {
            loss: Ratio::new(1, 10),
            duplication: Ratio::new(1, 5),
            reorder: Ratio::new(1, 4),
            reorder_delay_max: Span::from_ms(8),
            ..NetworkProfile::perfect(Span::from_ms(1))
        }
    }

    #[track_caller]
    fn assert_share(fates: &[Fate], permille: u64, is_hit: impl Fn(&Fate) -> bool) {
        let found = fates.iter().filter(|fate| is_hit(fate)).count() as u64 * 1_000 / fates.len() as u64;
        assert!(found.abs_diff(permille) <= 15, "{found} of 1000, not {permille}");
    }

    const fn is_lost(fate: &Fate) -> bool {
        matches!(fate, Fate::Lost(_))
    }

    const fn is_doubled(fate: &Fate) -> bool {
        matches!(fate, Fate::Travels { copy_after: Some(_), .. })
    }

    #[test]
    fn loss_duplication_and_reordering_happen_as_often_as_the_profile_says() {
        let fates = check(&mut network(&noisy()), &mut ledger());
        assert_share(&fates, 100, is_lost);
        assert_share(&fates, 180, is_doubled);
        assert_share(
            &fates,
            225,
            |fate| matches!(fate, Fate::Travels { after, .. } if *after > Span::from_ms(1)),
        );
        let latest = fates.iter().map(|fate| match fate {
            Fate::Travels { after, .. } => *after,
            Fate::Lost(_) => Span::ZERO,
        });
        let latest = latest.max().unwrap();
        assert!((Span::from_us(8_900)..Span::from_ms(9)).contains(&latest), "{latest}");
    }

    #[test]
    fn noise_adds_to_the_profile_and_counts_what_it_did() {
        let (mut network, mut ledger) = (network(&noisy()), ledger());
        let noise = Disturbance::Noise {
            loss: Ratio::new(1, 2).threshold(),
            duplication: Ratio::new(1, 4).threshold(),
            delay_max: Span::from_ms(50),
        };
        network.disturb(FAULT, &[], noise);
        let fates = check(&mut network, &mut ledger);
        assert_share(&fates, 550, is_lost);
        assert_share(&fates, 180, is_doubled);
        let affected = ledger.lines()[0].affected;
        assert!(affected >= 9_000, "{affected}: lost 4500, delayed 4500, doubled some");
        network.disturb(FaultIndex(1), &[(NodeId(1), NodeId(0))], noise);
        network.calm(FAULT, &[]);
        assert_share(&check(&mut network, &mut ledger), 100, is_lost);
        assert_eq!(ledger.lines()[0].affected, affected);
    }

    #[test]
    fn noise_on_one_link_leaves_the_others_alone() {
        let noise =
            Disturbance::Noise { loss: Ratio::ALWAYS.threshold(), duplication: 0, delay_max: Span::ZERO };
        let mut network = network(&NetworkProfile::perfect(Span::from_ms(1)));
        network.disturb(FAULT, &[(NodeId(1), NodeId(0))], noise);
        assert_share(&check(&mut network, &mut ledger()), 0, is_lost);
        let back = network.link(NodeId(1), NodeId(0));
        assert_eq!(fate(&mut network, back, &mut ledger()), Fate::Lost(LossCause::Noise));
    }

    #[test]
    fn a_fault_that_ends_leaves_the_later_fates_as_they_were() {
        let undisturbed = check(&mut network(&noisy()), &mut ledger());
        let (mut network, mut ledger) = (network(&noisy()), ledger());
        let link = network.link(NodeId(0), NodeId(1));
        network.cut(FAULT, &[(NodeId(0), NodeId(1))]);
        for _ in 0..500 {
            assert!(is_lost(&fate(&mut network, link, &mut ledger)));
        }
        network.mend(FAULT, &[(NodeId(0), NodeId(1))]);
        let other = network.link(NodeId(2), NodeId(1));
        for want in &undisturbed[500..] {
            fate(&mut network, other, &mut ledger);
            assert_eq!(fate(&mut network, link, &mut ledger), *want);
        }
    }
}
