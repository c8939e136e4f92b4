//! How faults begin and end, and how nodes go down and come up.

use std::sync::Arc;

use crate::clock::Source;
use crate::disturbance::Disturbance;
use crate::fault::{Fault, Thaw};
use crate::host::{Host, Waiting, WatchKind};
use crate::kernel::World;
use crate::node::{Input, Node, NodeId};
use crate::time::Span;
use crate::trace::{EventKind, Line};
use crate::windows::FaultIndex;

type Processed = Option<(Option<NodeId>, EventKind)>;

impl<N: Node> World<N> {
    /// Ends all faults now and restarts the nodes that are down; the rest of the plan does not happen.
    ///
    /// What clocks show stays; their rates, bounds and disks are as their profiles say again. An input that a slow
    /// node has taken already keeps its time.
    pub fn end_all_faults(&mut self) {
        self.is_healed = true;
        while let Some(&fault) = self.running.first() {
            self.conclude(fault);
        }
        for index in 0..self.hosts.len() {
            let node = self.hosts[index].id;
            self.end_drift(node);
            self.resume(node);
            if self.hosts[index].is_stopping() {
                self.take_down(node);
            }
            if !self.hosts[index].is_up {
                self.bring_up(node);
            }
        }
    }

    /// A fault of the plan begins, unless all were ended.
    pub(crate) fn begin_planned(&mut self, index: FaultIndex) -> Processed {
        if self.is_healed {
            return None;
        }
        let plan = Arc::clone(&self.plan);
        let fault = &plan.faults[index.0 as usize].fault;
        self.schedule_fault(FaultIndex(index.0 + 1));
        self.ledger.fire(index);
        let line = Line::fault(EventKind::FaultBegin, index.0, fault.node(), fault.family());
        self.trace.event(self.now, &line);
        if let Some(length) = fault.length() {
            self.running.push(index);
            if !matches!(fault, Fault::PauseMidway { .. }) {
                self.schedule_fault_end(index, length);
            }
        }
        self.begin(index, fault);
        if let Some(node) = fault.node() {
            self.hosts[node.index()].refresh();
        }
        Some((fault.node(), EventKind::FaultBegin))
    }

    /// A fault of the plan ends, unless it did before.
    pub(crate) fn end_planned(&mut self, index: FaultIndex) -> Processed {
        let node = self.conclude(index)?;
        if let Some(node) = node {
            self.resume(node);
        }
        Some((node, EventKind::FaultEnd))
    }

    /// A node's process is gone, if it is not already.
    pub(crate) fn take_down(&mut self, node: NodeId) {
        let host = &mut self.hosts[node.index()];
        if host.is_up {
            self.counts.unheard += host.go_down();
            self.trace.event(self.now, &Line::plain(EventKind::Down, node, 0));
        }
    }

    fn bring_up(&mut self, node: NodeId) {
        for fault in self.hosts[node.index()].drive.disk.damaging_faults() {
            self.ledger.affect(fault, 1);
        }
        let input = self.hosts[node.index()].come_up(self.now);
        self.arrive(node, input);
    }

    /// Takes a running fault off its node or links; the node, if there is one, does not go on yet.
    fn conclude(&mut self, index: FaultIndex) -> Option<Option<NodeId>> {
        let place = self.running.iter().position(|&running| running == index)?;
        self.running.remove(place);
        let plan = Arc::clone(&self.plan);
        let fault = &plan.faults[index.0 as usize].fault;
        let line = Line::fault(EventKind::FaultEnd, index.0, fault.node(), fault.family());
        self.trace.event(self.now, &line);
        self.end(index, fault);
        Some(fault.node())
    }

    /// Lets a node go on, as far as the faults that remain allow.
    fn resume(&mut self, node: NodeId) {
        self.proceed(node);
        let host = self.host(node);
        if !host.drive.stalls.is_empty() {
            return;
        }
        let incarnation = host.incarnation;
        for sync in core::mem::take(&mut host.drive.stalled) {
            // A node that the first of them made halt does not hear of the others.
            if self.host(node).incarnation == incarnation {
                self.finish_sync(node, sync);
            }
        }
    }

    fn begin(&mut self, index: FaultIndex, fault: &Fault) {
        match fault {
            Fault::Crash { node } => self.crash(index, *node),
            Fault::PowerLoss { node } => self.lose_power(index, *node),
            Fault::Stop { node } => self.stop(index, *node),
            Fault::Restart { node } => self.restart(index, *node),
            Fault::Pause { node, .. } => self.pause(index, *node),
            Fault::PauseMidway { node, length } => self.host(*node).midway = Some((index, *length)),
            Fault::Slow { node, extra, .. } => self.host(*node).slows.begin(index, *extra),
            Fault::Cut { links, .. } => self.network.cut(index, links),
            Fault::Noise { .. }
            | Fault::Burst { .. }
            | Fault::Corruption { .. }
            | Fault::Reordering { .. }
            | Fault::SlowLink { .. }
            | Fault::Throttle { .. } => {
                let disturbance = Disturbance::of(fault).expect("these faults disturb links");
                self.network.disturb(index, fault.links(), disturbance);
            }
            Fault::Reset { node, peer } => self.reset(index, *node, *peer),
            Fault::RestartAs { node, version } => self.restart_as(index, *node, *version),
            Fault::TornWrite { node } => self.tear(index, *node),
            Fault::ClockStep { node, by_ns } => self.step_clock(index, *node, *by_ns),
            Fault::ClockDrift { node, drift_ppb } => self.begin_drift(index, *node, *drift_ppb),
            Fault::ClockLie { node, bound, .. } => {
                let host = self.host(*node);
                host.lies.begin(index, *bound);
                host.clock.lie(Some(*bound));
                host.watch(index, WatchKind::Interval);
            }
            Fault::ClockFreeze { node, .. } => self.freeze_clock(index, *node),
            Fault::ClockStrobe { node, by_ns, period, .. } => {
                self.strobe_clock(index, *node, (*by_ns, *period));
            }
            Fault::ClockSyncLoss { node, .. } => {
                let host = self.host(*node);
                host.sync_losses.begin(index, ());
                host.clock.set_source(Source::Lost);
            }
            Fault::DiskStall { node, .. } => self.host(*node).drive.stalls.begin(index, ()),
            Fault::DiskError { node, .. } => self.host(*node).drive.refusals.begin(index, ()),
            Fault::DiskLie { node, .. } => self.host(*node).drive.lies.begin(index, ()),
            Fault::DiskSlow { node, extra, .. } => self.host(*node).drive.slows.begin(index, *extra),
            Fault::DiskFull { node, room, .. } => {
                let drive = &mut self.host(*node).drive;
                let records_max = drive.disk.records().len().saturating_add(*room as usize);
                drive.limits.begin(index, records_max);
            }
            Fault::BitRot { node, count } => {
                let drive = &mut self.host(*node).drive;
                drive.disk.rot(*count, index, &mut drive.damage_chance);
            }
        }
    }

    fn end(&mut self, index: FaultIndex, fault: &Fault) {
        match fault {
            Fault::Pause { node, .. } => {
                self.host(*node).pauses.end(index);
            }
            Fault::PauseMidway { node, .. } => self.end_pause_midway(index, *node),
            Fault::Slow { node, .. } => {
                self.host(*node).slows.end(index);
            }
            Fault::Cut { links, .. } => self.network.mend(index, links),
            Fault::Noise { links, .. }
            | Fault::Burst { links, .. }
            | Fault::Corruption { links, .. }
            | Fault::Reordering { links, .. }
            | Fault::SlowLink { links, .. }
            | Fault::Throttle { links, .. } => self.network.calm(index, links),
            Fault::ClockLie { node, .. } => self.end_lie(index, *node),
            Fault::ClockFreeze { node, thaw, .. } => self.thaw_clock(index, *node, *thaw),
            Fault::ClockStrobe { node, .. } => self.end_strobe(index, *node),
            Fault::ClockSyncLoss { node, .. } => self.end_sync_loss(index, *node),
            Fault::DiskStall { node, .. } => {
                self.host(*node).drive.stalls.end(index);
            }
            Fault::DiskError { node, .. } => {
                self.host(*node).drive.refusals.end(index);
            }
            Fault::DiskLie { node, .. } => {
                self.host(*node).drive.lies.end(index);
            }
            Fault::DiskSlow { node, .. } => {
                self.host(*node).drive.slows.end(index);
            }
            Fault::DiskFull { node, .. } => {
                self.host(*node).drive.limits.end(index);
            }
            Fault::Crash { .. }
            | Fault::PowerLoss { .. }
            | Fault::Stop { .. }
            | Fault::Restart { .. }
            | Fault::ClockStep { .. }
            | Fault::ClockDrift { .. }
            | Fault::Reset { .. }
            | Fault::RestartAs { .. }
            | Fault::TornWrite { .. }
            | Fault::BitRot { .. } => {}
        }
    }

    fn crash(&mut self, index: FaultIndex, node: NodeId) {
        self.ledger.affect(index, u64::from(self.hosts[node.index()].is_up));
        self.take_down(node);
    }

    fn lose_power(&mut self, index: FaultIndex, node: NodeId) {
        let host = &mut self.hosts[node.index()];
        let lost = host.drive.disk.lose_power(&mut host.drive.power_chance);
        self.ledger.affect(index, lost + u64::from(host.is_up));
        self.take_down(node);
    }

    fn tear(&mut self, index: FaultIndex, node: NodeId) {
        let host = &mut self.hosts[node.index()];
        let changed = host.drive.disk.tear(&mut host.drive.damage_chance);
        self.ledger.affect(index, changed + u64::from(host.is_up));
        self.take_down(node);
    }

    fn stop(&mut self, index: FaultIndex, node: NodeId) {
        if self.hosts[node.index()].is_up {
            self.ledger.affect(index, 1);
            self.arrive(node, Input::Stop);
        }
    }

    fn restart(&mut self, index: FaultIndex, node: NodeId) {
        self.end_stop(node);
        if !self.hosts[node.index()].is_up {
            self.ledger.affect(index, 1);
            self.bring_up(node);
        }
    }

    fn restart_as(&mut self, index: FaultIndex, node: NodeId, version: u32) {
        self.end_stop(node);
        if !self.hosts[node.index()].is_up {
            self.host(node).boot.version = version;
            self.restart(index, node);
        }
    }

    /// A process that was asked to stop and could not yet, since it is paused or busy, is not waited for any longer: else
    /// it would stop after its restart, and stay down.
    fn end_stop(&mut self, node: NodeId) {
        if self.hosts[node.index()].is_stopping() {
            self.take_down(node);
        }
    }

    /// What the peer had sent is lost, and the node learns why; what it had sent itself arrives.
    fn reset(&mut self, index: FaultIndex, node: NodeId, peer: NodeId) {
        self.network.reset(index, (peer, node));
        if self.hosts[node.index()].is_up {
            self.ledger.affect(index, 1);
            self.arrive_at_closed(node, Waiting::Reset(peer));
        }
    }

    /// A process that does not exist cannot stand still: the next one is not paused.
    fn pause(&mut self, index: FaultIndex, node: NodeId) {
        let host = self.host(node);
        if host.is_up {
            host.pauses.begin(index, ());
        }
    }

    fn end_pause_midway(&mut self, index: FaultIndex, node: NodeId) {
        let host = self.host(node);
        host.pauses.end(index);
        if host.midway.is_some_and(|(fault, _)| fault == index) {
            host.midway = None;
        }
    }

    fn step_clock(&mut self, index: FaultIndex, node: NodeId, by_ns: i64) {
        let now = self.now;
        let host = self.host(node);
        host.clock.step(by_ns, now);
        host.watch(index, WatchKind::Wall);
        self.sample_clocks();
    }

    fn freeze_clock(&mut self, index: FaultIndex, node: NodeId) {
        let now = self.now;
        let host = self.host(node);
        host.clock.freeze(now);
        host.watch(index, WatchKind::Wall);
    }

    fn thaw_clock(&mut self, index: FaultIndex, node: NodeId, thaw: Thaw) {
        let host = &mut self.hosts[node.index()];
        host.clock.thaw(thaw, self.now);
        self.ledger.affect(index, host.unwatch(index));
        self.sample_clocks();
    }

    fn strobe_clock(&mut self, index: FaultIndex, node: NodeId, (by_ns, period): (i64, Span)) {
        let now = self.now;
        let host = self.host(node);
        host.clock.strobe(by_ns, period, now);
        host.watch(index, WatchKind::Wall);
        self.sample_clocks();
    }

    fn end_strobe(&mut self, index: FaultIndex, node: NodeId) {
        let host = &mut self.hosts[node.index()];
        host.clock.end_strobe();
        self.ledger.affect(index, host.unwatch(index));
        self.sample_clocks();
    }

    fn end_sync_loss(&mut self, index: FaultIndex, node: NodeId) {
        let host = &mut self.hosts[node.index()];
        host.sync_losses.end(index);
        let source = if host.sync_losses.is_empty() { Source::Heard } else { Source::Lost };
        host.clock.set_source(source);
        self.ledger.affect(index, host.unwatch(index));
    }

    /// A drift ends the one before it; timers that now run out at another instant count, besides readings.
    fn begin_drift(&mut self, index: FaultIndex, node: NodeId, drift_ppb: i64) {
        self.settle_drift(node);
        let now = self.now;
        let host = self.host(node);
        host.clock.force_drift(drift_ppb, now);
        host.watch(index, WatchKind::All);
        let timers = self.aim_timers(node);
        self.ledger.affect(index, timers);
    }

    fn end_drift(&mut self, node: NodeId) {
        if self.settle_drift(node) {
            let now = self.now;
            self.host(node).clock.release_drift(now);
            self.aim_timers(node);
        }
    }

    /// Whether an oscillator was made to drift; the ledger is told what came of it.
    fn settle_drift(&mut self, node: NodeId) -> bool {
        let host = &mut self.hosts[node.index()];
        let Some(fault) = host.drift_fault() else { return false };
        self.ledger.affect(fault, host.unwatch(fault));
        true
    }

    fn end_lie(&mut self, index: FaultIndex, node: NodeId) {
        let host = &mut self.hosts[node.index()];
        host.lies.end(index);
        host.clock.lie(host.lies.last().map(|(_, bound)| bound));
        self.ledger.affect(index, host.unwatch(index));
    }

    fn host(&mut self, node: NodeId) -> &mut Host<N> {
        &mut self.hosts[node.index()]
    }
}
