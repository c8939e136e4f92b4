//! What the world did: a running digest always, a readable trace if asked for, and where two runs part.
//!
//! Every event feeds the digest with (kind, instant, node, detail, name), observations with their content too; keeping
//! a trace changes nothing of that. Every [`Checkpoints::every`] events the digest so far is kept, so that two runs can
//! be compared without a trace.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::checkpoints::Checkpoints;
use crate::digest::{Canonical, Digest, DigestValue};
use crate::fault::Family;
use crate::limits::TRACE_MAX;
use crate::node::NodeId;
use crate::time::TrueTime;

/// The node of events that are about none.
const NO_NODE: u32 = u32::MAX;

/// What an event is; the number stands in the digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum EventKind {
    /// A node starts. Detail: how many records its disk has.
    Start = 1,
    /// A node takes a message. Detail: the sender.
    Message = 2,
    /// A node takes a timer. Detail: its key.
    Timer = 3,
    /// A node learns that a sync is done. Detail: its token.
    Synced = 4,
    /// A node learns that a sync was refused. Detail: its token.
    SyncFailed = 5,
    /// A node takes a request.
    Request = 6,
    /// A node is asked to stop.
    Stop = 7,
    /// An input waits for a busy or paused node.
    Deferred = 8,
    /// A message never arrives. Detail: the sender.
    Lost = 9,
    /// A busy node is done with an input.
    ServiceEnd = 10,
    /// A node is down from now on.
    Down = 11,
    /// A fault begins. Detail: its place in the plan.
    FaultBegin = 12,
    /// A fault ends. Detail: its place in the plan.
    FaultEnd = 13,
    /// An oscillator changes its rate. Detail: its frequency error in ppb, in two's complement.
    Wander = 14,
    /// A node tells the recorder.
    Observation = 15,
    /// The clocks are sampled. It never feeds the digest.
    Sample = 16,
    /// A node learns that its connection to a peer was reset. Detail: the peer.
    Reset = 20,
}

/// One event as the digest sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    pub(crate) kind: EventKind,
    pub(crate) node: Option<NodeId>,
    pub(crate) detail: u64,
    pub(crate) name: &'a str,
}

impl<'a> Line<'a> {
    /// An event of a node without a name.
    pub(crate) const fn plain(kind: EventKind, node: NodeId, detail: u64) -> Self {
        Self { kind, node: Some(node), detail, name: "" }
    }

    /// An event with a message.
    pub(crate) fn message(kind: EventKind, to: NodeId, from: NodeId, name: &'a str) -> Self {
        Self { kind, node: Some(to), detail: u64::from(from.0), name }
    }

    /// A fault begins or ends.
    pub(crate) fn fault(kind: EventKind, index: u32, node: Option<NodeId>, family: Family) -> Line<'static> {
        Line { kind, node, detail: u64::from(index), name: family.name() }
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { detail, name, .. } = self;
        match self.kind {
            EventKind::Start => write!(f, "starts with {detail} records"),
            EventKind::Message => write!(f, "takes {name} from n{detail}"),
            EventKind::Timer => write!(f, "takes timer {detail}"),
            EventKind::Synced => write!(f, "sync {detail} is done"),
            EventKind::SyncFailed => write!(f, "sync {detail} is refused"),
            EventKind::Request => f.write_str("takes a request"),
            EventKind::Stop => f.write_str("is asked to stop"),
            EventKind::Deferred => write!(f, "defers {name}"),
            EventKind::Lost => write!(f, "never gets {name} from n{detail}"),
            EventKind::ServiceEnd => f.write_str("is done with its input"),
            EventKind::Down => f.write_str("is down"),
            EventKind::FaultBegin => write!(f, "fault {detail} begins: {name}"),
            EventKind::FaultEnd => write!(f, "fault {detail} ends: {name}"),
            EventKind::Wander => write!(f, "drifts by {} ppb", detail.cast_signed()),
            EventKind::Observation => f.write_str("observes"),
            EventKind::Sample => f.write_str("clocks are sampled"),
            EventKind::Reset => write!(f, "loses its connection to n{detail}"),
        }
    }
}

/// One event of a kept trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceEvent {
    /// When. Unit: ns of true time.
    pub at_ns: u64,
    /// Whose event it is, if it is that of one node.
    pub node: Option<NodeId>,
    /// What happened.
    pub what: String,
}

impl fmt::Display for TraceEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ns ", self.at_ns)?;
        match self.node {
            Some(node) => write!(f, "{node} {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

/// Where two traces part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The first event that differs, from 0.
    pub index: usize,
    /// What the left trace has there; none if it ended.
    pub left: Option<TraceEvent>,
    /// What the right trace has there; none if it ended.
    pub right: Option<TraceEvent>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |event: &Option<TraceEvent>| match event {
            Some(event) => event.to_string(),
            None => "nothing more".to_owned(),
        };
        write!(f, "event {}: {} | {}", self.index, side(&self.left), side(&self.right))
    }
}

/// The first event in which two traces differ.
#[must_use]
pub fn first_difference(left: &[TraceEvent], right: &[TraceEvent]) -> Option<Difference> {
    let index = left.iter().zip(right).take_while(|(left, right)| left == right).count();
    let (left, right) = (left.get(index).cloned(), right.get(index).cloned());
    (left != right).then_some(Difference { index, left, right })
}

/// The record of one run.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    digest: Digest,
    count: u64,
    next_checkpoint: u64,
    checkpoints: Checkpoints,
    kept: Option<Vec<TraceEvent>>,
}

impl Trace {
    /// An empty record; with a readable trace if `is_kept`.
    pub(crate) fn new(is_kept: bool) -> Self {
        let checkpoints = Checkpoints::default();
        Self {
            digest: Digest::default(),
            count: 0,
            next_checkpoint: checkpoints.every(),
            checkpoints,
            kept: is_kept.then(Vec::new),
        }
    }

    /// Something happened.
    #[inline]
    pub(crate) fn event(&mut self, at: TrueTime, line: &Line<'_>) {
        let node = line.node.map_or(NO_NODE, |node| node.0);
        let mut bytes = [0; 21];
        bytes[..8].copy_from_slice(&at.as_ns().to_le_bytes());
        bytes[8..16].copy_from_slice(&line.detail.to_le_bytes());
        bytes[16..20].copy_from_slice(&node.to_le_bytes());
        bytes[20] = line.kind as u8;
        self.digest.bytes(&bytes);
        self.digest.str(line.name);
        if self.kept.is_some() {
            self.keep(at, line.node, line.to_string());
        }
        self.counted();
    }

    /// A node told the recorder something.
    pub(crate) fn observation<O: Canonical + fmt::Debug>(
        &mut self,
        at: TrueTime,
        node: NodeId,
        observation: &O,
    ) {
        self.digest.u64(at.as_ns());
        self.digest.u32(node.0);
        self.digest.u8(EventKind::Observation as u8);
        observation.feed(&mut self.digest);
        if self.kept.is_some() {
            self.keep(at, Some(node), format!("observes {observation:?}"));
        }
        self.counted();
    }

    /// The digest so far.
    pub(crate) fn digest(&self) -> DigestValue {
        self.digest.finish()
    }

    /// The kept trace; empty if none is kept.
    pub(crate) fn kept(&self) -> &[TraceEvent] {
        self.kept.as_deref().unwrap_or_default()
    }

    /// The digests kept on the way.
    pub(crate) const fn checkpoints(&self) -> &Checkpoints {
        &self.checkpoints
    }

    #[inline]
    fn counted(&mut self) {
        self.count += 1;
        if self.count == self.next_checkpoint {
            self.checkpoint();
        }
    }

    #[cold]
    fn checkpoint(&mut self) {
        self.checkpoints.push(self.digest.finish());
        let every = self.checkpoints.every();
        self.next_checkpoint = (self.count / every + 1) * every;
    }

    #[cold]
    fn keep(&mut self, at: TrueTime, node: Option<NodeId>, what: String) {
        if let Some(kept) = &mut self.kept
            && kept.len() < TRACE_MAX
        {
            kept.push(TraceEvent { at_ns: at.as_ns(), node, what });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The record of `count` timers, the one at `odd` with another key.
    fn check(count: u64, odd: u64) -> Trace {
        let mut trace = Trace::new(true);
        for index in 0..count {
            let line = Line::plain(EventKind::Timer, NodeId(1), u64::from(index == odd));
            trace.event(TrueTime::from_ns(index), &line);
        }
        trace
    }

    #[test]
    fn the_first_event_that_differs_is_named_with_both_sides() {
        let difference = first_difference(check(9, 5).kept(), check(9, 7).kept()).unwrap();
        assert_eq!(difference.to_string(), "event 5: 5 ns n1 takes timer 1 | 5 ns n1 takes timer 0");
        let shorter = first_difference(check(3, 9).kept(), check(4, 9).kept()).unwrap();
        assert_eq!(shorter.to_string(), "event 3: nothing more | 3 ns n1 takes timer 0");
        assert_eq!(first_difference(check(9, 5).kept(), check(9, 5).kept()), None);
    }

    #[test]
    fn checkpoints_name_the_window_of_the_first_difference() {
        let window =
            |left: Trace, right: Trace| left.checkpoints().first_differing_window(right.checkpoints());
        assert_eq!(window(check(5_000, 2_500), check(5_000, 9_000)), Some(2_048..3_072));
        assert_eq!(window(check(5_000, 9_000), check(5_000, 9_000)), None);
        assert_eq!(window(check(5_000, 9_000), check(3_000, 9_000)), None, "as far as both go");
    }

    #[test]
    fn every_field_of_an_event_is_part_of_the_digest() {
        let digest = |at, kind, node, detail, name| {
            let mut trace = Trace::new(false);
            trace.event(TrueTime::from_ns(at), &Line { kind, node, detail, name });
            trace.digest()
        };
        let digests = [
            digest(1, EventKind::Message, Some(NodeId(1)), 2, "append"),
            digest(2, EventKind::Message, Some(NodeId(1)), 2, "append"),
            digest(1, EventKind::Lost, Some(NodeId(1)), 2, "append"),
            digest(1, EventKind::Message, None, 2, "append"),
            digest(1, EventKind::Message, Some(NodeId(1)), 3, "append"),
            digest(1, EventKind::Message, Some(NodeId(1)), 2, "vote"),
        ];
        for (index, digest) in digests.iter().enumerate() {
            assert!(!digests[..index].contains(digest), "{index}");
        }
    }
}
