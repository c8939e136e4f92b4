//! A link between two nodes of the log: letters once and in order; what is missing is noticed, and never comes late.
//!
//! ```text
//!   sender   1 ─ 2 ─ 4 ─ 3 ─ 6 ─ 7 ─► receiver   1 2 3 4, then 6 waits for 5; after a while: a gap, 6 7
//! ```
//!
//! That is what the library expects of its links, as connections of TCP that break give it: told of a gap, it asks for
//! what it may have missed. Nothing is sent again here. Heartbeats follow every letter, so that a gap is seen soon.

use std::collections::BTreeMap;

use omnipaxos::messages::Message as Paxos;
use omnipaxos::storage::Entry;
use serde::{Deserialize, Serialize};

/// Letters that wait, at most: beyond that those before them count as missing.
const EARLY_MAX: usize = 256;

/// What the library of one node says to that of another, in its place on the link.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Letter<C: Entry> {
    /// The how-many-th life of the sender, from 1: its disk knows.
    pub life: u64,
    /// The how-many-th letter of that life to this peer, from 1.
    pub number: u64,
    /// What it says.
    pub content: Paxos<C>,
}

impl<C: Entry> Letter<C> {
    /// What it is about, in a word.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.content {
            Paxos::SequencePaxos(_) => "paxos",
            Paxos::BLE(_) => "heartbeat",
        }
    }
}

/// What a link hands on.
#[derive(Clone, Debug)]
pub enum Heard<C: Entry> {
    /// The next letter.
    Next(Box<Letter<C>>),
    /// Letters are missing before the next one, and will stay so.
    Gap,
}

/// One node's end of a link, for both directions.
#[derive(Clone, Debug)]
pub struct Link<C: Entry> {
    /// Letters written to the peer in this life.
    written: u64,
    /// The peer's life; 0 before it was heard of.
    life: u64,
    /// The last letter of that life that was handed on.
    last: u64,
    /// Letters beyond the next one, by number; at most [`EARLY_MAX`].
    early: BTreeMap<u64, Box<Letter<C>>>,
    /// Ticks that the first of them has waited.
    waited: u64,
}

impl<C: Entry> Default for Link<C> {
    /// Nothing was written, and nobody heard of.
    fn default() -> Self {
        Self { written: 0, life: 0, last: 0, early: BTreeMap::new(), waited: 0 }
    }
}

impl<C: Entry> Link<C> {
    /// The next letter to the peer, of this node's life.
    pub fn letter(&mut self, life: u64, content: Paxos<C>) -> Box<Letter<C>> {
        self.written += 1;
        Box::new(Letter { life, number: self.written, content })
    }

    /// A letter of the peer has come: what can be handed on.
    pub fn take(&mut self, letter: Box<Letter<C>>) -> Vec<Heard<C>> {
        if letter.life > self.life {
            self.begin(letter.life);
        }
        if letter.life < self.life || letter.number <= self.last {
            return Vec::new();
        }
        self.early.insert(letter.number, letter);
        let mut heard = self.in_order();
        if self.early.len() > EARLY_MAX {
            heard.extend(self.skip());
        }
        heard
    }

    /// A tick has begun: what can be handed on. What is missing before it will not come, once that has waited for
    /// `patience` ticks.
    pub fn tick(&mut self, patience: u64) -> Vec<Heard<C>> {
        if self.early.is_empty() {
            return Vec::new();
        }
        self.waited += 1;
        if self.waited < patience { Vec::new() } else { self.skip() }
    }

    /// The peer has begun again.
    fn begin(&mut self, life: u64) {
        (self.life, self.last, self.waited) = (life, 0, 0);
        self.early.clear();
    }

    fn in_order(&mut self) -> Vec<Heard<C>> {
        let mut heard = Vec::new();
        while let Some(letter) = self.early.remove(&(self.last + 1)) {
            self.last += 1;
            self.waited = 0;
            heard.push(Heard::Next(letter));
        }
        heard
    }

    fn skip(&mut self) -> Vec<Heard<C>> {
        let Some(first) = self.early.keys().next() else { return Vec::new() };
        self.last = first - 1;
        let mut heard = vec![Heard::Gap];
        heard.append(&mut self.in_order());
        heard
    }
}

#[cfg(test)]
mod tests {
    use omnipaxos::messages::ballot_leader_election::{BLEMessage, HeartbeatMsg, HeartbeatRequest};

    use super::super::message::Command;
    use super::*;

    fn letter(life: u64, number: u64) -> Box<Letter<Command>> {
        let msg = HeartbeatMsg::Request(HeartbeatRequest { round: 1 });
        Box::new(Letter { life, number, content: Paxos::BLE(BLEMessage { from: 1, to: 2, msg }) })
    }

    /// The numbers of what was handed on; 0 is a gap.
    fn numbers(heard: &[Heard<Command>]) -> Vec<u64> {
        let number = |heard: &Heard<Command>| match heard {
            Heard::Next(letter) => letter.number,
            Heard::Gap => 0,
        };
        heard.iter().map(number).collect()
    }

    /// Takes letters, as (life, number), and returns what was handed on for each.
    fn check(link: &mut Link<Command>, letters: &[(u64, u64)]) -> Vec<Vec<u64>> {
        letters.iter().map(|(life, number)| numbers(&link.take(letter(*life, *number)))).collect()
    }

    #[test]
    fn letters_are_numbered_from_one_for_each_peer() {
        let mut link = Link::default();
        let numbers = [1, 2].map(|_| link.letter(7, letter(7, 1).content).number);
        assert_eq!(numbers, [1, 2]);
    }

    #[test]
    fn letters_that_overtake_one_another_are_put_in_order_and_doubles_dropped() {
        let handed = check(&mut Link::default(), &[(7, 2), (7, 1), (7, 1), (7, 4), (7, 4), (7, 3), (7, 2)]);
        assert_eq!(handed, [vec![], vec![1, 2], vec![], vec![], vec![], vec![3, 4], vec![]]);
    }

    #[test]
    fn what_does_not_come_in_time_is_a_gap_and_never_comes_late() {
        let mut link = Link::default();
        check(&mut link, &[(7, 1), (7, 3), (7, 4), (7, 6)]);
        assert_eq!(numbers(&link.tick(2)), [0; 0]);
        assert_eq!(numbers(&link.tick(2)), [0, 3, 4]);
        assert_eq!(check(&mut link, &[(7, 2)]), [[0; 0]]);
        assert_eq!(numbers(&link.tick(2)), [0; 0], "the next one has waited for one tick");
        assert_eq!(check(&mut link, &[(7, 5)]), [[5, 6]]);
    }

    #[test]
    fn so_many_letters_may_wait_and_no_more() {
        let mut link = Link::default();
        let letters: Vec<_> = (0..EARLY_MAX as u64).map(|index| (7, index + 2)).collect();
        assert!(check(&mut link, &letters).concat().is_empty());
        let handed = check(&mut link, &[(7, 1_000)]).concat();
        assert_eq!((handed[0], handed.len()), (0, EARLY_MAX + 1));
    }

    #[test]
    fn late_letters_of_an_earlier_life_are_dropped() {
        let handed = check(&mut Link::default(), &[(7, 1), (7, 3), (8, 1), (7, 2), (8, 3), (8, 2)]);
        assert_eq!(handed, [vec![1], vec![], vec![1], vec![], vec![], vec![2, 3]]);
    }
}
