//! How a replica looks after what it keeps: erasures, audits, and what is done to it by whoever may write to its disk.
//!
//! What is at fault is cut off with all behind it, and comes back from the notary and the peers.

use std::collections::BTreeSet;
use std::sync::Arc;

use sim::node::NodeId;

use super::super::Fx;
use super::super::audit;
use super::super::block::Subject;
use super::super::erasure::Remining;
use super::super::message::{Erasure, FoundBy, Message, Observation, Tampering};
use super::super::projection::hash_of;
use super::super::setup::Privacy;
use super::super::tampering::tampered;
use super::Replica;

impl Replica {
    pub(super) fn erase(&mut self, id: u64, subject: Subject, fx: &mut Fx) {
        match self.setup.privacy {
            Privacy::Committed => self.forget(&[subject].into(), fx),
            Privacy::Remined => {
                self.audit(fx);
                let first = self.ledger.first_about(subject).filter(|first| *first < self.final_count());
                if let Some(first) = first.filter(|_| self.remining.is_none()) {
                    let erasure = Erasure { id, first: first as u64 };
                    self.remining = Some(Remining::begin(erasure, subject, self.setup.me));
                }
            }
        }
    }

    /// Some work at an erasure.
    pub(super) fn remine(&mut self, fx: &mut Fx) {
        let is_witnessed = self.rules.erasure_witnessed.is_taken() && self.rules.agreed_final.is_taken();
        let end = if is_witnessed { self.final_count() } else { self.ledger.blocks().len() };
        let Some(remining) = &mut self.remining else { return };
        // Somebody may have cut off what is final, and nobody has looked yet.
        let kept = &self.ledger.blocks()[..end.min(self.ledger.blocks().len())];
        let effort = (self.setup.tries, self.setup.difficulty_bits);
        let done = remining.work(kept, &self.finals, effort);
        if done && !is_witnessed {
            let (erasure, blocks) = (remining.erasure(), remining.blocks());
            self.ledger.replace(usize::try_from(erasure.first).unwrap_or(usize::MAX), &blocks);
            self.carried_out(erasure, None, fx);
            for peer in self.peers() {
                fx.send(peer, Message::Blocks(Arc::clone(&blocks)));
            }
        }
    }

    pub(super) fn carried_out(&mut self, erasure: Erasure, witness: Option<NodeId>, fx: &mut Fx) {
        fx.observe(Observation::Erased { erasure, witness });
        if let Some(remining) = self.remining.take() {
            if remining.erasure().id == erasure.id {
                let (blocks, tries) = remining.cost();
                fx.observe(Observation::Remined { erasure: erasure.id, blocks, tries });
            } else {
                // Another erasure came first: what was mined builds upon blocks that are gone.
                self.remining = Some(remining.anew());
            }
        }
        if self.rules.snapshots_rebuilt.is_taken() {
            self.snapshots.retain(|(_, index), _| *index < erasure.first);
        }
    }

    pub(super) fn forget(&mut self, subjects: &BTreeSet<Subject>, fx: &mut Fx) {
        for subject in subjects.difference(&Arc::clone(&self.forgotten)) {
            let before = self.vault.len();
            self.vault.retain(|_, secret| secret.event.subject != *subject);
            Arc::make_mut(&mut self.forgotten).insert(*subject);
            let secrets = (before - self.vault.len()) as u64;
            fx.observe(Observation::Forgot { subject: *subject, secrets });
        }
    }

    pub(super) fn tamper(&mut self, how: Tampering, place: u16, fx: &mut Fx) {
        if how == Tampering::Snapshot {
            let index = usize::from(place) * self.snapshots.len() / 1001;
            let Some(snapshot) = self.snapshots.values_mut().nth(index) else { return };
            *snapshot.state.entry(Subject(0)).or_default() += 1;
            snapshot.hash = hash_of(&snapshot.state);
            return fx.observe(Observation::Tampered { how, place: snapshot.index });
        }
        // What is not final may be replaced at any time: nobody would call that tampering.
        let count = self.final_count().min(self.ledger.blocks().len());
        let bits = self.setup.difficulty_bits;
        let Some((mut blocks, at)) = tampered(&self.ledger.blocks()[..count], how, place, bits) else {
            return;
        };
        if matches!(how, Tampering::Insert | Tampering::Remove | Tampering::Change | Tampering::Reorder) {
            blocks.extend_from_slice(&self.ledger.blocks()[count..]);
        }
        self.ledger.overwrite(blocks);
        fx.observe(Observation::Tampered { how, place: at as u64 });
    }

    /// Looks after what is kept. What is at fault is thrown away, and comes back from the notary and the peers.
    pub(super) fn audit(&mut self, fx: &mut Fx) {
        let links = self.ledger.first_fault().filter(|_| self.rules.links_checked.is_taken());
        let heads = self.ledger.first_difference(&self.finals);
        let heads = heads.filter(|_| self.rules.heads_checked.is_taken());
        for (by, found) in [(FoundBy::Links, links), (FoundBy::Heads, heads)] {
            let Some(place) = found else { continue };
            fx.observe(Observation::Found { by, place: place as u64 });
            self.ledger.cut(place);
            self.finals.truncate(place);
        }
        if self.rules.snapshots_checked.is_taken() {
            for key in audit::wrong_snapshots(&self.snapshots, self.ledger.blocks()) {
                fx.observe(Observation::Found { by: FoundBy::Snapshots, place: key.1 });
                self.snapshots.remove(&key);
            }
        }
        self.ask_final(fx);
    }
}
