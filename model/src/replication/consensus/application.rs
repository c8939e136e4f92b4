//! What the nodes of a log decide about: commands, in one order everywhere, and what each node makes of them.

use core::fmt::Debug;

use omnipaxos::storage::Entry;
use sim::node::{Effects, Node, NodeId};

use super::link::Letter;
use super::record::{Decidable, Keeping};

/// The effects of the nodes that an application lives on.
pub type Fx<A> = Effects<<A as Application>::Node>;

/// What they are sent.
pub type MessageOf<A> = <<A as Application>::Node as Node>::Message;

/// What they write.
pub type RecordOf<A> = <<A as Application>::Node as Node>::Record;

/// The state of one node, as far as it follows from what was decided; and who waits for an answer.
pub trait Application: Clone + Debug {
    /// The nodes that it lives on.
    type Node: Node<Message: From<Box<Letter<Self::Command>>>, Record: Keeping<Self::Command>>;
    /// What is decided, one after the other. What commands made is their snapshot.
    type Command: Decidable;

    /// The node begins, for the how-many-th time: from 1, and larger each time.
    fn begin(&mut self, life: u64);

    /// Somebody says something: what is to become of it.
    fn hear(&mut self, from: NodeId, message: MessageOf<Self>, fx: &mut Fx<Self>) -> Meaning<Self::Command>;

    /// Does the next command that was decided.
    fn apply(&mut self, command: Self::Command, fx: &mut Fx<Self>);

    /// Has what all commands made up to some index, those that it has done among them.
    fn restore(&mut self, snapshot: <Self::Command as Entry>::Snapshot, fx: &mut Fx<Self>);

    /// Shows what is new since this was last asked.
    fn show(&mut self, fx: &mut Fx<Self>);

    /// Time passes.
    fn tick(&mut self, fx: &mut Fx<Self>);
}

/// What a message means to a node.
#[derive(Debug)]
pub enum Meaning<C: Decidable> {
    /// It is for the library.
    Letter(Box<Letter<C>>),
    /// That is to be decided.
    Propose(C),
    /// No more than was done.
    Nothing,
}
