//! Service nodes on the bench with their database: messages between the two pass at once, unless a test takes them.

mod as_rows;
mod in_logs;
mod in_the_store;
mod questions;

use sim::node::{Input, InputOf, Node, NodeId, SyncToken, TimerKey};
use sim::time::Span;

use super::*;
use crate::client::{Ask, Patience};
use crate::probe::{Done, Probe};
use crate::rules::Decisions as _;

const DATABASE: NodeId = NodeId(0);
const CLIENT: NodeId = NodeId(8);
const SECOND: Span = Span::from_seconds(1);

const SHAPE: Shape = Shape {
    service_count: 2,
    client_count: 1,
    requests_max: 50,
    flush_every: Span::from_seconds(5),
    query_timeout: Span::from_seconds(1),
    patience: Patience { timeout: SECOND, backoff: SECOND, deadline: SECOND },
    standby: Spare::None,
};

/// What becomes of messages between node and database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Whole,
    /// The database hears and its answers are lost.
    Deaf,
    /// Nothing is heard.
    Cut,
}

/// One service node and the database.
struct Bench {
    service: Member,
    database: Member,
    first: Member,
    service_probe: Probe<Member>,
    database_probe: Probe<Member>,
    line: Line,
    /// Whether the service's disk does its syncs.
    is_syncing: bool,
    unsynced: Vec<SyncToken>,
    written: Vec<Record>,
    answers: Vec<(RequestKey, Answer)>,
}

impl Bench {
    fn new(kind: Build) -> Self {
        let members = build(&SHAPE, kind).members;
        let mut bench = Self {
            service: members[1].clone(),
            first: members[1].clone(),
            database: members[0].clone(),
            service_probe: Probe::new(Span::ZERO),
            database_probe: Probe::new(Span::ZERO),
            line: Line::Whole,
            is_syncing: true,
            unsynced: Vec::new(),
            written: Vec::new(),
            answers: Vec::new(),
        };
        bench.tell_database(Input::Start { disk: Vec::new() });
        bench.tell_service(Input::Start { disk: Vec::new() });
        bench
    }

    fn sync(rules: sync::Rules) -> Self {
        Self::new(Build::Sync(rules))
    }

    fn dist(rules: dist::Rules) -> Self {
        Self::new(Build::Dist(rules))
    }

    fn rollup(rules: rollup::Rules) -> Self {
        Self::new(Build::Rollup(rules))
    }

    fn tell_service(&mut self, input: InputOf<Member>) {
        let service = &mut self.service;
        self.service_probe.ask(|context, fx| service.handle(input, context, fx));
        let done = self.service_probe.done();
        self.pass(done);
    }

    fn pass(&mut self, done: Done<Member>) {
        if let Some(records) = done.rewritten {
            self.written = records;
        }
        self.written.extend(done.written);
        for (to, message) in done.sent {
            match message {
                Message::Answer(Reply { request, answer }) => self.answers.push((request, answer)),
                Message::Database(_) if to == DATABASE && self.line != Line::Cut => {
                    self.tell_database(Input::Message { from: NodeId(1), message });
                }
                Message::Database(_) | Message::Ask(_) | Message::Forward { .. } | Message::Beat => {}
            }
        }
        for token in done.synced {
            if self.is_syncing {
                self.tell_service(Input::Synced(token));
            } else {
                self.unsynced.push(token);
            }
        }
    }

    fn tell_database(&mut self, input: InputOf<Member>) {
        let database = &mut self.database;
        self.database_probe.ask(|context, fx| database.handle(input, context, fx));
        let done = self.database_probe.done();
        for (_, message) in done.sent {
            if self.line == Line::Whole {
                self.tell_service(Input::Message { from: DATABASE, message });
            }
        }
        for token in done.synced {
            self.tell_database(Input::Synced(token));
        }
    }

    /// Asks under that request key. The answers so far of that key.
    fn ask(&mut self, request: u64, call: Call) -> Vec<Answer> {
        let request = RequestKey(request);
        let message = Message::Ask(Ask { request, call, mark: () });
        self.tell_service(Input::Message { from: CLIENT, message });
        self.answers_of(request.0)
    }

    fn answers_of(&self, request: u64) -> Vec<Answer> {
        self.answers.iter().filter(|(known, _)| known.0 == request).map(|(_, answer)| *answer).collect()
    }

    fn read(&mut self, request: u64, key: &str) -> Answer {
        let answers = self.ask(request, Call::Read(key.into()));
        *answers.last().expect("a read is answered")
    }

    fn timer(&mut self, key: u32) {
        self.tell_service(Input::Timer(TimerKey(key)));
    }

    /// Lets the node give up what it asked of the database.
    fn give_up(&mut self, tick: u32) {
        self.service_probe.wait(SECOND);
        self.timer(tick);
    }

    /// The node dies and begins again with these records.
    fn restart(&mut self, disk: Vec<Record>) {
        self.service = self.first.clone();
        self.unsynced.clear();
        self.written.clone_from(&disk);
        self.tell_service(Input::Start { disk });
    }
}

fn add(key: &str, delta: i64) -> Call {
    Call::Increment(Increment { key: key.into(), delta })
}

const DONE: [Answer; 1] = [Answer::Incremented];
