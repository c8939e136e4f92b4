//! A rate with three decimals, without floating point: the same digits on every machine.

use core::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How many a second. Unit: thousandths. In JSON a plain number, as in `12.5`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct PerSecond {
    thousandths: u64,
}

impl PerSecond {
    /// `count` in `wall_ns` nanoseconds, rounded down; of no time, 0.
    #[must_use]
    pub fn of(count: u64, wall_ns: u64) -> Self {
        let thousandths = u128::from(count) * 1_000_000_000_000 / u128::from(wall_ns.max(1));
        let thousandths = if wall_ns == 0 { 0 } else { thousandths };
        Self { thousandths: u64::try_from(thousandths).unwrap_or(u64::MAX) }
    }

    /// The rate in thousandths a second.
    #[must_use]
    pub const fn thousandths(self) -> u64 {
        self.thousandths
    }
}

impl fmt::Display for PerSecond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = format!("{:03}", self.thousandths % 1_000);
        let decimals = decimals.trim_end_matches('0');
        let dot = if decimals.is_empty() { "" } else { "." };
        write!(f, "{}{dot}{decimals}", self.thousandths / 1_000)
    }
}

impl Serialize for PerSecond {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.to_string().parse() {
            Ok(number) if !self.thousandths.is_multiple_of(1_000) => serializer.serialize_f64(number),
            Ok(_) | Err(_) => serializer.serialize_u64(self.thousandths / 1_000),
        }
    }
}

impl<'de> Deserialize<'de> for PerSecond {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = serde_json::Number::deserialize(deserializer)?.to_string();
        let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
        let decimals = format!("{decimals:0<3}");
        let digits = decimals.get(..3).map(|three| format!("{whole}{three}"));
        let thousandths = digits.and_then(|digits| digits.parse().ok());
        thousandths
            .map(|thousandths| Self { thousandths })
            .ok_or_else(|| Error::custom(format!("a rate of {text} a second")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(count: u64, wall_ns: u64, want: &str) {
        let rate = PerSecond::of(count, wall_ns);
        let text = serde_json::to_string(&rate).unwrap();
        assert_eq!(text, want);
        assert_eq!(serde_json::from_str::<PerSecond>(&text).unwrap(), rate);
    }

    #[test]
    fn rates_are_plain_numbers_and_come_back_exactly() {
        check(25, 2_000_000_000, "12.5");
        check(1, 3_000_000_000, "0.333");
        check(4, 2_000_000_000, "2");
        check(7, 0, "0");
    }

    #[test]
    fn negative_or_huge_rates_are_refused() {
        for text in ["-1", "1e300", "\"2\""] {
            assert!(serde_json::from_str::<PerSecond>(text).is_err(), "{text}");
        }
    }
}
