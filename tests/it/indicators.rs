//! Lists of indicators in every form, through the library and the program.

use std::fmt::Write;
use std::fs;

use whoasked::indicator::Indicators;
use whoasked::name::NameHasher;

use crate::support::{
    Run, bundle_in_one_line, bundled, files_below, project, read_jsonl, whoasked,
};

/// All that a list gives, an entry a line, and what was wrong with it.
fn told(name: &str) -> String {
    let list = fs::read(project("tests/data/indicators").join(name)).unwrap();
    let (indicators, warnings) = Indicators::read(name, list, NameHasher::random()).unwrap();
    let list = &indicators.lists()[0];
    let mut out = String::new();
    let reading = list.reading.as_ref().map_or(String::new(), |reading| format!(", {reading}"));
    writeln!(out, "{name}: {}{reading}", list.form).unwrap();
    let mut entries = |set: &Indicators, verb: &str| {
        for (_, entry) in set.iter() {
            write!(out, "{verb}{}: {}", entry.line, entry.value).unwrap();
            if let Some(description) = entry.description {
                write!(out, " ({description})").unwrap();
            }
            if let Some(confidence) = entry.confidence {
                write!(out, " {confidence} %").unwrap();
            }
            writeln!(out).unwrap();
        }
    };
    entries(&indicators, "");
    if let Some(allowed) = indicators.allowed() {
        entries(allowed, "allows ");
    }
    for warning in &warnings {
        writeln!(out, "{warning}").unwrap();
    }
    out
}

#[test]
fn each_form_gives_its_entries_and_says_what_it_skipped() {
    let mut all = String::new();
    for path in files_below(&project("tests/data/indicators")) {
        let name = path.file_name().unwrap().to_str().unwrap();
        if name != "README.md" {
            all.push_str(&told(name));
            all.push('\n');
        }
    }
    insta::assert_snapshot!(all);
}

#[test]
fn every_list_has_a_row_in_the_readme() {
    let readme = fs::read_to_string(project("tests/data/indicators/README.md")).unwrap();
    for path in files_below(&project("tests/data/indicators")) {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(name == "README.md" || readme.contains(&format!("| `{name}` |")), "{name}");
    }
}

#[test]
fn check_tells_what_is_understood_and_what_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let list = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let good = list("good.txt", "evil.com\nevil.com\n=one.example\n192.0.2.1\n");
    let doubtful = list("doubtful.txt", "evil.com\na..b\nco.uk\nakamaiedge.net\n8.8.8.8\n");
    let empty = list("empty.txt", "# nothing\n");
    let run = whoasked(["indicators", "check", &good]);
    assert_eq!(run.code, Some(0), "{run:?}");
    for part in
        ["a plain list, 4 lines", "lists 1 name and everything below it", "leaves out 1 duplicate"]
    {
        assert!(run.stdout.contains(part), "{}", run.stdout);
    }
    let run = whoasked(["indicators", "check", &good, &doubtful]);
    assert_eq!(run.code, Some(1));
    for part in [
        "it has an empty label (1 time): skipped\n    line 2: a..b",
        "line 3: co.uk: it is a public suffix",
        "line 4: akamaiedge.net: very many customers of Akamai",
        "line 5: 8.8.8.8: it is a public DNS resolver",
        "In total 7 indicators in 2 files.",
    ] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
    let run = whoasked(["indicators", "check", &empty, &good]);
    assert_eq!(run.code, Some(2));
    assert!(run.stdout.contains("no usable entry") && run.stdout.contains("good.txt"), "{run:?}");
}

#[test]
fn what_is_allowed_is_not_reported() {
    let folder = tempfile::tempdir().unwrap();
    let allow = folder.path().join("allow.txt");
    fs::write(&allow, "akamaiedge.net\n192.55.83.30\n").unwrap();
    let capture = project("captures/office.pcap");
    let flagged = project("captures/flagged.txt");
    let mut arguments =
        vec!["read".as_ref(), capture.as_os_str(), "-i".as_ref(), flagged.as_os_str()];
    arguments.extend(["--format", "jsonl"].map(std::ffi::OsStr::new));
    let before = whoasked(&arguments).json();
    arguments.extend(["--allow".as_ref(), allow.as_os_str()]);
    let after = whoasked(&arguments).json();
    let of = |lines: &[serde_json::Value], value: &str| {
        lines.iter().filter(|line| line["indicator"]["value"] == value).count()
    };
    for allowed in ["e13678.dspb.akamaiedge.net", "192.55.83.30"] {
        assert!(of(&before, allowed) > 0);
        assert_eq!(of(&after, allowed), 0);
    }
    assert_eq!(of(&before, "mi.kenal-cn.com"), of(&after, "mi.kenal-cn.com"));
    assert_eq!(before.last().unwrap()["allowed"], 0);
    assert!(after.last().unwrap()["allowed"].as_u64().unwrap() > 0);
}

#[test]
fn servers_that_everybody_asks_are_said_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("broad.txt");
    fs::write(&list, "com\n8.8.8.8\n192.55.83.30\n").unwrap();
    let capture = project("captures/alias-tail.pcap");
    let run = whoasked(["read".as_ref(), capture.as_os_str(), "-i".as_ref(), list.as_os_str()]);
    for entry in ["\"com\": it is a whole", "\"8.8.8.8\": it is a public", "m.gtld-servers.net"] {
        assert!(run.stderr.contains(entry), "{entry}: {}", run.stderr);
    }
}

#[test]
fn what_a_list_says_of_an_entry_is_in_the_output() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("feed.csv");
    fs::write(&list, "domain,malware,confidence\nmi.kenal-cn.com,AsyncRAT,75\n").unwrap();
    let capture = project("captures/office.pcap");
    let arguments = ["read".as_ref(), capture.as_os_str(), "-i".as_ref(), list.as_os_str()];
    let lines =
        whoasked(arguments.into_iter().chain(["--format", "jsonl"].map(std::ffi::OsStr::new)))
            .json();
    assert_eq!(lines[0]["indicator"]["description"], "AsyncRAT");
    assert_eq!(lines[0]["indicator"]["confidence"], 75);
    for (form, said) in [
        ("text", "feed.csv, line 2: AsyncRAT (75 %)"),
        ("ticket", "(flagged by feed.csv, line 2: AsyncRAT (75 %))"),
        ("csv", ",AsyncRAT,75"),
        ("zeek", "\tAsyncRAT\t75"),
        ("cef", "flexString1=AsyncRAT"),
        ("syslog", "description=\"AsyncRAT\" list_confidence=\"75\""),
    ] {
        let run =
            whoasked(arguments.into_iter().chain(["--format", form].map(std::ffi::OsStr::new)));
        assert!(run.stdout.contains(said), "{form}: {}", run.stdout);
    }
}

#[test]
fn no_two_sightings_have_the_same_id_also_of_a_list_that_is_one_line() {
    let ids = |run: &Run| -> Vec<String> {
        let of = run.json().into_iter().filter(|line| line["type"] == "attribution");
        of.map(|line| format!("{} {}", line["id"].as_str().unwrap(), line["state"])).collect()
    };
    let unique = |run: &Run| {
        let (all, mut unique) = (ids(run), ids(run));
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), all.len(), "{all:?}");
        all
    };
    for capture in bundled() {
        let all = unique(&read_jsonl(&[capture.path], &capture.indicators, 2));
        // An entry that is alone in its line is known by that.
        assert!(all.iter().all(|id| id.split_once('-').unwrap().1.matches('.').count() == 1));
    }
    let office = [project("captures/office.pcap")];
    let all = unique(&read_jsonl(&office, &bundle_in_one_line(), 2));
    assert!(
        all.iter().any(|id| id.contains("-l0.1 ")) && all.iter().any(|id| id.contains("-l0.1.2 "))
    );
}

#[test]
fn an_entry_is_known_by_its_line_and_where_several_are_by_which_of_them_it_is() {
    let places = |name: &str, list: &[u8]| -> Vec<String> {
        let hasher = NameHasher::random();
        let (indicators, _) = Indicators::read(name, list.to_vec(), hasher).unwrap();
        indicators.iter().map(|(id, _)| indicators.place_of(id).unwrap().to_string()).collect()
    };
    let hosts = b"0.0.0.0 a.example b.example\n\n0.0.0.0 c.example\n0.0.0.0 d.example e.example f.example\n";
    assert_eq!(places("hosts", hosts), ["l0.1", "l0.1.2", "l0.3", "l0.4", "l0.4.2", "l0.4.3"]);
    assert_eq!(places("b.json", bundle_in_one_line().as_bytes()), ["l0.1", "l0.1.2"]);
    // What is there twice has no place.
    assert_eq!(places("twice.txt", b"a.example\na.example\nb.example\n"), ["l0.1", "l0.3"]);
}
