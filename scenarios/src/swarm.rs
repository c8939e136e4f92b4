//! Swarm: for each seed, whole families of faults are switched off, so that the others meet one another undisturbed.
//!
//! Source: A. Groce, C. Zhang, E. Eide, Y. Chen and J. Regehr, "Swarm testing", ISSTA 2012.

use sim::chance::{Ratio, Seed};
use sim::substrate::Substrate;

use crate::scenario::Nemesis;

/// The chance of each family to be on.
const ON: Ratio = Ratio::new(1, 2);

/// The nemeses that are on for `seed`, each with its place in the scenario; at least one, if there are any.
///
/// Those that the substrate lacks are off, but drawn all the same: the others are on or off as on the kernel, unless
/// none would be left.
#[must_use]
pub fn switched_on(nemeses: &[Nemesis], seed: Seed, substrate: Substrate) -> Vec<(usize, &Nemesis)> {
    let mut chance = seed.stream("swarm", 0);
    let is_known = |(_, nemesis): &(usize, &Nemesis)| {
        nemesis.kind.families().iter().all(|family| substrate.lacks(*family).is_none())
    };
    let drawn: Vec<_> = nemeses.iter().enumerate().filter(|_| chance.hits(ON)).filter(is_known).collect();
    let known: Vec<_> = nemeses.iter().enumerate().filter(is_known).collect();
    if drawn.is_empty() && !known.is_empty() {
        return vec![known[chance.below(known.len() as u64) as usize]];
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::load;

    #[test]
    fn every_seed_leaves_a_family_on_and_every_family_is_off_for_some_seed() {
        let scenario = load("capacity", &[]).unwrap();
        let mut on_count = vec![0; scenario.faults.len()];
        for seed in Seed::range(0..200) {
            let on = switched_on(&scenario.faults, seed, Substrate::Kernel);
            assert!(!on.is_empty(), "seed {seed} switches everything off");
            for (index, _) in on {
                on_count[index] += 1;
            }
        }
        assert!(on_count.iter().all(|count| (60..140).contains(count)), "{on_count:?}");
    }
}
