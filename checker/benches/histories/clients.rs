//! Clients of an object that is asked one thing at a time: linearizable histories.
//!
//! ```text
//!   idle ──ask──► asked ──takes effect──► decided ──answer──► idle
//!                   └──────gives up──► replaced; what it asked happens now, later, or never
//! ```
//!
//! At each tick one client goes on, so an operation takes effect at a random instant between its
//! call and its answer, and two clients in three are busy.

use counterclock_checker::history::ClientId;
use counterclock_checker::spec::Spec;

use super::Load;
use super::chance::Chance;
use super::recorder::{Question, Recorder};

/// What clients ask of an object, and what it answers.
pub(crate) trait Workload {
    /// Its model.
    type Model: Spec;

    /// What a client asks now: of which key, and what.
    fn ask(&mut self, client: usize, chance: &mut Chance) -> Asked<Self::Model>;

    /// The question takes effect.
    fn take_effect(&mut self, asked: &Asked<Self::Model>) -> AnswerOf<Self>;

    /// The answer reaches the client.
    fn answered(&mut self, client: usize, asked: &Asked<Self::Model>, answer: &AnswerOf<Self>);

    /// The client gives up.
    fn given_up(&mut self, asked: &Asked<Self::Model>, fate: Fate);

    /// What a client gave up takes effect; nobody is told.
    fn take_effect_unseen(&mut self, asked: &Asked<Self::Model>) {
        self.take_effect(asked);
    }

    /// Operations of one client, one after the other with nothing between them, of which the last has
    /// an answer that cannot be explained, whatever is open. Empty if the moment is not good for one.
    fn violation(&mut self, chance: &mut Chance) -> Vec<(Asked<Self::Model>, AnswerOf<Self>)>;
}

/// A question, and the number of the object it goes to.
pub(crate) struct Asked<S: Spec> {
    pub(crate) key: usize,
    pub(crate) call: S::Call,
}

/// What becomes of a question that nobody waits for any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Now,
    Later,
    Never,
}

/// An answer of a workload.
pub(crate) type AnswerOf<W> = <<W as Workload>::Model as Spec>::Answer;

/// Has the clients of `load` ask the workload, on a stream of chance of its own.
///
/// # Panics
/// If a violation is wanted and the history is too short for one.
pub(crate) fn record<W: Workload>(
    load: &Load,
    stream: u64,
    workload: W,
    recorder: &mut impl Recorder<W::Model>,
) {
    let clients = (0..load.clients).map(|slot| Client { id: ClientId(slot as u64), phase: Phase::Idle });
    let mut scene = Scene {
        load: *load,
        chance: load.chance(stream),
        clients: clients.collect(),
        late: Vec::new(),
        begun: 0,
        next_id: load.clients as u64,
        is_violated: false,
        names: Names::default(),
        workload,
        recorder,
    };
    scene.run();
}

/// The names of objects: `k0`, `k1`, and so on.
#[derive(Default)]
pub(crate) struct Names {
    made: Vec<String>,
}

impl Names {
    pub(crate) fn of(&mut self, key: usize) -> &str {
        while self.made.len() <= key {
            self.made.push(format!("k{}", self.made.len()));
        }
        &self.made[key]
    }
}

struct Client<W: Workload> {
    id: ClientId,
    phase: Phase<W>,
}

enum Phase<W: Workload> {
    Idle,
    Asked(Asked<W::Model>),
    Decided(Asked<W::Model>, AnswerOf<W>),
}

struct Scene<'a, W: Workload, R> {
    load: Load,
    chance: Chance,
    clients: Vec<Client<W>>,
    /// Questions of clients that gave up, which will still take effect.
    late: Vec<Asked<W::Model>>,
    begun: usize,
    next_id: u64,
    is_violated: bool,
    names: Names,
    workload: W,
    recorder: &'a mut R,
}

impl<W: Workload, R: Recorder<W::Model>> Scene<'_, W, R> {
    fn run(&mut self) {
        while self.begun < self.load.operations {
            let slot = self.chance.below(self.clients.len());
            self.go_on(slot);
            if !self.late.is_empty() && self.chance.one_in(4 * self.clients.len()) {
                let place = self.chance.below(self.late.len());
                let asked = self.late.swap_remove(place);
                self.workload.take_effect_unseen(&asked);
            }
        }
        while let Some(slot) = self.clients.iter().position(|client| !matches!(client.phase, Phase::Idle)) {
            self.go_on(slot);
        }
        if self.load.is_violation_due(self.begun) && !self.is_violated {
            self.violate(0);
        }
        let is_wanted = self.load.is_violation_due(self.begun);
        assert!(!is_wanted || self.is_violated, "{} operations are too few for a violation", self.begun);
    }

    fn go_on(&mut self, slot: usize) {
        let phase = std::mem::replace(&mut self.clients[slot].phase, Phase::Idle);
        self.clients[slot].phase = match phase {
            Phase::Idle => self.begin(slot),
            Phase::Asked(asked) => {
                if self.chance.hits(self.load.unknown) {
                    self.give_up(slot, asked);
                    Phase::Idle
                } else {
                    let answer = self.workload.take_effect(&asked);
                    Phase::Decided(asked, answer)
                }
            }
            Phase::Decided(asked, answer) => {
                self.answer(slot, &asked, &answer);
                Phase::Idle
            }
        };
    }

    fn begin(&mut self, slot: usize) -> Phase<W> {
        if self.load.is_violation_due(self.begun) && !self.is_violated {
            self.violate(slot);
        }
        if self.begun >= self.load.operations {
            return Phase::Idle;
        }
        let asked = self.workload.ask(slot, &mut self.chance);
        self.invoke(slot, &asked);
        Phase::Asked(asked)
    }

    fn violate(&mut self, slot: usize) {
        for (asked, answer) in self.workload.violation(&mut self.chance) {
            self.invoke(slot, &asked);
            let question = Question { key: self.names.of(asked.key), call: &asked.call };
            self.recorder.answer(self.clients[slot].id, &question, &answer);
            self.is_violated = true;
        }
    }

    fn invoke(&mut self, slot: usize, asked: &Asked<W::Model>) {
        self.begun += 1;
        let question = Question { key: self.names.of(asked.key), call: &asked.call };
        self.recorder.invoke(self.clients[slot].id, &question);
    }

    fn answer(&mut self, slot: usize, asked: &Asked<W::Model>, answer: &AnswerOf<W>) {
        let question = Question { key: self.names.of(asked.key), call: &asked.call };
        self.recorder.answer(self.clients[slot].id, &question, answer);
        self.workload.answered(slot, asked, answer);
    }

    /// A third of such questions take effect at once, a third later, a third never.
    fn give_up(&mut self, slot: usize, asked: Asked<W::Model>) {
        let client = &mut self.clients[slot];
        let question = Question { key: self.names.of(asked.key), call: &asked.call };
        self.recorder.unknown(client.id, &question);
        client.id = ClientId(self.next_id);
        self.next_id += 1;
        let fate = [Fate::Now, Fate::Later, Fate::Never][self.chance.below(3)];
        self.workload.given_up(&asked, fate);
        match fate {
            Fate::Now => self.workload.take_effect_unseen(&asked),
            Fate::Later => self.late.push(asked),
            Fate::Never => {}
        }
    }
}
