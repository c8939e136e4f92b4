//! Commands of a stream: which of them are decisions, so that the journal's order can be held against what replicas decided.

use std::collections::BTreeSet;

use model::ids::{OrderId, RequestKey, SlotId};
use model::message::{Answer, Call, Entry};

/// Whether the entry is a command, about which the journal knows no decision.
pub(super) const fn is_command(entry: &Entry) -> bool {
    matches!(entry.event.answer, Answer::Queued(_))
}

/// What stands in the stream so far.
#[derive(Default)]
pub(super) struct Commands {
    requests: BTreeSet<RequestKey>,
    orders: BTreeSet<(SlotId, OrderId)>,
}

impl Commands {
    /// Whether something has to be decided about the next command: it is no read, its request did not come before, and if
    /// it reserves, its order did not either.
    pub(super) fn takes_decision(&mut self, command: &Entry) -> bool {
        let (slot, request, call) = (command.slot, command.event.request, command.event.call);
        if matches!(call, Call::Use { .. } | Call::Overview) || self.requests.contains(&request) {
            return false;
        }
        let is_known = call.demand().is_some_and(|demand| !self.orders.insert((slot, demand.order)));
        if !is_known {
            self.requests.insert(request);
        }
        !is_known
    }
}

#[cfg(test)]
mod tests {
    use model::ids::{Sequence, Version};
    use model::message::{Event, Ground};

    use super::*;

    const SLOT: SlotId = SlotId(3);

    fn check(commands: &[(u64, Call, bool)]) {
        let mut known = Commands::default();
        for (request, call, want) in commands {
            let answer = Answer::Queued(Ground { limit: 9, version: Version(1) });
            let event = Event { request: RequestKey(*request), call: *call, answer };
            let command = Entry { slot: SLOT, sequence: Sequence(0), event };
            assert!(is_command(&command));
            assert_eq!(known.takes_decision(&command), *want, "{call:?} as request {request}");
        }
    }

    #[test]
    fn reads_and_what_came_before_take_no_decision() {
        let reserve = |order, units| Call::Reserve { slot: SLOT, order: OrderId(order), units };
        let release = |order| Call::Release { slot: SLOT, order: OrderId(order) };
        check(&[
            (1, reserve(1, 2), true),
            (2, Call::Use { slot: SLOT }, false),
            (1, reserve(1, 2), false),
            (3, reserve(1, 2), false),
            (4, reserve(1, 5), false),
            (5, release(1), true),
            (6, release(1), true),
            (5, release(1), false),
            (7, reserve(2, 2), true),
        ]);
    }
}
