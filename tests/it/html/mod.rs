//! The HTML report: what stands on it, that it is whole and harmless, that it blames nobody wrongly, and
//! (in `browser.rs`) what a browser makes of it.

mod browser;
mod made;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use whoasked::alert::{Answer, Clock};
use whoasked::attribution::{Assessment, ClientHints, Doubt, Hint, Leaning, Step};
use whoasked::frame::FrameId;
use whoasked::resolution::Role;

use crate::support::{Labelled, Run, bundled, laboratory, program, project, read_truth};
use made::{HOSTILE, LIST, Made, attribution, client, indicator, indicators, write};

/// Holds pages against what XML wants, which is more than HTML does, all in one go.
fn assert_well_formed(pages: &[PathBuf]) {
    let script = "import sys, xml.etree.ElementTree as E\nfor f in sys.argv[1:]: E.parse(f)";
    let run = Command::new("python3").args(["-c", script]).args(pages).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

/// The office demo with a report: where it is written, and the page.
fn office(folder: &Path) -> String {
    let path = folder.join("office.html");
    let run = program()
        .arg("read")
        .arg(project("captures/office.pcap"))
        .arg("--indicators")
        .arg(project("captures/flagged.txt"))
        .arg("--report")
        .arg(&path)
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(1), "{}", String::from_utf8_lossy(&run.stderr));
    assert!(run.stdout.starts_with(b"9 clients are behind"), "the answer on stdout as ever");
    fs::read_to_string(&path).unwrap()
}

/// The text between two marks, each time they occur.
fn between<'a>(page: &'a str, begin: &str, end: &str) -> Vec<&'a str> {
    let parts = page.split(begin).skip(1);
    parts.map(|part| part.split(end).next().unwrap()).collect()
}

#[test]
fn the_verdict_on_the_office_stands_first() {
    let folder = tempfile::tempdir().unwrap();
    let page = office(folder.path());
    let order = [
        "9 clients are behind what was flagged: act on 192.168.2.42 (KEVIN-PC); look at 192.168.2.40 (JUDITH-PC); \
         7 others, perhaps false alarms; 2 flagged queries have no client.",
        "The machines</h2>",
        "href=\"#client-1\"><bdi>192.168.2.42</bdi></a> <small><bdi>KEVIN-PC</bdi></small>",
        "data-of=\"first seen\">09:17:42</td><td class=\"time\" data-of=\"last seen\">13:17:43</td><td class=\"time\" \
         data-of=\"connected\">yes</td>",
        "What to do</h2>",
        "Treat these machines as compromised until you know better",
        "Judge the name on the machine",
        "Who is behind it</h2>",
        "<bdi>192.168.2.42</bdi></h3>",
        "<bdi>KEVIN-PC</bdi>",
        "MAC 00:1b:21:3c:00:1c",
        "3 times from 09:17:42 to 13:17:43 UTC",
        "yes, to 203.0.113.67, port 443 (TCP), at 09:17:44 UTC, giving the server name mi.kenal-cn.com",
        "<a href=\"#do-act\">What to do</a>",
        "How it came about</h2>",
        "frame.number in {541, 542, 545, 546, 549, 550, 1123,",
        "No client</h2>",
        "up.telemetry-sync.net",
        "What the capture shows, and what it lacks</h2>",
        "392 duplicate frames, from the mirror port or in two captures",
    ];
    let mut rest = page.as_str();
    for expected in order {
        let at =
            rest.find(expected).unwrap_or_else(|| panic!("{expected} is missing or too early"));
        rest = &rest[at + expected.len()..];
    }
    assert!(page.contains("<span class=\"rail-count\">3×</span>"));
    assert!(page.contains("2 clients, 4 times from 09:17:42 to 13:18:01 UTC"));
    let judge = "Judge the name on the machine";
    assert_eq!(
        page.matches(judge).count(),
        1,
        "what to do is said once, though seven are led there"
    );
    assert_eq!(page.matches("href=\"#do-weigh\">What to do").count(), 7);
}

#[test]
fn the_page_needs_nothing_from_outside_and_allows_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let page = office(folder.path());
    let policy = between(&page, "http-equiv=\"Content-Security-Policy\" content=\"", "\"");
    let [policy] = policy[..] else { panic!("one policy") };
    assert!(
        policy.starts_with("default-src &#39;none&#39;; style-src &#39;sha256-")
            || policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    for outside in
        ["http:", "https:", "//", "url(", "@import", "<script", "<link", "<img", "style=\""]
    {
        assert!(!page.contains(outside), "{outside}");
    }
    // Links stay on the page, and lead somewhere.
    let ids: BTreeSet<&str> = between(&page, " id=\"", "\"").into_iter().collect();
    let links = between(&page, "href=\"", "\"");
    assert!(links.len() > 30);
    for link in links {
        let target = link.strip_prefix('#').unwrap_or_else(|| panic!("{link} leads outside"));
        assert!(ids.contains(target), "{link} leads nowhere");
    }
    assert_eq!(ids.len(), between(&page, " id=\"", "\"").len(), "no id twice");
}

#[test]
fn the_policy_names_the_hash_of_the_style() {
    let folder = tempfile::tempdir().unwrap();
    let page = office(folder.path());
    let path = folder.path().join("style");
    let [style] = between(&page, "<style>", "</style>")[..] else { panic!("one style") };
    fs::write(&path, style).unwrap();
    let script = "import sys, hashlib, base64\nprint(base64.b64encode(hashlib.sha256(open(sys.argv[1], 'rb').read()).digest()).decode())";
    let run = Command::new("python3").args(["-c", script]).arg(&path).output().unwrap();
    let hash = String::from_utf8(run.stdout).unwrap();
    assert!(
        page.contains(&format!("sha256-{}", hash.trim())),
        "templates/report.css was changed: STYLE_HASH in src/report/html/mod.rs is now \"sha256-{}\"",
        hash.trim()
    );
}

#[test]
fn one_of_everything_is_said_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.html");
    made::write_everything(&path, "pc-042.corp.example");
    let page = fs::read_to_string(&path).unwrap();
    for expected in [
        // Who, and what it did.
        "Asked and connected: act on this",
        "<bdi>pc-042.corp.example</bdi> <small>from DHCP at 08:25:03 UTC, frame 7</small>",
        "<span>VLAN 20</span>",
        "yes, to 203.0.113.9, port 443 (TCP), at 08:26:42 UTC, giving the server name pc-042.corp.example, and was answered",
        "Treat these machines as compromised until you know better",
        "Mind: it asks for pc-042.corp.example every 60 s",
        "behind a router, 00:1b:21:3c:00:28",
        "<dd>an error (SERVFAIL)</dd>",
        "Make sure first: this is only likely (87 %).",
        "<h1>At the alerts' times: act on 192.168.2.42 (pc-042.corp.example). 1 alert has no client and 1 matches \
         nothing in this capture.</h1>",
        "At other times also: ",
        "<p class=\"badge\">Not at the alerts' times</p>",
        "these machines did not ask at the alerts' times",
        // What to weigh, and how it came about.
        "<strong>Speaks for a real infection:</strong> it asks for",
        "<strong>Speaks for a false alarm:</strong> many unrelated clients asked at once",
        "it had the answer in its cache",
        "nothing came back",
        "12.0 ms later · frame 102",
        "Drawn: one of 2 lookups.",
        // The alerts.
        "3 alerts: 1 leads to a client, 1 has no client and 1 matches nothing in this capture.",
        "<span class=\"badge\">Leads to a client</span>",
        "<span class=\"badge\">No client</span>",
        "<span class=\"badge\">Matches nothing in this capture</span>",
        "What to do:</strong> Look at 192.168.2.42: it asked for the flagged name itself",
        "asked for mi.kenal-cn.com and pc-042.corp.example 3 times from 08:26:41 to 09:25:00 UTC; certain (99.5 %)",
        "1 192.168.2.194 C2/Generic-A mi.kenal-cn.com 1 AFCd",
        "1,473 events",
        "Nearest: pc-042.corp.example at 08:25",
        // The rest.
        "Cannot be decided</h2>",
        "Why: because of pc-042.corp.example.",
        "Its clients are not in the capture: also mirror the port that they use.",
        "Not all of the capture could be read",
    ] {
        assert!(page.contains(&expected.replace('\'', "&#39;")), "{expected} is missing");
    }
    assert!(page.find("192.168.2.42</bdi></h3>") < page.find("192.168.2.40</bdi></h3>"));
}

/// What there is to weigh of the first indicator, first said of a client that asked at another time.
fn weighed_of_another_time(list: &whoasked::indicator::Indicators) -> Assessment {
    let [mut own, ..] = <[Assessment; 1]>::try_from(made::assessments(list, "it")).unwrap();
    let hint = |n: u32, more: &str| Hint {
        code: "asked-itself",
        leaning: Leaning::Serious,
        words: format!("10.0.0.{n} asked for it by its own name{more}"),
    };
    own.hints = vec![hint(35, "; likewise 2 other clients")];
    let of = |n: u32| {
        let client = made::address(&format!("10.0.0.{n}"));
        ClientHints { client, hints: vec![hint(n, "")] }
    };
    own.of_clients = [1, 2, 35].map(of).into();
    own
}

/// An alert raised when that client asked.
fn alert_of(list: &whoasked::indicator::Indicators, number: u32, client: u32) -> Answer {
    let mut answer = made::answers(list, "C2/Generic-A").remove(0);
    answer.alert.file = "/srv/soc/alerts.csv".to_owned();
    (answer.alert.line, answer.alert.number) = (number + 1, number);
    answer.clients[0].address = made::address(&format!("10.0.0.{client}"));
    answer.basis.clock =
        Some(Clock { agreeing: 19, of: 43, is_estimated: true, ..Clock::default() });
    answer.basis.notes =
        vec!["a note that is longer than what may stand with each of the alerts".into()];
    answer
}

#[test]
fn of_many_alerts_the_page_says_first_how_many_machines_and_which() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.html");
    let list = indicators("flagged.txt");
    let asked = [(LIST[0], Step::Asked)];
    let flagged = indicator(&list, LIST[0]);
    let attributions: Vec<_> = (1..=35_u32)
        .map(|n| {
            let one = client(&format!("10.0.0.{n}"), Role::Initiator, u64::from(n) * 10, &asked);
            attribution(flagged, LIST[0], vec![one])
        })
        .collect();
    // Each of thirty raised two alerts; five asked at other times.
    let answers: Vec<_> = (1..=60).map(|n| alert_of(&list, n, n.div_ceil(2))).collect();
    let made = Made {
        list: &list,
        files: &["/srv/captures/office.pcap"],
        attributions: &attributions,
        assessments: &[weighed_of_another_time(&list)],
        answers: &answers,
        damage: &[],
    };
    write(&path, &made);
    let page = fs::read_to_string(&path).unwrap();
    for expected in [
        "<h1>At the alerts&#39; times: look at 10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4 and 26 more.</h1>",
        "<p class=\"beside\">At other times also: 10.0.0.31, 10.0.0.32, 10.0.0.33, 10.0.0.34 and 1 more.</p>",
        "<title>Who asked? 30 clients behind the alerts in office.pcap</title>",
        "<td class=\"runs\" data-of=\"alerts\">59–60</td>",
        "and <a href=\"#machines\">11 more clients</a>",
        "The firewall&#39;s clock and the capture&#39;s agree, by 19 of 43 alerts.",
        "<h3>Alerts 3–4: ",
        "Note: as with <a href=\"#alerts-1\">Alerts 1–2</a>",
        "infection:</strong> 10.0.0.1 asked for it by its own name; likewise 1 other client</li>",
        "<small>alerts.csv, line 61</small>",
        "<dd><bdi>/srv/captures/office.pcap</bdi></dd>",
    ] {
        assert!(page.contains(expected), "{expected} is missing");
    }
    assert_eq!(page.matches("<li class=\"alert named\"").count(), 30, "alike alerts are one");
    assert_eq!(page.matches("/srv/").count(), 1, "where it lay is said once");
    assert_eq!(page.matches("Find the program that asked").count(), 1);
    let last_named = page.rfind("class=\"card look\"").unwrap();
    assert_eq!(page.matches("class=\"card other\"").count(), 5);
    assert!(last_named < page.find("class=\"card other\"").unwrap(), "those come last");
    assert_well_formed(&[path]);
}

#[test]
fn the_heading_says_that_a_few_may_be_false_alarms() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.html");
    let list = indicators("flagged.txt");
    let flagged = indicator(&list, LIST[0]);
    let chain = [("www.microsoft.com", Step::Asked), (LIST[0], Step::Alias)];
    let attributions = [1, 2].map(|n: u32| {
        let one = client(&format!("10.0.0.{n}"), Role::Initiator, u64::from(n) * 10, &chain);
        let mut led = attribution(flagged, LIST[0], vec![one]);
        led.doubts = vec![Doubt::AliasTail];
        led
    });
    let made = Made {
        list: &list,
        files: &["a.pcap"],
        attributions: &attributions,
        assessments: &[],
        answers: &[alert_of(&list, 1, 1)],
        damage: &[],
    };
    write(&path, &made);
    let page = fs::read_to_string(&path).unwrap();
    for expected in [
        "<h1>At the alert&#39;s time: 10.0.0.1, perhaps a false alarm.</h1>",
        "<span class=\"badge doubt\">Perhaps a false alarm</span>",
        "<p class=\"badge\">Not at the alert&#39;s time</p>",
        "It asked, but not at the alert&#39;s time: look first at those that did.",
    ] {
        assert!(page.contains(expected), "{expected} is missing");
    }
}

#[test]
fn many_drawings_are_closed_and_not_printed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.html");
    let list = indicators("flagged.txt");
    for (clients, is_open) in [(3, true), (4, false)] {
        let attributions: Vec<_> = (0..clients * 3_u32)
            .map(|n| {
                let name = LIST[n as usize % 3];
                let ip = format!("10.0.0.{}", n / 3);
                let one = client(&ip, Role::Initiator, u64::from(n) + 1, &[(name, Step::Asked)]);
                attribution(indicator(&list, name), name, vec![one])
            })
            .collect();
        let made = Made::of(&list, &attributions);
        write(&path, &made);
        let page = fs::read_to_string(&path).unwrap();
        assert_eq!(page.contains("<details class=\"flow\" open=\"open\">"), is_open);
        assert_eq!(page.contains("<article class=\"flagged look off-paper\""), !is_open);
        // Three clients need no table, and their cards say what to do.
        assert_eq!(page.contains("The machines</h2>"), !is_open);
        let programs = page.matches("Find the program that asked").count();
        assert_eq!(programs, if is_open { 3 } else { 1 });
    }
}

#[test]
fn what_others_wrote_is_text_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.html");
    made::write_everything(&path, HOSTILE);
    let page = fs::read_to_string(&path).unwrap();
    assert!(page.matches("&#60;img src=x onerror=").count() >= 20, "it stands there to be read");
    for element in ["<img", "<script"] {
        assert!(!page.contains(element), "{element}");
    }
    assert!(page.contains("\\u{202e}\\u{0}\\u{1b}[2J\\u{fffe}"));
    assert!(page.chars().all(|c| c == '\n' || !c.is_control()), "a control character came through");
    assert!(!page.contains(['\u{202e}', '\u{fffe}']));
    // Within a tag, it stands in quotes only.
    for tag in between(&page, "<", ">") {
        let outside: String = tag.split('"').step_by(2).collect();
        assert!(!outside.contains("evil.com") && !outside.contains("onerror"), "{tag}");
    }
    assert_well_formed(&[path]);
}

/// Writes the report of each capture and holds its cards against the truth: the pages, and how many times
/// a client stands there with something that is flagged.
fn cards_held_against_truth(captures: Vec<Labelled>, folder: &Path) -> (Vec<PathBuf>, usize) {
    let (mut pages, mut cards) = (Vec::new(), 0);
    for capture in captures {
        let name = capture.path.strip_prefix(project("")).unwrap_or(&capture.path);
        let name = name.to_str().unwrap().replace(['/', '.'], "-");
        let path = folder.join(format!("{name}.html"));
        let list = folder.join("list.txt");
        fs::write(&list, &capture.indicators).unwrap();
        let run = program()
            .args(["read", "--no-progress"])
            .arg(&capture.path)
            .arg("--indicators")
            .arg(&list)
            .arg("--report")
            .arg(&path)
            .output()
            .unwrap();
        assert!(matches!(run.status.code(), Some(0 | 1)), "{name}");
        let page = fs::read_to_string(&path).unwrap();
        let truth = read_truth(&capture.path).unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let pairs: BTreeSet<(String, String)> = truth["pairs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| (text(&pair["client"]), text(&pair["indicator"])))
            .collect();
        let servers: BTreeSet<String> = truth["dc"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|server| server.as_array().unwrap().iter().map(text).collect::<Vec<_>>())
            .collect();
        for card in between(&page, "<article class=\"card", "</article>") {
            let client = between(card, "-title\"><bdi>", "</bdi></h3>")[0].to_owned();
            for value in between(card, "<dd class=\"value\">", "</dd>") {
                let flagged = between(value, "<bdi>", "</bdi>")[0].trim_start_matches('=');
                let pair = (client.clone(), flagged.to_owned());
                assert!(
                    pairs.contains(&pair) || servers.contains(&client),
                    "{name}: {pair:?} BLAMED WRONGLY"
                );
                cards += 1;
            }
        }
        assert!(!page.contains("the table of machines</a>"), "{name}: all of them have a card");
        pages.push(path);
    }
    println!("{} pages, {cards} clients and what each led to", pages.len());
    assert_well_formed(&pages);
    (pages, cards)
}

#[test]
fn nobody_on_a_card_of_the_bundled_captures_is_innocent() {
    let folder = tempfile::tempdir().unwrap();
    let (pages, cards) = cards_held_against_truth(bundled(), folder.path());
    assert!(pages.len() >= 60 && cards >= 200, "{} pages, {cards}", pages.len());
}

/// All scenarios of the laboratory, each by each resolver software.
#[test]
fn nobody_on_a_card_of_the_labelled_captures_is_innocent() {
    let captures = laboratory(&["/s0", "/s1"]);
    if captures.is_empty() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (pages, cards) = cards_held_against_truth(captures, folder.path());
    assert!(pages.len() >= 100 && cards >= 1_000, "{} pages, {cards}", pages.len());
}

/// Times on the page are said in the zone that was asked for.
#[test]
fn the_page_speaks_in_the_zone_of_the_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("office.html");
    let run: Run = program()
        .arg("read")
        .arg(project("captures/office.pcap"))
        .arg("--indicators")
        .arg(project("captures/flagged.txt"))
        .args(["--tz", "Asia/Kolkata", "--report"])
        .arg(&path)
        .output()
        .unwrap()
        .into();
    assert_eq!((run.code, run.faults().as_str()), (Some(1), ""));
    let page = fs::read_to_string(&path).unwrap();
    for expected in [
        "13:30:02 to 22:29:25 Asia/Kolkata (UTC+5:30)",
        "3 times from 14:47:42 to 18:47:43 UTC+5:30",
        "As in the capture, in Asia/Kolkata (UTC+5:30).",
        "<title>Times in Asia/Kolkata (UTC+5:30)</title>",
    ] {
        assert!(page.contains(expected), "{expected}");
    }
    assert!(!page.contains(" UTC<") && !page.contains(" UTC,"), "and in no other");
}

#[test]
fn a_flood_of_clients_and_names_gives_a_page_that_opens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.html");
    let list = indicators("flagged.txt");
    let flagged = LIST.map(|text| indicator(&list, text));
    let long = format!("{}.{}", "\\255".repeat(60), "<&\"'>".repeat(40));
    let attributions: Vec<_> = (0..20_000_u32)
        .map(|number| {
            let ip = format!("10.{}.{}.{}", number >> 14 & 255, number >> 7 & 127, number & 127);
            let asked = format!("{number}.{long}");
            let chain = [(asked.as_str(), Step::Asked), (long.as_str(), Step::Alias)];
            let one = client(&ip, Role::Initiator, u64::from(number) + 1, &chain);
            attribution(flagged[number as usize % 3], &asked, vec![one])
        })
        .collect();
    let made = Made::of(&list, &attributions);
    write(&path, &made);
    let page = fs::read_to_string(&path).unwrap();
    assert!(page.len() < 5_000_000, "{} octets", page.len());
    let heading = "More than 4,096 clients are behind what was flagged: look at 10.0.0.0, 10.0.0.1, 10.0.0.2, 10.0.0.3 and 4,092 \
                   more.";
    assert!(page.contains(heading));
    assert!(page.contains("3,976 more clients: see <a href=\"#machines\">"));
    assert!(page.contains("and 1,976 more clients; <code>--format jsonl</code>"));
    assert!(page.contains("15,904 lookups of more clients omitted here"));
    assert_well_formed(&[path]);
}

#[test]
fn a_chain_without_end_and_frames_without_number_are_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.html");
    let list = indicators("flagged.txt");
    let names: Vec<String> = (0..300).map(|number| format!("a{number}.example")).collect();
    let mut chain: Vec<(&str, Step)> =
        names.iter().map(|name| (name.as_str(), Step::Alias)).collect();
    chain[0].1 = Step::Asked;
    let mut one = client("10.0.0.1", Role::Initiator, 9, &chain);
    (one.asked_frame, one.answer_frame, one.rcode) = (FrameId::NONE, FrameId::NONE, None);
    one.hops = (0..50).map(|n| made::address(&format!("10.1.0.{n}"))).collect();
    let seen = attribution(indicator(&list, LIST[0]), LIST[0], vec![one]);
    let made = Made {
        list: &list,
        files: &["a.pcap", "b.pcap"],
        attributions: &[seen],
        assessments: &[],
        answers: &[],
        damage: &[],
    };
    write(&path, &made);
    let page = fs::read_to_string(&path).unwrap();
    assert!(page.contains("(285 more steps)") && page.contains("a299.example"));
    assert!(
        page.contains("not captured") && page.contains("no answer to the client is in the capture")
    );
    assert!(page.len() < 60_000, "{}", page.len());
    assert_well_formed(&[path]);
}

#[test]
fn the_report_is_written_even_if_nobody_reads_stdout() {
    let folder = tempfile::tempdir().unwrap();
    let whole = office(folder.path());
    for format in ["text", "jsonl"] {
        let path = folder.path().join(format);
        let mut run = program()
            .arg("read")
            .arg(project("captures/office.pcap"))
            .arg("--indicators")
            .arg(project("captures/flagged.txt"))
            .args(["--format", format, "--report"])
            .arg(&path)
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        drop(run.stdout.take());
        assert_eq!(run.wait().unwrap().code(), Some(1));
        assert!(fs::read_to_string(&path).unwrap() == whole, "{format}");
    }
}

#[test]
fn a_report_that_cannot_be_written_is_an_error_that_names_it_and_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let capture = folder.path().join("office.pcap");
    fs::copy(project("captures/office.pcap"), &capture).unwrap();
    let before = fs::read(&capture).unwrap();
    let nowhere = folder.path().join("no/such/folder/page.html");
    for path in [&capture, &nowhere, folder.path(), Path::new("-")] {
        let run: Run = program()
            .arg("read")
            .arg(&capture)
            .arg("--indicators")
            .arg(project("captures/flagged.txt"))
            .arg("--report")
            .arg(path)
            .output()
            .unwrap()
            .into();
        let said = run.faults();
        assert_eq!(run.code, Some(2), "{said}");
        assert!(said.contains("report") && said.lines().count() == 1, "{said}");
        assert!(path.as_os_str() == "-" || said.contains(path.to_str().unwrap()), "{said}");
        assert!(run.stdout.is_empty(), "said before anything is read");
    }
    assert_eq!(fs::read(&capture).unwrap(), before, "the capture is as it was");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");
}
