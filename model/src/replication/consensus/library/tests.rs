//! A few libraries on links in order, driven at random: what one has decided, no other has decided otherwise, and all have
//! in the end.

use std::collections::VecDeque;

use sim::chance::{Seed, Stream};
use sim::time::Span;

use super::*;
use crate::ids::RequestKey;
use crate::replication::consensus::message::{Command, State};

const NODES: [NodeId; 5] = [NodeId(0), NodeId(1), NodeId(2), NodeId(3), NodeId(4)];

/// What happens to the libraries besides what they are asked.
#[derive(Clone, Copy, Debug)]
struct Troubles {
    /// Steps out of 1,000 in which a node makes a snapshot,
    snapshots: u64,
    /// in which it begins again,
    restarts: u64,
    /// in which it is cut off, or the one that is cut off is back,
    losses: u64,
    /// and letters out of 1,000 that are lost one by one.
    drops: u64,
}

/// One direction between two nodes.
#[derive(Default)]
struct Wire {
    letters: VecDeque<Paxos<Command>>,
    /// Something was lost since the last letter that arrived.
    has_gap: bool,
}

struct World {
    chance: Stream,
    libraries: Vec<Library<Command>>,
    /// What each has applied, and how many commands that is.
    states: Vec<(State, usize)>,
    /// From one to another.
    wires: Vec<Vec<Wire>>,
    /// Who neither hears nor is heard.
    cut: Option<usize>,
    asked: u64,
    /// What was decided, as far as anybody knows.
    decided: Vec<RequestKey>,
}

/// That of a network within a region.
fn pace() -> Pace {
    Pace::between(Span::ZERO, Span::ZERO)
}

impl World {
    fn new(count: usize, seed: u64) -> Self {
        let nodes: Arc<[NodeId]> = NODES[..count].into();
        let begin = |me: &NodeId| Library::start(*me, Arc::clone(&nodes), pace(), Image::default());
        let wires = || (0..count).map(|_| Wire::default()).collect();
        Self {
            chance: Seed(seed).stream("library", 0),
            libraries: nodes.iter().map(begin).collect(),
            states: vec![(State::default(), 0); count],
            wires: (0..count).map(|_| wires()).collect(),
            cut: None,
            asked: 0,
            decided: Vec::new(),
        }
    }

    fn count(&self) -> usize {
        self.libraries.len()
    }

    fn draw(&mut self) -> usize {
        self.chance.below(self.libraries.len() as u64) as usize
    }

    fn step(&mut self, troubles: Troubles) {
        let node = self.draw();
        let word = self.chance.below(1_000);
        let Troubles { snapshots, restarts, losses, drops } = troubles;
        match word {
            word if word < snapshots => {
                let (applied, compacted) = (self.states[node].1, self.libraries[node].compacted());
                if applied > compacted {
                    let _ = self.libraries[node].compact(applied);
                }
            }
            word if word < snapshots + restarts => self.restart(node),
            word if word < snapshots + restarts + losses => {
                self.cut = (self.cut.is_none()).then_some(node);
            }
            word if word < 150 => {
                self.asked += 1;
                self.libraries[node].propose(Command::AppendOnce(RequestKey(self.asked)));
            }
            word if word < 250 => self.libraries[node].tick(),
            _ => {
                let from = self.draw();
                if self.chance.below(1_000) < drops {
                    self.lose(from, node);
                } else {
                    self.deliver(from, node);
                }
            }
        }
        self.settle(node);
    }

    /// The node loses its memory, and what is on its way to it and from it.
    fn restart(&mut self, node: usize) {
        let image = Image::of(&self.libraries[node].shelf.records());
        self.libraries[node] = Library::start(NODES[node], NODES[..self.count()].into(), pace(), image);
        self.states[node] = (State::default(), 0);
        // Its letters are of a new life, in which nothing is missing; those to it are in the middle of another.
        for peer in 0..self.count() {
            self.wires[node][peer] = Wire::default();
            self.wires[peer][node] = Wire { letters: VecDeque::new(), has_gap: true };
        }
    }

    /// Nothing is lost any more: in the end everybody has everything.
    fn rest(&mut self) {
        self.cut = None;
        for _ in 0..300 {
            for node in 0..self.count() {
                self.libraries[node].tick();
                self.settle(node);
            }
            self.deliver_all();
        }
        let lengths: Vec<_> = self.states.iter().map(|(state, _)| state.entries().len()).collect();
        assert_eq!(lengths, vec![self.decided.len(); self.count()], "somebody stays behind");
    }

    fn deliver_all(&mut self) {
        while let Some((from, to)) = self.waiting() {
            self.pass(from, to);
        }
    }

    /// The next letter arrives, and what follows from it leaves.
    fn pass(&mut self, from: usize, to: usize) {
        self.deliver(from, to);
        self.settle(to);
    }

    /// The first letter that says `what` arrives, and all before it.
    fn pass_up_to(&mut self, from: usize, to: usize, what: fn(&PaxosMsg<Command>) -> bool) {
        self.deliver_up_to(from, to, what);
        self.pass(from, to);
    }

    fn waiting(&self) -> Option<(usize, usize)> {
        let count = self.count();
        let links = (0..count * count).map(|link| (link / count, link % count));
        links.into_iter().find(|(from, to)| !self.wires[*from][*to].letters.is_empty())
    }

    /// What comes before the first letter that says `what` arrives.
    fn deliver_up_to(&mut self, from: usize, to: usize, what: fn(&PaxosMsg<Command>) -> bool) {
        let says = |letter: &Paxos<Command>| match letter {
            Paxos::SequencePaxos(letter) => what(&letter.msg),
            Paxos::BLE(_) => false,
        };
        while !says(self.wires[from][to].letters.front().expect("such a letter is on its way")) {
            self.deliver(from, to);
            self.settle(to);
        }
    }

    fn lose(&mut self, from: usize, to: usize) {
        let wire = &mut self.wires[from][to];
        wire.has_gap |= wire.letters.pop_front().is_some();
    }

    fn deliver(&mut self, from: usize, to: usize) {
        let wire = &mut self.wires[from][to];
        if self.cut.is_some_and(|cut| cut == from || cut == to) {
            return self.lose(from, to);
        }
        let Some(letter) = wire.letters.pop_front() else { return };
        if core::mem::take(&mut wire.has_gap) {
            self.libraries[to].reconnected(NODES[from]);
        }
        self.libraries[to].handle(letter);
    }

    fn settle(&mut self, node: usize) {
        for (to, letter) in self.libraries[node].take_outgoing() {
            self.wires[node][to.index()].letters.push_back(letter);
        }
        let _ = self.libraries[node].take_unwritten();
        let (state, applied) = &mut self.states[node];
        let (decided, learned) = self.libraries[node].decided_from(*applied);
        for news in learned {
            match news {
                Decided::Command(command) => {
                    state.apply(command);
                    *applied += 1;
                }
                Decided::Snapshot(index, snapshot) => (*state, *applied) = (snapshot, index),
            }
        }
        assert_eq!(*applied, decided, "node {node} can read all that it has decided");
        let entries = state.entries();
        let common = entries.len().min(self.decided.len());
        let other = (0..common).find(|place| entries[*place] != self.decided[*place]);
        assert_eq!(other, None, "node {node} has decided otherwise");
        self.decided.extend_from_slice(&entries[common..]);
    }
}

/// Runs worlds of these troubles: in none has anybody decided otherwise or stays behind, and in all together enough was
/// decided.
#[track_caller]
fn check(troubles: Troubles) {
    check_among(3, troubles);
}

#[track_caller]
fn check_among(count: usize, troubles: Troubles) {
    let run = |seed| {
        let mut world = World::new(count, seed);
        (0..20_000).for_each(|_| world.step(troubles));
        world.rest();
        world.decided.len()
    };
    let decided: usize = (0..20).map(run).sum();
    assert!(decided > 5_000, "{troubles:?}: {decided} decided");
}

#[test]
fn nobody_decides_otherwise_when_leaders_change_because_heartbeats_are_late() {
    check(Troubles { snapshots: 0, restarts: 0, losses: 0, drops: 0 });
}

#[test]
fn nobody_decides_otherwise_when_snapshots_are_sent_to_who_has_accepted_something_else() {
    check(Troubles { snapshots: 5, restarts: 0, losses: 0, drops: 0 });
}

#[test]
fn nobody_decides_otherwise_when_letters_are_lost_and_told_of() {
    check(Troubles { snapshots: 0, restarts: 0, losses: 2, drops: 0 });
    check(Troubles { snapshots: 0, restarts: 0, losses: 0, drops: 200 });
}

#[test]
fn nobody_decides_otherwise_when_nodes_begin_again_amid_losses_and_snapshots() {
    check(Troubles { snapshots: 0, restarts: 2, losses: 0, drops: 0 });
    check(Troubles { snapshots: 5, restarts: 2, losses: 2, drops: 0 });
}

#[test]
fn nobody_decides_otherwise_when_one_of_five_promises_and_begins_over_before_a_majority_has() {
    check_among(5, Troubles { snapshots: 10, restarts: 2, losses: 2, drops: 0 });
    check_among(5, Troubles { snapshots: 10, restarts: 0, losses: 0, drops: 100 });
}

#[test]
fn a_follower_whose_leader_has_forgotten_it_begins_over() {
    let mut world = World::new(3, 1);
    world.rest();
    let (leader, _) = world.libraries[0].paxos.get_current_leader().expect("one was elected");
    let leader = leader as usize - 1;
    let follower = (leader + 1) % 3;
    let is_promise = |what: &PaxosMsg<Command>| matches!(what, PaxosMsg::Promise(_));

    // The follower asks to begin over, and is asked for its promise twice.
    world.libraries[follower].reconnected(NODES[leader]);
    world.settle(follower);
    world.deliver(follower, leader);
    (0..pace().resend_ticks).for_each(|_| world.libraries[leader].tick());
    world.settle(leader);
    // It promises upon the first, misses something, and promises upon the second; that promise is lost.
    world.deliver(leader, follower);
    world.settle(follower);
    world.deliver(follower, leader);
    world.settle(leader);
    world.libraries[follower].reconnected(NODES[leader]);
    world.settle(follower);
    world.deliver_up_to(leader, follower, |what| matches!(what, PaxosMsg::AcceptSync(_)));
    world.deliver_up_to(follower, leader, is_promise);
    world.lose(follower, leader);

    world.libraries[leader].propose(Command::AppendOnce(RequestKey(1)));
    world.settle(leader);
    world.rest();
    assert_eq!(world.decided, [RequestKey(1)]);
}

#[test]
fn who_has_promised_and_begins_over_is_counted_with_what_it_had_decided() {
    let is_prepare = |what: &PaxosMsg<Command>| matches!(what, PaxosMsg::Prepare(_));
    let is_promise = |what: &PaxosMsg<Command>| matches!(what, PaxosMsg::Promise(_));
    let mut world = World::new(5, 1);
    world.rest();
    let (leader, _) = world.libraries[0].paxos.get_current_leader().expect("one was elected");
    let leader = leader as usize - 1;
    let [next, first, second, third] = [1, 2, 3, 4].map(|behind| (leader + behind) % 5);

    // All but the next leader decide a command; of another only the first of them learns that it is decided.
    world.cut = Some(next);
    for request in 1..=2 {
        world.libraries[leader].propose(Command::AppendOnce(RequestKey(request)));
        world.settle(leader);
        if request == 1 {
            world.deliver_all();
        }
    }
    [first, second, third].into_iter().for_each(|node| world.pass(leader, node));
    [first, second].into_iter().for_each(|node| world.pass(node, leader));
    world.pass(leader, first);
    world.cut = None;

    // It promises, with a snapshot of both, and begins over before a majority has promised.
    world.libraries[next].paxos.try_become_leader();
    world.settle(next);
    world.pass_up_to(next, first, is_prepare);
    world.pass_up_to(first, next, is_promise);
    world.libraries[first].reconnected(NODES[next]);
    world.settle(first);
    world.pass_up_to(first, next, |what| matches!(what, PaxosMsg::PrepareReq(_)));
    for node in [second, third] {
        world.pass_up_to(next, node, is_prepare);
        world.pass_up_to(node, next, is_promise);
    }
    world.rest();
    assert_eq!(world.decided, [RequestKey(1), RequestKey(2)]);
}
