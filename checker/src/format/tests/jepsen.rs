//! The forms in which Jepsen's histories come: lines of text, logs of every year, EDN and JSON.

use super::read::verdict;
use super::*;

/// The same register, legal with the first value and not with the second, however it is written.
#[track_caller]
fn check(form: Format, text: &str) {
    for (found, want) in [("1", "holds"), ("2", "violated")] {
        let text = text.replace("FOUND", found);
        let windows = text.replace('\n', "\r\n");
        let marked = format!("\u{feff}{text}");
        for text in [text, windows, marked] {
            assert_eq!(Format::detect(text.as_bytes()), Some(form), "{text}");
            assert_eq!(verdict(&text, &Options::default()), want, "{text}");
        }
    }
}

#[test]
fn lines_of_text_are_read_whatever_a_logger_writes_around_them() {
    check(
        Format::JepsenTxt,
        "0\t:invoke\t:write\t1\n0\t:ok\t:write\t1\n\n1\t:invoke\t:read\tnil\n1\t:ok\t:read\tFOUND\n",
    );
    let lines =
        ["0\t:invoke\t:write\t1", "0\t:ok\t:write\t1", "1\t:invoke\t:read\tnil", "1\t:ok\t:read\tFOUND"];
    let layouts: [fn(&str) -> String; 8] = [
        |line| format!("INFO  jepsen.util - {line}\n"),
        |line| format!("INFO [2017-07-14 07:00:58,463] jepsen worker 3 - jepsen.util {line}\n"),
        |line| format!("2022-07-28 07:53:00,100{{GMT}}\tINFO\t[jepsen worker 2] jepsen.util: {line}\n"),
        |line| format!("2022-07-28 07:53:00,100{{GMT}}\tINFO\t[jepsen worker 2] jepsen.core: {line}\n"),
        |line| format!("07:53:00.100 [worker 3] INFO  jepsen.core.worker - {line}\n"),
        |line| format!("{{main}} INFO jepsen.util: {line} {{main}}\n"),
        |line| format!("INFO  jepsen.util - {line} [worker 3]\n"),
        |line| format!("jepsen.generator.interpreter {}   [jepsen worker 1]\n", line.replace('\t', "   ")),
    ];
    for layout in layouts {
        let mut text = "INFO  jepsen.core - Worker 0 starting\n".to_owned();
        text.extend(lines.iter().map(|line| layout(line)));
        text += "WARN  jepsen.core - Process 7 indeterminate\njava.lang.Exception: no {:process 0, :type :ok}\n\tat a.b$c.d(e.clj:1)\n";
        check(Format::JepsenLog, &text);
    }
}

#[test]
fn a_log_may_say_much_before_its_first_operation() {
    let noise = "2022-07-28 07:53:00,100{GMT}\tINFO\t[jepsen node n1] jepsen.db: waiting\n".repeat(20_000);
    assert!(noise.len() > LINE_BYTES_MAX);
    let text = format!("{noise}INFO  jepsen.util - 0 :invoke :read nil\nINFO  jepsen.util - 0 :ok :read 1\n");
    assert_eq!(verdict(&text, &Options::default()), "violated");
    let error = parse(&noise.as_bytes()[..200], &Options::default()).unwrap_err();
    assert_eq!(error.to_string(), "3:1: no operation of format jepsen-log in 3 lines");
}

#[test]
fn json_is_read_as_an_array_and_as_lines() {
    let objects = [
        r#"{"index":0,"type":"invoke","process":0,"f":"write","value":1}"#,
        r#"{"f":":write", "type":":ok", "process":0, "error":{"a":[null,{}]}, "value":1, "index":1}"#,
        r#"{"type":"info","process":"nemesis","f":"start","value":{"n1":["n2"]}}"#,
        r#"{"index":2,"type":"invoke","process":1,"f":"read","value":null}"#,
        r#"{ "value" : FOUND , ":f":"read", "type":"ok", "process":1, "index":3}"#,
    ];
    check(Format::Json, &format!("[{}]\n", objects.join(",\n")));
    check(Format::Json, &format!("[\n  {}\n]", objects.join("\n  ,")));
    check(Format::Json, &format!("{}\n", objects.join("\n")));
}

#[test]
fn an_object_further_on_does_not_make_a_file_json() {
    let text = "{\n:nemesis\t:invoke\t:read\tnil\n{\"type\":\"invoke\",\"process\":0,\"f\":\"read\"}\n";
    assert_eq!(Format::detect(text.as_bytes()), Some(Format::JepsenEdn));
    let pieces = read_from(&mut OneByOne(text.as_bytes()), &Options::default());
    assert_eq!(pieces.map(|contents| contents.families), parse(text.as_bytes(), &Options::default()));
}

#[test]
fn json_that_is_none_is_refused_with_its_place() {
    let check = |text: &str, want: &str| {
        let error = read_from(&mut OneByOne(text.as_bytes()), &Options::default()).unwrap_err();
        assert_eq!(error.to_string(), want, "{text}");
    };
    let event = r#"{"type":"invoke","process":0,"f":"read","value":null}"#;
    check(&format!("[{event},]"), "1:56: found \"]\", expected an object");
    check(&format!("[{event}\n{event}]"), "2:1: found \"{\", expected , or ]");
    check(&format!("[{event}"), "1:55: found the end of the file, expected , or ]");
    check(
        &format!("[{event}]]"),
        "1:56: found \"]\", expected the end of the file, for the history has ended",
    );
    check(&format!("{event},{event}"), "1:54: found \",\", expected an object");
    check(&event.replace("null}", "null,}"), "1:54: found \"}\", expected a key");
    check(&event.replace("null", "[1,]"), "1:52: found \"]\", expected a value");
    check(&event.replace("null", "{\"a\":1,}"), "1:56: found \"}\", expected a key");
    check(&event.replace("null", "{1:2}"), "1:50: found \"1\", expected a key or }");
    check(&event.replace("null", "nil"), "1:49: found \"nil\", expected a value of JSON");
    check(&event.replace("null", "01"), "1:49: found \"01\", expected a value of JSON");
    check(
        &event.replace("null", "\"\\x\""),
        "1:49: found \"\\\"\\\\x\\\"\", expected a string as JSON has it",
    );
    check(&event.replace("null", &"[".repeat(65)), "1:113: nested more than 64 deep");
    check(
        &event.replace("\"read\"", "\"read\",\"f\":\"read\""),
        "1:41: found \"\\\"f\\\"\", expected each key once",
    );
    check(
        &event.replace("\"process\":0,", ""),
        "1:1: found \"a map without :process\", expected :process with a number or :nemesis",
    );
    check(
        "{:process 0 :type :invoke :f :read}\n{\"type\":\"ok\"}",
        "2:13: found \"}\", expected a value for the key before it",
    );
}

#[test]
fn what_clojure_writes_is_passed_over_where_nobody_needs_it() {
    let junk = r##":a #"a\"[b" :b #'clojure.core/inc :c #object[java.lang.Object 0x1f "x"] :d #inst "2020-01-01" :e 1/3
        :f2 #:ns{:a 1} :g [\a \newline \( \\ \u0041] :h ##NaN :i 1M :j 36rZ :k ^{:m 1} [1] :l #<Atom@1f: {:a [}> :m #^:x y
        :exception {:via [{:type java.net.SocketTimeoutException, :message "Read\n timed out", :at [a.b c "d.java" -1]}]
                    :trace [[a.b$c d "e.clj" 1]], :cause #error {:cause "x"}}"##;
    let text = format!(
        "[{{:index 0, :process 0, :type :invoke, :f :write, :value 017, {junk}}}
          {{:index 1, {junk}, :process 0, :type :ok, :f :write, :value 0xF}}
          {{:index 2, :process 1, :type :invoke, :f :read, :value nil}}
          {{:index 3, :process 1, :type :ok, :f :read, :value 2r1111}}]"
    );
    assert_eq!(verdict(&text, &Options::default()), "holds");
    let bad = text.replace("017", "08");
    let error = parse(bad.as_bytes(), &Options::default()).unwrap_err();
    assert_eq!(error.to_string(), "1:58: found \"08\", expected a number as Clojure reads it");
}

/// Operations: process, word, question, answer.
type Operations<'a> = &'a [(u8, &'a str, &'a str, &'a str)];

#[test]
fn a_tagged_map_is_no_header_whatever_it_holds() {
    let text = "#jepsen.history.Op{:process 0 :type :invoke :f :read :error \"a=b\"}\n#jepsen.history.Op{:process 0 :type :ok :f :read :value FOUND}\n";
    let text = text.replace("FOUND", "0");
    assert_eq!(Format::detect(text.as_bytes()), Some(Format::JepsenEdn));
    assert_eq!(Format::detect(b"#_ {:a \"=\"} [{:process 0"), Some(Format::JepsenEdn));
    assert_eq!(Format::detect(b"#model=kv\n"), Some(Format::Hist));
}

/// The events of operations, each asked and answered.
fn events(operations: Operations<'_>) -> String {
    let event = |(process, word, asked, told): &(u8, &str, &str, &str)| {
        format!(
            "{{:process {process} :type :invoke :f :{word} :value {asked}}}\n{{:process {process} :type :ok :f :{word} :value {told}}}\n"
        )
    };
    operations.iter().map(event).collect()
}

#[track_caller]
fn check_operations(model: &str, operations: Operations<'_>, want: &str) {
    let text = events(operations);
    assert_eq!(only(&text, &Options::default()).model(), model, "{text}");
    assert_eq!(verdict(&text, &Options::default()), want, "{text}");
}

#[test]
fn keys_in_values_are_found_without_being_asked_for() {
    let read = |told| (2, "read", "[7 nil]", told);
    check_operations("kv", &[read("[7 nil]"), (0, "write", "[7 1]", "[7 1]"), read("[7 1]")], "holds");
    check_operations("kv", &[read("[7 nil]"), (0, "write", "[7 1]", "[7 1]"), read("[7 2]")], "violated");
    check_operations(
        "kv",
        &[(0, "write", "[7 1]", "[7 1]"), (0, "write", "[8 2]", "nil"), read("[7 1]")],
        "holds",
    );
    check_operations(
        "kv",
        &[(0, "write", "[7 1]", "[7 1]"), (0, "cas", "[7 [1 2]]", "[7 [1 2]]"), read("[7 1]")],
        "violated",
    );
    check_operations(
        "kv",
        &[(0, "write", "[7 1]", "[7 1]"), (0, "cas", "[7 1 2]", "[7 1 2]"), read("[7 2]")],
        "holds",
    );
    let tuple = "#jepsen.independent.Tuple{:key 7, :value 1}";
    check_operations("kv", &[(0, "write", tuple, tuple), read("#clojure.lang.MapEntry[7 1]")], "holds");
    let nested = |told| (2, "read", "[:a [\"b c\" nil]]", told);
    check_operations("kv", &[(0, "write", "[:a [\"b c\" 1]]", "nil"), nested("[:a [\"b c\" 1]]")], "holds");
    check_operations(
        "kv",
        &[(0, "write", "[:a [\"b c\" 1]]", "nil"), nested("[:a [\"b c\" 2]]")],
        "violated",
    );
    check_operations(
        "kv",
        &[(0, "write", "[[1 2] 3]", "[[1 2] 3]"), (1, "read", "[[1 2] nil]", "[[1 2] 3]")],
        "holds",
    );
    check_operations("counter-rw", &[(0, "add", "[7 5]", "[7 5]"), read("[7 5]")], "holds");
    check_operations(
        "mutex",
        &[(0, "acquire", "[7 nil]", "[7 nil]"), (1, "acquire", "[8 nil]", "[8 nil]")],
        "holds",
    );
    check_operations(
        "multi-register",
        &[
            (0, "txn", "[7 [[:w :x 1]]]", "[7 [[:w :x 1]]]"),
            (1, "txn", "[7 [[:r :x nil]]]", "[7 [[:r :x 1]]]"),
        ],
        "holds",
    );
    let unkeyed = Options { model: Some(Model::RegisterCas), ..Options::default() };
    let text = events(&[(0, "write", "[7 1]", "[7 1]"), (1, "read", "[7 nil]", "[7 1]")]);
    assert_eq!(only(&text, &unkeyed).model(), "register-cas");
}

#[test]
fn values_that_are_no_numbers_are_values_all_the_same() {
    let read = |told| (1, "read", "nil", told);
    check_operations("register-cas", &[(0, "write", "\"a b\"", "\"a b\""), read("\"a b\"")], "holds");
    check_operations("register-cas", &[(0, "write", "\"a\"", "\"a\""), read(":a")], "violated");
    check_operations(
        "register-cas",
        &[(0, "write", ":a", ":a"), (1, "cas", "[:a 1.5]", "[:a 1.5]"), read("1.5")],
        "holds",
    );
    check_operations(
        "multi-register",
        &[(0, "txn", "[[:w :x \"a\"]]", "[[:w :x \"a\"]]"), (1, "txn", "[[:r :x nil]]", "[[:r :x \"b\"]]")],
        "violated",
    );
    let text =
        events(&[(0, "write", "[\"k\" \"v 1\"]", "nil"), (1, "read", "[\"k\" nil]", "[\"k\" \"v2\"]")]);
    let families = parse(text.as_bytes(), &Options::default()).unwrap();
    let checks = judge(&families, &["linearizable"], Budget { steps_max: 1_000 });
    assert!(checks[0].detail.contains("\"v2\""), "{}", checks[0].detail);
    for form in [true, false] {
        let mut bytes = Vec::new();
        if form {
            jsonl::write(&families, &mut bytes).unwrap();
        } else {
            edn_writing::write(&families[0], &mut bytes).unwrap();
        }
        let again = parse(&bytes, &Options::default()).unwrap();
        assert_eq!(again[0].kind, families[0].kind, "{}", String::from_utf8_lossy(&bytes));
    }
    let started = Options { initial: Some(Initial("\"a\"".to_owned())), ..Options::default() };
    assert_eq!(verdict(&events(&[read("\"a\"")]), &started), "holds");
    assert_eq!(verdict(&events(&[read("\"b\"")]), &started), "violated");
}

#[test]
fn other_words_for_the_same_operations_are_known() {
    check_operations("mutex", &[(0, "lock", "nil", "nil"), (1, "lock", "nil", "nil")], "violated");
    check_operations(
        "mutex",
        &[(0, "lock", "nil", "nil"), (0, "unlock", "nil", "nil"), (1, "lock", "nil", "nil")],
        "holds",
    );
    check_operations(
        "counter-rw",
        &[(0, "add", "5", "5"), (0, "decrement", "2", "2"), (1, "read", "nil", "3")],
        "holds",
    );
    check_operations(
        "counter-rw",
        &[(0, "inc", "nil", "nil"), (0, "dec", "nil", "nil"), (1, "read", "nil", "1")],
        "violated",
    );
    check_operations("counter-inc", &[(0, "inc", "nil", "1"), (1, "inc", "nil", "3")], "violated");
    check_operations(
        "counter-rw",
        &[(0, "inc", "1", "1"), (1, "inc", "1", "1"), (1, "read", "nil", "2")],
        "holds",
    );
    check_operations(
        "multi-register",
        &[(0, "write", "[[:w 0 1]]", "[[:w 0 1]]"), (1, "read", "[[:r 0 nil]]", "[[:r 0 nil]]")],
        "violated",
    );
}

#[test]
fn values_of_a_lock_are_counted_for_they_are_not_checked() {
    let text = events(&[(0, "acquire", "nil", "17"), (0, "release", "17", "17")]);
    let contents = read_from(&mut text.as_bytes(), &Options::default()).unwrap();
    assert_eq!(contents.left_out.count(Reason::IgnoredValue), 3);
}

#[test]
fn a_failed_compare_and_set_tells_something_in_text_unless_it_says_why() {
    let text = |end: &str| {
        format!("0 :invoke :write 1\n0 :ok :write 1\n1 :invoke :cas [1 2]\n1 :fail :cas [1 2]{end}\n")
    };
    assert_eq!(verdict(&text(""), &Options::default()), "violated");
    assert_eq!(verdict(&text("\t[:connection-refused nil]"), &Options::default()), "holds");
    let edn =
        "[{:process 0 :type :invoke :f :cas :value [0 1]} {:process 0 :type :fail :f :cas :value [0 1]}]";
    assert_eq!(verdict(edn, &Options::default()), "holds");
}

#[test]
fn times_and_lines_of_a_log_are_kept() {
    let line = |second: u8, rest: &str| {
        format!("2022-07-28 07:53:0{second},250{{GMT}}\tINFO\t[jepsen worker 2] jepsen.util: {rest}\n")
    };
    let text = [
        line(0, "0\t:invoke\t:write\t1"),
        "something else\n".to_owned(),
        line(1, ":nemesis\t:info\t:start\t[:isolated {\"n1\" #{\"n2\"}}]"),
        line(2, "0\t:info\t:write\t1\t:timeout"),
    ];
    let contents = read_from(&mut text.concat().as_bytes(), &Options::default()).unwrap();
    assert_eq!(contents.left_out.count(Reason::OtherLine), 1);
    let [event] = &contents.nemesis[..] else { panic!("{:?}", contents.nemesis) };
    assert_eq!((event.at_ns, event.position, event.line), (Some(1_000_000_000), 1, 3));
    assert_eq!((event.word.as_str(), event.value.as_str()), ("start", "[:isolated {\"n1\" #{\"n2\"}}]"));
    assert!(contents.families[0].kind.is_vacuous());
}

#[test]
fn a_refusal_names_the_workload_and_what_would_read_the_file() {
    let refused = |operations: Operations<'_>| {
        parse(events(operations).as_bytes(), &Options::default()).unwrap_err().to_string()
    };
    let cases: [(&str, Operations<'_>); 13] = [
        ("queue", &[(0, "enqueue", "1", "1"), (1, "dequeue", "nil", "1")]),
        ("unique-ids", &[(0, "generate", "nil", "1")]),
        (
            "list-append",
            &[
                (0, "txn", "[[:append :x 1]]", "[[:append :x 1]]"),
                (0, "txn", "[[:r :x nil]]", "[[:r :x [1]]]"),
            ],
        ),
        ("bank", &[(0, "transfer", "{:from 0 :to 1 :amount 5}", "nil")]),
        ("bank", &[(0, "read", "nil", "{0 5, 1 5}")]),
        ("set", &[(0, "add", "1", "1"), (0, "read", "nil", "#{1}")]),
        ("set-full", &[(0, "add", "[0 1]", "[0 1]"), (0, "read", "[0 nil]", "[0 [1]]")]),
        (
            "kafka",
            &[(0, "send", "[[:send 1 2]]", "[[:send 1 [0 2]]]"), (0, "poll", "[[:poll]]", "[[:poll {}]]")],
        ),
        ("causal-reverse", &[(0, "write", "1", "1"), (0, "read", "nil", "[1]")]),
        ("kafka", &[(0, "txn", "[[:send 1 2] [:poll]]", "[[:send 1 [0 2]] [:poll {}]]")]),
        ("set-full", &[(0, "add", "[0 1]", "[0 1]"), (0, "read", "[0 nil]", "[1 2 3]")]),
        ("echo", &[(0, "echo", "\"a\"", "{:echo \"a\"}")]),
        ("comments", &[(0, "write", "1", "1"), (0, "read", "nil", "#{1}")]),
    ];
    for (workload, operations) in cases {
        let error = refused(operations);
        let want = format!(
            "this looks like the workload {workload}, for which there is no model here (there are register-cas, kv, "
        );
        assert!(error.contains(&want), "{error}");
    }
}

#[test]
fn operations_of_no_process_are_refused_with_their_workload() {
    let text = "{:type :invoke :f :write :value 1}\n{:type :ok :f :write :value 1}
        {:type :invoke :f :read :value nil}\n{:type :ok :f :read :value #{1}}";
    let error = parse(text.as_bytes(), &Options::default()).unwrap_err().to_string();
    let want = "1:1: found \"a map without :process\", expected :process with a number or :nemesis; this looks like the workload comments";
    assert!(error.starts_with(want), "{error}");
    let text = "{:type :invoke :f :read :value [[:r 0 nil] [:r 1 nil]]} {:type :ok :f :read :value [[:r 0 1] [:r 1 nil]]}";
    let error = parse(text.as_bytes(), &Options::default()).unwrap_err().to_string();
    assert!(error.contains("the workload long-fork"), "{error}");
}

/// A small history in each form, to be cut and damaged.
fn small() -> [String; 5] {
    let maps = events(&[(0, "write", "[\"k\" 12]", "[\"k\" 12]"), (1, "read", "[\"k\" nil]", "[\"k\" 12]")]);
    let text = "0\t:invoke\t:cas\t[:é \"b\"]\n0\t:fail\t:cas\t[:é \"b\"]\n:nemesis\t:info\t:start\t{}\n";
    let log: String = text
        .lines()
        .map(|line| format!("2022-07-28 07:53:00,100{{GMT}}\tINFO\t[jepsen worker 2] jepsen.util: {line}\n"))
        .collect();
    let json = "[{\"type\":\"invoke\",\"process\":0,\"f\":\"write\",\"value\":\"é\\n\"},\n {\"type\":\"ok\",\"process\":0,\"f\":\"write\",\"value\":null}]\n";
    [maps.clone(), format!("[{maps}]"), text.to_owned(), log, json.to_owned()]
}

#[test]
fn a_file_cut_anywhere_is_an_error_with_its_place_or_the_operations_before() {
    for whole in small() {
        let all =
            parse(whole.as_bytes(), &Options::default()).unwrap_or_else(|error| panic!("{error}: {whole}"));
        let format = Format::detect(whole.as_bytes());
        for length in 0..whole.len() {
            let bytes = &whole.as_bytes()[..length];
            for format in [None, format] {
                let options = Options { format, ..Options::default() };
                match parse(bytes, &options) {
                    Ok(families) => assert!(families.len() == all.len(), "{length}: {whole}"),
                    Err(error) => assert!(error.place() >= Place::START, "{length}: {whole}"),
                }
            }
        }
    }
}

#[test]
fn a_file_with_one_wrong_byte_anywhere_never_panics() {
    for whole in small() {
        for place in 0..whole.len() {
            for byte in [0, b'"', b'[', b'#', 0xff] {
                let mut bytes = whole.clone().into_bytes();
                bytes[place] = byte;
                let whole = parse(&bytes, &Options::default());
                let pieces = read_from(&mut OneByOne(&bytes), &Options::default());
                assert_eq!(pieces.map(|contents| contents.families), whole);
            }
        }
    }
}

#[test]
fn forms_that_are_mixed_are_refused() {
    let forms = small();
    for (index, first) in forms.iter().enumerate() {
        // A log may hold anything.
        for second in forms.iter().filter(|second| *second != first && index != 3) {
            let mixed = format!("{first}{second}");
            let read = parse(mixed.as_bytes(), &Options::default());
            assert!(read.is_err(), "{mixed}");
        }
    }
}
