//! What happens to hosts and links from outside while a run goes on: cuts, deaths, starts, and the end of all faults.
//!
//! A host dies when its node has gone down, whatever took it down, and starts with a new driver when the node is up.

use crate::node::{Node, NodeId};
use crate::substrate::links::LinkChange;
use crate::substrate::room::Room;
use crate::time::TrueTime;

/// The hosts of a simulator, from outside.
pub(super) trait Hosts {
    /// Cuts or mends one link, one way.
    fn turn(&mut self, change: LinkChange);
    /// Ends at once all that runs on a node's host.
    fn kill(&mut self, node: NodeId);
    /// Starts a node's driver on its host, where nothing runs.
    fn start(&mut self, node: NodeId);
}

/// What a host runs, if it runs.
#[derive(Clone, Copy)]
struct Life {
    is_running: bool,
    /// The life of the node that its driver was started for.
    incarnation: u32,
}

/// Where a run stands, for what happens from outside.
pub(super) struct Conductor {
    faults_end: Option<TrueTime>,
    /// By node.
    lives: Vec<Life>,
}

impl Conductor {
    /// All hosts run, nothing has happened.
    pub(super) fn new<N: Node>(room: &Room<N>) -> Self {
        let lives = vec![Life { is_running: true, incarnation: 0 }; room.wakes.len()];
        Self { faults_end: room.phases.faults_end, lives }
    }

    /// Does what is due.
    pub(super) fn conduct<N: Node>(&mut self, room: &Room<N>, hosts: &mut impl Hosts, now: TrueTime) {
        room.turn_links(now).into_iter().for_each(|change| hosts.turn(change));
        if self.faults_end.is_some_and(|at| at <= now) {
            self.faults_end = None;
            room.heal(now).into_iter().for_each(|change| hosts.turn(change));
        }
        self.settle(room, hosts, now);
    }

    /// When something is due that no running host does, at the latest the end of the run.
    #[cfg(madsim)]
    pub(super) fn next_at<N: Node>(&self, room: &Room<N>) -> TrueTime {
        let down = room.nodes().zip(&self.lives).filter(|(_, life)| !life.is_running);
        let starts = down.filter_map(|(node, _)| room.next_at(node));
        let due = room.next_turn_at().into_iter().chain(self.faults_end).chain(starts);
        due.min().map_or(room.phases.end, |at| at.min(room.phases.end))
    }

    /// Kills the hosts of nodes that went down, lets the machines of those go on, and starts the hosts of nodes that
    /// are up again. A node may have died and come back at one instant: its host does so, too.
    fn settle<N: Node>(&mut self, room: &Room<N>, hosts: &mut impl Hosts, now: TrueTime) {
        for (node, life) in room.nodes().zip(&mut self.lives) {
            let incarnation = room.incarnation(node);
            if life.is_running && life.incarnation != incarnation {
                hosts.kill(node);
                room.lose_with_host(node);
                life.is_running = false;
            }
            if !life.is_running && room.advance(node, now) {
                // A network may hold what was sent meanwhile until somebody listens.
                room.lose_with_host(node);
                hosts.start(node);
                *life = Life { is_running: true, incarnation: room.incarnation(node) };
            }
        }
    }
}
