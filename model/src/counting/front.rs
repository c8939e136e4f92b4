//! What a node asks of every question before it does anything: that it is well-formed, and not one too many.
//!
//! The rule is read as per node: it refuses more than so many requests in any five seconds. A refusal is an answer, so who
//! is refused twice the same question, since the network doubled it, is refused both times.

use std::collections::{BTreeSet, VecDeque};

use sim::time::{MonotonicTime, Span};

use super::{Answer, Asked};
use crate::ids::RequestKey;

/// How far back a node counts its requests.
pub const RATE_WINDOW: Span = Span::from_seconds(5);
/// Refusals that are remembered.
const REFUSED_MAX: usize = 10_000;

/// A node's limit: at most so many requests in any [`RATE_WINDOW`].
#[derive(Clone, Debug)]
pub struct RateLimit {
    requests_max: usize,
    /// When each of the latest requests was let in, the oldest first; never more than the limit.
    let_in: VecDeque<(MonotonicTime, RequestKey)>,
    refused: VecDeque<RequestKey>,
    is_refused: BTreeSet<RequestKey>,
}

impl RateLimit {
    /// At most `requests_max` requests in any five seconds.
    #[must_use]
    pub const fn new(requests_max: usize) -> Self {
        Self { requests_max, let_in: VecDeque::new(), refused: VecDeque::new(), is_refused: BTreeSet::new() }
    }

    /// Whether a request may come in now. One that was let in already may come again, one that was refused may not.
    pub fn lets_in(&mut self, request: RequestKey, now: MonotonicTime) -> bool {
        if self.is_refused.contains(&request) {
            return false;
        }
        while self.let_in.front().is_some_and(|(at, _)| now.since(*at) >= RATE_WINDOW) {
            self.let_in.pop_front();
        }
        let is_again = || self.let_in.iter().any(|(_, known)| *known == request);
        if self.let_in.len() < self.requests_max {
            self.let_in.push_back((now, request));
            return true;
        }
        if is_again() {
            return true;
        }
        self.refuse(request);
        false
    }

    fn refuse(&mut self, request: RequestKey) {
        self.is_refused.insert(request);
        self.refused.push_back(request);
        if self.refused.len() > REFUSED_MAX
            && let Some(oldest) = self.refused.pop_front()
        {
            self.is_refused.remove(&oldest);
        }
    }

    /// The answer to a question that goes no further.
    pub(super) fn refusal(&mut self, asked: &Asked, now: MonotonicTime) -> Option<Answer> {
        if !self.lets_in(asked.request, now) {
            return Some(Answer::TooMany);
        }
        asked.call.fault().map(Answer::BadRequest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn after(span: Span) -> MonotonicTime {
        MonotonicTime::from_ns(span.as_ns())
    }

    #[test]
    fn no_five_seconds_have_more_requests_than_the_limit() {
        let mut limit = RateLimit::new(3);
        let mut let_in = Vec::new();
        for tick in 0..400 {
            let now = after(Span::from_ms(tick * 100));
            if limit.lets_in(RequestKey(tick), now) {
                let_in.push(now);
            }
        }
        assert!(let_in.windows(4).all(|four| four[3].since(four[0]) >= RATE_WINDOW), "{let_in:?}");
        assert_eq!(let_in.len(), 24, "and no fewer either");
    }

    #[test]
    fn a_thousand_are_let_in_and_the_next_one_is_refused() {
        let mut limit = RateLimit::new(1_000);
        assert!((0..1_000).all(|number| limit.lets_in(RequestKey(number), MonotonicTime::ZERO)));
        assert!(!limit.lets_in(RequestKey(1_000), after(Span::from_ms(4_999))));
        assert!(limit.lets_in(RequestKey(1_001), after(RATE_WINDOW)));
    }

    #[test]
    fn a_question_that_comes_twice_is_treated_alike() {
        let mut limit = RateLimit::new(1);
        assert!(limit.lets_in(RequestKey(1), MonotonicTime::ZERO));
        assert!(limit.lets_in(RequestKey(1), MonotonicTime::ZERO));
        assert!(!limit.lets_in(RequestKey(2), MonotonicTime::ZERO));
        assert!(!limit.lets_in(RequestKey(2), after(Span::from_seconds(9))));
        assert!(limit.lets_in(RequestKey(3), after(Span::from_seconds(9))));
    }
}
