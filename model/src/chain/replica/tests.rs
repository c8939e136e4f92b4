//! A notary and three replicas on the bench: each precaution beside what happens without it.

use super::super::Member;
use super::super::audit;
use super::super::block::{Block, Event};
use super::super::message::{FoundBy, Tampering};
use super::super::notary::Notary;
use super::*;
use crate::probe::{Done, Probe};
use crate::rules::Decisions as _;

const NOTARY: NodeId = NodeId(0);
const CLIENT: NodeId = NodeId(7);
const BITS: u32 = 3;

struct Bench {
    notary: (Notary, Probe<Member>),
    replicas: Vec<(Replica, Probe<Member>)>,
    mail: Vec<(NodeId, NodeId, Message)>,
    observed: Vec<Observation>,
    answers: Vec<Answer>,
    /// Messages to and from this node are lost.
    cut_off: Option<NodeId>,
}

fn started(rules: Rules, privacy: Privacy) -> Bench {
    let ids: Arc<[NodeId]> = (1..4).map(NodeId).collect();
    let replica = |me: &NodeId| {
        let setup = ReplicaSetup {
            me: *me,
            replicas: Arc::clone(&ids),
            notary: NOTARY,
            witnesses: Arc::new([NodeId(8)]),
            difficulty_bits: BITS,
            depth: 2,
            tries: 1,
            blocks_max: 200,
            snapshot_every: 3,
            privacy,
        };
        // Each draws other nonces.
        let mut probe = Probe::new(Span::ZERO);
        for _ in 0..me.0 {
            probe.ask(|context, _| context.chance().next_u64());
        }
        (Replica::new(rules, setup), probe)
    };
    let notary = (Notary::new(BITS, rules.event_once, Arc::clone(&ids)), Probe::new(Span::ZERO));
    let mut bench = Bench {
        notary,
        replicas: ids.iter().map(replica).collect(),
        mail: Vec::new(),
        observed: Vec::new(),
        answers: Vec::new(),
        cut_off: None,
    };
    bench.at_notary(|notary, context, fx| notary.start(&[], context, fx));
    for index in 0..3 {
        bench.act(index, |replica, _, fx| replica.start(fx));
    }
    bench.deliver();
    bench
}

/// A world in which the events of these subjects are final everywhere.
fn settled(rules: Rules, subjects: &[u32]) -> Bench {
    let mut bench = started(rules, Privacy::Remined);
    for (request, subject) in (0..).zip(subjects) {
        bench.ask(usize::try_from(request % 3).unwrap(), request, *subject);
        bench.pass(25);
    }
    bench.pass(150);
    assert_eq!(bench.answers.len(), subjects.len(), "all are final: {:?}", bench.answers);
    bench.observed.clear();
    bench
}

impl Bench {
    fn at_notary(&mut self, action: impl FnOnce(&mut Notary, &Context<'_>, &mut Fx)) {
        let (notary, probe) = &mut self.notary;
        probe.ask(|context, fx| action(notary, context, fx));
        let mut done = probe.done();
        loop {
            let synced = done.synced.clone();
            self.take(NOTARY, done);
            if synced.is_empty() {
                return;
            }
            let (notary, probe) = &mut self.notary;
            synced.iter().for_each(|token| probe.ask(|_, fx| notary.synced(*token, fx)));
            done = probe.done();
        }
    }

    fn act(&mut self, index: usize, action: impl FnOnce(&mut Replica, &mut Context<'_>, &mut Fx)) {
        let (replica, probe) = &mut self.replicas[index];
        probe.ask(|context, fx| action(replica, context, fx));
        let done = probe.done();
        self.take(NodeId(1 + u32::try_from(index).unwrap()), done);
    }

    fn take(&mut self, from: NodeId, done: Done<Member>) {
        self.observed.extend(done.observed);
        for (to, message) in done.sent {
            match message {
                Message::Answer(reply) => self.answers.push(reply.answer),
                message => self.mail.push((from, to, message)),
            }
        }
    }

    fn deliver(&mut self) {
        while !self.mail.is_empty() {
            for (from, to, message) in core::mem::take(&mut self.mail) {
                if self.cut_off.is_some_and(|node| node == from || node == to) {
                    continue;
                }
                match to {
                    NOTARY => self.at_notary(|notary, _, fx| notary.message(from, message, fx)),
                    NodeId(1..=3) => {
                        let index = to.index() - 1;
                        self.act(index, |replica, context, fx| replica.message(from, message, context, fx));
                    }
                    _ => {}
                }
            }
        }
    }

    fn pass(&mut self, ticks: u32) {
        for _ in 0..ticks {
            for index in 0..3 {
                self.act(index, |replica, context, fx| replica.timer(context, fx));
            }
            self.deliver();
        }
    }

    fn ask(&mut self, index: usize, request: u64, subject: u32) {
        let call = Submit(Event { subject: Subject(subject), amount: 1 });
        let ask = Message::Ask(Ask { request: RequestKey(request), call, mark: () });
        self.act(index, |replica, context, fx| replica.message(CLIENT, ask, context, fx));
        self.deliver();
    }

    fn request(&mut self, index: usize, request: Request) {
        self.act(index, |replica, _, fx| replica.request(request, fx));
    }

    fn blocks(&self, index: usize) -> &[Arc<Block>] {
        self.replicas[index].0.ledger.blocks()
    }

    fn hashes(&self, index: usize) -> Vec<Hash> {
        self.blocks(index).iter().map(|block| block.hash).collect()
    }

    /// What the replicas found, and where.
    fn found(&self) -> Vec<FoundBy> {
        let found = self.observed.iter().filter_map(|observation| match observation {
            Observation::Found { by, .. } => Some(*by),
            _ => None,
        });
        found.collect()
    }

    /// Tampers with the first replica, lets it look, and says whether its final blocks are whole again.
    fn is_whole_after(&mut self, how: Tampering) -> bool {
        let finals = self.replicas[1].0.finals.len();
        let good = self.hashes(1)[..finals].to_vec();
        self.request(0, Request::Tamper { how, place: 400 });
        assert!(matches!(self.observed[..], [Observation::Tampered { .. }]), "{:?}", self.observed);
        self.pass(200);
        let (replica, blocks) = (&self.replicas[0].0, self.blocks(0));
        replica.ledger.first_fault().is_none()
            && blocks.get(..finals).is_some_and(|kept| kept.iter().map(|block| block.hash).eq(good))
            && audit::wrong_snapshots(&replica.snapshots, blocks).is_empty()
    }
}

#[test]
fn an_event_is_answered_once_its_block_is_final_and_all_replicas_have_it() {
    let mut bench = started(Rules::hardened(), Privacy::Remined);
    bench.ask(0, 1, 5);
    assert!(bench.answers.is_empty());
    bench.pass(200);
    let [Answer::Final { index }] = bench.answers[..] else { panic!("{:?}", bench.answers) };
    for replica in 0..3 {
        let block = &bench.blocks(replica)[usize::try_from(index).unwrap()];
        assert!(block.entries.iter().any(|entry| entry.request == RequestKey(1)));
    }
    bench.ask(2, 1, 5);
    assert_eq!(bench.answers.len(), 2, "asked again, answered at once");
}

#[test]
fn who_is_cut_off_makes_nothing_final_unless_depth_alone_decides() {
    for (rules, want) in [(Rules::hardened(), 0), (Rules::mutant("final-by-depth"), 1)] {
        let mut bench = started(rules, Privacy::Remined);
        bench.cut_off = Some(NodeId(1));
        bench.ask(0, 1, 5);
        bench.pass(200);
        assert_eq!(bench.answers.len(), want);
        bench.cut_off = None;
        bench.pass(300);
        assert_eq!(bench.hashes(0), bench.hashes(1), "together again");
    }
}

#[test]
fn an_event_is_mined_once() {
    let count = |bench: &Bench| {
        let entries = bench.blocks(0).iter().flat_map(|block| block.entries.iter());
        entries.filter(|entry| entry.request == RequestKey(0)).count()
    };
    assert_eq!(count(&settled(Rules::hardened(), &[1])), 1);
    assert!(count(&settled(Rules::mutant("event-mined-twice"), &[1])) > 1);
}

#[test]
fn what_nobody_asked_for_is_not_mined_again_when_its_block_goes() {
    let mut bench = started(Rules::hardened(), Privacy::Committed);
    for request in 0..5 {
        bench.ask(0, request, 5);
        bench.pass(50);
    }
    // One that has begun again knows of nothing final yet when it hears of a block that an administrator slipped in.
    let setup = bench.replicas[1].0.setup.clone();
    bench.replicas[1].0 = Replica::new(Rules::hardened(), setup);
    bench.request(0, Request::Tamper { how: Tampering::Remine, place: 400 });
    let has_forged = |block: &Arc<Block>| block.entries.iter().any(|entry| entry.request.0 == u64::MAX);
    let forged = bench.blocks(0).to_vec();
    bench.act(1, |replica, context, fx| {
        replica.message(NodeId(1), Message::Blocks(forged.into()), context, fx);
    });
    assert!(bench.blocks(1).iter().any(has_forged), "it cannot tell");
    bench.act(1, |replica, _, fx| replica.start(fx));
    bench.ask(1, 9, 9);
    bench.pass(300);
    assert!((0..3).all(|index| !bench.blocks(index).iter().any(has_forged)));
}

#[test]
fn links_and_heads_together_find_every_tampering_with_blocks() {
    for how in Tampering::ALL {
        let mut bench = settled(Rules::hardened(), &[1, 2, 3, 4, 5]);
        assert!(bench.is_whole_after(how), "{how:?}: {:?}", bench.found());
        assert!(!bench.found().is_empty(), "{how:?}");
    }
}

#[test]
fn each_check_finds_what_the_others_do_not() {
    for (defect, how) in [
        ("links-unchecked", Tampering::Change),
        ("heads-unchecked", Tampering::Remine),
        ("snapshots-unchecked", Tampering::Snapshot),
    ] {
        assert!(!settled(Rules::mutant(defect), &[1, 2, 3, 4, 5]).is_whole_after(how), "{defect}");
    }
}

#[test]
fn an_erasure_is_on_record_everywhere_and_leaves_nothing_of_its_subject() {
    let mut bench = settled(Rules::hardened(), &[1, 2, 1, 3]);
    bench.request(2, Request::Erase { id: 7, subject: Subject(1) });
    bench.pass(300);
    let witnesses = bench.observed.iter().filter_map(|observation| match observation {
        Observation::Erased { erasure, witness } if erasure.id == 7 => Some(*witness),
        _ => None,
    });
    assert_eq!(witnesses.collect::<Vec<_>>(), [Some(NOTARY); 3]);
    let cost = bench.observed.iter().any(
        |one| matches!(one, Observation::Remined { blocks, tries, .. } if *blocks > 0 && *tries >= *blocks),
    );
    assert!(cost, "its cost is shown");
    for index in 0..3 {
        let ledger = &bench.replicas[index].0.ledger;
        assert_eq!((ledger.first_about(Subject(1)), ledger.first_fault()), (None, None));
        assert!(ledger.first_about(Subject(3)).is_some());
        assert!(audit::wrong_snapshots(&bench.replicas[index].0.snapshots, ledger.blocks()).is_empty());
    }
}

#[test]
fn an_erasure_outlives_whatever_is_done_to_the_blocks_that_it_mines_anew() {
    for how in Tampering::ALL {
        let mut bench = settled(Rules::hardened(), &[1, 2, 1, 3, 4]);
        bench.request(2, Request::Erase { id: 7, subject: Subject(1) });
        bench.request(2, Request::Tamper { how, place: 300 });
        bench.pass(400);
        for index in 0..3 {
            let ledger = &bench.replicas[index].0.ledger;
            assert_eq!((ledger.first_about(Subject(1)), ledger.first_fault()), (None, None), "{how:?}");
            let forged = ledger.first_about(Subject(u32::MAX));
            assert_eq!(forged, None, "{how:?}: what was forged is not mined anew");
        }
    }
}

#[test]
fn without_a_record_an_erasure_is_its_own_witness_and_old_snapshots_stay_wrong() {
    let mut mutant = settled(Rules::mutant("erasure-unwitnessed"), &[1, 2, 1, 3]);
    mutant.request(2, Request::Erase { id: 7, subject: Subject(1) });
    mutant.pass(300);
    let is_alone = |one: &Observation| matches!(one, Observation::Erased { witness: None, .. });
    assert!(mutant.observed.iter().any(is_alone));
    let skipped = crate::rules::Precaution::Skipped;
    let skipped = Rules { snapshots_rebuilt: skipped, snapshots_checked: skipped, ..Rules::hardened() };
    let mut mutant = settled(skipped, &[1, 2, 1, 3]);
    mutant.request(2, Request::Erase { id: 7, subject: Subject(1) });
    mutant.pass(300);
    let (replica, blocks) = (&mutant.replicas[2].0, mutant.blocks(2));
    assert!(!audit::wrong_snapshots(&replica.snapshots, blocks).is_empty());
}

#[test]
fn a_commitment_stays_on_the_chain_when_its_secret_is_deleted_everywhere() {
    let mut bench = started(Rules::hardened(), Privacy::Committed);
    bench.ask(0, 1, 5);
    bench.ask(1, 2, 6);
    bench.pass(200);
    let before = bench.hashes(0);
    bench.request(0, Request::Erase { id: 7, subject: Subject(5) });
    bench.pass(20);
    for index in 0..3 {
        let subjects: Vec<_> =
            bench.replicas[index].0.vault.values().map(|one| one.event.subject.0).collect();
        assert_eq!(subjects, [6]);
        assert_eq!(bench.hashes(index)[..before.len()], before);
    }
    // What is said of the subject later is not kept either.
    bench.ask(0, 3, 5);
    assert!(bench.replicas[1].0.vault.values().all(|secret| secret.event.subject == Subject(6)));
}

#[test]
fn a_full_chain_refuses() {
    let mut bench = started(Rules::hardened(), Privacy::Remined);
    for (replica, _) in &mut bench.replicas {
        replica.setup.blocks_max = 1;
    }
    bench.ask(0, 1, 5);
    assert_eq!(bench.answers, [Answer::Full]);
}

#[test]
fn who_starts_again_gets_everything_from_the_others() {
    let mut bench = settled(Rules::hardened(), &[1, 2, 3]);
    let setup = bench.replicas[0].0.setup.clone();
    bench.replicas[0].0 = Replica::new(Rules::hardened(), setup);
    bench.act(0, |replica, _, fx| replica.start(fx));
    bench.pass(60);
    assert_eq!(bench.hashes(0), bench.hashes(1));
}
