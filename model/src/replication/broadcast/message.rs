//! What the nodes of the replicated channels say to one another, keep, are asked, and show to the recorder.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sim::digest::{Canonical, Digest};
use sim::node::NodeId;

use crate::broker::{Published, ToBroker};
use crate::client::{Ask, Operation, Question, Reply};
use crate::durable::Formatted;
use crate::ids::{ChannelId, Offset, RequestKey};

/// What a user asks of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Call {
    /// Put a message into a channel. The message is known by the request's key.
    Post {
        /// Which channel.
        channel: ChannelId,
    },
    /// How far the node has got in a channel.
    Read {
        /// Which channel.
        channel: ChannelId,
    },
}

impl Call {
    /// The channel it is about.
    #[must_use]
    pub const fn channel(self) -> ChannelId {
        match self {
            Self::Post { channel } | Self::Read { channel } => channel,
        }
    }
}

/// What a call came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The message is in the channel.
    Posted {
        /// How far one must read to see it; unknown to a node that has only passed it on.
        position: Option<Offset>,
    },
    /// The node has this many messages of the channel.
    Messages {
        /// How many.
        position: Offset,
    },
    /// There is no such channel: nothing was done.
    UnknownChannel,
    /// The channel holds as many messages as it may: nothing was done.
    Full,
    /// Not now: ask another node.
    Unavailable,
}

/// How far a session has read and written, by channel: at most one entry for each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The furthest position read.
    pub read: BTreeMap<ChannelId, Offset>,
    /// The position that has its last message.
    pub written: BTreeMap<ChannelId, Offset>,
}

impl Question for Call {
    type Answer = Answer;
    type Mark = Mark;

    fn is_settled_by(&self, answer: &Answer) -> bool {
        *answer != Answer::Unavailable
    }

    fn remember(&self, answer: &Answer, mark: &mut Mark) {
        let (marks, position) = match answer {
            Answer::Posted { position: Some(position) } => (&mut mark.written, *position),
            Answer::Messages { position } => (&mut mark.read, *position),
            Answer::Posted { position: None }
            | Answer::UnknownChannel
            | Answer::Full
            | Answer::Unavailable => return,
        };
        let seen = marks.entry(self.channel()).or_default();
        *seen = position.max(*seen);
    }
}

/// A message on its way to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// The node that acknowledges it.
    pub node: NodeId,
    /// Who asked for it.
    pub client: NodeId,
    /// Which operation, and so which message.
    pub request: RequestKey,
    /// Into which channel.
    pub channel: ChannelId,
}

/// What is published about a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notice {
    /// By the log: these messages have these places.
    Entries {
        /// Offset of the first.
        from: Offset,
        /// Their keys.
        entries: Arc<[RequestKey]>,
        /// How many messages the channel has in all.
        tail: Offset,
    },
    /// By a node, for the other nodes and the log alike: a message without a place.
    Post(Post),
}

/// What nodes send.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named for what they hold; the variants say when they are sent")]
pub enum Message {
    /// A user asks a node.
    Ask(Ask<Call>),
    /// The answer.
    Answer(Reply<Answer>),
    /// A node passes a message on to the log.
    Store(Post),
    /// It is in the log; or it is not, as the channel is full.
    Stored { post: Post, position: Option<Offset> },
    /// A node wants the messages of a channel from this offset on.
    Fetch { channel: ChannelId, from: Offset },
    /// These are some of them.
    Fetched { channel: ChannelId, from: Offset, entries: Arc<[RequestKey]>, tail: Offset },
    /// Somebody tells the broker.
    Broker(ToBroker<ChannelId, Notice>),
    /// The broker passes on.
    Published(Published<ChannelId, Notice>),
}

impl sim::node::Message for Message {
    fn name(&self) -> &'static str {
        match self {
            Self::Ask(_) => "ask",
            Self::Answer(_) => "answer",
            Self::Store(_) => "store",
            Self::Stored { .. } => "stored",
            Self::Fetch { .. } => "fetch",
            Self::Fetched { .. } => "fetched",
            Self::Broker(ToBroker::Subscribe(_)) => "subscribe",
            Self::Broker(ToBroker::Unsubscribe(_)) => "unsubscribe",
            Self::Broker(ToBroker::Publish(_)) => "publish",
            Self::Published(_) => "published",
        }
    }
}

impl From<Ask<Call>> for Message {
    fn from(ask: Ask<Call>) -> Self {
        Self::Ask(ask)
    }
}

impl From<Published<ChannelId, Notice>> for Message {
    fn from(published: Published<ChannelId, Notice>) -> Self {
        Self::Published(published)
    }
}

/// What the workload asks of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// Of a client: one operation.
    Operation(Call),
    /// Of a service node: drop a channel, until somebody asks for it again.
    Unsubscribe {
        /// Which channel.
        channel: ChannelId,
    },
    /// Of a service node: leave the service with all channels.
    Leave,
    /// Of a service node: serve again.
    Join,
}

/// The operation, if a client is asked for one.
impl From<Request> for Option<Call> {
    fn from(request: Request) -> Self {
        if let Request::Operation(operation) = request { Some(operation) } else { None }
    }
}

/// What the log keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// A message, behind those of its channel.
    Message {
        /// Of which channel.
        channel: ChannelId,
        /// Its key.
        request: RequestKey,
    },
    /// What stands behind it is in this format.
    Format(u32),
}

impl Formatted for Record {
    fn format(&self) -> Option<u32> {
        match self {
            Self::Format(format) => Some(*format),
            Self::Message { .. } => None,
        }
    }

    fn of_format(format: u32) -> Self {
        Self::Format(format)
    }
}

/// What nodes show to the recorder. A node learns nothing from it.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "fields are named for what they hold; the variants say when they are shown")]
pub enum Observation {
    /// A client begins or ends an operation.
    Operation(Operation<Call>),
    /// A node begins, with nothing in memory.
    Started,
    /// The log shows these messages from now on.
    Logged { channel: ChannelId, from: Offset, entries: Arc<[RequestKey]> },
    /// A node subscribes to a channel, from its beginning.
    Subscribed { channel: ChannelId },
    /// It drops the channel.
    Unsubscribed { channel: ChannelId },
    /// A node has these messages now, the first at this place of its copy.
    Applied { channel: ChannelId, from: Offset, entries: Arc<[RequestKey]> },
}

impl Canonical for Observation {
    fn feed(&self, digest: &mut Digest) {
        digest.plain(self);
    }
}

impl From<Operation<Call>> for Observation {
    fn from(operation: Operation<Call>) -> Self {
        Self::Operation(operation)
    }
}
