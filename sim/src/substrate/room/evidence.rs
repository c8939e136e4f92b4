//! What a run leaves, put together from its machines and what happened between them.

use crate::digest::Digest;
use crate::fault::FaultPlan;
use crate::kernel::MessageCounts;
use crate::node::Node;
use crate::substrate::links::Links;
use crate::substrate::room::{Inner, Machine};
use crate::substrate::{Evidence, Substrate};
use crate::time::TrueTime;

impl<N: Node> Inner<N> {
    /// All of it; the machines have run to the end.
    pub(super) fn evidence(&mut self, substrate: Substrate, end: TrueTime) -> Evidence<N::Observation> {
        let links = core::mem::replace(&mut self.links, Links::new(0, FaultPlan::default()));
        let mut evidence = Evidence {
            observations: core::mem::take(&mut self.observations),
            digest: Digest::default().finish(),
            checkpoints: Default::default(),
            events: self.events,
            messages: self.counts,
            now: end,
            trace: self.trace.kept().to_vec(),
            clock_samples: Vec::new(),
            ledger: links.into_ledger(),
        };
        let mut digest = Digest::default();
        digest.str(substrate.name());
        digest.bytes(&self.trace.digest().0.to_le_bytes());
        for machine in &self.machines {
            digest.bytes(&machine.world.digest().0.to_le_bytes());
            machine.add_to(&mut evidence);
        }
        evidence.digest = digest.finish();
        // What was made first at an instant stands first: causes before effects, since no message arrives before it left.
        evidence.observations.sort_by_key(|observed| observed.released_at);
        evidence.trace.sort_by_key(|event| event.at_ns);
        evidence.clock_samples.sort_by_key(|sample| sample.at);
        evidence
    }
}

impl<N: Node> Machine<N> {
    /// Adds to the evidence what this machine has of it.
    fn add_to(&self, evidence: &mut Evidence<N::Observation>) {
        let world = &self.world;
        evidence.events += world.events();
        evidence.messages.add(world.messages());
        evidence.trace.extend_from_slice(world.trace());
        evidence.clock_samples.extend_from_slice(world.clock_samples());
        let ledger = world.ledger();
        for (own, fault) in self.plan.iter().enumerate() {
            if ledger.is_fired(own) {
                evidence.ledger.fire(*fault);
                evidence.ledger.affect(*fault, ledger.affected(own));
            }
        }
    }
}

impl MessageCounts {
    /// Adds the counts of another part of the run.
    const fn add(&mut self, other: Self) {
        let Self { sent, doubled, delivered, lost, corrupted, congested, cut, unheard, overflowed } = other;
        self.sent += sent;
        self.doubled += doubled;
        self.delivered += delivered;
        self.lost += lost;
        self.corrupted += corrupted;
        self.congested += congested;
        self.cut += cut;
        self.unheard += unheard;
        self.overflowed += overflowed;
    }
}
