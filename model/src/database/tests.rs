//! The database on the bench: one server, queries as they come, syncs by hand.

use sim::digest::{Canonical, Digest};
use sim::node::{Context, Effects, Input, InputOf, NodeId, TimerKey};

use super::server::STATEMENT_TIMEOUT;
use super::*;
use crate::probe::{Done, Probe};

const RETRY: TimerKey = TimerKey(0);

/// Numbers under letters.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Letters;

impl Schema for Letters {
    type Key = char;
    type Value = i64;

    fn add(row: Option<&i64>, delta: i64) -> Option<i64> {
        row.copied().unwrap_or(0).checked_add(delta)
    }
}

type Word = Statement<Letters>;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Letter(Packet<Letters>);

impl sim::node::Message for Letter {
    fn name(&self) -> &'static str {
        self.0.name()
    }
}

impl From<Packet<Letters>> for Letter {
    fn from(packet: Packet<Letters>) -> Self {
        Self(packet)
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Page {
    Redo(Redo<Letters>),
    Format(u32),
}

impl Formatted for Page {
    fn format(&self) -> Option<u32> {
        match self {
            Self::Format(format) => Some(*format),
            Self::Redo(_) => None,
        }
    }

    fn of_format(format: u32) -> Self {
        Self::Format(format)
    }
}

impl From<Redo<Letters>> for Page {
    fn from(redo: Redo<Letters>) -> Self {
        Self::Redo(redo)
    }
}

impl Stored<Letters> for Page {
    fn redo(&self) -> Option<&Redo<Letters>> {
        match self {
            Self::Redo(redo) => Some(redo),
            Self::Format(_) => None,
        }
    }
}

#[derive(Clone, Debug)]
struct Shown(Event<Letters>);

impl Canonical for Shown {
    fn feed(&self, digest: &mut Digest) {
        digest.plain(&self.0);
    }
}

impl From<Event<Letters>> for Shown {
    fn from(event: Event<Letters>) -> Self {
        Self(event)
    }
}

/// A node that is a database and nothing else.
#[derive(Clone, Debug)]
struct Desk(Server<Letters, Page>);

impl Node for Desk {
    type Message = Letter;
    type Request = ();
    type Record = Page;
    type Observation = Shown;

    fn handle(&mut self, input: InputOf<Self>, context: &mut Context<'_>, fx: &mut Effects<Self>) {
        match input {
            Input::Start { disk } => self.0.start(&disk, context, fx),
            Input::Message { from, message } => self.0.packet(from, message.0, context, fx),
            Input::Synced(token) => self.0.synced(token, context, fx),
            Input::SyncFailed(token) => self.0.sync_failed(token, fx),
            Input::Timer(key) => self.0.timer(key, fx),
            Input::Request(()) | Input::Stop => {}
        }
    }
}

/// The bench.
struct Bench {
    desk: Desk,
    probe: Probe<Desk>,
    count: u32,
}

impl Bench {
    fn on(commit: Commit, disk: Vec<Page>) -> (Self, Done<Desk>) {
        let desk = Desk(Server::new(commit, RETRY));
        let mut bench = Self { desk, probe: Probe::new(Span::ZERO), count: 0 };
        let done = bench.input(Input::Start { disk });
        (bench, done)
    }

    fn new() -> Self {
        Self::on(Commit::Synchronous, Vec::new()).0
    }

    fn input(&mut self, input: InputOf<Desk>) -> Done<Desk> {
        let desk = &mut self.desk;
        self.probe.ask(|context, fx| desk.handle(input, context, fx));
        self.probe.done()
    }

    fn query(&mut self, statements: &[Word]) -> Done<Desk> {
        self.count += 1;
        self.packet(self.count, statements)
    }

    fn packet(&mut self, count: u32, statements: &[Word]) -> Done<Desk> {
        let number = QueryNumber { connection: 1, count };
        let message = Letter(Packet::Query { number, statements: statements.into() });
        self.input(Input::Message { from: NodeId(3), message })
    }

    fn sync(&mut self, done: &Done<Desk>) -> Done<Desk> {
        self.input(Input::Synced(done.synced[0]))
    }

    /// What comes of the statements if nothing else is under way.
    fn outcome(&mut self, statements: &[Word]) -> Outcome<Letters> {
        let done = self.query(statements);
        let done = if done.sent.is_empty() { self.sync(&done) } else { done };
        let [(_, outcome)] = &outcomes(&done)[..] else { panic!("one answer, not {:?}", done.sent) };
        outcome.clone()
    }
}

/// The answers: to which query, and what.
fn outcomes(done: &Done<Desk>) -> Vec<(u32, Outcome<Letters>)> {
    let answers = done.sent.iter().map(|(_, letter)| match &letter.0 {
        Packet::Reply { number, outcome } => (number.count, outcome.clone()),
        packet => panic!("a server that is alone asks nothing: {packet:?}"),
    });
    answers.collect()
}

const fn insert(key: char, value: i64, otherwise: Otherwise) -> Word {
    Statement::Insert { key, value, otherwise }
}

const fn expect(key: char, row: Option<i64>) -> Word {
    Statement::Expect { key, row, otherwise: Otherwise::Abort }
}

const fn row(value: i64) -> Found<Letters> {
    Found::Row(Some(value))
}

#[test]
fn a_commit_is_answered_and_seen_only_once_it_is_durable() {
    let mut bench = Bench::new();
    let first = bench.query(&[Statement::Add('a', 2)]);
    assert!(first.sent.is_empty(), "{first:?}");
    let read = bench.query(&[Statement::Get('a')]);
    assert_eq!(outcomes(&read), [(2, Outcome::Committed(vec![Found::Row(None)]))]);
    assert_eq!(outcomes(&bench.sync(&first)), [(1, Outcome::Committed(vec![row(2)]))]);
    assert_eq!(bench.outcome(&[Statement::Get('a')]), Outcome::Committed(vec![row(2)]));
}

/// A server with a standby that has heard of one row when another is committed: what it reads after a restart.
fn rows_after_a_restart(recovery: Recovery) -> Outcome<Letters> {
    const TIMER: TimerKey = TimerKey(7);
    let replication = Some(Replication { standby: NodeId(9), timer: TIMER, recovery });
    let (mut bench, mut standby) = (Bench::new(), Standby::<Letters>::new());
    bench.desk = Desk(Server::new(Commit::Synchronous, RETRY).replicated(replication));
    bench.input(Input::Start { disk: Vec::new() });
    let put = |key| [Statement::Put(key, 1)];
    bench.outcome(&put('a'));
    let mut pass_on = |bench: &mut Bench, done: Done<Desk>| {
        let [(NodeId(9), Letter(packet))] = &done.sent[..] else { panic!("{done:?}") };
        let mut probe = Probe::<Desk>::new(Span::ZERO);
        probe.ask(|_, fx| standby.packet(NodeId(0), packet.clone(), fx));
        let answered = probe.done().sent.into_iter();
        answered
            .map(|(_, message)| bench.input(Input::Message { from: NodeId(9), message }))
            .collect::<Vec<_>>()
    };
    let heard = bench.input(Input::Timer(TIMER));
    assert!(pass_on(&mut bench, heard).is_empty());
    bench.outcome(&put('b'));
    let disk = bench.desk.0.rows().iter().map(|(key, row)| Page::Redo(Redo([(*key, Some(*row))].into())));
    let disk: Vec<_> = disk.collect();
    bench.desk = Desk(Server::new(Commit::Synchronous, RETRY).replicated(replication));
    let mut begun = bench.input(Input::Start { disk });
    if recovery == Recovery::TakeOver {
        assert_eq!(outcomes(&bench.query(&put('c'))), [(3, Outcome::Unavailable)], "nothing is known yet");
        let tokens = begun.synced.clone();
        begun = pass_on(&mut bench, begun).remove(0);
        begun.synced.splice(0..0, tokens);
    }
    assert_eq!(
        outcomes(&bench.query(&put('c'))).last().map(|one| &one.1),
        Some(&Outcome::Unavailable),
        "nor durable"
    );
    while let Some(token) = begun.synced.pop() {
        let more = bench.input(Input::Synced(token));
        begun.synced.extend(more.synced);
    }
    bench.outcome(&[Statement::Get('a'), Statement::Get('b')])
}

#[test]
fn a_fail_over_leaves_what_the_standby_has_heard_of_and_the_own_disk_everything() {
    assert_eq!(rows_after_a_restart(Recovery::OwnDisk), Outcome::Committed(vec![row(1), row(1)]));
    assert_eq!(rows_after_a_restart(Recovery::TakeOver), Outcome::Committed(vec![row(1), Found::Row(None)]));
}

#[test]
fn an_asynchronous_commit_is_answered_and_seen_before() {
    let (mut bench, _) = Bench::on(Commit::Asynchronous, Vec::new());
    let first = bench.query(&[Statement::Add('a', 2)]);
    assert_eq!(outcomes(&first), [(1, Outcome::Committed(vec![row(2)]))]);
}

#[test]
fn who_needs_a_locked_row_waits_for_the_commit_and_the_wait_is_measured() {
    let mut bench = Bench::new();
    let first = bench.query(&[Statement::Add('a', 1)]);
    bench.query(&[Statement::Add('b', 1), Statement::Add('a', 10)]);
    bench.probe.wait(Span::from_ms(5));
    let second = bench.sync(&first);
    assert_eq!(outcomes(&second), [(1, Outcome::Committed(vec![row(1)]))]);
    let [Shown(Event::Waited { key: 'a', span })] = second.observed[..] else {
        panic!("{:?}", second.observed)
    };
    assert_eq!(span, Span::from_ms(5));
    assert_eq!(outcomes(&bench.sync(&second)), [(2, Outcome::Committed(vec![row(1), row(11)]))]);
}

#[test]
fn who_has_waited_too_long_is_refused_without_effect() {
    for (late, want) in [(0, Outcome::Committed(vec![row(11)])), (1, Outcome::Unavailable)] {
        let mut bench = Bench::new();
        let first = bench.query(&[Statement::Add('a', 1)]);
        bench.query(&[Statement::Add('a', 10)]);
        bench.probe.wait(STATEMENT_TIMEOUT + Span::from_ns(late));
        let second = bench.sync(&first);
        let told = if late == 0 { outcomes(&bench.sync(&second)) } else { outcomes(&second)[1..].to_vec() };
        assert_eq!(told, [(2, want)]);
        let sum = if late == 0 { 11 } else { 1 };
        assert_eq!(bench.outcome(&[Statement::Get('a')]), Outcome::Committed(vec![row(sum)]));
    }
}

#[test]
fn one_sync_makes_many_commits_durable() {
    let mut bench = Bench::new();
    let first = bench.query(&[Statement::Add('a', 1)]);
    for key in ['b', 'c', 'd'] {
        assert!(bench.query(&[Statement::Add(key, 1)]).synced.is_empty());
    }
    let second = bench.sync(&first);
    assert_eq!(outcomes(&bench.sync(&second)).len(), 3);
}

#[test]
fn an_aborted_transaction_changes_nothing_and_lets_the_next_one_in() {
    let mut bench = Bench::new();
    let first = bench.query(&[Statement::Put('a', 1)]);
    bench.query(&[Statement::Put('b', 1), expect('a', None)]);
    bench.query(&[Statement::Put('b', 2), expect('a', Some(1))]);
    let second = bench.sync(&first);
    assert_eq!(
        outcomes(&second)[1..],
        [(2, Outcome::Aborted { statement: 1, row: Some(1) })],
        "{:?}",
        second.sent
    );
    assert_eq!(outcomes(&bench.sync(&second)).len(), 1);
    assert_eq!(bench.outcome(&[Statement::Get('b')]), Outcome::Committed(vec![row(2)]));
}

#[test]
fn a_unique_key_is_inserted_once_and_what_depends_on_it_is_left_out_the_second_time() {
    let mut bench = Bench::new();
    let once = [insert('k', 7, Otherwise::Skip(1)), Statement::Add('a', 5), Statement::Add('b', 1)];
    assert_eq!(bench.outcome(&once), Outcome::Committed(vec![Found::Done, row(5), row(1)]));
    let again = Outcome::Committed(vec![Found::Otherwise(Some(7)), Found::Skipped, row(2)]);
    assert_eq!(bench.outcome(&once), again);
    let abort = [insert('k', 8, Otherwise::Abort)];
    assert_eq!(bench.outcome(&abort), Outcome::Aborted { statement: 0, row: Some(7) });
}

#[test]
fn a_sum_that_is_too_large_aborts() {
    let mut bench = Bench::new();
    let statements = [Statement::Put('a', i64::MAX), Statement::Add('a', 1)];
    let aborted = Outcome::Aborted { statement: 1, row: Some(i64::MAX) };
    assert_eq!(bench.outcome(&statements), aborted);
}

#[test]
fn a_scan_sees_the_committed_rows_and_its_own_writes_in_order() {
    let mut bench = Bench::new();
    let puts = ['a', 'b', 'c', 'e'].map(|key| Statement::Put(key, 1));
    bench.outcome(&puts);
    let scan = |from, to, count_max| Statement::Scan { from, to, count_max };
    let statements = [
        Statement::Delete('b'),
        Statement::Put('d', 2),
        scan('a', 'e', 9),
        scan('b', 'z', 2),
        scan('z', 'a', 9),
    ];
    let Outcome::Committed(found) = bench.outcome(&statements) else { panic!("it commits") };
    assert_eq!(found[2], Found::Rows(vec![('a', 1), ('c', 1), ('d', 2)]));
    assert_eq!(found[3], Found::Rows(vec![('c', 1), ('d', 2)]));
    assert_eq!(found[4], Found::Rows(vec![]));
}

#[test]
fn a_query_that_the_network_doubles_is_executed_once() {
    let mut bench = Bench::new();
    let first = bench.packet(1, &[Statement::Add('a', 1)]);
    assert!(bench.packet(1, &[Statement::Add('a', 1)]).written.is_empty());
    bench.sync(&first);
    let later = bench.packet(1, &[Statement::Add('a', 1)]);
    assert!(later.written.is_empty() && later.sent.is_empty(), "{later:?}");
}

#[test]
fn a_restart_refuses_until_what_it_found_is_durable() {
    let disk = vec![
        Page::Redo(Redo([('a', Some(4)), ('b', Some(1))].into())),
        Page::Redo(Redo([('b', None)].into())),
    ];
    let (mut bench, starting) = Bench::on(Commit::Synchronous, disk);
    assert_eq!(outcomes(&bench.query(&[Statement::Get('a')])), [(1, Outcome::Unavailable)]);
    bench.sync(&starting);
    let read = bench.outcome(&[Statement::Get('a'), Statement::Get('b')]);
    assert_eq!(read, Outcome::Committed(vec![row(4), Found::Row(None)]));
}

#[test]
fn a_long_log_is_replaced_by_the_rows_and_the_commits_on_their_way() {
    let mut bench = Bench::new();
    let mut rewritten = None;
    for count in 0..9_000 {
        let done = bench.query(&[Statement::Add('a', 1)]);
        bench.query(&[Statement::Put('b', count)]);
        let next = bench.sync(&done);
        rewritten = done.rewritten.or_else(|| next.rewritten.clone()).or(rewritten);
        bench.sync(&next);
    }
    let rewritten = rewritten.expect("the log was replaced");
    let (mut again, starting) = Bench::on(Commit::Synchronous, rewritten.clone());
    assert!(rewritten.len() < 4, "{rewritten:?}");
    again.sync(&starting);
    let Outcome::Committed(found) = again.outcome(&[Statement::Get('a'), Statement::Get('b')]) else {
        panic!("it commits")
    };
    let [Found::Row(Some(a)), Found::Row(Some(b))] = found[..] else { panic!("{found:?}") };
    assert!(a == b + 1 || a == b + 2, "{a} {b}: a commit was lost");
}

mod connected {
    use super::*;

    const PATIENCE: Span = Span::from_ms(500);

    fn asked(
        connection: &mut Connection<char>,
        probe: &mut Probe<Desk>,
        waiting: char,
    ) -> Option<Packet<Letters>> {
        let query = vec![Statement::Get('a')];
        assert_eq!(probe.ask(|context, fx| connection.query(query, waiting, context, fx)), None);
        probe.done().sent.pop().map(|(_, letter)| letter.0)
    }

    fn answer(query: &Packet<Letters>) -> Packet<Letters> {
        let Packet::Query { number, .. } = query else { panic!("{query:?}") };
        Packet::Reply { number: *number, outcome: Outcome::Unavailable }
    }

    #[test]
    fn an_answer_finds_what_waited_for_it_once_unless_it_was_given_up() {
        let (mut connection, mut probe) = (Connection::new(NodeId(0), PATIENCE), Probe::new(Span::ZERO));
        let first = asked(&mut connection, &mut probe, 'x').unwrap();
        probe.wait(Span::from_ms(300));
        let second = asked(&mut connection, &mut probe, 'y').unwrap();
        assert_ne!(answer(&first), answer(&second));
        probe.wait(Span::from_ms(200));
        assert_eq!(probe.ask(|context, _| connection.given_up(context)), ['x']);
        assert_eq!(connection.reply(answer(&first)), None);
        assert_eq!(connection.reply(answer(&second)), Some(('y', Outcome::Unavailable)));
        assert_eq!(connection.reply(answer(&second)), None);
    }

    #[test]
    fn a_reset_gives_everything_up() {
        let (mut connection, mut probe) = (Connection::new(NodeId(0), PATIENCE), Probe::new(Span::ZERO));
        asked(&mut connection, &mut probe, 'x');
        asked(&mut connection, &mut probe, 'y');
        assert_eq!(connection.reset(), ['x', 'y']);
        assert!(connection.reset().is_empty());
    }

    #[test]
    fn beyond_the_pool_nothing_is_asked() {
        let (mut connection, mut probe) =
            (Connection::new(NodeId(0), PATIENCE), Probe::<Desk>::new(Span::ZERO));
        for _ in 0..QUERIES_OPEN_MAX {
            asked(&mut connection, &mut probe, 'x');
        }
        let refused = probe.ask(|context, fx| connection.query(vec![Word::Get('a')], 'y', context, fx));
        assert_eq!((refused, probe.done().sent.len()), (Some('y'), 0));
    }
}
