//! One way to run a world, whatever it is to run on.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::node::Node;
use crate::setup::WorldSetup;
#[cfg(madsim)]
use crate::substrate::madsim;
use crate::substrate::{Evidence, Phases, Substrate, SubstrateError, kernel, turmoil};

/// Runs a world on a substrate.
///
/// Messages become bytes on the way where the network is not ours; that is why they must be encodable here, and
/// not for [`kernel::run`].
///
/// # Errors
/// If the setup makes no sense or plans what the substrate cannot express, or the substrate is not in this build; then
/// nothing has run. If the simulator gives up on the way.
pub fn run<N>(
    substrate: Substrate,
    setup: WorldSetup<N>,
    phases: Phases,
) -> Result<Evidence<N::Observation>, SubstrateError>
where
    N: Node + 'static,
    N::Message: Serialize + DeserializeOwned,
{
    match substrate {
        Substrate::Kernel => Ok(kernel::run(setup, phases)?),
        Substrate::Turmoil => turmoil::run(setup, phases),
        #[cfg(madsim)]
        Substrate::Madsim => madsim::run(setup, phases),
        #[cfg(not(madsim))]
        Substrate::Madsim => Err(SubstrateError::NotBuilt { substrate }),
    }
}
