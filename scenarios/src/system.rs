//! What a scenario needs of a system: its parameters, its nodes, what is asked of them, and the history of what they did.
//!
//! ```text
//!   [shape] ──► members ──┐
//!   [workload] ► requests ┴──► world ──► observations ──► record ──► families, progress ──► checks
//! ```
//!
//! One file of [`crate::systems`] is one implementation. Everything else knows systems by [`Configured`] and [`Work`] only.

use core::fmt::Debug;

use checker::judge::Family;
use model::rules::{Decisions, Defect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sim::kernel::Observed;
use sim::network_profile::NetworkProfile;
use sim::node::{Node, NodeId};
use sim::time::{Span, TrueTime};

use crate::grammar::Role;
use crate::recorder::Progress;
use crate::scenario::Timing;

mod erased;

#[cfg(test)]
pub(crate) use erased::observed;
pub use erased::{AnySystem, Common, Configured, Faces, Of, Ran, Work};

/// A section of a scenario file.
pub trait Section: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static {}

impl<T: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static> Section for T {}

/// A system under test.
pub trait System: Sized + Debug + Send + Sync + 'static {
    /// Its name in scenario files and reports.
    const NAME: &'static str;
    /// Its planted defects, and what gives each away.
    const MUTANTS: &'static [Mutant];
    /// The decisions in which its variants differ.
    type Rules: Decisions;
    /// How large its world is, and its own timers: `[shape]` of a scenario file.
    type Shape: Section;
    /// What is asked: `[workload]` of a scenario file.
    type Workload: Section;
    /// Its nodes.
    type Node: Node<
            Message: Serialize + DeserializeOwned,
            Request: Serialize + DeserializeOwned + PartialEq + Send + Sync,
        > + Sync
        + 'static;

    /// Relations of figures that no single one shows. What is wrong begins with the key, as in `` `shape.poll-ms`: ``.
    ///
    /// # Errors
    /// Says what was found and what is expected.
    fn check(parameters: &Parameters<Self>) -> Result<(), String>;

    /// Its nodes, by their numbers.
    fn members(parameters: &Parameters<Self>, rules: Self::Rules) -> Vec<Member<Self::Node>>;

    /// As which version of its program a node of that role begins: 0, unless the system says otherwise.
    fn first_version(parameters: &Parameters<Self>, role: Role) -> u32 {
        let _ = (parameters, role);
        0
    }

    /// Everything that will be asked, in any order. All chance comes from streams of the seed, one for each node.
    fn requests(parameters: &Parameters<Self>, seed: sim::chance::Seed) -> Vec<Planned<Self>>;

    /// Why a node of that label cannot be asked this, if it cannot: a plan that was written down may have been changed.
    ///
    /// # Errors
    /// Says what is wrong with the request.
    fn accept(
        parameters: &Parameters<Self>,
        label: &str,
        request: &RequestOf<Self>,
    ) -> Result<(), ForeignRequest>;

    /// When nothing of that kind is asked any more: the end of the workload, unless the system says otherwise.
    fn asked_until(parameters: &Parameters<Self>, request: &RequestOf<Self>) -> TrueTime {
        let _ = request;
        parameters.workload_end()
    }

    /// What faults can be aimed at: nothing, unless the system says otherwise.
    fn aims(parameters: &Parameters<Self>, requests: &[Planned<Self>]) -> Aims {
        let _ = (parameters, requests);
        Aims::default()
    }

    /// Which of [`Self::aims`] there will be: known without any request.
    fn aimable(parameters: &Parameters<Self>) -> Aimable {
        let _ = parameters;
        Aimable::default()
    }

    /// The histories of a run, one for each object family, and what came of its operations.
    fn record(setting: Setting<'_, Self>, seen: &[Seen<Self>]) -> Recorded;
}

/// What a system's nodes are asked.
pub type RequestOf<S> = <<S as System>::Node as Node>::Request;

/// A request, its instant and whom it is asked of.
pub type Planned<S> = (TrueTime, NodeId, RequestOf<S>);

/// What a system's nodes tell the recorder.
pub type ObservationOf<S> = <<S as System>::Node as Node>::Observation;

/// An observation in its place in the run.
pub type Seen<S> = Observed<ObservationOf<S>>;

/// What a scenario says about its system.
#[derive(Debug)]
pub struct Parameters<S: System> {
    /// How large the world is.
    pub shape: S::Shape,
    /// What is asked.
    pub workload: S::Workload,
    /// How long the phases are.
    pub timing: Timing,
    /// How good the network is: what nodes wait for one another must outlast a round trip.
    pub network: NetworkProfile,
}

impl<S: System> Clone for Parameters<S> {
    fn clone(&self) -> Self {
        let Self { shape, workload, timing, network } = self;
        let (shape, workload) = (shape.clone(), workload.clone());
        Self { shape, workload, timing: timing.clone(), network: network.clone() }
    }
}

impl<S: System> Parameters<S> {
    /// When the workload ends.
    #[must_use]
    pub fn workload_end(&self) -> TrueTime {
        TrueTime::ZERO + self.timing.workload()
    }
}

/// What a recorder needs to know besides the observations.
#[derive(Debug)]
pub struct Setting<'a, S: System> {
    /// What the scenario says.
    pub parameters: &'a Parameters<S>,
    /// How the system is built.
    pub rules: S::Rules,
    /// Who has the role of a client.
    pub clients: &'a [NodeId],
}

impl<S: System> Clone for Setting<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S: System> Copy for Setting<'_, S> {}

/// Why a request does not fit its scenario.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForeignRequest {
    /// It is none that the system knows.
    #[error("is none: {0}")]
    Malformed(String),
    /// Its node does not exist.
    #[error("is for {0}, which does not exist")]
    UnknownNode(NodeId),
    /// Its node is not asked such things.
    #[error("asks a {role} for {request}")]
    OfAnotherRole {
        /// What is asked.
        request: &'static str,
        /// Of whom.
        role: String,
    },
    /// What it is about does not exist.
    #[error("is about {what} {name}, which does not exist")]
    Unknown {
        /// What sort of thing.
        what: &'static str,
        /// Which.
        name: String,
    },
    /// It is due too late.
    #[error("is due at {} ns, expected before {} ns", .at.as_ns(), .end.as_ns())]
    TooLate {
        /// When it is due.
        at: TrueTime,
        /// When nothing of its kind is asked any more.
        end: TrueTime,
    },
}

/// A node before the run.
#[derive(Clone, Debug)]
pub struct Member<N> {
    /// What faults know it as.
    pub role: Role,
    /// What reports call it, with a number if there are several.
    pub label: &'static str,
    /// The node.
    pub node: N,
    /// What each input costs it.
    pub service: Span,
}

/// A planted defect: where it lives, and what gives it away.
#[derive(Clone, Copy, Debug)]
pub struct Mutant {
    /// The defect.
    pub defect: Defect,
    /// The scenario that shows it.
    pub scenario: &'static str,
    /// The check that must find it.
    pub check: &'static str,
}

impl Mutant {
    /// The defect of that name.
    #[must_use]
    pub const fn new(defect: &'static str, scenario: &'static str, check: &'static str) -> Self {
        Self { defect: Defect(defect), scenario, check }
    }
}

/// What faults can be aimed at, known before the run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aims {
    /// Who owns the key most often asked for, if anybody does.
    pub hot_key_owner: Option<NodeId>,
    /// When the configuration is to be switched, earliest first.
    pub switches: Vec<TrueTime>,
}

/// Whether there will be something to aim at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Aimable {
    /// Service nodes own keys that are asked for.
    pub hot_key: bool,
    /// Versions of a configuration are published.
    pub switches: bool,
}

/// What a run left, as the checker takes it.
#[derive(Debug)]
pub struct Recorded {
    /// The histories, one for each object family.
    pub families: Vec<Family>,
    /// What came of the operations.
    pub progress: Progress,
}
