//! A cache between a store and those who read it: look-aside, with expiry, in memory.
//!
//! ```text
//!   reader ──get──► cache ──► hit: the value, until it expires
//!      ├────read──► store      miss: the reader asks the store, and sets what it got
//!      └────set───► cache
//!                    replica: copies the whole cache every so often, and lags by as much
//! ```
//!
//! In the manner of Redis: a value expires at an instant of the wall clock, which a replica judges by its own; memory is
//! all there is; of too many values the one that expires first goes (`volatile-ttl`).
//! Source: Redis documentation, "EXPIRE", "Redis replication" and "Key eviction".

use core::fmt::Debug;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sim::digest::{Canonical, Digest};
use sim::node::{Context, Effects, Input, InputOf, Node, NodeId, TimerKey};
use sim::time::{LocalTime, Span};

/// What a value is kept under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CacheKey(pub u32);

/// A value and when it expires.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cached<V> {
    /// Under which key.
    pub key: CacheKey,
    /// The value.
    pub value: V,
    /// From then on, by the wall clock of whoever is asked, it is not there.
    pub expires_at: LocalTime,
}

/// What travels to and from a cache of `V`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named for what they hold; the variants say when they are sent")]
pub enum CacheMessage<V> {
    /// A reader asks.
    Get { key: CacheKey },
    /// The value, if it is there.
    Got { key: CacheKey, value: Option<V> },
    /// Keep this for so long.
    Set { key: CacheKey, value: V, ttl: Span },
    /// A replica wants everything.
    Copy { copy: u64 },
    /// That is this.
    Copied { copy: u64, values: Arc<[Cached<V>]> },
}

impl<V> CacheMessage<V> {
    /// A short constant name of this kind of message.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Get { .. } => "get",
            Self::Got { .. } => "got",
            Self::Set { .. } => "set",
            Self::Copy { .. } => "copy",
            Self::Copied { .. } => "copied",
        }
    }
}

/// What a cache shows to the recorder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum CacheSeen {
    /// It had what it was asked for.
    Hit,
    /// It had not.
    Miss,
    /// It has sent everything to a replica.
    CopySent {
        /// For which question.
        copy: u64,
    },
    /// A replica has taken everything over.
    CopyTaken {
        /// For which question.
        copy: u64,
    },
}

impl Canonical for CacheSeen {
    fn feed(&self, digest: &mut Digest) {
        digest.plain(self);
    }
}

/// Values at once.
pub const VALUES_MAX: usize = 10_000;

const COPY: TimerKey = TimerKey(0);

/// Whom a replica copies.
#[derive(Clone, Copy, Debug)]
pub struct Copying {
    /// The cache that readers set.
    pub primary: NodeId,
    /// How often; the replica lags by as much.
    pub every: Span,
}

/// The cache node.
#[derive(Clone, Debug)]
pub struct Cache<V> {
    values: BTreeMap<CacheKey, Cached<V>>,
    copying: Option<Copying>,
    copies: u64,
}

impl<V: Clone + Debug> Cache<V> {
    /// An empty cache; a replica if it copies.
    #[must_use]
    pub const fn new(copying: Option<Copying>) -> Self {
        Self { values: BTreeMap::new(), copying, copies: 0 }
    }

    /// Reacts to whatever happens to its node; `cached` finds what is for it in a message.
    pub fn handle<N: Node>(
        &mut self,
        input: InputOf<N>,
        cached: impl FnOnce(N::Message) -> Option<CacheMessage<V>>,
        context: &mut Context<'_>,
        fx: &mut Effects<N>,
    ) where
        N::Message: From<CacheMessage<V>>,
        N::Observation: From<CacheSeen>,
    {
        match input {
            Input::Start { .. } => self.start(context, fx),
            Input::Message { from, message } => {
                if let Some(message) = cached(message) {
                    self.message(from, message, context, fx);
                }
            }
            Input::Timer(_) => self.timer(fx),
            Input::Request(_) | Input::Synced(_) | Input::SyncFailed(_) | Input::Stop => {}
        }
    }

    /// Begins: a replica asks for everything.
    pub fn start<N: Node>(&mut self, context: &mut Context<'_>, fx: &mut Effects<N>)
    where
        N::Message: From<CacheMessage<V>>,
    {
        // So that no answer to a question from before a restart counts.
        self.copies = context.chance().below(u64::MAX / 2);
        self.timer(fx);
    }

    /// A replica copies again.
    pub fn timer<N: Node>(&mut self, fx: &mut Effects<N>)
    where
        N::Message: From<CacheMessage<V>>,
    {
        if let Some(Copying { primary, every }) = self.copying {
            self.copies += 1;
            fx.send(primary, CacheMessage::Copy { copy: self.copies });
            fx.set_timer(COPY, every);
        }
    }

    /// Reacts to a message.
    pub fn message<N: Node>(
        &mut self,
        from: NodeId,
        message: CacheMessage<V>,
        context: &Context<'_>,
        fx: &mut Effects<N>,
    ) where
        N::Message: From<CacheMessage<V>>,
        N::Observation: From<CacheSeen>,
    {
        match message {
            CacheMessage::Get { key } => {
                let value = self.get(key, context);
                fx.observe(if value.is_some() { CacheSeen::Hit } else { CacheSeen::Miss });
                fx.send(from, CacheMessage::Got { key, value });
            }
            CacheMessage::Set { key, value, ttl } => {
                self.set(Cached { key, value, expires_at: context.wall() + ttl });
            }
            CacheMessage::Copy { copy } => {
                let values = self.values.values().cloned().collect();
                fx.observe(CacheSeen::CopySent { copy });
                fx.send(from, CacheMessage::Copied { copy, values });
            }
            CacheMessage::Copied { copy, values } if copy == self.copies => {
                self.values = values.iter().map(|cached| (cached.key, cached.clone())).collect();
                fx.observe(CacheSeen::CopyTaken { copy });
            }
            CacheMessage::Copied { .. } | CacheMessage::Got { .. } => {}
        }
    }

    fn get(&mut self, key: CacheKey, context: &Context<'_>) -> Option<V> {
        let cached = self.values.get(&key)?;
        if cached.expires_at <= context.wall() {
            self.values.remove(&key);
            return None;
        }
        Some(cached.value.clone())
    }

    fn set(&mut self, cached: Cached<V>) {
        if self.values.len() >= VALUES_MAX && !self.values.contains_key(&cached.key) {
            let first = self.values.values().min_by_key(|other| other.expires_at).map(|other| other.key);
            first.and_then(|key| self.values.remove(&key));
        }
        self.values.insert(cached.key, cached);
        assert!(self.values.len() <= VALUES_MAX, "a cache keeps at most {VALUES_MAX} values");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Member;
    use crate::config::message::{Message, Question, Reading};
    use crate::probe::Probe;

    const KEY: CacheKey = CacheKey(0);
    const READER: NodeId = NodeId(7);
    const TTL: Span = Span::from_seconds(1);

    fn reading() -> Reading {
        let question = Question { stamp: LocalTime::ZERO, nonce: 0 };
        Reading { reader: READER, question, versions: [].into() }
    }

    fn tell(cache: &mut Cache<Reading>, probe: &mut Probe<Member>, message: CacheMessage<Reading>) {
        probe.ask(|context, fx| cache.message(READER, message, context, fx));
    }

    fn is_hit(cache: &mut Cache<Reading>, probe: &mut Probe<Member>) -> bool {
        tell(cache, probe, CacheMessage::Get { key: KEY });
        matches!(
            probe.done().sent.as_slice(),
            [(READER, Message::Cache(CacheMessage::Got { value: Some(_), .. }))]
        )
    }

    #[test]
    fn a_value_is_there_until_it_expires_by_the_wall_clock() {
        let (mut cache, mut probe) = (Cache::new(None), Probe::new(Span::ZERO));
        assert!(!is_hit(&mut cache, &mut probe));
        tell(&mut cache, &mut probe, CacheMessage::Set { key: KEY, value: reading(), ttl: TTL });
        probe.wait(Span::from_ms(999));
        assert!(is_hit(&mut cache, &mut probe));
        probe.step(-500_000_000).wait(Span::from_ms(400));
        assert!(is_hit(&mut cache, &mut probe), "a clock that went back keeps it longer");
        probe.wait(Span::from_ms(101));
        assert!(!is_hit(&mut cache, &mut probe));
    }

    #[test]
    fn a_replica_has_what_it_last_copied_and_believes_no_older_answer() {
        let (mut replica, mut probe) =
            (Cache::new(Some(Copying { primary: NodeId(3), every: TTL })), Probe::new(Span::ZERO));
        probe.ask(|context, fx| replica.start(context, fx));
        let copy = |probe: &mut Probe<Member>| match probe.done().sent.as_slice() {
            [(NodeId(3), Message::Cache(CacheMessage::Copy { copy }))] => *copy,
            other => panic!("{other:?}"),
        };
        let first = copy(&mut probe);
        probe.ask(|_, fx| replica.timer(fx));
        let second = copy(&mut probe);
        let values: Arc<[_]> =
            [Cached { key: KEY, value: reading(), expires_at: LocalTime::ZERO + TTL }].into();
        tell(&mut replica, &mut probe, CacheMessage::Copied { copy: first, values: Arc::clone(&values) });
        assert!(!is_hit(&mut replica, &mut probe));
        tell(&mut replica, &mut probe, CacheMessage::Copied { copy: second, values });
        assert!(is_hit(&mut replica, &mut probe));
    }

    #[test]
    fn of_too_many_values_the_one_that_expires_first_goes() {
        let (mut cache, mut probe) = (Cache::new(None), Probe::new(Span::ZERO));
        for index in 0..=u32::try_from(VALUES_MAX).unwrap() {
            let ttl = Span::from_seconds(if index == 5 { 1 } else { 2 });
            tell(&mut cache, &mut probe, CacheMessage::Set { key: CacheKey(index), value: reading(), ttl });
        }
        assert_eq!(cache.values.len(), VALUES_MAX);
        assert!(!cache.values.contains_key(&CacheKey(5)));
    }
}
