//! What runs on each host: one task that owns the machine's time, one for each connection.
//!
//! ```text
//!   machine ──► send ──► sender to b ── connection a→b ──► receiver from a ──► machine of b
//!                        sender to c ── connection a→c ──► ...
//! ```
//!
//! A connection carries messages one way, dialled by who sends. A message is written once and never again: what a
//! connection has in flight when it breaks is lost, and so is what was sent while nobody listened. So a message
//! arrives at most once and those of one connection in order, and nodes are told nothing of connections. A cut resets
//! the connections it crosses, as TCP would give up in the end; the next message after it dials anew.

use core::future::Future;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

use crate::network::LossCause;
use crate::node::{Message, Node, NodeId};
use crate::substrate::SubstrateError;
use crate::substrate::frame::{self, HEADER_BYTES, Header};
use crate::substrate::room::Room;
use crate::substrate::traffic::Resets;
use crate::time::{Span, TrueTime};

/// Where every node listens.
pub(super) const PORT: u16 = 7_000;
/// Most messages that wait for one connection; those beyond are lost.
const WAITING_MAX: usize = 65_536;

/// A simulated network and its time, as the hosts see them.
pub(super) trait Wire: 'static {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + 'static;
    /// Where connections arrive.
    type Listener: 'static;

    /// The simulated time.
    fn now() -> TrueTime;
    /// Waits, on the simulated time.
    fn sleep(span: Span) -> impl Future<Output = ()>;
    /// Runs beside, until it ends or the host dies.
    fn spawn(task: impl Future<Output = ()> + 'static);
    /// Listens on [`PORT`].
    fn listen() -> impl Future<Output = io::Result<Self::Listener>>;
    /// The next connection.
    fn accept(listener: &Self::Listener) -> impl Future<Output = io::Result<Self::Stream>>;
    /// A connection to another node.
    fn connect(to: NodeId) -> impl Future<Output = io::Result<Self::Stream>>;
}

/// A message that waits for its connection.
struct Outgoing {
    name: &'static str,
    resets: Resets,
    frame: Vec<u8>,
}

/// What a frame carries: the message, and what it takes along.
type Carried<M> = (Resets, M);
type Inbox<M> = mpsc::UnboundedReceiver<(NodeId, Carried<M>)>;
type Arrivals<M> = mpsc::UnboundedSender<(NodeId, Carried<M>)>;

/// Runs one node on its host until the host dies or the run ends.
pub(super) async fn drive<N, W>(room: Arc<Room<N>>, node: NodeId) -> io::Result<()>
where
    N: Node + 'static,
    N::Message: Serialize + DeserializeOwned,
    W: Wire,
{
    let (sender, inbox) = mpsc::unbounded_channel();
    let listener = W::listen().await?;
    W::spawn(accept::<N, W>(Arc::clone(&room), node, listener, sender));
    Driver::<N, W> { room, node, senders: BTreeMap::new(), wire: core::marker::PhantomData }.run(inbox).await;
    Ok(())
}

struct Driver<N: Node, W> {
    room: Arc<Room<N>>,
    node: NodeId,
    /// The tasks that write to the others.
    senders: BTreeMap<NodeId, mpsc::Sender<Outgoing>>,
    wire: core::marker::PhantomData<W>,
}

impl<N, W> Driver<N, W>
where
    N: Node + 'static,
    N::Message: Serialize + DeserializeOwned,
    W: Wire,
{
    async fn run(mut self, mut inbox: Inbox<N::Message>) {
        loop {
            let now = present::<N, W>(&self.room);
            for (to, message) in self.room.run(self.node, now) {
                self.send(to, &message, now);
            }
            let due = self.room.next_at(self.node).map_or(Span::from_seconds(3_600), |at| at.since(now));
            // The order is fixed: nothing but the seed may choose.
            tokio::select! {
                biased;
                arrived = inbox.recv() => if let Some((from, carried)) = arrived {
                    self.hear(from, carried);
                },
                () = self.room.wakes[self.node.index()].notified() => {}
                () = W::sleep(due) => {}
            }
        }
    }

    /// The machine first lives up to this instant: what was due before the message comes before it.
    fn hear(&mut self, from: NodeId, carried: Carried<N::Message>) {
        let now = present::<N, W>(&self.room);
        for (to, message) in self.room.run(self.node, now) {
            self.send(to, &message, now);
        }
        self.room.hear(self.node, from, carried);
    }

    fn send(&mut self, to: NodeId, message: &N::Message, now: TrueTime) {
        let from = self.node;
        let Some(resets) = self.room.sets_out((from, to), message, now) else { return };
        let frame = match frame::encode(from, &(resets, message)) {
            Ok(frame) => frame,
            Err(error) => return self.room.fail(SubstrateError::Frame { node: from, error }),
        };
        let room = &self.room;
        let sender = self.senders.entry(to).or_insert_with(|| {
            let (sender, waiting) = mpsc::channel(WAITING_MAX);
            W::spawn(deliver::<N, W>(Arc::clone(room), (from, to), waiting));
            sender
        });
        let name = message.name();
        if sender.try_send(Outgoing { name, resets, frame }).is_err() {
            self.room.lose((from, to), (resets, name), LossCause::Inbox, now);
        }
    }
}

/// Writes what waits for a link, dialling when there is something to write.
async fn deliver<N: Node, W: Wire>(
    room: Arc<Room<N>>,
    link: (NodeId, NodeId),
    mut waiting: mpsc::Receiver<Outgoing>,
) {
    let mut connection = Connection::<W>(None);
    loop {
        let outgoing = tokio::select! {
            biased;
            () = connection.ends() => continue,
            outgoing = waiting.recv() => outgoing,
        };
        let Some(Outgoing { name, resets, frame }) = outgoing else { return };
        if room.resets(link) != resets {
            // It met a reset while it waited, and was counted then.
            continue;
        }
        if connection.carry(link.1, resets, &frame).await {
            room.departs(link, resets);
        } else {
            room.lose(link, (resets, name), LossCause::Down, present::<N, W>(&room));
        }
    }
}

/// A connection to another node, if there is one, and after how many resets it was made.
struct Connection<W: Wire>(Option<(Resets, W::Stream)>);

impl<W: Wire> Connection<W> {
    /// Waits until the other side has ended it: nobody writes back on it.
    async fn ends(&mut self) {
        let Some((_, stream)) = &mut self.0 else { return core::future::pending().await };
        if !matches!(stream.read(&mut [0]).await, Ok(1..)) {
            self.0 = None;
        }
    }

    /// Writes a frame, dialling if need be; whether it was taken.
    ///
    /// A connection that turns out to be broken has not taken the frame: one new attempt is not a second one.
    async fn carry(&mut self, to: NodeId, resets: Resets, frame: &[u8]) -> bool {
        self.0.take_if(|(made_after, _)| *made_after != resets);
        for _ in 0..2 {
            if self.0.is_none() {
                self.0 = W::connect(to).await.ok().map(|stream| (resets, stream));
            }
            let Some((_, stream)) = &mut self.0 else { return false };
            if write::<W>(stream, frame).await.is_ok() {
                return true;
            }
            self.0 = None;
        }
        false
    }
}

/// The simulated time; the run's end, if that is over.
fn present<N: Node, W: Wire>(room: &Room<N>) -> TrueTime {
    W::now().min(room.phases.end)
}

async fn write<W: Wire>(stream: &mut W::Stream, frame: &[u8]) -> io::Result<()> {
    stream.write_all(frame).await?;
    stream.flush().await
}

/// Takes connections.
async fn accept<N, W>(room: Arc<Room<N>>, node: NodeId, listener: W::Listener, arrivals: Arrivals<N::Message>)
where
    N: Node + 'static,
    N::Message: DeserializeOwned,
    W: Wire,
{
    while let Ok(stream) = W::accept(&listener).await {
        let (room, arrivals) = (Arc::clone(&room), arrivals.clone());
        W::spawn(async move {
            if let Err(error) = receive::<N, W>(stream, node, &arrivals).await {
                room.fail(error);
            }
        });
    }
}

/// Reads one connection to its end. That it breaks is no error; that it carries something else than messages is.
async fn receive<N, W>(
    mut stream: W::Stream,
    node: NodeId,
    arrivals: &Arrivals<N::Message>,
) -> Result<(), SubstrateError>
where
    N: Node,
    N::Message: DeserializeOwned,
    W: Wire,
{
    let mut header = [0; HEADER_BYTES];
    let mut payload = Vec::new();
    while stream.read_exact(&mut header).await.is_ok() {
        let broken = |error| SubstrateError::Frame { node, error };
        let header = Header::parse(header).map_err(broken)?;
        payload.resize(header.length, 0);
        if stream.read_exact(&mut payload).await.is_err() {
            break;
        }
        if arrivals.send(header.decode(&payload).map_err(broken)?).is_err() {
            break;
        }
    }
    Ok(())
}
