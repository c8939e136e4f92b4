//! A slot's image: everything that it holds as of one of its events, in one of two forms.
//!
//! ```text
//!   form 0: one kind, no zone         written by programs of version 0, read by all
//!   form 1: several kinds, zones      written and read by programs of version 1 and above
//!
//!   image of the first k events ──► + the events behind them ──► the slot that all events make
//! ```
//!
//! A newer program reads the older form as what it means in the newer one. An older program is not given the newer form, but
//! all events: whether it can read those is for each event to say.

use serde::{Deserialize, Serialize};

use super::{Order, Program, Slot};
use crate::capacity::rules::Rules;
use crate::counter::kinds::{Demand, KINDS_MAX, Units};
use crate::ids::{OrderId, RequestKey, Sequence, Version};
use crate::message::Answer;

/// An order of one kind, from no zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct SingleOrder {
    order: OrderId,
    units: u32,
    first_answer: Answer,
    is_held: bool,
}

/// What is in use, and by which orders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Orders {
    /// Form 0.
    Single { used: u64, orders: Vec<SingleOrder> },
    /// Form 1.
    Kinds { used: [u64; KINDS_MAX], orders: Vec<Order> },
}

/// What a slot holds as of its `sequence`-th event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    sequence: Sequence,
    version: Version,
    orders: Orders,
    answers: Vec<(RequestKey, Answer)>,
}

impl Image {
    /// The oldest version of a program that can read it.
    #[must_use]
    pub const fn form(&self) -> u32 {
        match self.orders {
            Orders::Single { .. } => 0,
            Orders::Kinds { .. } => 1,
        }
    }

    /// Of how many events it is made.
    #[must_use]
    pub const fn sequence(&self) -> Sequence {
        self.sequence
    }

    /// The slot; none if that program cannot read it.
    #[must_use]
    pub fn read(&self, program: Program) -> Option<Slot> {
        if self.form() > program.version {
            return None;
        }
        let (used, orders) = match &self.orders {
            Orders::Single { used, orders } => {
                ([*used, 0, 0], orders.iter().copied().map(Order::from).collect())
            }
            Orders::Kinds { used, orders } => (*used, orders.clone()),
        };
        let orders = orders.into_iter().map(|order| (order.demand.order, order)).collect();
        let answers = self.answers.iter().copied().collect();
        Some(Slot { program, used, sequence: self.sequence, version: self.version, orders, answers })
    }
}

impl Slot {
    /// What it holds, in the form of its program's version.
    #[must_use]
    pub fn image(&self, rules: &Rules) -> Image {
        let orders = if self.program.version == 0 {
            let orders = self.orders.values().copied().map(SingleOrder::from).collect();
            Orders::Single { used: self.used[0], orders }
        } else {
            Orders::Kinds { used: self.used, orders: self.orders.values().copied().collect() }
        };
        let keeps_answers = rules.snapshot_keys.is_taken();
        let answers = self.answers.iter().filter(|_| keeps_answers);
        let answers = answers.map(|(request, answer)| (*request, *answer)).collect();
        Image { sequence: self.sequence, version: self.version, orders, answers }
    }
}

/// In the terms of the newer form.
impl From<SingleOrder> for Order {
    fn from(single: SingleOrder) -> Self {
        let SingleOrder { order, units, first_answer, is_held } = single;
        Self { demand: Demand { order, units: Units::first(units), zone: None }, first_answer, is_held }
    }
}

/// A program of version 0 holds orders of one kind only, from no zone.
impl From<Order> for SingleOrder {
    fn from(order: Order) -> Self {
        let Order { demand: Demand { order, units, .. }, first_answer, is_held } = order;
        Self { order, units: units.0[0], first_answer, is_held }
    }
}

#[cfg(test)]
mod tests;
