//! What is read from each format, by its verdict.

use super::*;

const BUDGET: Budget = Budget { steps_max: 100_000 };

#[track_caller]
pub(super) fn verdict(text: &str, options: &Options) -> &'static str {
    let families = parse(text.as_bytes(), options).unwrap_or_else(|error| panic!("{error}: {text}"));
    let checks = judge(&families, &["linearizable"], BUDGET);
    assert_eq!(checks.len(), 1, "{text}");
    checks[0].verdict.word()
}

/// A text with its model, legal with the first answer and not with the second.
#[track_caller]
fn check(model: &str, text: &str, legal: &str, illegal: &str) {
    for (answer, want) in [(legal, "holds"), (illegal, "violated")] {
        let text = text.replace("ANSWER", answer);
        assert_eq!(verdict(&text, &Options::default()), want, "{text}");
        assert_eq!(only(&text, &Options::default()).model(), model, "{text}");
        let named = Options { model: Model::named(model), ..Options::default() };
        assert_eq!(verdict(&text, &named), want, "{text}");
        let windows = text.replace('\n', "\r\n");
        assert_eq!(verdict(&windows, &Options::default()), want, "{windows}");
    }
}

#[test]
fn hist_has_every_model() {
    let hist = |model: &str, lines: &str, legal: &str, illegal: &str| {
        check(model, &format!("# model={model} cap=5\n{lines}\n"), legal, illegal);
    };
    hist("register-cas", "0 i w 1\n0 o w 1\n1 i r\n1 o r ANSWER", "1", "nil");
    hist("kv", "0 i put a 1\n0 o put a 1\n1 i get b\n1 o get b nil\n1 i get a\n1 o get a ANSWER", "1", "nil");
    hist("kv", "0 i put a 1\n0 o put\n1 i cas a ANSWER 3\n1 f cas a ANSWER 3", "2", "1");
    hist("counter-inc", "0 i inc\n0 o inc 1\n1 i inc\n1 u inc\n2 i inc\n2 o inc ANSWER", "3", "4");
    hist("counter-rw", "0 i add 3\n0 o add\n1 i add -1\n1 u add\n2 i read\n2 o read ANSWER", "2", "1");
    hist("bcounter", "0 i res 4\n0 o res\n1 i res 1\n1 ANSWER res", "o", "f");
    hist("mutex", "0 i acquire\n0 o acquire\n1 i acquire\n1 ANSWER acquire", "f", "o");
    hist("mutex", "0 i acquire\n0 o acquire\n1 i ANSWER\n1 o ANSWER", "release", "acquire");
    hist(
        "log",
        "0 i append 7\n0 o append 7 @0\n1 i append 8\n1 o append\n2 i read\n2 o read ANSWER",
        "7 8",
        "8 7",
    );
    hist("log", "0 i append 7\n0 o append @ANSWER", "0", "1");
    hist("log", "0 i append 7\n0 o append\n1 i read @0\n1 o read @0 ANSWER", "7", "nil");
    hist("log", "0 i append 7\n0 o append\n1 i read @1..\n1 o read ANSWER", "", "7");
    hist("multi-register", "0 i txn w x 1 r y\n0 o txn w x 1 r y ANSWER", "0", "nil");
    hist("multi-register", "0 i txn w x 1\n0 o txn\n1 i txn r x r y\n1 o txn r x ANSWER r y ?", "1", "0");
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table with an entry for each model")]
fn jepsen_edn_has_every_model() {
    let edn = |model: &str, events: &[&str], legal: &str, illegal: &str| {
        let vector = format!("; made by hand\n[{}]\n", events.join("\n "));
        let list = format!("({})", events.join(", "));
        let lines = format!("{}\n", events.join("\n"));
        for text in [vector, list, lines] {
            check(model, &text, legal, illegal);
        }
    };
    let write =
        ["{:process 0 :type :invoke :f :write :value 1}", "{:process 0 :type :ok :f :write :value 1}"];
    let read = "{:process 1 :type :invoke :f :read :value nil}";
    edn(
        "register-cas",
        &[write[0], write[1], read, "{:value ANSWER :f :read :type :ok :process 1}"],
        "1",
        "0",
    );
    edn(
        "register-cas",
        &[write[0], write[1], read, "{:value ANSWER :f :read :type :ok :process 1}"],
        "nil",
        "2",
    );
    edn(
        "register-cas",
        &[
            "{:process 0 :type :invoke :f :cas :value [1 2]}",
            "{:process 0 :type :ANSWER :f :cas :value [1 2]}",
        ],
        "fail",
        "ok",
    );
    edn(
        "kv",
        &[
            "{:process 0 :type :invoke :f :put :key :a :value 1}",
            "{:process 0 :type :ok :f :put :key \"a\" :value 1}",
            "{:process 1 :type :invoke :f :get :key \"b\" :value nil}",
            "{:process 1 :type :ok :f :get :key \"b\" :value nil}",
            "{:process 0 :type :invoke :f :get :key \"a\" :value nil}",
            "{:process 0 :type :ok :f :get :key \"a\" :value ANSWER}",
        ],
        "1",
        "2",
    );
    edn(
        "counter-inc",
        &["{:process 0 :type :invoke :f :increment}", "{:process 0 :type :ok :f :increment :value ANSWER}"],
        "1",
        "2",
    );
    edn(
        "counter-rw",
        &[
            read,
            "{:process 0 :type :invoke :f :add :value 3}",
            "{:process 0 :type :info :f :add :value 3}",
            "{:process 1 :type :ok :f :read :value ANSWER}",
        ],
        "3",
        "1",
    );
    edn(
        "mutex",
        &[
            "{:process 0 :type :invoke :f :acquire :value nil}",
            "{:process 0 :type :ok :f :acquire :value nil}",
            "{:process :nemesis :type :info :f :start :value [:partition {:n1 #{:n2}}]}",
            "{:process 1 :type :invoke :f :acquire :value nil}",
            "{:process 1 :type :ANSWER :f :acquire :value nil}",
        ],
        "fail",
        "ok",
    );
    edn(
        "multi-register",
        &[
            "{:process 0 :type :invoke :f :txn :value [[:read :x nil] [:write :y 1]]}",
            "{:process 0 :type :ok :f :txn :value [[:read :x ANSWER] [:write :y 1]]}",
        ],
        "nil",
        "0",
    );
    edn(
        "log",
        &[
            "{:process 0 :type :invoke :f :append :value 7}",
            "{:process 0 :type :ok :f :append :value 7 :offset 0}",
            read,
            "{:process 1 :type :ok :f :read :value [ANSWER]}",
        ],
        "7",
        "",
    );
    edn(
        "bcounter",
        &[
            "{:process 0 :type :invoke :f :reserve :value 3 :order 7}",
            "{:process 0 :type :ok :f :reserve :value 3 :limit 5}",
            read,
            "{:process 1 :type :ok :f :read :value ANSWER}",
        ],
        "3",
        "2",
    );
}

#[test]
fn kv_strings_are_judged() {
    let kv = "{:process 0, :type :invoke, :f :put, :key \"k\", :value \"a b\"}
{:process 0, :type :ok, :f :put, :key \"k\", :value \"a b\"}
{:process 0, :type :invoke, :f :append, :key \"k\", :value \"; c\"}
{:process 0, :type :ok, :f :append, :key \"k\", :value \"; c\"}
{:process 1, :type :invoke, :f :get, :key \"k\", :value nil}
{:process 1, :type :ok, :f :get, :key \"k\", :value \"ANSWER\"}
";
    check("kv", kv, "a b; c", "a b");
    assert_eq!(Format::detect(kv.as_bytes()), Some(Format::Kv));
    let empty = kv.lines().skip(4).collect::<Vec<_>>().join("\n").replace("ANSWER", "");
    assert_eq!(verdict(&empty, &Options::default()), "holds");
    let initial = Some(Initial("x".to_owned()));
    assert_eq!(verdict(&empty, &Options { initial, ..Options::default() }), "violated");
}

#[test]
fn everything_that_edn_may_hold_is_passed_over() {
    let text = r#"; a comment with [ and "
        #_ [discarded {:process 9}] #_ #_ 1 2
        [ #knossos.op.Op{:process 0, :type :invoke, :f :read, :value nil, :time 17, :error [:a #{1 2} "\"]" \] \newline]}
          {:index 3N, :process 0, "text" {nil nil}, [1 2] (3 4), :type :ok #_ :fail, :f :read, :ratio 1/2, :float -1.5e3, :bad ##NaN,
           :at #inst "1985-04-12T23:20:50.52Z", :value +7} ; done
        ] ; nothing follows
    "#;
    let options = Options { initial: Some(Initial("7".to_owned())), ..options(Format::JepsenEdn) };
    assert_eq!(verdict(text, &options), "holds");
    let FamilyKind::Register { history, .. } = only(text, &options) else { panic!("no register") };
    assert_eq!(history.by_invocation()[0].1.invoked_at, 17);
}

#[test]
fn reads_alone_are_of_a_register_unless_they_find_vectors() {
    let read = |value| {
        format!("[{{:process 0 :type :invoke :f :read}} {{:process 0 :type :ok :f :read :value {value}}}]")
    };
    assert_eq!(only(&read("nil"), &Options::default()).model(), "register-cas");
    assert_eq!(only(&read("[]"), &Options::default()).model(), "log");
    let counter = Options { model: Some(Model::CounterRw), ..Options::default() };
    assert_eq!(only(&read("0"), &counter).model(), "counter-rw");
}

#[test]
fn values_of_independent_keys_are_split_when_kv_is_asked_for() {
    let text = "[{:process 0 :type :invoke :f :write :value [1 5]} {:process 0 :type :ok :f :write :value [1 5]}
        {:process 0 :type :invoke :f :cas :value [2 [nil 6]]} {:process 0 :type :ok :f :cas :value [2 [nil 6]]}
        {:process 0 :type :invoke :f :read :value [1 nil]} {:process 0 :type :ok :f :read :value [1 ANSWER]}]";
    let options = Options { model: Some(Model::Kv), ..Options::default() };
    assert_eq!(verdict(&text.replace("ANSWER", "5"), &options), "holds");
    assert_eq!(verdict(&text.replace("ANSWER", "6"), &options), "violated");
}

#[test]
fn a_refusal_and_a_nil_of_our_own_are_told_from_what_jepsen_says() {
    let refused = "[{:process 0 :type :invoke :f :cas :value [0 1]} {:process 0 :type :fail :f :cas :value [0 1] MORE}]";
    assert_eq!(verdict(&refused.replace("MORE", ""), &Options::default()), "holds");
    assert_eq!(verdict(&refused.replace("MORE", ":refused true"), &Options::default()), "violated");
    let read = "[{:process 0 :type :invoke :f :read} {:process 0 :type :ok :f :read :value nil MORE}]";
    assert_eq!(verdict(&read.replace("MORE", ""), &Options::default()), "holds");
    assert_eq!(verdict(&read.replace("MORE", ":absent true"), &Options::default()), "violated");
}

#[test]
fn the_content_tells_the_format() {
    let cases = [
        ("# model=kv\n", Some(Format::Hist)),
        ("\n0 i txn r x\n", Some(Format::Hist)),
        ("{\"format\":\"counterclock-history\",\"version\":1,\"families\":[]}", Some(Format::Jsonl)),
        ("[main] INFO\nINFO  jepsen.util - 0 :invoke :read nil", Some(Format::JepsenLog)),
        ("; comment\n; more\n[\n{:process 0", Some(Format::JepsenEdn)),
        ("({:process 0 :key 1 :f :get}", Some(Format::JepsenEdn)),
        ("{:type :invoke, :f :get, :key \"0\", :value nil}", Some(Format::Kv)),
        ("{:type :invoke, :f :put, :key \"0\", :value 1}", Some(Format::JepsenEdn)),
        ("#jepsen.history.Op{:process 0}", Some(Format::JepsenEdn)),
        ("{\"a\":1}", None),
        ("[1 2 3]", None),
        ("hello", None),
        ("", None),
    ];
    for (text, want) in cases {
        assert_eq!(Format::detect(text.as_bytes()), want, "{text}");
    }
}

#[test]
fn every_format_and_model_is_found_by_its_name() {
    for format in Format::ALL {
        assert_eq!(Format::named(format.name()), Some(format));
    }
    for model in Model::ALL {
        assert_eq!(Model::named(model.name()), Some(model));
    }
}

#[test]
fn objects_start_as_the_format_says_unless_told_otherwise() {
    let initial = |given: Option<&str>| Options {
        initial: given.map(|given| Initial(given.to_owned())),
        ..Options::default()
    };
    let edn = "[{:process 0 :type :invoke :f :read} {:process 0 :type :ok :f :read :value 0}]";
    assert_eq!(verdict(edn, &initial(None)), "holds");
    assert_eq!(verdict(edn, &initial(Some("nil"))), "violated");
    let log = "INFO  jepsen.util - 0 :invoke :read nil\nINFO  jepsen.util - 0 :ok :read nil\n";
    assert_eq!(verdict(log, &initial(None)), "holds");
    assert_eq!(verdict(log, &initial(Some("0"))), "violated");
    let hist = "# model=multi-register init=4\n0 i txn r x\n0 o txn r x 4\n";
    assert_eq!(verdict(hist, &initial(None)), "holds");
    assert_eq!(verdict(hist, &initial(Some("-3"))), "violated");
}

#[test]
fn nil_in_a_transaction_is_the_value_of_what_was_never_written() {
    let txn = |process: u8, parts: &str, found: &str| {
        format!(
            "{{:process {process} :type :invoke :f :txn :value {parts}}} {{:process {process} :type :ok :f :txn :value {found}}}\n"
        )
    };
    let stale = txn(0, "[[:w :x 1]]", "[[:w :x 1]]") + &txn(1, "[[:r :x nil]]", "[[:r :x nil]]");
    assert_eq!(verdict(&stale, &Options::default()), "violated");
    let untold = txn(0, "[[:w :x 1]]", "[[:w :x 1]]") + &txn(1, "[[:r :x nil]]", "[[:r :x]]");
    assert_eq!(verdict(&untold, &Options::default()), "holds");
    let wildcard = Options { nil: Some(NilReads::Wildcard), ..Options::default() };
    assert_eq!(verdict(&stale, &wildcard), "holds");
}

#[test]
fn a_register_found_to_hold_nil_tells_something_only_if_that_is_asked_for() {
    let text = "[{:process 0 :type :invoke :f :write :value 1} {:process 0 :type :ok :f :write :value 1}
        {:process 1 :type :invoke :f :read :value nil} {:process 1 :type :ok :f :read :value nil}]";
    let read = |nil: Option<NilReads>, initial: Option<&str>| {
        let initial = initial.map(|given| Initial(given.to_owned()));
        read_from(&mut text.as_bytes(), &Options { nil, initial, ..Options::default() }).unwrap()
    };
    let unasked = read(None, None);
    assert_eq!(unasked.left_out.count(Reason::NilRead), 1);
    assert!(unasked.families[0].kind.is_vacuous());
    let observed = read(Some(NilReads::Observed), None);
    assert!(observed.left_out.is_empty());
    assert!(!observed.families[0].kind.is_vacuous());
    assert!(judge(&observed.families, &["linearizable"], BUDGET)[0].verdict.is_violated());
    let FamilyKind::Register { spec, .. } = observed.families[0].kind else { panic!("no register") };
    assert_eq!(spec.initial, None);
    let given = read(Some(NilReads::Observed), Some("0"));
    let FamilyKind::Register { spec, .. } = given.families[0].kind else { panic!("no register") };
    assert_eq!(spec.initial, Some(0));
}

#[test]
fn what_is_left_out_is_counted_and_the_nemesis_is_kept() {
    let text = "[{:process 0 :type :invoke :f :read :time 5}
        {:process :nemesis :type :info :f :start :value [:isolated \"n1\"] :time 7}
        {:process 0 :type :fail :f :read :time 9}
        {:process 1 :type :invoke :f :read} {:process 1 :type :ok :f :read :value 0}]";
    let contents = read_from(&mut text.as_bytes(), &Options::default()).unwrap();
    assert_eq!(contents.left_out.count(Reason::DidNotHappen), 1);
    assert_eq!(contents.left_out.count(Reason::Nemesis), 1);
    let event = NemesisEvent {
        at_ns: Some(7),
        position: 1,
        line: 2,
        word: "start".to_owned(),
        value: "[:isolated \"n1\"]".to_owned(),
    };
    assert_eq!(contents.nemesis, [event]);
}

#[test]
fn a_family_in_which_nothing_was_observed_is_vacuous() {
    let vacuous = |text: &str| only(text, &Options::default()).is_vacuous();
    assert!(vacuous("# model=register-cas\n0 i w 1\n0 o w 1\n1 i r\n1 u r\n"));
    assert!(!vacuous("# model=register-cas\n0 i c 1 2\n0 f c 1 2\n"));
    assert!(!vacuous("# model=register-cas\n0 i r\n0 o r nil\n"));
    assert!(vacuous("# model=counter-rw\n0 i add 1\n0 o add\n"));
    assert!(!vacuous("# model=counter-inc\n0 i inc\n0 o inc 1\n"));
    assert!(vacuous("# model=log\n0 i append 1\n0 o append\n"));
    assert!(!vacuous("# model=log\n0 i append 1\n0 o append @0\n"));
    assert!(!vacuous("# model=mutex\n0 i acquire\n0 o acquire\n"));
    assert!(!vacuous("# model=bcounter cap=3\n0 i res 1\n0 o res\n"));
    assert!(vacuous("# model=multi-register\n0 i txn w x 1\n0 o txn\n1 i txn r x\n1 o txn r x ?\n"));
}

#[test]
fn an_empty_file_is_a_history_only_if_its_format_is_given() {
    for format in Format::ALL {
        let contents = read_from(&mut b"".as_slice(), &options(format)).unwrap();
        assert!(contents.families.iter().all(|family| family.kind.is_vacuous()), "{format}");
    }
    assert!(read_from(&mut b"".as_slice(), &Options::default()).is_err());
}

#[test]
fn nil_is_no_wildcard_where_it_is_always_an_answer() {
    let wildcard = Options { nil: Some(NilReads::Wildcard), ..Options::default() };
    let error = parse(b"# model=kv\n0 i get k\n0 o get k nil\n", &wildcard).unwrap_err();
    let want = "1:1: in format hist a read of nil is an answer, `--nil wildcard` cannot be given";
    assert_eq!(error.to_string(), want);
}
