//! Flags that people expect and mistakes that are often made: what is said of them.

use std::fs;
use std::path::PathBuf;

use crate::support::{Run, program, project, whoasked};

/// A directory with a capture, a list and a text.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Desk {
        let desk = Desk(tempfile::tempdir().unwrap());
        fs::copy(project("captures/office.pcap"), desk.path("office.pcap")).unwrap();
        fs::write(desk.path("flagged.txt"), "mi.kenal-cn.com\n").unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, line: &str) -> Run {
        let words = line.split_whitespace();
        program().current_dir(self.0.path()).args(words).output().unwrap().into()
    }

    /// Checks that a line is refused in one line that holds these words.
    fn refuses(&self, line: &str, words: &[&str]) {
        let run = self.run(line);
        assert_eq!(run.code, Some(2), "{line}: {run:?}");
        assert_eq!(run.stderr.lines().count(), 1, "{line}: {}", run.stderr);
        for word in words {
            assert!(run.stderr.contains(word), "{line}: {word:?} is not in {:?}", run.stderr);
        }
    }
}

#[test]
fn flags_that_are_called_otherwise_are_named() {
    let desk = Desk::new();
    let read = |more: &str| format!("read office.pcap -i flagged.txt {more}");
    for (more, words) in [
        ("--format html", &["--report FILE.html"][..]),
        ("-f HTML", &["--report FILE.html"]),
        ("--html page.html", &["no flag --html", "--report FILE.html"]),
        ("--json", &["no flag --json", "--format jsonl", "-o jsonl=FILE"]),
        ("--csv", &["no flag --csv", "--format csv", "-o csv=FILE"]),
        ("--csv=answer.csv", &["no flag --csv", "-o csv=FILE"]),
        ("--ticket=KEVIN-PC", &["`KEVIN-PC` is no IP address", "beside its name in the report"]),
        ("--report answer.csv", &["writes a page of HTML", "answer.html", "-o csv=FILE"]),
        ("--report answer.PDF", &["writes a page of HTML", "answer.html"]),
        ("-o html=page.html --report other.html", &["one page is written"]),
        ("-o html=udp://127.0.0.1:9", &["to a file only"]),
    ] {
        desk.refuses(&read(more), words);
    }
    desk.refuses("messages office.pcap --json", &["JSON lines anyway"]);
    for line in ["--format html", "-o html=page.html", "--html"] {
        desk.refuses(&format!("live -i lo --indicators flagged.txt {line}"), &["whole captures"]);
    }
    assert_eq!(fs::read_dir(desk.0.path()).unwrap().count(), 2, "nothing was written");
    let unknown = desk.run(&read("--nonsense"));
    assert!(unknown.stderr.contains("unexpected argument '--nonsense'"), "{}", unknown.stderr);
}

#[test]
fn a_page_can_be_asked_for_as_an_output() {
    let desk = Desk::new();
    let run = desk.run("read office.pcap -i flagged.txt -o html=page.html -o csv=answer.csv");
    assert_eq!((run.code, run.stderr.as_str()), (Some(1), ""), "{run:?}");
    let report = desk.run("read office.pcap -i flagged.txt --report report.html");
    assert_eq!(report.code, Some(1), "{report:?}");
    assert_eq!(
        fs::read_to_string(desk.path("page.html")).unwrap(),
        fs::read_to_string(desk.path("report.html")).unwrap()
    );
    assert!(desk.path("answer.csv").exists());
}

#[test]
fn the_short_flag_of_a_list_and_of_an_interface_are_not_mixed_up() {
    let desk = Desk::new();
    let list = &["flagged.txt is a file", "live -i eth1 --indicators flagged.txt"];
    desk.refuses("live -i flagged.txt", list);
    desk.refuses("live -i flagged.txt --indicators flagged.txt", list);
    let interface = &["no list lo, but an interface", "live -i lo --indicators LIST"];
    desk.refuses("read office.pcap -i lo", interface);
    desk.refuses("read -i lo", interface);
    desk.refuses("live lo --indicators flagged.txt", &["live -i lo"]);
    desk.refuses("explain office.pcap -i flagged.txt", &["read CAPTURE --indicators LIST"]);
    // A list that is called as an interface is a list.
    fs::copy(desk.path("flagged.txt"), desk.path("lo")).unwrap();
    assert_eq!(desk.run("read office.pcap -i lo").code, Some(1));
    let neither = desk.run("live -i no-such-one --indicators flagged.txt");
    assert!(!neither.stderr.contains("is a file"), "{}", neither.stderr);
}

#[test]
fn who_asks_what_a_client_did_is_told_how() {
    let desk = Desk::new();
    let words = &[
        "not what it flags",
        "explain --alerts ALERTS CAPTURE --ticket=192.168.2.42",
        "read CAPTURE --indicators LIST --ticket=192.168.2.42",
        "messages CAPTURE --filter 'host 192.168.2.42'",
    ];
    desk.refuses("explain 192.168.2.42 office.pcap", words);
    // What is said to be tried works.
    let ticket = desk.run("read office.pcap --indicators flagged.txt --ticket=192.168.2.42");
    assert!(ticket.code == Some(1) && ticket.stdout.contains("KEVIN-PC"), "{ticket:?}");
    let mut messages = program();
    messages.args(["messages", "office.pcap", "--filter", "host 192.168.2.42"]);
    let messages: Run = messages.current_dir(desk.0.path()).output().unwrap().into();
    assert!(messages.code == Some(0) && messages.stdout.contains("mi.kenal-cn.com"));
}

#[test]
fn what_was_given_by_mistake_is_said_above_the_answer() {
    let office = project("captures/office.pcap");
    let office = office.to_str().unwrap();
    let missing = office.replace("office.pcap", "typo.pcap");
    for (arguments, words) in [
        (vec!["explain", "com", office], "far too broad: com (it is a whole top-level domain)"),
        (
            vec!["explain", "mi.kenal-cn.com", office, "--resolver", "192.168.2.42"],
            "192.168.2.42 is given with --resolver, but nobody asks there",
        ),
        (
            vec!["explain", "mi.kenal-cn.com", office, &missing],
            "Not all of the capture could be read",
        ),
    ] {
        let run = whoasked(&arguments);
        let text = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        let (said, answer) = (text.find(words), text.find("Alert 1: "));
        assert!(said.is_some() && said < answer, "{arguments:?}: {text}");
    }
    // What many ask for by its address is a question as any other, and a hoster's name server is not broad.
    let run = whoasked(["explain", "192.55.83.30", office]);
    assert!(!run.stdout.contains("too broad"), "{}", run.stdout);
}
