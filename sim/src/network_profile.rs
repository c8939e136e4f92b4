//! How good a network is: latency, loss, duplication and reordering of every link.
//!
//! Sources: `cross-az`: AWS measurements of round trips, 0.25-3.37 ms with an average of 0.82 ms and spikes of 12.3 ms.
//! `lan` and `wan` are orders of magnitude: one rack, and one ocean.

use serde::{Deserialize, Serialize};

use crate::chance::Ratio;
use crate::limits::{LATENCY_MAX, SPAN_MAX};
use crate::profile::{Profile, serde_profile};
use crate::time::Span;

/// How long a message travels.
///
/// `min + (typical - min) * x`, at most `tail`, where `x` is 1 in the median and its density halves with every whole
/// step: an exponential distribution drawn as a staircase, in integers. With `tail = typical = min` it is constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatencyProfile {
    /// No message is faster.
    #[serde(rename = "min_ns")]
    pub min: Span,
    /// Half of the messages are faster.
    #[serde(rename = "typical_ns")]
    pub typical: Span,
    /// No message is slower, unless it is reordered or delayed by noise.
    #[serde(rename = "tail_ns")]
    pub tail: Span,
}

impl LatencyProfile {
    /// Every message takes the same time.
    #[must_use]
    pub const fn constant(latency: Span) -> Self {
        Self { min: latency, typical: latency, tail: latency }
    }

    /// The latency that one word of chance stands for.
    ///
    /// With `z` leading zeros and the mantissa `m` in `[1, 2)` of the word, `x = z + 2 - m`, which is `-log2` of the
    /// word as a fraction with a straight line between powers of two.
    #[must_use]
    pub(crate) fn draw(&self, word: u32) -> Span {
        let zeros = word.leading_zeros().min(31);
        let fraction = (word << zeros) & 0x7fff_ffff;
        let x = (u64::from(zeros) << 31) + (1 << 31) - u64::from(fraction);
        let scaled = (u128::from(self.typical.saturating_sub(self.min).as_ns()) * u128::from(x)) >> 31;
        let jitter = Span::from_ns(u64::try_from(scaled).expect("32 times an hour fits"));
        self.min + jitter.min(self.tail.saturating_sub(self.min))
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
}

impl NetworkProfile {
    /// A network that loses, doubles and reorders nothing; every message takes `latency`.
    #[must_use]
    pub const fn perfect(latency: Span) -> Self {
        Self {
            latency: LatencyProfile::constant(latency),
            loss: Ratio::NEVER,
            duplication: Ratio::NEVER,
            reorder: Ratio::NEVER,
            reorder_delay_max: Span::ZERO,
        }
    }

    /// One rack.
    #[must_use]
    pub const fn lan() -> Self {
        Self {
            latency: LatencyProfile {
                min: Span::from_us(50),
                typical: Span::from_us(100),
                tail: Span::from_ms(1),
            },
            loss: Ratio::new(1, 100_000),
            duplication: Ratio::new(1, 100_000),
            reorder: Ratio::new(1, 1_000),
            reorder_delay_max: Span::from_ms(1),
        }
    }

    /// Data centres of one region.
    #[must_use]
    pub const fn cross_az() -> Self {
        Self {
            latency: LatencyProfile {
                min: Span::from_us(125),
                typical: Span::from_us(350),
                tail: Span::from_us(6_150),
            },
            loss: Ratio::new(1, 10_000),
            duplication: Ratio::new(1, 10_000),
            reorder: Ratio::new(1, 200),
            reorder_delay_max: Span::from_ms(5),
        }
    }

    /// Two continents.
    #[must_use]
    pub const fn wan() -> Self {
        Self {
            latency: LatencyProfile {
                min: Span::from_ms(40),
                typical: Span::from_ms(50),
                tail: Span::from_ms(400),
            },
            loss: Ratio::new(1, 500),
            duplication: Ratio::new(1, 1_000),
            reorder: Ratio::new(1, 100),
            reorder_delay_max: Span::from_ms(100),
        }
    }

    /// Whether every figure is in range.
    ///
    /// # Errors
    /// Names the first that is not.
    pub fn validate(&self) -> Result<(), NetworkProfileError> {
        let LatencyProfile { min, typical, tail } = self.latency;
        if min > typical || typical > tail {
            return Err(NetworkProfileError::LatencyOrder { min, typical, tail });
        }
        if tail > LATENCY_MAX {
            return Err(NetworkProfileError::Latency { tail });
        }
        if self.reorder_delay_max > SPAN_MAX {
            return Err(NetworkProfileError::Delay { delay: self.reorder_delay_max });
        }
        Ok(())
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
        LatencyProfile { min: Span::from_ms(1), typical: Span::from_ms(4), tail: Span::from_ms(10) };

    #[track_caller]
    fn check(word: u32, want: Span) {
        assert_eq!(ECHO.draw(word), want, "{word:#x}");
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
    fn half_of_the_messages_are_faster_than_typical() {
        for seed in Seed::range(0..10) {
            let mut chance = seed.stream("latency", 0);
            let faster = (0..10_000).filter(|_| ECHO.draw(chance.next_u32()) < ECHO.typical).count();
            assert!((4_700..5_300).contains(&faster), "seed {seed}: {faster} of 10000");
        }
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
    }
}
