//! Flags that people expect and mistakes that are often made: what is said of them.

use std::fs;

use crate::support::{Folder, Run, program, project, whoasked};

/// A folder with a capture and a list.
fn desk() -> Folder {
    let desk = Folder::new();
    fs::copy(project("captures/office.pcap"), desk.path("office.pcap")).unwrap();
    desk.write("flagged.txt", "mi.kenal-cn.com\n");
    desk
}

/// Checks that a line is refused in one line that holds these words.
fn refuses(desk: &Folder, line: &str, words: &[&str]) {
    let run = desk.fails(line, words);
    assert_eq!(run.stderr.lines().count(), 1, "{line}: {}", run.stderr);
}

#[test]
fn flags_that_are_called_otherwise_are_named() {
    let desk = desk();
    let read = |more: &str| format!("read office.pcap -i flagged.txt {more}");
    for (more, words) in [
        ("--format html", &["--report FILE.html"][..]),
        ("-f HTML", &["--report FILE.html"]),
        ("--html page.html", &["no option --html", "--report FILE.html"]),
        ("--json", &["no option --json", "--format jsonl", "-o jsonl=FILE"]),
        ("--csv", &["no option --csv", "--format csv", "-o csv=FILE"]),
        ("--csv=answer.csv", &["no option --csv", "-o csv=FILE"]),
        (
            "--ticket=KEVIN-PC",
            &["`KEVIN-PC` is not an IP address", "next to its name in the report"],
        ),
        ("--report answer.csv", &["writes an HTML page", "answer.html", "-o csv=FILE"]),
        ("--report answer.PDF", &["writes an HTML page", "answer.html"]),
        ("-o html=page.html --report other.html", &["only one page can be written"]),
        ("-o html=udp://127.0.0.1:9", &["only go to a file"]),
    ] {
        refuses(&desk, &read(more), words);
    }
    refuses(&desk, "messages office.pcap --json", &["always printed as JSON lines"]);
    for line in ["--format html", "-o html=page.html", "--html"] {
        refuses(&desk, &format!("live -i lo --indicators flagged.txt {line}"), &["whole captures"]);
    }
    assert_eq!(fs::read_dir(desk.path(".")).unwrap().count(), 2, "nothing was written");
    let unknown = desk.run(&read("--nonsense"));
    assert!(unknown.stderr.contains("unexpected argument '--nonsense'"), "{}", unknown.stderr);
}

#[test]
fn a_page_can_be_asked_for_as_an_output() {
    let desk = desk();
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
    let desk = desk();
    let list = &["flagged.txt is a file", "live -i eth1 --indicators flagged.txt"];
    refuses(&desk, "live -i flagged.txt", list);
    refuses(&desk, "live -i flagged.txt --indicators flagged.txt", list);
    let interface = &["lo is an interface, not a list", "live -i lo --indicators LIST"];
    refuses(&desk, "read office.pcap -i lo", interface);
    refuses(&desk, "read -i lo", interface);
    refuses(&desk, "live lo --indicators flagged.txt", &["live -i lo"]);
    refuses(&desk, "explain office.pcap -i flagged.txt", &["read CAPTURE --indicators LIST"]);
    // A list that is called as an interface is a list.
    fs::copy(desk.path("flagged.txt"), desk.path("lo")).unwrap();
    assert_eq!(desk.run("read office.pcap -i lo").code, Some(1));
    let neither = desk.run("live -i no-such-one --indicators flagged.txt");
    assert!(!neither.stderr.contains("is a file"), "{}", neither.stderr);
}

#[test]
fn who_asks_what_a_client_did_is_told_how() {
    let desk = desk();
    let words = &[
        "not what it flags",
        "explain --alerts ALERTS CAPTURE --ticket=192.168.2.42",
        "read CAPTURE --indicators LIST --ticket=192.168.2.42",
        "messages CAPTURE --filter 'host 192.168.2.42'",
    ];
    refuses(&desk, "explain 192.168.2.42 office.pcap", words);
    // What is said to be tried works.
    let ticket = desk.run("read office.pcap --indicators flagged.txt --ticket=192.168.2.42");
    assert!(ticket.code == Some(1) && ticket.stdout.contains("KEVIN-PC"), "{ticket:?}");
    let mut messages = program();
    messages.args(["messages", "office.pcap", "--filter", "host 192.168.2.42"]);
    let messages: Run = messages.current_dir(desk.path(".")).output().unwrap().into();
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
