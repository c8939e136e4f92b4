//! What may be wrong with a link for a while, and what that does to one message.
//!
//! ```text
//!   noise ──► burst ──► corruption ──► reordering, slowness ──► queue of the narrowest throttle ──► travels
//!     └─────────┴────────────┴── lost                               └── too long: lost
//! ```
//!
//! In whichever order they began, each takes its share of what those before it left. A lost message takes no room in a
//! queue.

use crate::chance::{Seed, Stream};
use crate::fault::Fault;
use crate::ledger::Ledger;
use crate::limits::RUN_NS_MAX;
use crate::link::{WORDS_PER_MESSAGE, Words, stream};
use crate::network::LossCause;
use crate::network_profile::{Bandwidth, BurstProfile};
use crate::node::NodeId;
use crate::time::{Span, TrueTime};
use crate::windows::FaultIndex;

/// The network's own profile, where it disturbs as a fault does. It stands in no plan and in no ledger.
pub(crate) const PROFILE: FaultIndex = FaultIndex(u32::MAX);
/// A message that takes that long does not arrive in any run.
const DELAY_MAX: Span = Span::from_ns(RUN_NS_MAX);
/// Words of a link's second stream that each message has.
const MORE_WORDS_PER_MESSAGE: u128 = 3;
/// How many words of the first stream go with one of the second.
const WORDS_PER_MORE: u128 = WORDS_PER_MESSAGE / MORE_WORDS_PER_MESSAGE;
const _: () = assert!(WORDS_PER_MESSAGE == WORDS_PER_MORE * MORE_WORDS_PER_MESSAGE);

/// What can be wrong with a link. Chances are thresholds of words, see [`Ratio::threshold`](crate::chance::Ratio::threshold).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Disturbance {
    /// Messages are lost, doubled and late, each for itself.
    Noise { loss: u64, duplication: u64, delay_max: Span },
    /// Messages are lost in bursts.
    Burst { enter: u64, leave: u64, loss: u64 },
    /// Messages are damaged.
    Corruption(u64),
    /// Some messages are late.
    Reordering { chance: u64, delay_max: Span },
    /// All messages are late.
    Slowness(Span),
    /// Messages queue.
    Throttle(Bandwidth),
}

impl Disturbance {
    /// What a fault does to links, if it disturbs any.
    pub(crate) fn of(fault: &Fault) -> Option<Self> {
        Some(match *fault {
            Fault::Noise { loss, duplication, delay_max, .. } => {
                let (loss, duplication) = (loss.threshold(), duplication.threshold());
                Self::Noise { loss, duplication, delay_max }
            }
            Fault::Burst { enter, leave, loss, .. } => Self::burst(BurstProfile { enter, leave, loss }),
            Fault::Corruption { chance, .. } => Self::Corruption(chance.threshold()),
            Fault::Reordering { chance, delay_max, .. } => {
                Self::Reordering { chance: chance.threshold(), delay_max }
            }
            Fault::SlowLink { extra, .. } => Self::Slowness(extra),
            Fault::Throttle { bytes_per_s, queue_bytes, .. } => {
                Self::Throttle(Bandwidth { bytes_per_s, queue_bytes })
            }
            Fault::Crash { .. }
            | Fault::PowerLoss { .. }
            | Fault::Stop { .. }
            | Fault::Restart { .. }
            | Fault::Pause { .. }
            | Fault::PauseMidway { .. }
            | Fault::Slow { .. }
            | Fault::Cut { .. }
            | Fault::ClockStep { .. }
            | Fault::ClockDrift { .. }
            | Fault::ClockLie { .. }
            | Fault::ClockFreeze { .. }
            | Fault::ClockStrobe { .. }
            | Fault::ClockSyncLoss { .. }
            | Fault::DiskStall { .. }
            | Fault::DiskError { .. }
            | Fault::DiskLie { .. }
            | Fault::Reset { .. }
            | Fault::RestartAs { .. }
            | Fault::TornWrite { .. }
            | Fault::DiskSlow { .. }
            | Fault::DiskFull { .. }
            | Fault::BitRot { .. } => return None,
        })
    }

    /// Losses in bursts.
    pub(crate) const fn burst(burst: BurstProfile) -> Self {
        let BurstProfile { enter, leave, loss } = burst;
        Self::Burst { enter: enter.threshold(), leave: leave.threshold(), loss: loss.threshold() }
    }
}

/// What the network knows of a message besides its link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parcel {
    pub(crate) now: TrueTime,
    pub(crate) bytes: u32,
}

/// What a link remembers of its disturbances from one message to the next.
#[derive(Clone, Debug)]
pub(crate) struct LinkState {
    /// Three words for each message of the link, at a place of their own: those that nobody needed are skipped.
    chance: Stream,
    /// The bursts that are in their bad state here.
    bad: Vec<FaultIndex>,
    /// When the last message of the queue will be on its way.
    busy_until: TrueTime,
}

impl LinkState {
    /// The state of a link that nothing has disturbed yet.
    pub(crate) fn new(seed: Seed, from: NodeId, to: NodeId) -> Self {
        Self { chance: stream(seed, "trouble", from, to), bad: Vec::new(), busy_until: TrueTime::ZERO }
    }

    /// Forgets a burst that is over.
    pub(crate) fn forget(&mut self, fault: FaultIndex) {
        self.bad.retain(|&burst| burst != fault);
    }

    fn more_words(&mut self, words_before: u128) -> MoreWords {
        let place = words_before / WORDS_PER_MORE;
        // Going there costs a block of the cipher, and most messages follow one another.
        if self.chance.position() != place {
            self.chance.seek(place);
        }
        let mut next = || self.chance.next_u32();
        MoreWords { burst_change: next(), burst_loss: next(), corruption: next() }
    }
}

/// Further words of one message, each for one question only.
#[derive(Clone, Copy, Debug)]
struct MoreWords {
    burst_change: u32,
    burst_loss: u32,
    corruption: u32,
}

/// Words below these are hits; each in `0..=2^32`. They grow with every disturbance.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Thresholds {
    pub(crate) loss: u64,
    pub(crate) duplication: u64,
    pub(crate) reorder: u64,
    pub(crate) burst_loss: u64,
    pub(crate) corruption: u64,
}

/// One message on its way through the disturbances of its link.
pub(crate) struct Passage<'a> {
    pub(crate) parcel: Parcel,
    /// How many words of the link the messages before it took.
    pub(crate) words_before: u128,
    pub(crate) words: Words,
    pub(crate) below: Thresholds,
    pub(crate) state: &'a mut LinkState,
    pub(crate) ledger: &'a mut Ledger,
    pub(crate) has_copy: bool,
    pub(crate) delay: Span,
    more: Option<MoreWords>,
    narrowest: Option<(FaultIndex, Bandwidth)>,
}

impl<'a> Passage<'a> {
    /// A message that the network itself has let through.
    pub(crate) fn new(
        (words_before, words): (u128, Words),
        parcel: Parcel,
        below: Thresholds,
        state: &'a mut LinkState,
        ledger: &'a mut Ledger,
    ) -> Self {
        let has_copy = u64::from(words.duplication) < below.duplication;
        Self {
            parcel,
            words_before,
            words,
            below,
            state,
            ledger,
            has_copy,
            delay: Span::ZERO,
            more: None,
            narrowest: None,
        }
    }

    /// One disturbance does its part; the cause, if it takes the message.
    pub(crate) fn meet(&mut self, fault: FaultIndex, disturbance: Disturbance) -> Option<LossCause> {
        match disturbance {
            Disturbance::Noise { loss, duplication, delay_max } => {
                if self.is_lost_in_noise(fault, loss) {
                    return Some(LossCause::Noise);
                }
                self.double(fault, duplication);
                self.be_late(fault, part(delay_max, self.words.noise_delay, 1 << 32));
            }
            Disturbance::Burst { enter, leave, loss } => {
                let is_hit = self.meets_burst(fault, (enter, leave)) && self.is_lost_in_burst(fault, loss);
                return is_hit.then_some(LossCause::Noise);
            }
            Disturbance::Corruption(chance) => return self.meet_corruption(fault, chance),
            Disturbance::Reordering { chance, delay_max } => self.be_reordered(fault, chance, delay_max),
            Disturbance::Slowness(extra) => self.be_late(fault, extra),
            Disturbance::Throttle(bandwidth) => {
                let is_narrower =
                    self.narrowest.is_none_or(|(_, other)| bandwidth.bytes_per_s < other.bytes_per_s);
                if is_narrower {
                    self.narrowest = Some((fault, bandwidth));
                }
            }
        }
        None
    }

    /// Waits its turn, if the link is narrow; the cause, if the queue is too long. To be called last.
    pub(crate) fn queue(&mut self) -> Option<LossCause> {
        let (fault, bandwidth) = self.narrowest?;
        self.affect(fault, 1);
        let now = self.parcel.now;
        let begins_at = self.state.busy_until.max(now);
        if begins_at.since(now) > bandwidth.time_of(bandwidth.queue_bytes) {
            return Some(LossCause::Congestion);
        }
        let ends_at = begins_at + bandwidth.time_of(u64::from(self.parcel.bytes));
        self.state.busy_until = ends_at;
        self.delay = self.delay.saturating_add(ends_at.since(now)).min(DELAY_MAX);
        None
    }

    fn is_lost_in_noise(&mut self, fault: FaultIndex, loss: u64) -> bool {
        self.below.loss = raised(self.below.loss, loss);
        let is_lost = u64::from(self.words.loss) < self.below.loss;
        self.affect(fault, u64::from(is_lost));
        is_lost
    }

    fn double(&mut self, fault: FaultIndex, duplication: u64) {
        self.below.duplication = raised(self.below.duplication, duplication);
        let is_doubled = !self.has_copy && u64::from(self.words.duplication) < self.below.duplication;
        self.has_copy |= is_doubled;
        self.affect(fault, u64::from(is_doubled));
    }

    /// Whether the link is in the bad state of that burst for this message.
    fn meets_burst(&mut self, fault: FaultIndex, (enter, leave): (u64, u64)) -> bool {
        let word = u64::from(self.more_words().burst_change);
        match self.state.bad.iter().position(|&bad| bad == fault) {
            Some(place) if word < leave => {
                self.state.bad.swap_remove(place);
                false
            }
            Some(_) => true,
            None if word < enter => {
                self.state.bad.push(fault);
                true
            }
            None => false,
        }
    }

    fn is_lost_in_burst(&mut self, fault: FaultIndex, loss: u64) -> bool {
        self.below.burst_loss = raised(self.below.burst_loss, loss);
        let word = self.more_words().burst_loss;
        self.is_hit(fault, word, self.below.burst_loss)
    }

    fn meet_corruption(&mut self, fault: FaultIndex, chance: u64) -> Option<LossCause> {
        let more = self.more_words();
        self.below.corruption = raised(self.below.corruption, chance);
        self.is_hit(fault, more.corruption, self.below.corruption).then_some(LossCause::Corruption)
    }

    /// The words between the old threshold and the new are this fault's; the place between them says how late.
    fn be_reordered(&mut self, fault: FaultIndex, chance: u64, delay_max: Span) {
        let old = self.below.reorder;
        self.below.reorder = raised(old, chance);
        let word = u64::from(self.words.reorder);
        if (old..self.below.reorder).contains(&word) {
            let place = u32::try_from(word - old).expect("a word less something is a word");
            self.be_late(fault, part(delay_max, place, self.below.reorder - old));
        }
    }

    fn be_late(&mut self, fault: FaultIndex, extra: Span) {
        self.delay = self.delay.saturating_add(extra).min(DELAY_MAX);
        self.affect(fault, u64::from(extra > Span::ZERO));
    }

    fn is_hit(&mut self, fault: FaultIndex, word: u32, below: u64) -> bool {
        let is_hit = u64::from(word) < below;
        self.affect(fault, u64::from(is_hit));
        is_hit
    }

    fn more_words(&mut self) -> MoreWords {
        let words_before = self.words_before;
        *self.more.get_or_insert_with(|| self.state.more_words(words_before))
    }

    fn affect(&mut self, fault: FaultIndex, count: u64) {
        if fault != PROFILE {
            self.ledger.affect(fault, count);
        }
    }
}

/// A threshold with that of a further chance on what it left over; both in `0..=2^32`.
fn raised(below: u64, chance: u64) -> u64 {
    let left = (1 << 32) - below;
    // The product may be 2^64, if nothing was below and the chance is certain.
    below + ((u128::from(left) * u128::from(chance)) >> 32) as u64
}

/// `word / of` of the span, rounded down; `word` lies below `of`.
#[inline]
pub(crate) fn part(span: Span, word: u32, of: u64) -> Span {
    let part = u128::from(span.as_ns()) * u128::from(word) / u128::from(of);
    Span::from_ns(u64::try_from(part).expect("a part of a span is not longer than it"))
}
