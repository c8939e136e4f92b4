//! Logs and strings under load: what is appended stays.

use std::sync::Arc;

use counterclock_checker::spec::log::{Log, LogAnswer, LogCall};
use counterclock_checker::spec::text::{Text, TextAnswer, TextCall};

use super::Load;
use super::chance::Chance;
use super::clients::{Asked, Fate, Workload, record};
use super::recorder::Recorder;

/// Appends to one log that say where the entry stands, and reads near the end.
pub(crate) fn log_with_offsets(load: &Load, recorder: &mut impl Recorder<Log>) {
    record(load, 7, Entries::new(Offsets::Told), recorder);
}

/// The same, but appends say nothing.
pub(crate) fn log_without_offsets(load: &Load, recorder: &mut impl Recorder<Log>) {
    record(load, 8, Entries::new(Offsets::Untold), recorder);
}

/// Appends to strings, no token twice, and reads of the whole; each string gets 32 tokens.
pub(crate) fn texts(load: &Load, recorder: &mut impl Recorder<Text>) {
    let strings = (0..STRING_COUNT).map(|_| Appended::default()).collect();
    let in_use = (0..STRING_COUNT).collect();
    record(load, 9, Strings { strings, in_use, token_count: 0 }, recorder);
}

/// Whether a token may be the beginning of another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tokens {
    /// Each ends with a blank.
    Ended,
    /// `v1` is the beginning of `v12`.
    Nested,
}

/// Puts, appends and gets of one string, no token twice: of a hundred 4 puts, 48 appends and 48 gets.
pub(crate) fn put_append_get(load: &Load, tokens: Tokens, recorder: &mut impl Recorder<Text>) {
    let past = vec![Arc::from("")];
    record(load, 22, Changed { tokens, token_count: 0, past }, recorder);
}

/// How many changes ago the text was that a stale get finds: more than clients can have open.
const STALE_COUNT: usize = 200;

struct Changed {
    tokens: Tokens,
    token_count: usize,
    /// All that the text was, to the present.
    past: Vec<Arc<str>>,
}

impl Workload for Changed {
    type Model = Text;

    fn ask(&mut self, _client: usize, chance: &mut Chance) -> Asked<Text> {
        let kind = chance.below(100);
        if kind < 48 {
            return Asked { key: 0, call: TextCall::Get };
        }
        self.token_count += 1;
        let token: Arc<str> = match self.tokens {
            Tokens::Ended => format!("v{} ", self.token_count).into(),
            Tokens::Nested => format!("v{}", self.token_count).into(),
        };
        let call = if kind < 52 { TextCall::Put(token) } else { TextCall::Append(token) };
        Asked { key: 0, call }
    }

    fn take_effect(&mut self, asked: &Asked<Text>) -> TextAnswer {
        let text = self.past.last().expect("there is a text at first").clone();
        match &asked.call {
            TextCall::Get => return TextAnswer::Found(text),
            TextCall::Put(text) => self.past.push(text.clone()),
            TextCall::Append(token) => self.past.push(format!("{text}{token}").into()),
        }
        TextAnswer::Done
    }

    fn answered(&mut self, _client: usize, _asked: &Asked<Text>, _answer: &TextAnswer) {}

    fn given_up(&mut self, _asked: &Asked<Text>, _fate: Fate) {}

    /// A get of what the text was long ago.
    fn violation(&mut self, _chance: &mut Chance) -> Vec<(Asked<Text>, TextAnswer)> {
        let stale = self.past.len().checked_sub(STALE_COUNT).map(|place| self.past[place].clone());
        let get = |text| (Asked { key: 0, call: TextCall::Get }, TextAnswer::Found(text));
        stale.map(get).into_iter().collect()
    }
}

/// Whether the answer to an append says where the entry stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Offsets {
    Told,
    Untold,
}

/// How far before its end a log is read.
const TAIL_MAX: usize = 8;

struct Entries {
    offsets: Offsets,
    entries: Vec<i64>,
    asked_count: i64,
    answered: Option<i64>,
}

impl Entries {
    fn new(offsets: Offsets) -> Self {
        Self { offsets, entries: Vec::new(), asked_count: 0, answered: None }
    }
}

impl Workload for Entries {
    type Model = Log;

    fn ask(&mut self, _client: usize, chance: &mut Chance) -> Asked<Log> {
        let near_end = self.entries.len().saturating_sub(chance.below(TAIL_MAX)) as u64;
        let call = match chance.below(4) {
            0 => LogCall::ReadAt(near_end),
            1 => LogCall::ReadFrom(near_end),
            _ => {
                self.asked_count += 1;
                LogCall::Append(self.asked_count)
            }
        };
        Asked { key: 0, call }
    }

    fn take_effect(&mut self, asked: &Asked<Log>) -> LogAnswer {
        let place = |offset: u64| usize::try_from(offset).expect("a log that fits memory");
        match asked.call {
            LogCall::Append(entry) => {
                self.entries.push(entry);
                match self.offsets {
                    Offsets::Told => LogAnswer::AppendedAt(self.entries.len() as u64 - 1),
                    Offsets::Untold => LogAnswer::Appended,
                }
            }
            LogCall::ReadFrom(offset) => LogAnswer::Entries(self.entries[place(offset)..].into()),
            LogCall::ReadAt(offset) => LogAnswer::Entry(self.entries.get(place(offset)).copied()),
        }
    }

    fn answered(&mut self, _client: usize, asked: &Asked<Log>, _answer: &LogAnswer) {
        if let LogCall::Append(entry) = asked.call {
            self.answered = Some(entry);
        }
    }

    fn given_up(&mut self, _asked: &Asked<Log>, _fate: Fate) {}

    /// A read of nothing from where an answered entry stands.
    fn violation(&mut self, _chance: &mut Chance) -> Vec<(Asked<Log>, LogAnswer)> {
        let place = self.entries.iter().rposition(|entry| Some(*entry) == self.answered);
        let empty = |place| {
            let asked = Asked { key: 0, call: LogCall::ReadFrom(place as u64) };
            (asked, LogAnswer::Entries(Arc::default()))
        };
        place.map(empty).into_iter().collect()
    }
}

/// Strings in use at a time.
const STRING_COUNT: usize = 8;
/// How many tokens a string gets.
const TOKENS_MAX: usize = 32;

/// One string, and how much was asked of it.
struct Appended {
    text: Arc<str>,
    token_count: usize,
    /// A token whose append was answered.
    answered: Option<Arc<str>>,
}

impl Default for Appended {
    fn default() -> Self {
        Self { text: Arc::from(""), token_count: 0, answered: None }
    }
}

struct Strings {
    /// All strings ever used, by key.
    strings: Vec<Appended>,
    /// The keys of those in use.
    in_use: Vec<usize>,
    token_count: usize,
}

impl Strings {
    /// A key in use; a full string may give way to a new one.
    fn key(&mut self, chance: &mut Chance) -> usize {
        let place = chance.below(self.in_use.len());
        if self.strings[self.in_use[place]].token_count == TOKENS_MAX && chance.one_in(4) {
            self.in_use[place] = self.strings.len();
            self.strings.push(Appended::default());
        }
        self.in_use[place]
    }
}

impl Workload for Strings {
    type Model = Text;

    fn ask(&mut self, _client: usize, chance: &mut Chance) -> Asked<Text> {
        let key = self.key(chance);
        let string = &mut self.strings[key];
        if string.token_count == TOKENS_MAX || chance.one_in(2) {
            return Asked { key, call: TextCall::Get };
        }
        string.token_count += 1;
        self.token_count += 1;
        Asked { key, call: TextCall::Append(format!(" {}", self.token_count).into()) }
    }

    fn take_effect(&mut self, asked: &Asked<Text>) -> TextAnswer {
        let string = &mut self.strings[asked.key];
        match &asked.call {
            TextCall::Get => return TextAnswer::Found(string.text.clone()),
            TextCall::Put(text) => string.text = text.clone(),
            TextCall::Append(token) => string.text = format!("{}{token}", string.text).into(),
        }
        TextAnswer::Done
    }

    fn answered(&mut self, _client: usize, asked: &Asked<Text>, _answer: &TextAnswer) {
        if let TextCall::Append(token) = &asked.call {
            self.strings[asked.key].answered = Some(token.clone());
        }
    }

    fn given_up(&mut self, _asked: &Asked<Text>, _fate: Fate) {}

    /// A read that lacks the last token, though its append was answered.
    fn violation(&mut self, _chance: &mut Chance) -> Vec<(Asked<Text>, TextAnswer)> {
        let without_last = |&key: &usize| {
            let string = &self.strings[key];
            let shorter = string.text.strip_suffix(&**string.answered.as_ref()?)?;
            let asked = Asked { key, call: TextCall::Get };
            Some((asked, TextAnswer::Found(shorter.into())))
        };
        self.in_use.iter().find_map(without_last).into_iter().collect()
    }
}
