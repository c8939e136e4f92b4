//! Every bound of a run in one place; relations between them are checked at compile time.

use crate::time::Span;

/// Most nodes of a world.
pub const NODES_MAX: usize = 1_024;
/// Timer keys of a node lie below this.
pub const TIMER_KEYS_MAX: usize = 4_096;
/// Most entries of the event queue at one time.
pub const EVENTS_PENDING_MAX: usize = 1 << 22;
/// Sequence numbers of a run lie below this: the bound on how many things are ever scheduled.
pub const SEQUENCES_MAX: u64 = 1 << 40;
/// Most inputs that wait for a busy or paused node; a message beyond is lost.
pub const INBOX_MAX: usize = 65_536;
/// Most events of a kept trace; the digest covers those beyond it too.
pub const TRACE_MAX: usize = 1 << 20;
/// Most checkpoints of a run; beyond, every second one is dropped.
pub const CHECKPOINTS_MAX: usize = 4_096;
/// Most observations that a world holds at one time.
pub const OBSERVATIONS_MAX: usize = 1 << 24;
/// Most clock samples of a run; those beyond are not taken.
pub const CLOCK_SAMPLES_MAX: usize = 1 << 20;
/// Most records on a disk.
pub const RECORDS_MAX: usize = 1 << 20;
/// Most rewrites of a disk between two syncs that do their work.
pub const REWRITES_PENDING_MAX: usize = 1_024;
/// Most faults of a plan.
pub const FAULTS_MAX: usize = 65_536;
/// Most requests of a run.
pub const REQUESTS_MAX: usize = 1 << 24;
/// Longest label of a stream of chance.
pub const LABEL_BYTES_MAX: usize = 32;

/// Nanoseconds a second: the scale of parts per billion.
pub const PPB: i64 = 1_000_000_000;
/// Largest frequency error of an oscillator: a tenth.
pub const DRIFT_PPB_MAX: i64 = 100_000_000;
/// Largest slewing rate of the clock discipline: 0.5 ms/s, as ntpd's.
pub const SLEW_PPB_MAX: i64 = 500_000;
/// Largest frequency correction that the clock discipline learns: 500 ppm, as ntpd's.
pub const LEARNED_PPB_MAX: i64 = 500_000;
/// How many polls without an answer make a clock free-running: the length of NTP's reach register.
pub const POLLS_MISSED_MAX: u32 = 8;
/// Largest offset that the clock discipline slews; it steps a larger one, as ntpd does.
pub const SLEW_NS_MAX: i64 = 128_000_000;
/// Largest jump of a wall clock, of a strobe too, and its largest offset at first: a day.
pub const STEP_NS_MAX: i64 = 86_400 * PPB;
/// Longest run: ten years.
pub const RUN_NS_MAX: u64 = 3_652 * 86_400 * 1_000_000_000;
/// Longest latency of a message, before noise: an hour.
pub const LATENCY_MAX: Span = Span::from_seconds(3_600);
/// Latency of a message that a node sends to itself.
pub const LATENCY_TO_SELF: Span = Span::from_us(1);
/// Largest extra delay, service time, sync latency, length or claimed bound: a year.
pub const SPAN_MAX: Span = Span::from_seconds(366 * 86_400);
/// Largest bandwidth of a link: a terabyte a second.
pub const BYTES_PER_S_MAX: u64 = 1_000_000_000_000;
/// Largest queue before a link: a tebibyte.
pub const QUEUE_BYTES_MAX: u64 = 1 << 40;

const _: () = assert!(
    DRIFT_PPB_MAX + SLEW_PPB_MAX + LEARNED_PPB_MAX < PPB,
    "a clock never stands still or runs backwards by itself"
);
const _: () = assert!(SLEW_NS_MAX < STEP_NS_MAX);
const _: () = assert!(
    RUN_NS_MAX as i128 * 2 + STEP_NS_MAX as i128 * (FAULTS_MAX as i128 + 1) < i64::MAX as i128,
    "every wall clock reading fits, whatever the plan"
);
const _: () = assert!(EVENTS_PENDING_MAX as u64 <= 1 << 24, "a slot fits into its part of a queue key");
const _: () = assert!(
    (NODES_MAX + 2 * FAULTS_MAX + REQUESTS_MAX) as u64 * 2 < SEQUENCES_MAX,
    "the reserved sequence numbers leave room"
);
const _: () = assert!(LATENCY_MAX.as_ns() < SPAN_MAX.as_ns() && SPAN_MAX.as_ns() < RUN_NS_MAX);
const _: () = assert!(INBOX_MAX < EVENTS_PENDING_MAX);
const _: () = assert!(
    RECORDS_MAX as u128 * LATENCY_MAX.as_ns() as u128 + RUN_NS_MAX as u128 * 3 < u64::MAX as u128,
    "a sync of a whole disk ends at an instant that can be told"
);
