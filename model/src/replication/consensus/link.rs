//! A reliable link between two nodes of the log: every letter once and in order, or the session is broken and both know.
//!
//! ```text
//!   sender   1 ─ 2 ─ 3 ─ 4 ─► receiver      what was not heard of is sent again
//!            ◄──── heard up to 2 ───┘
//!            ◄──── a new life's letter ─┘    a receiver that began again knows no session: a new one begins
//! ```
//!
//! The library expects that of its links, as TCP gives it.

use std::collections::VecDeque;

use omnipaxos::messages::Message as Paxos;
use serde::{Deserialize, Serialize};

use super::message::{Command, Letter};

/// Letters that wait to be heard of, at most: beyond that the session is broken.
const UNHEARD_MAX: usize = 512;
/// Letters that are sent again at once.
const AGAIN_MAX: usize = 32;
/// Lives of a peer whose late letters are still told apart.
const PAST_LIVES_MAX: usize = 16;

/// Which session of a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionId {
    /// Which life of the sender: drawn at its start.
    pub life: u64,
    /// The how-many-th session of that life to this peer.
    pub number: u64,
}

/// The sending end.
#[derive(Clone, Debug)]
pub struct Outgoing {
    session: SessionId,
    /// Letters of this session so far, those still on their way to the disk among them.
    count: u64,
    /// What was sent and not heard of, in order.
    unheard: VecDeque<Letter>,
}

impl Outgoing {
    /// The first session of that life.
    #[must_use]
    pub const fn new(life: u64) -> Self {
        Self { session: SessionId { life, number: 0 }, count: 0, unheard: VecDeque::new() }
    }

    /// The next letter.
    pub fn letter(&mut self, content: Paxos<Command>) -> Letter {
        self.count += 1;
        Letter { session: self.session, number: self.count, content }
    }

    /// The letter may leave; nothing if its session is broken.
    pub fn leave(&mut self, letter: Letter) -> Option<Letter> {
        if letter.session != self.session {
            return None;
        }
        self.unheard.push_back(letter.clone());
        Some(letter)
    }

    /// The peer has heard everything up to that letter.
    pub fn heard(&mut self, session: SessionId, number: u64) {
        while session == self.session && self.unheard.front().is_some_and(|letter| letter.number <= number) {
            self.unheard.pop_front();
        }
    }

    /// Whether too much waits to be heard of.
    #[must_use]
    pub fn is_overfull(&self) -> bool {
        self.unheard.len() > UNHEARD_MAX
    }

    /// Begins a new session: what was not heard of is lost.
    pub fn break_off(&mut self) {
        self.session.number += 1;
        self.count = 0;
        self.unheard.clear();
    }

    /// What is to be sent again.
    pub fn again(&self) -> impl Iterator<Item = &Letter> {
        self.unheard.iter().take(AGAIN_MAX)
    }
}

/// What a letter is to its receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The next one.
    Next,
    /// The first of a session that is new: what the one before had left is lost.
    First,
    /// The first of a sender that began again: it has forgotten what it was told.
    Reborn,
    /// It was taken before; the sender does not know that yet.
    Again,
    /// One before it is still on its way, or went to somebody who is no more.
    Early,
    /// Of a session that has ended.
    Old,
}

/// The receiving end.
#[derive(Clone, Debug, Default)]
pub struct Incoming {
    session: SessionId,
    number: u64,
    /// At most [`PAST_LIVES_MAX`].
    past_lives: Vec<u64>,
}

impl Incoming {
    /// What it is to this end, which has taken it then.
    pub fn take(&mut self, letter: &Letter) -> Taken {
        let Letter { session, number, .. } = letter;
        if *session == self.session {
            return match number.cmp(&(self.number + 1)) {
                core::cmp::Ordering::Less => Taken::Again,
                core::cmp::Ordering::Greater => Taken::Early,
                core::cmp::Ordering::Equal => {
                    self.number = *number;
                    Taken::Next
                }
            };
        }
        let is_same_life = session.life == self.session.life;
        if self.past_lives.contains(&session.life) || (is_same_life && session.number < self.session.number) {
            return Taken::Old;
        }
        if *number > 1 {
            return Taken::Early;
        }
        if !is_same_life {
            self.past_lives.push(self.session.life);
            let excess = self.past_lives.len().saturating_sub(PAST_LIVES_MAX);
            self.past_lives.drain(..excess);
        }
        (self.session, self.number) = (*session, 1);
        if is_same_life { Taken::First } else { Taken::Reborn }
    }

    /// How far it has got.
    #[must_use]
    pub const fn place(&self) -> (SessionId, u64) {
        (self.session, self.number)
    }
}

#[cfg(test)]
mod tests {
    use omnipaxos::messages::ballot_leader_election::{BLEMessage, HeartbeatMsg, HeartbeatRequest};

    use super::*;

    fn content() -> Paxos<Command> {
        let msg = HeartbeatMsg::Request(HeartbeatRequest { round: 1 });
        Paxos::BLE(BLEMessage { from: 1, to: 2, msg })
    }

    fn sent(link: &mut Outgoing) -> Letter {
        let letter = link.letter(content());
        link.leave(letter).expect("its session is under way")
    }

    #[test]
    fn letters_are_taken_once_and_in_order_and_sent_again_until_they_are_heard_of() {
        let (mut out, mut incoming) = (Outgoing::new(7), Incoming::default());
        let letters = [(); 3].map(|()| sent(&mut out));
        assert_eq!(incoming.take(&letters[0]), Taken::Reborn);
        assert_eq!(incoming.take(&letters[2]), Taken::Early);
        assert_eq!(incoming.take(&letters[1]), Taken::Next);
        assert_eq!(incoming.take(&letters[0]), Taken::Again);
        let (session, number) = incoming.place();
        out.heard(session, number);
        assert_eq!(out.again().map(|letter| letter.number).collect::<Vec<_>>(), [3]);
    }

    #[test]
    fn who_began_again_knows_no_session_and_a_new_one_begins() {
        let (mut out, mut incoming) = (Outgoing::new(7), Incoming::default());
        sent(&mut out);
        let second = sent(&mut out);
        assert_eq!(incoming.take(&second), Taken::Early);
        out.break_off();
        assert!(out.leave(second).is_none());
        assert_eq!(incoming.take(&sent(&mut out)), Taken::Reborn);
    }

    #[test]
    fn late_letters_of_earlier_sessions_and_lives_are_told_apart() {
        let (mut out, mut next_life) = (Outgoing::new(7), Outgoing::new(8));
        let mut incoming = Incoming::default();
        let first = sent(&mut out);
        assert_eq!(incoming.take(&first), Taken::Reborn);
        out.break_off();
        assert_eq!(incoming.take(&sent(&mut out)), Taken::First);
        assert_eq!(incoming.take(&first), Taken::Old);
        assert_eq!(incoming.take(&sent(&mut next_life)), Taken::Reborn);
        assert_eq!(incoming.take(&sent(&mut out)), Taken::Old);
    }
}
