//! Who publishes versions: one at a time, until the store has committed each.
//!
//! A refused version is published again with the store's next number and a fresh start, so that the lead time holds.

use std::collections::VecDeque;

use sim::node::{Context, Effects, NodeId, TimerKey};
use sim::time::Span;

use crate::config::message::{ConfigVersion, Host, Message, Payload};
use crate::ids::Version;

const RETRY: TimerKey = TimerKey(0);
const RETRY_EVERY: Span = Span::from_ms(200);
const QUEUE_MAX: usize = 1024;

/// The publisher node.
#[derive(Clone, Debug)]
pub struct Publisher {
    store: NodeId,
    lead: Span,
    last: Version,
    queue: VecDeque<(Payload, Span)>,
    /// The version on its way.
    open: Option<ConfigVersion>,
}

impl Publisher {
    /// A publisher that knows `last` to be committed.
    #[must_use]
    pub const fn new(store: NodeId, lead: Span, last: Version) -> Self {
        Self { store, lead, last, queue: VecDeque::new(), open: None }
    }

    /// The workload asks for a version that says `payload`, to start the lead time and `slack` later.
    pub fn request<N: Host>(
        &mut self,
        payload: Payload,
        slack: Span,
        context: &Context<'_>,
        fx: &mut Effects<N>,
    ) {
        if self.queue.len() < QUEUE_MAX {
            self.queue.push_back((payload, slack));
        }
        if self.queue.len() == 1 {
            self.publish(context, fx);
        }
    }

    /// Reacts to a message.
    pub fn message<N: Host>(&mut self, message: &Message, context: &Context<'_>, fx: &mut Effects<N>) {
        match message {
            Message::Published { version } => self.published(*version, context, fx),
            Message::PublishRefused { version, last, .. } => self.refused(*version, *last, context, fx),
            _ => {}
        }
    }

    /// No answer in time: ask again with the same words. Refused a moment ago: publish with a fresh start.
    pub fn timer<N: Host>(&mut self, context: &Context<'_>, fx: &mut Effects<N>) {
        match self.open {
            Some(version) => {
                fx.send(self.store, Message::Publish { version });
                fx.set_timer(RETRY, RETRY_EVERY);
            }
            None => self.publish(context, fx),
        }
    }

    fn published<N: Host>(&mut self, version: Version, context: &Context<'_>, fx: &mut Effects<N>) {
        if self.open.is_some_and(|open| open.version == version) {
            self.last = version;
            self.open = None;
            self.queue.pop_front();
            fx.cancel_timer(RETRY);
            self.publish(context, fx);
        }
    }

    fn refused<N: Host>(
        &mut self,
        version: Version,
        last: Version,
        context: &Context<'_>,
        fx: &mut Effects<N>,
    ) {
        if self.open.is_none_or(|open| open.version != version) {
            return;
        }
        if last >= version {
            // An earlier copy of this version, with an earlier start, was in time after all.
            self.published(version, context, fx);
        } else {
            self.last = last;
            self.open = None;
            fx.set_timer(RETRY, RETRY_EVERY);
        }
    }

    fn publish<N: Host>(&mut self, context: &Context<'_>, fx: &mut Effects<N>) {
        let Some((payload, slack)) = self.queue.front() else { return };
        let start_at = context.interval().latest + self.lead + *slack;
        let version = ConfigVersion { version: self.last.next(), start_at, payload: *payload };
        self.open = Some(version);
        fx.send(self.store, Message::Publish { version });
        fx.set_timer(RETRY, RETRY_EVERY);
    }
}
