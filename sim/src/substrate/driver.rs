//! What runs on each host: a task that keeps the machine's time, and one for each connection that others have made.
//!
//! ```text
//!   machine of a ──► outlet to b ── connection a→b ──► receiver from a ──► machine of b
//!                    outlet to c ── connection a→c ──► ...
//! ```
//!
//! Whoever has something for the machine lets it live up to the present, hands that in and sends what comes out: no task
//! waits for another on a message's way. A connection carries messages one way, dialled by who sends; those of one
//! connection arrive in order, each at most once, and nodes are told nothing of connections.

use core::cell::{Cell, RefCell};
use core::future::Future;
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};

use crate::node::{Message, Node, NodeId};
use crate::substrate::SubstrateError;
use crate::substrate::erased::{Decode, Erased, Letter};
use crate::substrate::frame::{self, FrameError, HEADER_BYTES, Header};
use crate::substrate::outlet::{Outgoing, Outlet};
use crate::substrate::room::{Carried, Lived, Room};
use crate::time::{Span, TrueTime};

/// Where every node listens.
pub(super) const PORT: u16 = 7_000;

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

/// Runs one node on its host until the host dies or the run ends.
pub(super) async fn drive<W: Wire>(room: Arc<Room<Erased>>, node: NodeId, decode: Decode) -> io::Result<()> {
    let listener = W::listen().await?;
    let (outlets, sleeps_until) = (RefCell::default(), Cell::new(None));
    let driver = Rc::new(Driver::<W> { room, node, decode, outlets, sleeps_until });
    W::spawn(accept(Rc::clone(&driver), listener));
    driver.keep_time().await;
    Ok(())
}

/// What the tasks of a host share.
struct Driver<W: Wire> {
    room: Arc<Room<Erased>>,
    node: NodeId,
    decode: Decode,
    /// The sending ends of its links, by receiver.
    outlets: RefCell<BTreeMap<NodeId, Rc<Outlet<W>>>>,
    /// When the task that keeps the time wakes by itself, if it does.
    sleeps_until: Cell<Option<TrueTime>>,
}

impl<W: Wire> Driver<W> {
    /// Lets the machine live whenever something is due there, or was changed from outside.
    async fn keep_time(&self) {
        let wake = &self.room.wakes[self.node.index()];
        loop {
            let now = present::<_, W>(&self.room);
            let next_at = self.release(self.room.run(self.node, now), now);
            self.sleeps_until.set(next_at);
            match next_at {
                None => wake.notified().await,
                // The order is fixed: nothing but the seed may choose.
                Some(at) => tokio::select! {
                    biased;
                    () = wake.notified() => {}
                    () = W::sleep(at.since(now)) => {}
                },
            }
        }
    }

    /// A message arrives. What was due at the machine before comes before it.
    fn hear(&self, from: NodeId, carried: Carried<Letter>) {
        let now = present::<_, W>(&self.room);
        let next_at = self.release(self.room.hear(self.node, now, (from, carried)), now);
        let sleeps_until = self.sleeps_until.get();
        if next_at.is_some_and(|at| sleeps_until.is_none_or(|until| at < until)) {
            self.room.wakes[self.node.index()].notify_one();
        }
    }

    /// Sends what the machine has sent; when something is due there next.
    fn release(&self, lived: Lived<Letter>, now: TrueTime) -> Option<TrueTime> {
        for (to, message) in lived.sent {
            self.send(to, &message, now);
        }
        lived.next_at
    }

    fn send(&self, to: NodeId, message: &Letter, now: TrueTime) {
        let link = (self.node, to);
        let Some(resets) = self.room.sets_out(link, message, now) else { return };
        let frame =
            match frame::encode(|bytes| message.encode(postcard::to_extend(&(self.node, resets), bytes)?)) {
                Ok(frame) => frame,
                Err(error) => return self.room.fail(SubstrateError::Frame { node: self.node, error }),
            };
        let mut outlets = self.outlets.borrow_mut();
        let outlet = outlets.entry(to).or_insert_with(|| Outlet::open(&self.room, link));
        outlet.carry(&self.room, link, Outgoing { name: message.name(), resets, frame });
    }
}

/// The simulated time; the run's end, if that is over.
pub(super) fn present<N: Node, W: Wire>(room: &Room<N>) -> TrueTime {
    W::now().min(room.phases.end)
}

/// Takes connections.
async fn accept<W: Wire>(driver: Rc<Driver<W>>, listener: W::Listener) {
    while let Ok(stream) = W::accept(&listener).await {
        let driver = Rc::clone(&driver);
        W::spawn(async move {
            if let Err(error) = receive(&driver, stream).await {
                driver.room.fail(SubstrateError::Frame { node: driver.node, error });
            }
        });
    }
}

/// Reads one connection to its end. That it breaks is no error; that it carries something else than messages is.
async fn receive<W: Wire>(driver: &Driver<W>, mut stream: W::Stream) -> Result<(), FrameError> {
    let mut header = [0; HEADER_BYTES];
    let mut payload = Vec::new();
    while stream.read_exact(&mut header).await.is_ok() {
        let header = Header::parse(header)?;
        payload.resize(header.length, 0);
        if stream.read_exact(&mut payload).await.is_err() {
            break;
        }
        header.check(&payload)?;
        let ((from, resets), message) = postcard::take_from_bytes(&payload)?;
        driver.hear(from, (resets, (driver.decode)(message)?));
    }
    Ok(())
}
