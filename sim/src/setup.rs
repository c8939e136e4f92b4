//! What a world is made from, and why it may be refused.

use crate::chance::Seed;
use crate::clock_profile::{ClockProfile, ClockProfileError};
use crate::disk_profile::{DiskProfile, DiskProfileError};
use crate::fault::FaultPlan;
use crate::limits::{NODES_MAX, REQUESTS_MAX, RUN_NS_MAX, SPAN_MAX};
use crate::network_profile::{NetworkProfile, NetworkProfileError};
use crate::node::{Node, NodeId};
use crate::plan::PlanError;
use crate::time::{Span, TrueTime};

/// One node and its machine.
#[derive(Clone, Debug)]
pub struct NodeSetup<N> {
    /// The node as it begins, every time.
    pub node: N,
    /// Its clock.
    pub clock: ClockProfile,
    /// Its disk.
    pub disk: DiskProfile,
    /// How long it takes for each input; inputs wait meanwhile, and effects leave at the end.
    pub service: Span,
    /// Which version of its program it begins as; 0 if nobody cares.
    pub version: u32,
}

impl<N> NodeSetup<N> {
    /// A node on a machine without delay and with a perfect clock.
    #[must_use]
    pub const fn perfect(node: N) -> Self {
        let (clock, disk) = (ClockProfile::perfect(), DiskProfile::instant());
        Self { node, clock, disk, service: Span::ZERO, version: 0 }
    }
}

/// What a run keeps besides its digest and observations. None of it changes the digest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunOptions {
    /// Whether a readable trace is kept.
    pub keep_trace: bool,
    /// How often all clocks are sampled.
    pub clock_sample_every: Option<Span>,
}

/// Everything a run is made from.
#[derive(Clone, Debug)]
pub struct WorldSetup<N: Node> {
    /// Where all chance comes from.
    pub seed: Seed,
    /// The nodes, by [`NodeId`].
    pub nodes: Vec<NodeSetup<N>>,
    /// The network between them.
    pub network: NetworkProfile,
    /// The faults.
    pub plan: FaultPlan,
    /// What the workload asks of whom and when, earliest first.
    pub requests: Vec<(TrueTime, NodeId, N::Request)>,
    /// What is kept.
    pub options: RunOptions,
}

/// Why no world can be made. Every `index` counts from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// There is no node, or there are too many.
    #[error("{count} nodes are given, expected 1 to {NODES_MAX}")]
    NodeCount {
        /// How many.
        count: usize,
    },
    /// A clock's figures.
    #[error("the clock of {node}: {error}")]
    Clock {
        /// Whose.
        node: NodeId,
        /// What is wrong.
        error: ClockProfileError,
    },
    /// A disk's figures.
    #[error("the disk of {node}: {error}")]
    Disk {
        /// Whose.
        node: NodeId,
        /// What is wrong.
        error: DiskProfileError,
    },
    /// A service time.
    #[error("the service time {service} of {node} is longer than {SPAN_MAX}")]
    Service {
        /// Whose.
        node: NodeId,
        /// What was given.
        service: Span,
    },
    /// The network's figures.
    #[error("the network: {0}")]
    Network(#[from] NetworkProfileError),
    /// The fault plan.
    #[error("the fault plan: {0}")]
    Plan(#[from] PlanError),
    /// There are too many requests.
    #[error("{count} requests are given, at most {REQUESTS_MAX} are allowed")]
    RequestCount {
        /// How many.
        count: usize,
    },
    /// A request is due before its predecessor.
    #[error("request {index} is due before its predecessor: requests stand in order")]
    RequestOutOfOrder {
        /// Which one.
        index: usize,
    },
    /// A request is due after the longest run.
    #[error("request {index} is due after the end of the longest run")]
    RequestTooLate {
        /// Which one.
        index: usize,
    },
    /// A request is for a node that does not exist.
    #[error("request {index} is for {node}, which does not exist")]
    RequestForUnknownNode {
        /// Which one.
        index: usize,
        /// Whom it names.
        node: NodeId,
    },
    /// Clocks are to be sampled all the time.
    #[error("clocks cannot be sampled every 0 ns")]
    SampleEveryZero,
}

impl<N: Node> WorldSetup<N> {
    /// Whether a world can be made from this.
    ///
    /// # Errors
    /// Names the first thing that is wrong.
    pub fn validate(&self) -> Result<(), SetupError> {
        if self.nodes.is_empty() || self.nodes.len() > NODES_MAX {
            return Err(SetupError::NodeCount { count: self.nodes.len() });
        }
        for (setup, node) in self.nodes.iter().zip((0..).map(NodeId)) {
            setup.clock.validate().map_err(|error| SetupError::Clock { node, error })?;
            setup.disk.validate().map_err(|error| SetupError::Disk { node, error })?;
            if setup.service > SPAN_MAX {
                return Err(SetupError::Service { node, service: setup.service });
            }
        }
        if self.options.clock_sample_every == Some(Span::ZERO) {
            return Err(SetupError::SampleEveryZero);
        }
        self.network.validate()?;
        self.plan.validate(self.nodes.len())?;
        self.validate_requests()
    }

    fn validate_requests(&self) -> Result<(), SetupError> {
        if self.requests.len() > REQUESTS_MAX {
            return Err(SetupError::RequestCount { count: self.requests.len() });
        }
        let mut previous = TrueTime::ZERO;
        for (index, &(at, node, _)) in self.requests.iter().enumerate() {
            if at < previous {
                return Err(SetupError::RequestOutOfOrder { index });
            }
            if at.as_ns() > RUN_NS_MAX {
                return Err(SetupError::RequestTooLate { index });
            }
            if node.index() >= self.nodes.len() {
                return Err(SetupError::RequestForUnknownNode { index, node });
            }
            previous = at;
        }
        Ok(())
    }
}
