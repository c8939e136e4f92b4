//! The kernel as a substrate: the world's own event queue, from the first event to the last.

use crate::kernel::World;
use crate::node::Node;
use crate::setup::{SetupError, WorldSetup};
use crate::substrate::{Evidence, Phases};

/// Runs a world on the kernel. Messages stay values.
///
/// # Errors
/// If the setup does not make sense; see [`SetupError`].
pub fn run<N: Node>(setup: WorldSetup<N>, phases: Phases) -> Result<Evidence<N::Observation>, SetupError> {
    let mut world = World::new(setup)?;
    if let Some(at) = phases.faults_end {
        world.run_until(at);
        world.end_all_faults();
    }
    world.run_until(phases.end);
    Ok(Evidence {
        observations: world.take_observations(),
        digest: world.digest(),
        checkpoints: world.checkpoints().clone(),
        events: world.events(),
        messages: world.messages(),
        now: world.now(),
        trace: world.trace().to_vec(),
        clock_samples: world.clock_samples().to_vec(),
        ledger: world.ledger(),
    })
}
