//! A set of updates, by index.

/// Bits of a word.
const WORD: usize = 64;

/// A set of small numbers; what lies beyond its words is not in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Set(Vec<u64>);

impl Set {
    pub(crate) fn contains(&self, number: usize) -> bool {
        self.0.get(number / WORD).is_some_and(|word| word >> (number % WORD) & 1 == 1)
    }

    pub(crate) fn insert(&mut self, number: usize) {
        if self.0.len() <= number / WORD {
            self.0.resize(number / WORD + 1, 0);
        }
        self.0[number / WORD] |= 1 << (number % WORD);
    }

    pub(crate) fn remove(&mut self, number: usize) {
        if let Some(word) = self.0.get_mut(number / WORD) {
            *word &= !(1 << (number % WORD));
        }
    }

    pub(crate) fn extend(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }

    /// Whether what it shares with `part` is in `other` too.
    pub(crate) fn is_within(&self, part: &Self, other: &Self) -> bool {
        let words = self.0.iter().zip(&part.0).enumerate();
        words.into_iter().all(|(at, (word, part))| word & part & !other.0.get(at).copied().unwrap_or(0) == 0)
    }

    /// Its memory, in steps of a search.
    pub(crate) fn steps(&self) -> u64 {
        self.0.len() as u64 / 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_it_from_insertion_to_removal() {
        let (mut set, mut other) = (Set::default(), Set::default());
        assert!(!set.contains(200));
        set.insert(3);
        other.insert(200);
        set.extend(&other);
        assert!(set.contains(3) && set.contains(200) && !set.contains(201));
        assert!(other.is_within(&other, &set) && !set.is_within(&set, &other));
        set.remove(200);
        assert!(!other.is_within(&other, &set) && set.is_within(&other, &other));
        set.remove(5_000);
        assert!(set.contains(3) && !set.contains(200));
    }
}
