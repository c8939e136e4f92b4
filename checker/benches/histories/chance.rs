//! Chance for generators: ChaCha8, a stream each, integers only.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// So many of so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ratio {
    pub(crate) hits: u32,
    pub(crate) of: u32,
}

impl Ratio {
    /// None at all.
    pub(crate) const NEVER: Self = Self { hits: 0, of: 1 };
}

/// A stream of chance.
pub(crate) struct Chance {
    rng: ChaCha8Rng,
}

impl Chance {
    /// The stream of that number of a seed.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self { rng }
    }

    /// A number below `bound`: the high half of a draw times the bound.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        assert!(bound > 0, "nothing lies below zero");
        let product = u128::from(self.rng.next_u64()) * bound as u128;
        usize::try_from(product >> 64).expect("the high half lies below a bound that fits")
    }

    /// Whether a thing of that chance happens.
    pub(crate) fn hits(&mut self, chance: Ratio) -> bool {
        chance.hits > 0 && self.below(chance.of as usize) < chance.hits as usize
    }

    /// Whether the one case of so many happens.
    pub(crate) fn one_in(&mut self, cases: usize) -> bool {
        self.below(cases) == 0
    }
}
