//! What is no history: one message, with line and column; never a panic, never without end.

use super::*;

#[track_caller]
fn check(text: impl AsRef<[u8]>, format: Format, want: &str) {
    let mut bytes = OneByOne(text.as_ref());
    let found = read_from(&mut bytes, &options(format)).map(|contents| contents.families);
    let shown = String::from_utf8_lossy(text.as_ref());
    assert_eq!(found.map_err(|error| error.to_string()), Err(want.to_owned()), "{shown}");
}

/// The same bytes again and again, for ever.
struct Endless(&'static [u8], usize);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        for byte in buffer.iter_mut() {
            *byte = self.0[self.1 % self.0.len()];
            self.1 += 1;
        }
        Ok(buffer.len())
    }
}

#[test]
fn a_line_without_end_is_an_error_in_every_format() {
    let starts: [&[u8]; 8] = [b"x", b"0 i w 1 ", b" ", b"\"", b"[", b"; ", b"{:a ", b"{\"format\" "];
    for (index, bytes) in starts.into_iter().enumerate() {
        for format in Format::ALL.map(Some).into_iter().chain([None]) {
            let options = Options { format, ..Options::default() };
            let error = read_from(&mut Endless(bytes, 0), &options).unwrap_err();
            let is_bounded = matches!(
                error,
                FormatError::LongLine { .. }
                    | FormatError::LongElement { .. }
                    | FormatError::Deep { .. }
                    | FormatError::Unexpected { .. }
                    | FormatError::NotRecognised { .. }
            );
            assert!(is_bounded, "{index}, {format:?}: {error}");
        }
    }
    let error = read_from(&mut Endless(b"0", 0), &Options::default()).unwrap_err();
    let want = "1:1: no operation recognised: neither hist nor jepsen-log nor jepsen-edn nor jepsen-txt nor json nor kv nor jsonl \
                nor etcd nor porcupine-json nor plume nor test-jepsen";
    assert_eq!(error.to_string(), want);
}

#[test]
fn edn_that_is_cut_or_unbalanced_is_refused() {
    let edn = |text: &str, want: &str| check(text, Format::JepsenEdn, want);
    let event = "{:process 0 :type :invoke :f :read}";
    edn(&format!("[{event}"), "1:37: found the end of the file, expected ]");
    edn(
        &format!("[{event}\n {{:process 1 :type"),
        "2:19: found the end of the file, expected a value for the key before it",
    );
    edn("[{:process 0 :type :invoke :f \"re", "1:31: found \"\\\"re\", expected a string that ends in \"");
    edn(&format!("[{event})"), "1:37: found \")\", expected ]");
    edn(&format!("[{event}]]"), "1:38: found \"]\", expected the end of the file, for the history has ended");
    edn(
        &format!("[{event}]\n{event}"),
        "2:1: found \"{\", expected the end of the file, for the history has ended",
    );
    edn(&format!("{event} ]"), "1:37: found \"]\", expected a map, or a vector or list of maps");
    edn("[[1]]", "1:2: found \"[\", expected a map, or a vector or list of maps");
    edn("[{:process 0 :value [1 2) }]", "1:25: found \")\", expected ]");
    edn("[{:process 0 :value [1 2}]", "1:25: found \"}\", expected ]");
    edn("[{:process 0 :value}]", "1:20: found \"}\", expected a value for the key before it");
    edn("[{:process 0 :error {:a}}]", "1:24: found \"}\", expected a value for the key before it");
    edn("[{:process 0 :process 1}]", "1:14: found \":process\", expected each key once");
    edn("[{:process 0 :x #_ 1}]", "1:21: found \"}\", expected a value");
    edn("[{:process 0 :x #", "1:17: found \"#\", expected a tag, a set or a discard");
    edn(
        "[{:process 0 :key \"\\x\"}]",
        "1:19: found \"\\\"\\\\x\\\"\", expected a string whose escapes are of EDN",
    );
}

#[test]
fn edn_that_is_no_event_is_refused() {
    let edn = |text: &str, want: &str| check(text, Format::JepsenEdn, want);
    edn(
        "[{:type :ok :f :read}]",
        "1:2: found \"a map without :process\", expected :process with a number or :nemesis",
    );
    edn(
        "[{:process -1 :type :ok :f :read}]",
        "1:12: found \"-1\", expected :process with a number or :nemesis",
    );
    edn(
        "[\n{:process 1 :type :maybe :f :read}]",
        "2:19: found \":maybe\", expected :type with :invoke, :ok, :fail or :info",
    );
    edn("[{:process 1 :type :ok}]", "1:2: found \"a map without :f\", expected an operation, which has :f");
    edn(
        "[{:process 1 :type :invoke :f :jump}]",
        "1:31: found \":jump\", expected :read, :write or :cas; no workload is known that has this operation; \
         `--model` takes the file as one of register-cas, kv, counter-inc, counter-rw, bcounter, log, mutex, \
         multi-register",
    );
    edn(
        "[{:process 1 :type :invoke :f :write :value #{1 5}}]",
        "1:45: found \"#{…}\", expected nil, or a number, string or keyword",
    );
    edn(
        "[{:process 1 :type :invoke :f :cas :value [1]}]",
        "1:43: found \"[… 1 value]\", expected a vector of two values",
    );
    edn(
        "[{:process 1 :type :invoke :f :txn :value [[:jump :x 1]]}]",
        "1:43: found \"[… 1 value]\", expected a vector of [:r name value] and [:w name value]",
    );
    edn(
        "[{:process 1 :type :ok :f :write :value 1}]",
        "1:12: client 1 gets an answer at event 0 but has nothing open",
    );
    let ask = "{:process 1 :type :invoke :f :write :value 1}";
    edn(&format!("{ask}\n{ask}"), "2:11: client 1 asks at event 1 while its operation 0 is still open");
    edn(
        &format!("{ask} {{:process 1 :type :ok :f :write :value 2}}"),
        "1:86: found \"2\", expected what the process asked",
    );
    edn(
        &format!("{ask} {{:process 1 :type :ok :f :read :value 2}}"),
        "1:72: found \":read\", expected what the process asked",
    );
    edn(
        &format!("{ask} {{:process 1 :type :info :f :write}}\n\n{ask}"),
        "3:11: client 1 goes on at event 1 though the outcome of its operation 0 is unknown",
    );
    check(
        "; ü\n\n[{:process 1 :type \u{e4}}]",
        Format::JepsenEdn,
        "3:20: found \"ä\", expected :type with :invoke, :ok, :fail or :info",
    );
    check(b"; \xc3\xbc \xff\n[]", Format::JepsenEdn, "1:5: byte 0xff is not UTF-8");
    check("[]", Format::JepsenEdn, "1:1: no operation of format jepsen-edn in 1 lines");
    check("[{:process :nemesis}]\n", Format::JepsenEdn, "1:1: no operation of format jepsen-edn in 1 lines");
}

#[test]
fn another_encoding_is_named() {
    let want = "1:1: the file is UTF-16, expected UTF-8: `iconv -f UTF-16 -t UTF-8` converts it";
    for format in Format::ALL {
        check(b"\xff\xfe[\0", format, want);
        check(b"\xfe\xff\0[", format, want);
    }
}

#[test]
fn deep_edn_is_refused_before_it_is_deep() {
    let nested = |depth: usize| {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        format!("[{{:process 0 :type :invoke :f :read :error {open}{close}}}]")
    };
    parse(nested(edn::DEPTH_MAX).as_bytes(), &Options::default()).unwrap();
    check(nested(edn::DEPTH_MAX + 1), Format::JepsenEdn, "1:108: nested more than 64 deep");
    check(nested(100_000), Format::JepsenEdn, "1:108: nested more than 64 deep");
    let discards = format!("[{{:process 0 :error {} 1}}]", "#_ ".repeat(100_000));
    check(discards, Format::JepsenEdn, "1:213: nested more than 64 deep");
}

#[test]
fn kv_that_is_none_is_refused() {
    let get = "{:process 0, :type :invoke, :f :get, :key \"k\", :value nil}";
    check(
        "{:process 0 :type :invoke :f :get}",
        Format::Kv,
        "1:1: found \"a map without :key\", expected :key",
    );
    check(
        format!("{get}\n{{:process 0, :type :ok, :f :get, :key \"k\", :value nil}}"),
        Format::Kv,
        "2:51: found \"nil\", expected a string",
    );
    check(
        format!("{get}\n{{:process 0, :type :ok, :f :get, :key \"l\", :value \"\"}}"),
        Format::Kv,
        "2:1: found \"l\", expected what the process asked",
    );
    check(get.replace(":get", ":cas"), Format::Kv, "1:32: found \":cas\", expected :get, :put or :append");
    check(
        get.replace("nil", "1").replace(":get", ":put"),
        Format::Kv,
        "1:55: found \"1\", expected a string",
    );
}

#[test]
fn hist_of_each_model_is_refused_with_its_place() {
    let hist = |model: &str, lines: &str, want: &str| {
        check(format!("# model={model}\n{lines}\n"), Format::Hist, want);
    };
    hist("kv", "0 i get", "2:8: found the end of the line, expected a key");
    hist("kv", "0 i w 1", "2:5: found \"w\", expected get, put or cas");
    hist("kv", "0 i put k x", "2:11: found \"x\", expected nil or a whole number");
    hist("kv", "0 i get k\n0 o get l 1", "3:9: found \"l\", expected what the process asked");
    hist("counter-inc", "0 i inc\n0 o inc", "3:8: found the end of the line, expected a whole number");
    hist("counter-inc", "0 i read", "2:5: found \"read\", expected inc");
    hist(
        "counter-rw",
        "0 i add 9223372036854775808",
        "2:9: found \"9223372036854775808\", expected a whole number",
    );
    hist("counter-rw", "0 i add 1\n0 o add 2", "3:9: found \"2\", expected what the process asked");
    hist("mutex", "0 i acquire 1", "2:13: found \"1\", expected the end of the line");
    hist("log", "0 i read 5", "2:10: found \"5\", expected an offset, @ and a number");
    hist("log", "0 i append 5\n0 o append 6", "3:12: found \"6\", expected what the process asked");
    hist("log", "0 i read @1\n0 o read @2 5", "3:10: found \"@2\", expected what the process asked");
    hist("multi-register", "0 i txn q x", "2:9: found \"q\", expected r or w, and the name of a register");
    hist(
        "multi-register",
        "0 i txn r x\n0 o txn r y 1",
        "3:11: found \"y\", expected what the process asked",
    );
    hist(
        "kv init=x",
        "0 i get k",
        "1:17: initial value \"x\" does not suit a kv, expected nil or a whole number",
    );
}

#[test]
fn an_initial_value_must_suit_the_model() {
    let given = |text: &str, initial: &str| {
        let initial = Some(Initial(initial.to_owned()));
        parse(text.as_bytes(), &Options { initial, ..Options::default() }).unwrap_err().to_string()
    };
    let fixed = |model| format!("1:1: the start of a {model} is fixed, no initial value can be given");
    assert_eq!(given("# model=counter-inc\n0 i inc", "0"), fixed("counter-inc"));
    assert_eq!(given("# model=mutex\n0 i acquire", "nil"), fixed("mutex"));
    assert_eq!(given("[{:process 0 :type :invoke :f :acquire}]", "1"), fixed("mutex"));
    let lock = r#"{"format":"counterclock-history","version":1,"families":[{"name":"l","model":"mutex"}]}"#;
    assert_eq!(given(lock, "1"), fixed("mutex"));
    let wrong = |model, initial, expected| {
        format!("1:1: initial value {initial:?} does not suit a {model}, expected {expected}")
    };
    assert_eq!(
        given("# model=kv\n0 i get k", "x"),
        wrong("kv", "x", "nil, a whole number, or a string or keyword as EDN writes it")
    );
    let kv = "{:process 0, :type :invoke, :f :get, :key \"k\", :value nil}";
    assert_eq!(given(kv, "nil"), wrong("kv of strings", "nil", "a string"));
}

#[test]
fn another_model_than_the_one_asked_for_is_refused() {
    let asked = |text: &str, model| {
        parse(text.as_bytes(), &Options { model: Some(model), ..Options::default() }).unwrap_err().to_string()
    };
    assert_eq!(
        asked("# model=mutex\n0 i acquire", Model::Kv),
        "1:1: is a history of model mutex, expected kv"
    );
    let log = "INFO  jepsen.util - 0 :invoke :read nil\n";
    assert_eq!(
        asked(log, Model::Mutex),
        "1:31: found \":read\", expected :acquire or :release; this looks like register-cas: \
         `--model register-cas` reads it"
    );
    assert_eq!(
        asked("[{:process 0 :type :invoke :f :write :value 1}]", Model::Mutex),
        "1:31: found \":write\", expected :acquire or :release; this looks like register-cas: \
         `--model register-cas` reads it"
    );
}

#[test]
fn an_input_that_fails_says_how_far_it_came() {
    struct Broken(bool);
    impl Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if std::mem::replace(&mut self.0, true) {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            let text = b"# model=mutex\n0 i acquire\n";
            buffer[..text.len()].copy_from_slice(text);
            Ok(text.len())
        }
    }
    let error = read_from(&mut Broken(false), &options(Format::Hist)).unwrap_err();
    assert_eq!(error.to_string(), "3:1: cannot be read further: permission denied");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn nothing_makes_reading_panic(
        parts in proptest::collection::vec(
            prop_oneof![
                r##"[\[\](){}"#,;:\\ \n01a.-]{0,6}"##,
                ":(process|type|f|value|key|time|invoke|ok|fail|info|read|write|cas|txn|get|append) ?",
                "(# ?model=(kv|log|mutex|multi-register|bcounter cap=2) ?|[0-2] [iofu] (r|w|txn|get k|append|read|inc) ?[@n0-9.]{0,3}\n)",
                "([0-2]|:nemesis)\t:(invoke|ok|fail|info)\t:(read|write|cas|txn|lock)\t(nil|1|\\[1 2\\]|\\[k \\[1 2\\]\\]|\"a\")\n",
                "INFO jepsen\\.util - [0-2] :(invoke|ok|fail) :(read|write) [1-3n] ?(\\[worker 1\\])?\n",
                r##"\[?\{"type":"(invoke|ok)","process":[0-2],"f":"(read|write|txn)","value":(1|null|\[\["r",1\]\])\}[,\]\n]?"##,
                ".{0,4}",
            ],
            0..20,
        ),
    ) {
        let text = parts.concat();
        for format in Format::ALL.map(Some).into_iter().chain([None]) {
            let options = Options { format, ..Options::default() };
            let whole = parse(text.as_bytes(), &options);
            let pieces = read_from(&mut OneByOne(text.as_bytes()), &options);
            prop_assert_eq!(pieces.map(|contents| contents.families), whole);
        }
    }
}
