//! The sending end of one link: its connection, and what waits for it.
//!
//! ```text
//!   message ──► is the connection open and idle? ──yes──► written at once
//!                          └─ no ─► waits ──► task: dials if need be, writes in order
//! ```
//!
//! A message is written once and never again: what a connection has in flight when it breaks is lost, and so is what
//! was sent while nobody listened. A reset of the link ends the connection; the next message after it dials anew.
//!
//! A write waits for room while too much is in flight. A dead receiver makes no room, and a network need not wake the
//! writer then. So a write is given up when its connection has ended, or when its link was reset.

use core::cell::{Cell, RefCell};
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadHalf, WriteHalf};
use tokio::sync::{Notify, oneshot};

use crate::network::LossCause;
use crate::node::NodeId;
use crate::substrate::driver::{Wire, present};
use crate::substrate::erased::Erased;
use crate::substrate::room::Room;
use crate::substrate::traffic::Resets;

/// Most messages that wait for one connection; those beyond are lost.
const WAITING_MAX: usize = 65_536;

/// A message that is to be written.
pub(super) struct Outgoing {
    pub(super) name: &'static str,
    /// How often its link had been reset when it set out.
    pub(super) resets: Resets,
    pub(super) frame: Vec<u8>,
}

/// A message that a connection takes, as far as it has.
struct Underway {
    outgoing: Outgoing,
    written: usize,
}

/// A connection to another node.
struct Connection<W: Wire> {
    /// After how many resets of its link it was made.
    made_after: Resets,
    stream: WriteHalf<W::Stream>,
    /// Whether the other side has ended it.
    has_ended: Rc<Cell<bool>>,
    /// Ends the watch of the other side when it is dropped: else the watch would keep the stream open.
    _watch: oneshot::Sender<()>,
}

/// What the host and the link's task share.
pub(super) struct Outlet<W: Wire> {
    waiting: RefCell<VecDeque<Underway>>,
    /// The connection, while nobody writes to it.
    idle: RefCell<Option<Connection<W>>>,
    has_work: Notify,
    /// Wakes a write that waits for room: its connection has ended, or another message has set out since.
    has_news: Rc<Notify>,
}

impl<W: Wire> Outlet<W> {
    /// The end of a link that carries nothing yet, and its task.
    pub(super) fn open(room: &Arc<Room<Erased>>, link: (NodeId, NodeId)) -> Rc<Self> {
        let outlet = Rc::new(Self {
            waiting: RefCell::default(),
            idle: RefCell::new(None),
            has_work: Notify::new(),
            has_news: Rc::new(Notify::new()),
        });
        W::spawn(Rc::clone(&outlet).deliver(Arc::clone(room), link));
        outlet
    }

    /// Carries a message, now or later; if too many wait already, it is lost.
    pub(super) fn carry(&self, room: &Room<Erased>, link: (NodeId, NodeId), outgoing: Outgoing) {
        let mut underway = Underway { outgoing, written: 0 };
        let mut waiting = self.waiting.borrow_mut();
        if waiting.is_empty() && self.is_taken_now(&mut underway) {
            return room.departs(link, underway.outgoing.resets);
        }
        if waiting.len() == WAITING_MAX {
            let Outgoing { name, resets, .. } = underway.outgoing;
            return room.lose(link, (resets, name), LossCause::Inbox, present::<_, W>(room));
        }
        waiting.push_back(underway);
        self.has_work.notify_one();
        self.has_news.notify_waiters();
    }

    /// Whether an idle connection takes the whole message without waiting.
    fn is_taken_now(&self, underway: &mut Underway) -> bool {
        let mut idle = self.idle.borrow_mut();
        idle.take_if(|connection| !connection.serves(underway));
        let Some(connection) = idle.as_mut() else { return false };
        match connection.poll_write(underway, &mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => true,
            Poll::Ready(Err(_)) => {
                *idle = None;
                false
            }
            Poll::Pending => false,
        }
    }

    /// Writes what waits, dialling when there is something to write.
    async fn deliver(self: Rc<Self>, room: Arc<Room<Erased>>, link: (NodeId, NodeId)) {
        loop {
            let next = self.waiting.borrow_mut().pop_front();
            let Some(underway) = next else {
                self.has_work.notified().await;
                continue;
            };
            let (resets, name) = (underway.outgoing.resets, underway.outgoing.name);
            if room.resets(link) != resets {
                // It met a reset while it waited, and was counted then.
                continue;
            }
            if self.write(&room, link, underway).await {
                room.departs(link, resets);
            } else {
                room.lose(link, (resets, name), LossCause::Down, present::<_, W>(&room));
            }
        }
    }

    /// Writes a message, dialling if need be; whether it was taken.
    ///
    /// A connection that turns out to be broken has not taken the message: one new attempt is not a second one.
    async fn write(&self, room: &Room<Erased>, link: (NodeId, NodeId), mut underway: Underway) -> bool {
        let resets = underway.outgoing.resets;
        let mut connection = self.idle.borrow_mut().take().filter(|found| found.serves(&underway));
        for _ in 0..2 {
            let mut open = match connection.take() {
                Some(open) => open,
                None => match W::connect(link.1).await {
                    Ok(stream) => Connection::new(stream, resets, Rc::clone(&self.has_news)),
                    Err(_) => return false,
                },
            };
            let has_ended = Rc::clone(&open.has_ended);
            let is_over = || has_ended.get() || room.resets(link) != resets;
            // The order is fixed: nothing but the seed may choose.
            let is_written = tokio::select! {
                biased;
                written = core::future::poll_fn(|context| open.poll_write(&mut underway, context)) => {
                    Some(written.is_ok())
                }
                () = self.wait_until(is_over) => None,
            };
            match is_written {
                Some(true) => {
                    *self.idle.borrow_mut() = Some(open);
                    return true;
                }
                None if room.resets(link) != resets => return false,
                Some(false) | None => underway.written = 0,
            }
        }
        false
    }

    /// Waits until `is_over`, which is looked at when there is news.
    async fn wait_until(&self, is_over: impl Fn() -> bool) {
        loop {
            let news = self.has_news.notified();
            if is_over() {
                return;
            }
            news.await;
        }
    }
}

impl<W: Wire> Connection<W> {
    fn new(stream: W::Stream, made_after: Resets, has_news: Rc<Notify>) -> Self {
        let (read, stream) = tokio::io::split(stream);
        let has_ended = Rc::new(Cell::new(false));
        let (watch, is_given_up) = oneshot::channel();
        let ends = Rc::clone(&has_ended);
        let end = move || {
            ends.set(true);
            has_news.notify_waiters();
        };
        W::spawn(watch_end(read, end, is_given_up));
        Self { made_after, stream, has_ended, _watch: watch }
    }

    /// Whether it may carry a message: it was made after the last reset before that, and has not ended.
    fn serves(&self, underway: &Underway) -> bool {
        self.made_after == underway.outgoing.resets && !self.has_ended.get()
    }

    fn poll_write(&mut self, underway: &mut Underway, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Underway { outgoing, written } = underway;
        while *written < outgoing.frame.len() {
            let count = ready!(Pin::new(&mut self.stream).poll_write(context, &outgoing.frame[*written..]))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            *written += count;
        }
        Pin::new(&mut self.stream).poll_flush(context)
    }
}

/// Calls `end` when the other side has ended a connection, on which it never writes back.
async fn watch_end<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: ReadHalf<S>,
    end: impl FnOnce(),
    is_given_up: oneshot::Receiver<()>,
) {
    let mut byte = [0];
    let ended = async { while matches!(stream.read(&mut byte).await, Ok(1..)) {} };
    tokio::select! {
        biased;
        _ = is_given_up => {}
        () = ended => end(),
    }
}
