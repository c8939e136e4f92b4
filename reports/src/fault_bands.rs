//! The faults of a run, as labelled bands on the lanes of the nodes they are about: geometry first, SVG second.
//!
//! ```text
//!   slot-3      |cut: 16 links|      |crash      |      (a restart ends a crash, a stop, a power loss)
//!   client-1    ▾ clock-step +2 s                        (no length: a mark at its instant)
//!   every link  |noise          |
//! ```
//!
//! A fault of links stands on the fewest nodes that have an end of each: one side of a partition.

use std::collections::BTreeMap;

use sim::fault::{Family, Fault};
use sim::node::NodeId;

use crate::fault_extent::{EVERY_LINK, Timed, lanes_of, timed};
use crate::frame::{Frame, LaneName, PLOT_WIDTH, Picture, draw_names, shortened};
use crate::run_folder::Plan;
use crate::scale::{signed_span, span};
use crate::svg::{Area, Caption, Path, Point, Px, Svg};

/// The height of a band with its gap.
const LEVEL_HEIGHT: Px = Px::whole(17);
/// The room above and below the bands of a lane.
const MARGIN: Px = Px::whole(3);
/// The width of the shortest band.
const WIDTH_MIN: Px = Px::whole(3);
/// The room between a band's edge and its label.
const PADDING: Px = Px::whole(4);
/// What a fault does its harm to; its pattern and hue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Concern {
    Process,
    Network,
    Clock,
    Disk,
}

/// A fault on a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Band {
    x: Px,
    /// Zero for a fault without a length.
    width: Px,
    /// Which of the lane's levels it stands on.
    level: usize,
    concern: Concern,
    label: String,
    title: String,
}

/// The faults of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Lane {
    name: String,
    bands: Vec<Band>,
    level_count: usize,
}

/// Every fault of a run, laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FaultBands {
    lanes: Vec<Lane>,
    fault_count: usize,
}

impl FaultBands {
    /// Lays out the plan's faults.
    pub(crate) fn new(plan: &Plan, frame: &Frame) -> Self {
        let timed = timed(&plan.faults, plan);
        let mut lanes: BTreeMap<u32, Vec<&Timed<'_>>> = BTreeMap::new();
        for fault in &timed {
            for lane in lanes_of(fault.fault) {
                lanes.entry(lane).or_default().push(fault);
            }
        }
        let name = |id| if id == EVERY_LINK { "every link".to_owned() } else { plan.node_name(id) };
        let lanes = lanes.into_iter().map(|(id, faults)| lay_out(name(id), &faults, plan, frame)).collect();
        Self { lanes, fault_count: timed.len() }
    }

    /// Whether there is nothing to draw.
    pub(crate) fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }

    /// Draws the lanes.
    pub(crate) fn draw(&self, frame: &Frame) -> Picture {
        let height = self.top(self.lanes.len());
        let description = format!(
            "{} faults on {} lanes, one for each node concerned, over true time.",
            self.fault_count,
            self.lanes.len()
        );
        let mut svg = Svg::new(PLOT_WIDTH, height, Caption { title: "Faults", description: &description });
        frame.draw_ground(&mut svg, height);
        for (index, lane) in self.lanes.iter().enumerate() {
            draw_lane(lane, self.top(index), &mut svg);
        }
        frame.draw_heal_line(&mut svg, height);
        let names = self.lanes.iter().enumerate().map(|(index, lane)| LaneName {
            name: lane.name.clone(),
            note: String::new(),
            y: self.top(index) + Px::whole(11),
        });
        Picture { names: draw_names(&names.collect::<Vec<_>>(), height), plot: svg.finish() }
    }

    fn top(&self, index: usize) -> Px {
        self.lanes[..index].iter().fold(Px::ZERO, |top, lane| top + lane.height())
    }
}

impl Lane {
    fn height(&self) -> Px {
        level_top(self.level_count) + MARGIN + MARGIN
    }
}

fn level_top(level: usize) -> Px {
    Px::tenths(LEVEL_HEIGHT.as_tenths() * i64::try_from(level).expect("levels are few"))
}

fn lay_out(name: String, faults: &[&Timed<'_>], plan: &Plan, frame: &Frame) -> Lane {
    let mut level_ends: Vec<Px> = Vec::new();
    let mut bands = Vec::new();
    for fault in faults {
        let mut band = band_of(fault, plan, frame);
        // A label may reach beyond its band, to the right, as far as nothing else stands there.
        let needed = band.width.max(Px::of_text(&band.label) + PADDING + PADDING + WIDTH_MIN);
        let end = (band.x + needed).min(PLOT_WIDTH);
        band.level = level_ends.iter().position(|&taken| taken <= band.x).unwrap_or(level_ends.len());
        if band.level == level_ends.len() {
            level_ends.push(end);
        } else {
            level_ends[band.level] = end;
        }
        bands.push(band);
    }
    Lane { name, bands, level_count: level_ends.len() }
}

fn band_of(timed: &Timed<'_>, plan: &Plan, frame: &Frame) -> Band {
    let x = frame.scale.x_at(timed.from_ns);
    let width = timed.to_ns.map_or(Px::ZERO, |to_ns| (frame.scale.x_at(to_ns) - x).max(WIDTH_MIN));
    let label = label(timed.fault, plan);
    let until = timed.to_ns.map_or(String::new(), |to_ns| format!(" to {}", span(to_ns)));
    let title = format!("{label}, {}{until}", span(timed.from_ns));
    let x = x.min(PLOT_WIDTH - width.max(WIDTH_MIN));
    Band { x, width, level: 0, concern: concern(timed.fault.family()), label, title }
}

const fn concern(family: Family) -> Concern {
    match family {
        Family::Crash
        | Family::PowerLoss
        | Family::Stop
        | Family::Restart
        | Family::Pause
        | Family::PauseMidway
        | Family::RestartAs
        | Family::Slow => Concern::Process,
        Family::Cut
        | Family::Noise
        | Family::Burst
        | Family::Corruption
        | Family::Reordering
        | Family::SlowLink
        | Family::Throttle
        | Family::Reset => Concern::Network,
        Family::ClockStep
        | Family::ClockDrift
        | Family::ClockLie
        | Family::ClockFreeze
        | Family::ClockStrobe
        | Family::ClockSyncLoss => Concern::Clock,
        Family::DiskStall
        | Family::DiskError
        | Family::DiskLie
        | Family::TornWrite
        | Family::DiskSlow
        | Family::DiskFull
        | Family::BitRot => Concern::Disk,
    }
}

/// The family and its one telling quantity.
fn label(fault: &Fault, plan: &Plan) -> String {
    let family = fault.family();
    match fault {
        Fault::Cut { links, .. } => match links.as_slice() {
            [(from, to)] => format!("cut to {}", shortened(&arrow(plan, from.0, to.0), 24)),
            many => format!("cut, {} links", many.len()),
        },
        Fault::SlowLink { links, extra, .. } => format!("{family} +{extra}{}", of_links(links)),
        Fault::Throttle { links, bytes_per_s, .. } => {
            format!("{family} {bytes_per_s} B/s{}", of_links(links))
        }
        Fault::Noise { links, .. }
        | Fault::Burst { links, .. }
        | Fault::Corruption { links, .. }
        | Fault::Reordering { links, .. } => format!("{family}{}", of_links(links)),
        Fault::Reset { peer, .. } => format!("reset by {}", shortened(&plan.node_name(peer.0), 24)),
        Fault::RestartAs { version, .. } => format!("{family} version {version}"),
        Fault::DiskFull { room, .. } => format!("{family}, room for {room}"),
        Fault::BitRot { count, .. } => format!("{family}, {count} records"),
        Fault::ClockStep { by_ns, .. } => format!("{family} {}", signed_span(*by_ns)),
        Fault::ClockDrift { drift_ppb, .. } => {
            format!("{family} {} ppb", crate::scale::signed_count(*drift_ppb))
        }
        Fault::ClockLie { bound, .. } => format!("{family}, claims {bound}"),
        Fault::ClockStrobe { by_ns, period, .. } => {
            format!("{family} {} every {period}", signed_span(*by_ns))
        }
        Fault::Slow { extra, .. } | Fault::DiskSlow { extra, .. } => format!("{family} +{extra}"),
        Fault::Crash { .. }
        | Fault::PowerLoss { .. }
        | Fault::Stop { .. }
        | Fault::Restart { .. }
        | Fault::Pause { .. }
        | Fault::PauseMidway { .. }
        | Fault::ClockFreeze { .. }
        | Fault::ClockSyncLoss { .. }
        | Fault::DiskStall { .. }
        | Fault::DiskError { .. }
        | Fault::TornWrite { .. }
        | Fault::DiskLie { .. } => family.to_string(),
    }
}

/// How many links, if not all of them.
fn of_links(links: &[(NodeId, NodeId)]) -> String {
    if links.is_empty() { String::new() } else { format!(", {} links", links.len()) }
}

fn arrow(plan: &Plan, from: u32, to: u32) -> String {
    format!("{} → {}", plan.node_name(from), plan.node_name(to))
}

fn draw_lane(lane: &Lane, top: Px, svg: &mut Svg) {
    let ground = top + lane.height();
    svg.line(Point { x: Px::ZERO, y: ground }, Point { x: PLOT_WIDTH, y: ground }, "ground");
    for band in &lane.bands {
        let y = top + MARGIN + level_top(band.level);
        let (class, label_class) = match band.concern {
            Concern::Process => ("band process", "label"),
            Concern::Network => ("band network", "label"),
            Concern::Clock => ("band clock", "label"),
            Concern::Disk => ("band disk", "label"),
        };
        let height = LEVEL_HEIGHT - Px::whole(2);
        if band.width == Px::ZERO {
            let mut mark = Path::new();
            mark.diamond(Point { x: band.x, y: y + Px::whole(7) }, Px::whole(4));
            svg.path(&mark, "instant");
        } else {
            svg.titled_area(Area { x: band.x, y, width: band.width, height }, class, &band.title);
            svg.area(Area { x: band.x, y, width: Px::whole(2), height }, "edge");
        }
        let (x, label_class) = label_place(band, label_class);
        svg.text(Point { x, y: y + Px::whole(11) }, label_class, &band.label);
    }
}

/// Where a label begins: in its band if it fits, else right of it, else, at the picture's end, left of it.
fn label_place(band: &Band, class: &'static str) -> (Px, &'static str) {
    let length = Px::of_text(&band.label) + PADDING;
    let inside = band.x + PADDING;
    let beside = band.x + band.width.max(PADDING) + PADDING;
    if length <= band.width && inside + length <= PLOT_WIDTH {
        (inside, class)
    } else if beside + length <= PLOT_WIDTH {
        (beside, class)
    } else {
        (band.x - PADDING, "label end")
    }
}

#[cfg(test)]
mod tests {
    use sim::fault::{FaultPlan, PlannedFault};
    use sim::node::NodeId;
    use sim::time::{Span, TrueTime};

    use super::*;

    /// The bands of faults at these seconds over 108 s, which makes a pixel 0.1 s, as
    /// (lane, tenths from the left, tenths wide, level).
    fn bands(faults: Vec<(u64, Fault)>) -> Vec<(String, i64, i64, usize)> {
        let faults = faults
            .into_iter()
            .map(|(at_s, fault)| PlannedFault { at: TrueTime::from_ns(at_s * S), fault })
            .collect();
        let plan = Plan {
            version: String::new(),
            name: "n".into(),
            system: "s".into(),
            seed: 1,
            variant: "naive".into(),
            mutant: None,
            substrate: "kernel".into(),
            chaos_ends_ns: 80 * S,
            ends_ns: 108 * S,
            nodes: Vec::new(),
            faults: FaultPlan { faults },
            left_out: Vec::new(),
            scenario: serde_json::Value::Null,
            requests: Vec::new(),
        };
        let laid_out = FaultBands::new(&plan, &Frame::new(plan.chaos_ends_ns, plan.ends_ns));
        let of_lane = |lane: Lane| {
            lane.bands
                .into_iter()
                .map(move |band| (lane.name.clone(), band.x.as_tenths(), band.width.as_tenths(), band.level))
        };
        laid_out.lanes.into_iter().flat_map(of_lane).collect()
    }

    const S: u64 = 1_000_000_000;
    const A: NodeId = NodeId(1);
    const B: NodeId = NodeId(2);

    #[test]
    fn restart_ends_the_crash_of_its_node_and_healing_ends_the_others() {
        let faults = vec![
            (10, Fault::Crash { node: A }),
            (10, Fault::Crash { node: B }),
            (20, Fault::Restart { node: A }),
        ];
        assert_eq!(bands(faults), [("n1".into(), 1000, 1000, 0), ("n2".into(), 1000, 7000, 0)]);
    }

    #[test]
    fn overlapping_faults_of_a_node_stand_on_different_levels() {
        let pause = |node| Fault::Pause { node, length: Span::from_seconds(20) };
        let faults = vec![(10, pause(A)), (20, pause(A)), (40, pause(A))];
        let levels: Vec<_> = bands(faults).into_iter().map(|(_, _, _, level)| level).collect();
        assert_eq!(levels, [0, 1, 0]);
    }

    #[test]
    fn partition_stands_on_its_smaller_side() {
        let others = (2..7).map(NodeId);
        let links = others.flat_map(|other| [(A, other), (other, A)]).collect();
        let cut = Fault::Cut { links, length: Span::from_seconds(5) };
        assert_eq!(bands(vec![(1, cut)]), [("n1".into(), 100, 500, 0)]);
    }

    #[test]
    fn noise_without_links_is_on_every_link() {
        let noise = Fault::Noise {
            links: Vec::new(),
            loss: sim::chance::Ratio::new(1, 10),
            duplication: sim::chance::Ratio::new(0, 10),
            delay_max: Span::ZERO,
            length: Span::from_seconds(5),
        };
        assert_eq!(bands(vec![(1, noise)]), [("every link".into(), 100, 500, 0)]);
    }

    #[test]
    fn faults_beyond_the_end_stay_within_the_picture() {
        let forever = Fault::Pause { node: A, length: Span::from_ns(u64::MAX) };
        for (_, x, width, _) in bands(vec![(108, forever), (109, Fault::ClockStep { node: A, by_ns: 1 })]) {
            assert!(x >= 0 && x + width <= PLOT_WIDTH.as_tenths(), "{x} {width}");
        }
    }
}
