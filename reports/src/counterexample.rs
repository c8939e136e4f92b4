//! The few operations that show a violation, on lanes: geometry first, SVG second.
//!
//! ```text
//!              write 1                 read 0
//!   client 0   ├─────────────┤         ├──────┤
//!                     write 2
//!   client 1          ├┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄►    (its answer never came)
//! ```
//!
//! Places follow the order of events, not their distance: what matters is who was before whom, and microseconds
//! stand beside minutes. A label stands above its bar and may reach beyond it, up to the next bar of its lane.
//! What stands beside the failing part is drawn paler. Faults have a lane of their own, above the clients.

use std::collections::BTreeMap;

use checker::history::ClientId;

use crate::drawn::{DrawnOperation, Ending};
use crate::frame::{LaneName, Picture, draw_names, shortened};
use crate::nemesis_bands::NemesisBand;
use crate::svg::{Area, Caption, Path, Point, Px, Svg};

/// The height of a lane.
const LANE_HEIGHT: Px = Px::whole(42);
/// The height of a bar.
const BAR_HEIGHT: Px = Px::whole(11);
/// The least distance of two events.
const EVENT_GAP: Px = Px::whole(26);
/// The room after a label.
const LABEL_MARGIN: Px = Px::whole(12);
/// Where bars begin.
const PLOT_X: Px = Px::whole(2);
/// The longest label.
const LABEL_GLYPHS_MAX: usize = 48;
/// How many operations are drawn.
pub(crate) const DRAWN_MAX: usize = 40;
/// How many faults are drawn.
const FAULTS_MAX: usize = 8;
/// The height of a fault's band with its gap.
const FAULT_HEIGHT: Px = Px::whole(17);
/// The width of the shortest band.
const FAULT_WIDTH_MIN: Px = Px::whole(3);

/// What is drawn.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    /// The failing part and what stands beside it, by invocation.
    pub(crate) operations: &'a [&'a DrawnOperation],
    /// The numbers of the failing part.
    pub(crate) core: &'a [u64],
    /// The operation that could not be explained any more.
    pub(crate) stuck: Option<u64>,
    /// Where the file records operations, by number.
    pub(crate) lines: &'a BTreeMap<u64, String>,
    /// What the nemesis did.
    pub(crate) faults: &'a [NemesisBand],
}

/// An operation on its lane.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bar {
    lane: usize,
    x: Px,
    /// None if its answer never came: it reaches to the right edge.
    end_x: Option<Px>,
    label: String,
    is_stuck: bool,
    is_core: bool,
}

/// A fault above the lanes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fault {
    x: Px,
    /// None if it goes on after all that is drawn.
    end_x: Option<Px>,
    label: String,
    concern: &'static str,
}

/// The operations of a violation, laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Counterexample {
    clients: Vec<String>,
    bars: Vec<Bar>,
    faults: Vec<Fault>,
    width: Px,
}

impl Counterexample {
    /// Lays out a scene. Operations beyond [`DRAWN_MAX`] are left out, and so are faults that were over before
    /// the first event or began after the last.
    pub(crate) fn new(scene: Scene<'_>) -> Self {
        let Scene { operations, core, stuck, lines, faults } = scene;
        let operations = &operations[..operations.len().min(DRAWN_MAX)];
        let mut lanes: BTreeMap<u64, usize> = BTreeMap::new();
        for operation in operations {
            lanes.entry(operation.client).or_default();
        }
        for (lane, slot) in lanes.values_mut().enumerate() {
            *slot = lane;
        }
        let label = |operation: &DrawnOperation| label(operation, lines);
        let places = places(operations, &label);
        let end = places.values().copied().max().unwrap_or(PLOT_X);
        let bars = operations.iter().map(|operation| Bar {
            lane: lanes[&operation.client],
            x: places[&operation.invoked],
            end_x: operation.returned.map(|returned| places[&returned]),
            label: label(operation),
            is_stuck: stuck == Some(operation.number),
            is_core: core.contains(&operation.number),
        });
        let bars: Vec<_> = bars.collect();
        let faults = faults_among(&places, faults);
        let widest = bars.iter().map(|bar| bar.x + room(&bar.label));
        let widest =
            widest.chain(faults.iter().map(|fault| fault.x + room(&fault.label))).max().unwrap_or(end);
        let clients = lanes.keys().map(|client| lane_name(*client)).collect();
        Self { clients, bars, faults, width: end.max(widest) + EVENT_GAP }
    }

    /// Draws the lanes.
    pub(crate) fn draw(&self) -> Picture {
        let height = self.lane_top(self.clients.len());
        let list: Vec<_> = self.bars.iter().map(|bar| bar.label.as_str()).collect();
        let description =
            format!("{} operations in the order of their events: {}.", list.len(), list.join("; "));
        let caption = Caption { title: "The smallest failing part", description: &description };
        let mut svg = Svg::new(self.width, height, caption);
        self.faults.iter().enumerate().for_each(|(level, fault)| self.draw_fault(level, fault, &mut svg));
        for index in 1..=self.clients.len() {
            let y = self.lane_top(index);
            svg.line(Point { x: Px::ZERO, y }, Point { x: self.width, y }, "ground");
        }
        for bar in &self.bars {
            self.draw_bar(bar, &mut svg);
        }
        let names = self.clients.iter().enumerate().map(|(index, client)| LaneName {
            name: client.clone(),
            note: String::new(),
            y: self.lane_top(index) + Px::whole(27),
        });
        let name = LaneName { name: "faults".to_owned(), note: String::new(), y: Px::whole(8) };
        let names: Vec<_> = Some(name).filter(|_| !self.faults.is_empty()).into_iter().chain(names).collect();
        Picture { names: draw_names(&names, height), plot: svg.finish() }
    }

    fn lane_top(&self, index: usize) -> Px {
        let lanes = i64::try_from(index).expect("lanes are few");
        let faults = i64::try_from(self.faults.len()).expect("faults are few");
        Px::tenths(LANE_HEIGHT.as_tenths() * lanes + FAULT_HEIGHT.as_tenths() * faults)
    }

    fn draw_fault(&self, level: usize, fault: &Fault, svg: &mut Svg) {
        let y = Px::tenths(FAULT_HEIGHT.as_tenths() * i64::try_from(level).expect("faults are few"));
        let end_x = fault.end_x.unwrap_or(self.width);
        let width = (end_x - fault.x).max(FAULT_WIDTH_MIN);
        svg.area(
            Area { x: fault.x, y: y + Px::whole(1), width, height: Px::whole(14) },
            &format!("band {}", fault.concern),
        );
        svg.text(Point { x: fault.x + Px::whole(4), y: y + Px::whole(12) }, "label", &fault.label);
    }

    fn draw_bar(&self, bar: &Bar, svg: &mut Svg) {
        let y = self.lane_top(bar.lane) + Px::whole(22);
        let end_x = bar.end_x.unwrap_or(self.width - Px::whole(8));
        let area = Area { x: bar.x, y, width: end_x - bar.x, height: BAR_HEIGHT };
        let class = match (bar.is_stuck, bar.is_core, bar.end_x) {
            (true, ..) => "bar stuck",
            (false, true, Some(_)) => "bar",
            (false, true, None) => "bar open",
            (false, false, Some(_)) => "bar context",
            (false, false, None) => "bar context open",
        };
        svg.area(area, class);
        if bar.end_x.is_none() {
            let (tip, back, middle) =
                (end_x + Px::whole(7), end_x, y + Px::tenths(BAR_HEIGHT.as_tenths() / 2));
            let mut arrow = Path::new();
            arrow.line([
                Point { x: back, y: middle - Px::whole(5) },
                Point { x: tip, y: middle },
                Point { x: back, y: middle + Px::whole(5) },
            ]);
            svg.path(&arrow, "arrow");
        }
        svg.text(Point { x: bar.x, y: y - Px::whole(6) }, "label", &bar.label);
    }
}

/// The faults that were under way while something that is drawn happened.
fn faults_among(places: &BTreeMap<u64, Px>, faults: &[NemesisBand]) -> Vec<Fault> {
    let (Some((first, _)), Some((last, _))) = (places.first_key_value(), places.last_key_value()) else {
        return Vec::new();
    };
    let x_of = |position: u64| {
        let next = places.range(position..).next().map(|(_, x)| *x);
        next.map(|x| (x - Px::tenths(EVENT_GAP.as_tenths() / 2)).max(Px::ZERO))
    };
    let is_near = |fault: &&NemesisBand| fault.to.is_none_or(|to| to >= *first) && fault.from <= *last;
    let laid_out = faults.iter().filter(is_near).take(FAULTS_MAX).map(|fault| Fault {
        x: x_of(fault.from).unwrap_or(PLOT_X),
        end_x: fault.to.and_then(x_of),
        label: shortened(&format!("{} (line {})", fault.label, fault.line), LABEL_GLYPHS_MAX),
        concern: concern(&fault.label),
    });
    laid_out.collect()
}

/// What a fault does its harm to, as its pattern and hue.
fn concern(label: &str) -> &'static str {
    let has = |words: &[&str]| words.iter().any(|word| label.contains(word));
    if has(&["clock", "bump", "strobe", "skew"]) {
        "clock"
    } else if has(&["partition", "isolate", "drop", "packet", "slow", "flaky", "start"]) {
        "network"
    } else if has(&["disk", "file", "corrupt"]) {
        "disk"
    } else {
        "process"
    }
}

fn label(operation: &DrawnOperation, lines: &BTreeMap<u64, String>) -> String {
    let suffix = match operation.ending {
        Ending::Ok | Ending::Refused | Ending::Unknown => "",
        Ending::DidNotHappen => " (did not happen)",
    };
    let words = shortened(&operation.label, LABEL_GLYPHS_MAX);
    match lines.get(&operation.number) {
        Some(lines) => format!("{words}{suffix} ({lines})"),
        None => format!("#{} {words}{suffix}", operation.number),
    }
}

fn room(label: &str) -> Px {
    Px::of_text(label) + LABEL_MARGIN
}

fn lane_name(client: u64) -> String {
    if client == ClientId::RECORDER.0 { "recorded".to_owned() } else { format!("client {client}") }
}

/// The place of each event: in order, a question only behind the label of its client's previous one.
fn places(operations: &[&DrawnOperation], label: &impl Fn(&DrawnOperation) -> String) -> BTreeMap<u64, Px> {
    let mut events: BTreeMap<u64, Option<&DrawnOperation>> = BTreeMap::new();
    for operation in operations {
        events.insert(operation.invoked, Some(operation));
        if let Some(returned) = operation.returned {
            events.insert(returned, None);
        }
    }
    let mut label_ends: BTreeMap<u64, Px> = BTreeMap::new();
    let mut places = BTreeMap::new();
    let mut next_x = PLOT_X;
    for (position, question) in events {
        let mut x = next_x;
        if let Some(operation) = question {
            let label_end = label_ends.entry(operation.client).or_insert(x);
            x = x.max(*label_end);
            *label_end = x + room(&label(operation));
        }
        places.insert(position, x);
        next_x = x + EVENT_GAP;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(number: u64, client: u64, events: (u64, Option<u64>)) -> DrawnOperation {
        DrawnOperation {
            number,
            client,
            kind: "write".into(),
            label: "write 1".into(),
            ending: if events.1.is_some() { Ending::Ok } else { Ending::Unknown },
            invoked: events.0,
            returned: events.1,
            invoked_at_ns: 0,
            returned_at_ns: events.1.map(|_| 0),
        }
    }

    fn drawn(operations: &[DrawnOperation], stuck: Option<u64>, faults: &[NemesisBand]) -> Counterexample {
        let core: Vec<u64> = operations.iter().map(|one| one.number).collect();
        let operations: Vec<_> = operations.iter().collect();
        let lines = BTreeMap::new();
        Counterexample::new(Scene { operations: &operations, core: &core, stuck, lines: &lines, faults })
    }

    #[test]
    fn what_was_recorded_and_not_asked_has_a_lane_of_that_name() {
        assert_eq!(
            (lane_name(3).as_str(), lane_name(ClientId::RECORDER.0).as_str()),
            ("client 3", "recorded")
        );
    }

    #[test]
    fn places_follow_the_order_of_events() {
        let operations = [operation(7, 0, (10, Some(40))), operation(9, 5, (20, Some(30)))];
        let places = places(&operations.iter().collect::<Vec<_>>(), &|one| one.label.clone());
        assert_eq!(places.keys().copied().collect::<Vec<_>>(), [10, 20, 30, 40]);
        assert!(places.values().is_sorted_by(|a, b| **a + EVENT_GAP <= **b), "{places:?}");
    }

    #[test]
    fn labels_of_a_lane_do_not_touch() {
        let operations =
            [operation(7, 0, (1, Some(2))), operation(8, 0, (3, Some(4))), operation(9, 1, (5, None))];
        let drawn = drawn(&operations, Some(8), &[]);
        assert!(drawn.bars[0].x + Px::of_text(&drawn.bars[0].label) < drawn.bars[1].x, "{drawn:?}");
        assert_eq!(drawn.bars.iter().map(|bar| bar.is_stuck).collect::<Vec<_>>(), [false, true, false]);
    }

    #[test]
    fn unanswered_operation_reaches_to_the_right_edge_with_room_for_its_label() {
        let operations = [operation(7, 3, (1, None)), operation(8, 4, (2, Some(3)))];
        let drawn = drawn(&operations, None, &[]);
        assert_eq!(drawn.bars[0].end_x, None);
        assert!(drawn.width >= drawn.bars[0].x + room(&drawn.bars[0].label));
        assert_eq!(drawn.clients, ["client 3", "client 4"]);
    }

    #[test]
    fn no_operations_and_too_many_are_drawn_too() {
        assert!(drawn(&[], None, &[]).bars.is_empty());
        let many: Vec<_> = (0..99).map(|n| operation(n, n, (2 * n, Some(2 * n + 1)))).collect();
        assert_eq!(drawn(&many, None, &[]).bars.len(), DRAWN_MAX);
    }

    #[test]
    fn faults_near_the_operations_have_a_band_over_the_events_they_lasted() {
        use checker::format::NemesisEvent;
        let event = |word: &str, position| NemesisEvent {
            at_ns: None,
            position,
            line: 4,
            word: word.to_owned(),
            value: String::new(),
        };
        let events =
            [event("kill", 1), event("start", 2), event("start-partition", 12), event("stop-partition", 25)];
        let faults = crate::nemesis_bands::bands(&events);
        let operations = [operation(7, 0, (10, Some(20))), operation(9, 5, (30, Some(40)))];
        let drawn = drawn(&operations, None, &faults);
        // The kill was over before the first event.
        let [fault] = drawn.faults.as_slice() else { panic!("{drawn:?}") };
        assert_eq!((fault.label.as_str(), fault.concern), ("partition (line 4)", "network"));
        let (asked, answered) = (drawn.bars[0].x, drawn.bars[0].end_x.unwrap());
        assert!(asked < fault.x && fault.x < answered, "{drawn:?}");
        assert!(fault.end_x.is_some_and(|end_x| answered < end_x && end_x < drawn.bars[1].x), "{drawn:?}");
    }
}
