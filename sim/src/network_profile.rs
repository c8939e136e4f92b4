//! How good a network is: latency, loss, duplication, reordering and bandwidth of every link.
//!
//! Sources: `cross-az`: AWS measurements of round trips, 0.25-3.37 ms with an average of 0.82 ms and spikes of 12.3 ms.
//! `lan` and `wan` are orders of magnitude: one rack, and one ocean.

use serde::{Deserialize, Serialize};

use crate::chance::Ratio;
use crate::disturbance::{Disturbance, part};
use crate::limits::{BYTES_PER_S_MAX, LATENCY_MAX, QUEUE_BYTES_MAX, SPAN_MAX};
use crate::profile::{Profile, serde_profile};
use crate::time::Span;

/// How long a message travels.
///
/// `min + (typical - min) * x`, at most `tail`, where `x` is 1 in the median and its density halves with every whole
/// step: an exponential distribution drawn as a staircase, in integers. With `tail = typical = min` it is constant.
/// The slowest messages, a share of `spike`, take from `tail` to `spike_max` instead, evenly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatencyProfile {
    /// No message is faster.
    #[serde(rename = "min_ns")]
    pub min: Span,
    /// Half of the messages are faster.
    #[serde(rename = "typical_ns")]
    pub typical: Span,
    /// No message is slower, unless it is a spike, reordered, or delayed by a fault.
    #[serde(rename = "tail_ns")]
    pub tail: Span,
    /// Chance of each message to be a spike.
    #[serde(default = "never", skip_serializing_if = "is_never")]
    pub spike: Ratio,
    /// No spike is slower.
    #[serde(rename = "spike_max_ns", default, skip_serializing_if = "is_zero")]
    pub spike_max: Span,
}

const fn never() -> Ratio {
    Ratio::NEVER
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_never(chance: &Ratio) -> bool {
    chance.numerator() == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_zero(span: &Span) -> bool {
    span.as_ns() == 0
}

impl LatencyProfile {
    /// Every message takes the same time.
    #[must_use]
    pub const fn constant(latency: Span) -> Self {
        Self::without_spikes(latency, latency, latency)
    }

    const fn without_spikes(min: Span, typical: Span, tail: Span) -> Self {
        Self { min, typical, tail, spike: Ratio::NEVER, spike_max: Span::ZERO }
    }
}

/// A latency profile, ready to draw from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Latency {
    min: Span,
    typical_jitter: Span,
    jitter_max: Span,
    /// Words below it are spikes: the smaller the word, the slower the message.
    spike_below: u64,
    tail: Span,
    spike_jitter_max: Span,
}

impl Latency {
    /// A sound profile, made ready.
    pub(crate) fn new(profile: &LatencyProfile) -> Self {
        Self {
            min: profile.min,
            typical_jitter: profile.typical.saturating_sub(profile.min),
            jitter_max: profile.tail.saturating_sub(profile.min),
            spike_below: profile.spike.threshold(),
            tail: profile.tail,
            spike_jitter_max: profile.spike_max.saturating_sub(profile.tail),
        }
    }

    /// The latency that one word of chance stands for.
    ///
    /// With `z` leading zeros and the mantissa `m` in `[1, 2)` of the word, `x = z + 2 - m`, which is `-log2` of the
    /// word as a fraction with a straight line between powers of two.
    #[must_use]
    #[inline]
    pub(crate) fn draw(&self, word: u32) -> Span {
        if u64::from(word) < self.spike_below {
            return self.tail + part(self.spike_jitter_max, word, self.spike_below);
        }
        let zeros = word.leading_zeros().min(31);
        let fraction = (word << zeros) & 0x7fff_ffff;
        let x = (u64::from(zeros) << 31) + (1 << 31) - u64::from(fraction);
        let scaled = (u128::from(self.typical_jitter.as_ns()) * u128::from(x)) >> 31;
        let jitter = Span::from_ns(u64::try_from(scaled).expect("32 times an hour fits"));
        self.min + jitter.min(self.jitter_max)
    }
}

/// Losses in bursts: each link is in a good state or a bad one, and loses messages only in the bad one.
///
/// It may change its state with each message, before that message. In the long run a share of `enter / (enter + leave)`
/// of the messages meets the bad state, and a stay there is `1 / leave` messages long on average.
/// Source: E. N. Gilbert, "Capacity of a burst-noise channel", Bell System Technical Journal 39 (1960).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BurstProfile {
    /// Chance to fall from the good state into the bad one.
    pub enter: Ratio,
    /// Chance to come back.
    pub leave: Ratio,
    /// Chance of a message to be lost in the bad state.
    pub loss: Ratio,
}

/// What a link carries, and how much may wait before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bandwidth {
    /// How much it carries. Bounds: 1 to [`BYTES_PER_S_MAX`].
    pub bytes_per_s: u64,
    /// A message that finds more than that before it is dropped. Bounds: at most [`QUEUE_BYTES_MAX`], and no more than
    /// the link carries in [`SPAN_MAX`].
    pub queue_bytes: u64,
}

impl Bandwidth {
    /// How long the link needs for so many bytes, rounded up.
    pub(crate) fn time_of(self, bytes: u64) -> Span {
        let ns = match bytes.checked_mul(1_000_000_000) {
            Some(product) => product.div_ceil(self.bytes_per_s),
            None => {
                let ns = (u128::from(bytes) * 1_000_000_000).div_ceil(u128::from(self.bytes_per_s));
                u64::try_from(ns).unwrap_or(u64::MAX)
            }
        };
        Span::from_ns(ns)
    }

    /// Whether the figures are in range.
    pub(crate) fn is_sound(self) -> bool {
        (1..=BYTES_PER_S_MAX).contains(&self.bytes_per_s)
            && self.queue_bytes <= QUEUE_BYTES_MAX
            && self.time_of(self.queue_bytes) <= SPAN_MAX
    }
}

/// The figures of every link; in files a name (`lan`, `cross-az`, `wan`) or a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct NetworkProfile {
    /// How long a message travels.
    pub latency: LatencyProfile,
    /// Chance of each message to be lost.
    pub loss: Ratio,
    /// Chance of each message to arrive twice, with a latency of its own each time.
    pub duplication: Ratio,
    /// Chance of each message to be late by up to `reorder_delay_max`, evenly.
    pub reorder: Ratio,
    /// How late at most.
    #[serde(rename = "reorder_delay_max_ns")]
    pub reorder_delay_max: Span,
    /// Losses in bursts, besides `loss`; none if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst: Option<BurstProfile>,
    /// Chance of each message to be damaged; framing drops it.
    #[serde(default = "never", skip_serializing_if = "is_never")]
    pub corruption: Ratio,
    /// What each link carries; without an end if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bandwidth: Option<Bandwidth>,
}

serde_profile!(NetworkProfile);

/// Which figure of a network profile is out of range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkProfileError {
    /// The latencies are not in order.
    #[error("latencies must be in order: min {min}, typical {typical}, tail {tail}")]
    LatencyOrder {
        /// The smallest.
        min: Span,
        /// The median.
        typical: Span,
        /// The largest.
        tail: Span,
    },
    /// The largest latency.
    #[error("a latency of {tail} is longer than {LATENCY_MAX}")]
    Latency {
        /// What was given.
        tail: Span,
    },
    /// The largest delay.
    #[error("a delay of {delay} is longer than {SPAN_MAX}")]
    Delay {
        /// What was given.
        delay: Span,
    },
    /// Spikes that are no spikes.
    #[error("a spike of {spike_max} is not longer than the tail {tail}")]
    Spike {
        /// The largest spike.
        spike_max: Span,
        /// The largest latency besides.
        tail: Span,
    },
    /// What a link carries.
    #[error(
        "{bytes_per_s} bytes a second with {queue_bytes} bytes waiting: expected 1 to {BYTES_PER_S_MAX}, and at most \
         {QUEUE_BYTES_MAX} waiting for no longer than {SPAN_MAX}"
    )]
    Bandwidth {
        /// How much it carries.
        bytes_per_s: u64,
        /// How much may wait.
        queue_bytes: u64,
    },
}

impl NetworkProfile {
    /// A network that loses, doubles and reorders nothing; every message takes `latency`.
    #[must_use]
    pub const fn perfect(latency: Span) -> Self {
        Self::of(LatencyProfile::constant(latency))
    }

    /// A network in which nothing happens but time.
    const fn of(latency: LatencyProfile) -> Self {
        Self {
            latency,
            loss: Ratio::NEVER,
            duplication: Ratio::NEVER,
            reorder: Ratio::NEVER,
            reorder_delay_max: Span::ZERO,
            burst: None,
            corruption: Ratio::NEVER,
            bandwidth: None,
        }
    }

    /// One rack.
    #[must_use]
    pub const fn lan() -> Self {
        let latency = LatencyProfile::without_spikes(Span::from_us(50), Span::from_us(100), Span::from_ms(1));
        Self {
            loss: Ratio::new(1, 100_000),
            duplication: Ratio::new(1, 100_000),
            reorder: Ratio::new(1, 1_000),
            reorder_delay_max: Span::from_ms(1),
            ..Self::of(latency)
        }
    }

    /// Data centres of one region. Of the round trips, the fastest takes 0.25 ms, all but one in a thousand at most
    /// 3.37 ms, and the average is 0.82 ms; a spike takes up to 12.3 ms.
    #[must_use]
    pub const fn cross_az() -> Self {
        let latency = LatencyProfile {
            min: Span::from_us(125),
            typical: Span::from_us(311),
            tail: Span::from_us(1_685),
            spike: Ratio::new(1, 2_000),
            spike_max: Span::from_us(10_600),
        };
        Self {
            loss: Ratio::new(1, 10_000),
            duplication: Ratio::new(1, 10_000),
            reorder: Ratio::new(1, 200),
            reorder_delay_max: Span::from_ms(1),
            ..Self::of(latency)
        }
    }

    /// Two continents.
    #[must_use]
    pub const fn wan() -> Self {
        let latency =
            LatencyProfile::without_spikes(Span::from_ms(40), Span::from_ms(50), Span::from_ms(400));
        Self {
            loss: Ratio::new(1, 500),
            duplication: Ratio::new(1, 1_000),
            reorder: Ratio::new(1, 100),
            reorder_delay_max: Span::from_ms(100),
            ..Self::of(latency)
        }
    }

    /// No message takes longer on a link that is not saturated, unless a fault delays it.
    #[must_use]
    pub fn delay_max(&self) -> Span {
        let LatencyProfile { tail, spike, spike_max, .. } = self.latency;
        let slowest = if spike == Ratio::NEVER { tail } else { tail.max(spike_max) };
        if self.reorder == Ratio::NEVER { slowest } else { slowest + self.reorder_delay_max }
    }

    /// Whether every figure is in range.
    ///
    /// # Errors
    /// Names the first that is not.
    pub fn validate(&self) -> Result<(), NetworkProfileError> {
        let LatencyProfile { min, typical, tail, spike, spike_max } = self.latency;
        if min > typical || typical > tail {
            return Err(NetworkProfileError::LatencyOrder { min, typical, tail });
        }
        let slowest = tail.max(spike_max);
        if slowest > LATENCY_MAX {
            return Err(NetworkProfileError::Latency { tail: slowest });
        }
        if spike != Ratio::NEVER && spike_max <= tail {
            return Err(NetworkProfileError::Spike { spike_max, tail });
        }
        if let Some(bandwidth) = self.bandwidth
            && !bandwidth.is_sound()
        {
            let Bandwidth { bytes_per_s, queue_bytes } = bandwidth;
            return Err(NetworkProfileError::Bandwidth { bytes_per_s, queue_bytes });
        }
        if self.reorder_delay_max > SPAN_MAX {
            return Err(NetworkProfileError::Delay { delay: self.reorder_delay_max });
        }
        Ok(())
    }

    /// What every link suffers all the time, as faults would do it.
    pub(crate) fn disturbances(&self) -> impl Iterator<Item = Disturbance> + use<> {
        let burst = self.burst.map(Disturbance::burst);
        let corruption = self.corruption.threshold();
        let corruption = (corruption > 0).then_some(Disturbance::Corruption(corruption));
        let throttle = self.bandwidth.map(Disturbance::Throttle);
        [burst, corruption, throttle].into_iter().flatten()
    }
}

impl Profile for NetworkProfile {
    const NAMES: &'static [&'static str] = &["lan", "cross-az", "wan"];

    fn named(name: &str) -> Option<Self> {
        match name {
            "lan" => Some(Self::lan()),
            "cross-az" => Some(Self::cross_az()),
            "wan" => Some(Self::wan()),
            _ => None,
        }
    }

    fn from_table<'de, D: serde::Deserializer<'de>>(table: D) -> Result<Self, D::Error> {
        Self::deserialize(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Seed;

    const ECHO: LatencyProfile =
        LatencyProfile::without_spikes(Span::from_ms(1), Span::from_ms(4), Span::from_ms(10));

    #[track_caller]
    fn check(word: u32, want: Span) {
        assert_eq!(Latency::new(&ECHO).draw(word), want, "{word:#x}");
    }

    #[test]
    fn latency_falls_from_the_tail_to_the_smallest_as_the_word_grows() {
        check(0, Span::from_ms(10));
        check(1, Span::from_ms(10));
        check(1 << 29, Span::from_ms(10));
        check(1 << 30, Span::from_ms(7));
        check(1 << 31, Span::from_ms(4));
        check(3 << 30, Span::from_us(2_500));
        check(u32::MAX, Span::from_ns(1_000_001 - 1));
    }

    #[test]
    fn the_slowest_messages_are_spikes_and_the_others_as_they_were() {
        let spiky = LatencyProfile { spike: Ratio::new(1, 4), spike_max: Span::from_ms(30), ..ECHO };
        let draw = |word| Latency::new(&spiky).draw(word);
        assert_eq!(draw(0), Span::from_ms(10));
        assert_eq!(draw(1 << 29), Span::from_ms(20));
        assert_eq!(draw((1 << 30) - 1), Span::from_ns(29_999_999));
        for word in [1 << 30, 1 << 31, u32::MAX] {
            assert_eq!(draw(word), Latency::new(&ECHO).draw(word));
        }
    }

    #[test]
    fn half_of_the_messages_are_faster_than_typical() {
        for seed in Seed::range(0..10) {
            let mut chance = seed.stream("latency", 0);
            let latency = Latency::new(&ECHO);
            let faster = (0..10_000).filter(|_| latency.draw(chance.next_u32()) < ECHO.typical).count();
            assert!((4_700..5_300).contains(&faster), "seed {seed}: {faster} of 10000");
        }
    }

    #[test]
    fn no_message_takes_longer_than_the_largest_delay() {
        let mut profile = NetworkProfile::cross_az();
        assert_eq!(profile.delay_max(), Span::from_us(10_600) + Span::from_ms(1));
        profile.reorder = Ratio::NEVER;
        assert_eq!(profile.delay_max(), Span::from_us(10_600));
        profile.latency.spike = Ratio::NEVER;
        assert_eq!(profile.delay_max(), profile.latency.tail);
        assert_eq!(NetworkProfile::wan().delay_max(), Span::from_ms(500));
        assert_eq!(NetworkProfile::perfect(Span::from_ms(7)).delay_max(), Span::from_ms(7));
    }

    #[test]
    fn every_name_reads_as_a_valid_profile_and_writes_as_its_table() {
        for name in NetworkProfile::NAMES {
            let profile: NetworkProfile = serde_json::from_str(&format!("{name:?}")).unwrap();
            assert_eq!(profile.validate(), Ok(()), "{name}");
            let table = serde_json::to_string(&profile).unwrap();
            assert_eq!(serde_json::from_str::<NetworkProfile>(&table).unwrap(), profile);
        }
        assert!(serde_json::from_str::<NetworkProfile>(r#""pigeon""#).is_err());
        let burst = BurstProfile { enter: Ratio::new(1, 9), leave: Ratio::new(1, 2), loss: Ratio::ALWAYS };
        let bandwidth = Some(Bandwidth { bytes_per_s: 7, queue_bytes: 8 });
        let all = NetworkProfile { burst: Some(burst), bandwidth, ..NetworkProfile::lan() };
        let table = serde_json::to_string(&all).unwrap();
        assert_eq!(serde_json::from_str::<NetworkProfile>(&table).unwrap(), all);
    }

    #[test]
    fn figures_out_of_range_are_named() {
        let with = |change: fn(&mut NetworkProfile)| {
            let mut profile = NetworkProfile::lan();
            change(&mut profile);
            profile.validate()
        };
        let late = Span::from_ns(u64::MAX);
        assert!(matches!(
            with(|p| p.latency.typical = Span::ZERO),
            Err(NetworkProfileError::LatencyOrder { .. })
        ));
        assert_eq!(
            with(|p| p.latency.tail = Span::from_ns(u64::MAX)),
            Err(NetworkProfileError::Latency { tail: late })
        );
        assert_eq!(
            with(|p| p.reorder_delay_max = Span::from_ns(u64::MAX)),
            Err(NetworkProfileError::Delay { delay: late })
        );
        let tail = NetworkProfile::lan().latency.tail;
        assert_eq!(
            with(|p| p.latency.spike = Ratio::ALWAYS),
            Err(NetworkProfileError::Spike { spike_max: Span::ZERO, tail })
        );
        assert_eq!(
            with(|p| p.latency.spike_max = Span::from_ns(u64::MAX)),
            Err(NetworkProfileError::Latency { tail: late })
        );
        assert_eq!(
            with(|p| p.bandwidth = Some(Bandwidth { bytes_per_s: 0, queue_bytes: 1 })),
            Err(NetworkProfileError::Bandwidth { bytes_per_s: 0, queue_bytes: 1 })
        );
        assert_eq!(
            with(|p| p.bandwidth = Some(Bandwidth { bytes_per_s: 1, queue_bytes: 1 << 40 })),
            Err(NetworkProfileError::Bandwidth { bytes_per_s: 1, queue_bytes: 1 << 40 })
        );
    }
}
