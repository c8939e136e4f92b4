//! Chance: one seed, a stream of its own for each part that draws, and exact ratios.
//!
//! A stream is ChaCha8 (D. J. Bernstein, "ChaCha, a variant of Salsa20", 2008), keyed from (seed, label, index), so
//! that one more draw in one part moves nothing in another.

use core::fmt;
use core::ops::Range;
use core::str::FromStr;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use xxhash_rust::xxh3::xxh3_128_with_seed;

use crate::limits::LABEL_BYTES_MAX;
use crate::time::Span;

/// What a run begins from. There is no default seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl Seed {
    /// The seeds of a range, in order.
    pub fn range(numbers: Range<u64>) -> impl Iterator<Item = Self> {
        numbers.map(Self)
    }

    /// The stream of (this seed, `label`, `index`).
    ///
    /// Key: the little-endian bytes of seed and index, then the label, hashed with xxh3-128 seeded 0 for the first
    /// half of the 32-byte key and seeded 1 for the second.
    ///
    /// # Panics
    /// If the label is longer than [`LABEL_BYTES_MAX`] bytes.
    #[must_use]
    pub fn stream(self, label: &str, index: u64) -> Stream {
        assert!(label.len() <= LABEL_BYTES_MAX, "the label {label} is too long");
        let mut bytes = [0; 16 + LABEL_BYTES_MAX];
        let length = 16 + label.len();
        bytes[..8].copy_from_slice(&self.0.to_le_bytes());
        bytes[8..16].copy_from_slice(&index.to_le_bytes());
        bytes[16..length].copy_from_slice(label.as_bytes());
        let mut key = [0; 32];
        key[..16].copy_from_slice(&xxh3_128_with_seed(&bytes[..length], 0).to_le_bytes());
        key[16..].copy_from_slice(&xxh3_128_with_seed(&bytes[..length], 1).to_le_bytes());
        Stream { rng: ChaCha8Rng::from_seed(key) }
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Seed {
    type Err = core::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// A stream of chance. A clone continues from the same place.
#[derive(Clone, Debug)]
pub struct Stream {
    rng: ChaCha8Rng,
}

impl Stream {
    /// The next 32 bits: one word of the stream.
    pub fn next_u32(&mut self) -> u32 {
        self.rng.next_u32()
    }

    /// The next 64 bits: two words of the stream.
    pub fn next_u64(&mut self) -> u64 {
        self.rng.next_u64()
    }

    /// How many words were taken.
    pub(crate) fn position(&self) -> u128 {
        self.rng.get_word_pos()
    }

    /// Goes to the place after that many words.
    pub(crate) fn seek(&mut self, words: u128) {
        self.rng.set_word_pos(words);
    }

    /// A number below `n`: always two words of the stream.
    ///
    /// The high half of `draw * n`, without rejection, so that the number of words is fixed; a value is off its even
    /// share by less than `n / 2^64`.
    ///
    /// # Panics
    /// If `n` is zero.
    pub fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "nothing lies below zero");
        let product = u128::from(self.next_u64()) * u128::from(n);
        u64::try_from(product >> 64).expect("the high half of 128 bits has 64")
    }

    /// A number in `low..=high`.
    ///
    /// # Panics
    /// If `high < low`, or the range is all of `u64`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        assert!(low <= high, "{low}..={high} is empty");
        low + self.below(high - low + 1)
    }

    /// A number in `-max..=max`.
    ///
    /// # Panics
    /// If `max` does not fit into `i64`.
    pub fn within(&mut self, max: u64) -> i64 {
        let max = i64::try_from(max).expect("a range of both signs fits into i64");
        let draw = self.below(max.unsigned_abs() * 2 + 1);
        i64::try_from(i128::from(draw) - i128::from(max)).expect("the draw lies in -max..=max")
    }

    /// Whether a thing of that chance happens.
    pub fn hits(&mut self, chance: Ratio) -> bool {
        self.below(u64::from(chance.denominator)) < u64::from(chance.numerator)
    }

    /// A span in `min..=max`.
    ///
    /// # Panics
    /// If `max < min`.
    pub fn span_between(&mut self, min: Span, max: Span) -> Span {
        Span::from_ns(self.between(min.as_ns(), max.as_ns()))
    }

    /// One of `items`.
    ///
    /// # Panics
    /// If there is none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.index(items.len())]
    }

    /// Puts `items` into an even random order (R. Durstenfeld, "Algorithm 235", CACM 1964).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.index(last + 1));
        }
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("an index below a length fits")
    }
}

/// A chance as a fraction, in files as the string `"1/20"`; `"0"` and `"1"` are `0/1` and `1/1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    numerator: u32,
    denominator: u32,
}

impl Ratio {
    /// What never happens.
    pub const NEVER: Self = Self::new(0, 1);
    /// What always happens.
    pub const ALWAYS: Self = Self::new(1, 1);

    /// `numerator` times in `denominator`.
    ///
    /// # Panics
    /// If the denominator is zero or smaller than the numerator.
    #[must_use]
    pub const fn new(numerator: u32, denominator: u32) -> Self {
        assert!(denominator > 0 && numerator <= denominator, "a chance lies between 0 and 1");
        Self { numerator, denominator }
    }

    /// The part above the line.
    #[must_use]
    pub const fn numerator(self) -> u32 {
        self.numerator
    }

    /// The part below the line.
    #[must_use]
    pub const fn denominator(self) -> u32 {
        self.denominator
    }

    /// How many of the 2^32 values of a word hit, rounded down: a word below it is a hit.
    #[must_use]
    pub const fn threshold(self) -> u64 {
        ((self.numerator as u64) << 32) / self.denominator as u64
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

/// Why a text is no chance.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RatioError {
    /// It is not two whole numbers with a stroke between them.
    #[error("`{text}` is not a fraction such as 1/20")]
    NotAFraction {
        /// What stood there.
        text: String,
    },
    /// It is not between 0 and 1.
    #[error("`{text}` does not lie between 0 and 1")]
    OutOfRange {
        /// What stood there.
        text: String,
    },
}

impl FromStr for Ratio {
    type Err = RatioError;

    fn from_str(text: &str) -> Result<Self, RatioError> {
        let (above, below) = text.split_once('/').unwrap_or((text, "1"));
        let number = |part: &str| {
            part.trim().parse::<u32>().map_err(|_| RatioError::NotAFraction { text: text.to_owned() })
        };
        let (numerator, denominator) = (number(above)?, number(below)?);
        if denominator == 0 || numerator > denominator {
            return Err(RatioError::OutOfRange { text: text.to_owned() });
        }
        Ok(Self { numerator, denominator })
    }
}

impl Serialize for Ratio {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Ratio {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: Result<Ratio, &str>) {
        assert_eq!(text.parse::<Ratio>().map_err(|error| error.to_string()), want.map_err(str::to_owned));
    }

    #[test]
    fn a_ratio_is_a_fraction_between_zero_and_one() {
        check("1/20", Ok(Ratio::new(1, 20)));
        check("0", Ok(Ratio::NEVER));
        check("1", Ok(Ratio::ALWAYS));
        check("half", Err("`half` is not a fraction such as 1/20"));
        check("1/0", Err("`1/0` does not lie between 0 and 1"));
        check("3/2", Err("`3/2` does not lie between 0 and 1"));
    }

    #[test]
    fn a_ratio_in_a_file_is_its_text() {
        let text = serde_json::to_string(&Ratio::new(1, 20)).unwrap();
        assert_eq!(text, r#""1/20""#);
        assert_eq!(serde_json::from_str::<Ratio>(&text).unwrap(), Ratio::new(1, 20));
        assert!(serde_json::from_str::<Ratio>(r#""2/1""#).is_err());
    }

    #[test]
    fn a_stream_is_the_same_for_ever() {
        let mut stream = Seed(7).stream("network", 3);
        assert_eq!(
            stream.next_u64(),
            309_797_500_177_027_765,
            "old seeds would mean another run: say so in the changelog"
        );
    }

    #[test]
    fn streams_differ_by_seed_label_and_index() {
        let first = |seed: u64, label, index| Seed(seed).stream(label, index).next_u64();
        assert_ne!(first(1, "disk", 0), first(2, "disk", 0));
        assert_ne!(first(1, "disk", 0), first(1, "clock", 0));
        assert_ne!(first(1, "disk", 0), first(1, "disk", 1));
        assert_eq!(first(1, "disk", 0), first(1, "disk", 0));
    }

    #[test]
    fn draws_stay_in_range_and_reach_both_ends() {
        for seed in Seed::range(0..20) {
            let mut stream = seed.stream("test", 0);
            let draws: Vec<u64> = (0..200).map(|_| stream.between(3, 6)).collect();
            let ends = (draws.iter().min(), draws.iter().max());
            assert_eq!(ends, (Some(&3), Some(&6)), "seed {seed}");
            let signed: Vec<i64> = (0..200).map(|_| stream.within(2)).collect();
            assert_eq!((signed.iter().min(), signed.iter().max()), (Some(&-2), Some(&2)), "seed {seed}");
        }
    }

    #[test]
    fn a_chance_hits_as_often_as_it_says() {
        let mut stream = Seed(1).stream("test", 0);
        let mut hits = |ratio| (0..20_000).filter(|_| stream.hits(ratio)).count();
        assert_eq!(hits(Ratio::NEVER), 0);
        assert_eq!(hits(Ratio::ALWAYS), 20_000);
        let quarter = hits(Ratio::new(1, 4));
        assert!((4_700..5_300).contains(&quarter), "{quarter} of 20000");
    }

    #[test]
    fn a_shuffle_keeps_every_item_and_changes_the_order() {
        let mut items: Vec<u32> = (0..50).collect();
        Seed(1).stream("test", 0).shuffle(&mut items);
        assert!(!items.is_sorted(), "{items:?}");
        items.sort_unstable();
        assert_eq!(items, (0..50).collect::<Vec<_>>());
    }

    #[test]
    fn a_threshold_covers_its_share_of_a_word() {
        assert_eq!(Ratio::NEVER.threshold(), 0);
        assert_eq!(Ratio::ALWAYS.threshold(), 1 << 32);
        assert_eq!(Ratio::new(1, 2).threshold(), 1 << 31);
    }
}
