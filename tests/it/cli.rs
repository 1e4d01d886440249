//! The command line: exit codes, messages, pipes.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::ops::Deref;
use std::path::PathBuf;
use std::process::Stdio;

use crate::support::{Folder, Run, Taken, frames, pcap, program, whoasked};

/// A bundled capture with something flagged in it.
fn capture() -> (PathBuf, String) {
    let captures = crate::support::bundled();
    let found = captures.into_iter().find(|capture| capture.path.ends_with("alias-tail.pcap"));
    let found = found.expect("captures/alias-tail.pcap is there");
    (found.path, found.indicators)
}

/// A folder with that capture, a list of what is flagged in it, and one of what is not.
struct Bench {
    folder: Folder,
    frames: Vec<Taken>,
}

impl Bench {
    fn new() -> Bench {
        let folder = Folder::new();
        let (path, indicators) = capture();
        fs::copy(&path, folder.path("whole.pcap")).unwrap();
        folder.write("flagged.txt", indicators);
        folder.write("harmless.txt", b"nobody-asks-for-this.example\n");
        Bench { frames: frames(&path), folder }
    }
}

impl Deref for Bench {
    type Target = Folder;

    fn deref(&self) -> &Folder {
        &self.folder
    }
}

#[test]
fn the_exit_code_says_whether_something_was_flagged() {
    let bench = Bench::new();
    let flagged = bench.run("read whole.pcap --indicators flagged.txt --format jsonl");
    assert_eq!((flagged.code, flagged.stderr.as_str()), (Some(1), ""));
    assert!(flagged.json().iter().any(|line| line["verdict"] == "attributed"));
    let clean = bench.run("read whole.pcap --indicators harmless.txt --format jsonl");
    assert_eq!((clean.code, clean.stderr.as_str()), (Some(0), ""));
    let kinds: Vec<_> = clean.json().iter().map(|line| line["type"].clone()).collect();
    assert_eq!(kinds, ["coverage"]);
    let text = bench.run("read whole.pcap --indicators flagged.txt");
    assert_eq!(text.code, Some(1));
    assert!(!text.stdout.contains('\u{1b}'), "colour is for terminals");
    assert_eq!(bench.run("messages whole.pcap").code, Some(0));
}

#[test]
fn what_cannot_be_read_is_named() {
    let bench = Bench::new();
    bench.write("letter.txt", b"Dear Sir or Madam, this is no capture at all.\n");
    bench.write("nothing.pcap", b"");
    bench.fails("read missing.pcap -i flagged.txt", &["missing.pcap", "cannot open"]);
    let text = bench.fails("read letter.txt -i flagged.txt", &["letter.txt: not a packet capture"]);
    assert!(text.stderr.contains("looks like text") && !text.stderr.contains("44 65"), "{text:?}");
    bench.fails(
        "read flagged.txt -i whole.pcap",
        &["whole.pcap is a packet capture", "read CAPTURE"],
    );
    bench.fails("read nothing.pcap -i flagged.txt", &["nothing.pcap", "empty"]);
    bench.write("dc.etl", b"\0\0\x01\0 a trace of Windows, not to be read here");
    bench.fails("read dc.etl -i flagged.txt", &["dc.etl", "pktmon etl2pcap FILE.etl --out"]);
    bench.fails("messages missing.pcap", &["missing.pcap"]);
    bench.fails("read whole.pcap -i missing.txt", &["missing.txt"]);
}

#[test]
fn one_unusable_file_among_others_is_left_out() {
    let bench = Bench::new();
    let run = bench
        .fails("read whole.pcap missing.pcap -i flagged.txt --format jsonl", &["missing.pcap"]);
    assert!(run.json().iter().any(|line| line["verdict"] == "attributed"));
}

#[test]
fn what_a_directory_holds_and_is_not_read_is_said_in_the_answer() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("day")).unwrap();
    std::fs::copy(bench.path("whole.pcap"), bench.path("day/08.pcap")).unwrap();
    bench.write("day/09.pcap", b"");
    bench.write("day/10.pcap.xz", b"\xfd7zXZ\0");
    bench.write("day/notes.txt", b"nothing");
    let run = bench.run("read day -i flagged.txt --format jsonl");
    let lines = run.json();
    let left_out = lines.last().unwrap()["files_left_out"].to_string();
    assert!(left_out.contains("1 empty (09.pcap)"), "{left_out}");
    assert!(left_out.contains("10.pcap.xz") && !left_out.contains("notes.txt"), "{left_out}");
    assert!(bench.run("read day -i flagged.txt").stdout.contains("left out: 1 empty (09.pcap)"));
}

#[test]
fn bad_lists_are_refused_and_bad_lines_named() {
    let bench = Bench::new();
    bench.write("empty.txt", b"# nothing but a remark\n\n");
    bench.fails("read whole.pcap -i empty.txt", &["empty.txt"]);
    let (_, good) = capture();
    bench.write("mixed.txt", format!("{good}\n..bad..name..\n").as_bytes());
    let run = bench.run("read whole.pcap -i mixed.txt --format jsonl");
    assert_eq!(run.code, Some(1), "the good lines are used: {}", run.stderr);
    assert!(
        run.stderr.contains("mixed.txt") && run.stderr.contains("..bad..name.."),
        "{}",
        run.stderr
    );
}

#[test]
fn bad_usage_is_explained() {
    let bench = Bench::new();
    bench.fails(
        "read whole.pcap -i flagged.txt --resolver dc1",
        &["--resolver", "dc1", "10.0.0.10"],
    );
    bench.fails("read whole.pcap -i flagged.txt -r 10.0.0.1 -r 10.0.0.1", &["10.0.0.1", "twice"]);
    bench.fails("read whole.pcap -i flagged.txt --internal 10.0.0.0/99", &["10.0.0.0/99"]);
    bench.fails("read - -i -", &["stdin"]);
    for line in [
        "read --ticket 192.168.2.42 whole.pcap -i flagged.txt",
        "explain --ticket 192.168.2.42 mi.kenal-cn.com whole.pcap",
        "explain mi.kenal-cn.com whole.pcap --ticket 192.168.2.42",
    ] {
        bench.fails(line, &["capture 192.168.2.42 not found", "--ticket=192.168.2.42"]);
    }
    bench.fails("live -i lo --indicators flagged.txt -f ticket", &["'ticket'", "text, jsonl"]);
    let help = bench.run("--help").stdout;
    assert!(help.lines().any(|line| line.trim_start().starts_with("man ")), "{help}");
    bench.fails("read whole.pcap", &["--indicators"]);
    bench.fails("read -i flagged.txt", &["no capture"]);
    bench.fails("read -i flagged.txt whole.pcap", &["name the captures first"]);
    bench.fails("read whole.pcap -i flagged.txt --workers 0", &["--workers"]);
    bench.fails("read whole.pcap -i flagged.txt --filter nonsense", &["nonsense"]);
    bench.fails("", &["Usage"]);
}

#[test]
fn help_shows_examples_and_exit_codes() {
    for command in ["read", "messages"] {
        let run = whoasked([command, "--help"]);
        assert_eq!(run.code, Some(0));
        for word in ["Examples:", "whoasked ", "Exit status:"] {
            assert!(run.stdout.contains(word), "{command}: {word}");
        }
    }
    assert!(whoasked(["--version"]).stdout.contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn stdin_is_read_like_a_file() {
    let bench = Bench::new();
    let from_file = bench.run("messages whole.pcap");
    let mut child = program()
        .args(["messages", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let content = fs::read(bench.path("whole.pcap")).unwrap();
    child.stdin.take().unwrap().write_all(&content).unwrap();
    let run: Run = child.wait_with_output().unwrap().into();
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    assert_eq!(run.stdout, from_file.stdout);
}

#[test]
fn compressed_captures_say_the_same() {
    let bench = Bench::new();
    let content = fs::read(bench.path("whole.pcap")).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&content).unwrap();
    bench.write("a.pcap.gz", gzip.finish().unwrap());
    bench.write("a.pcap.zst", zstd::encode_all(&content[..], 1).unwrap());
    let plain = bench.run("messages whole.pcap").stdout;
    assert!(!plain.is_empty());
    for name in ["a.pcap.gz", "a.pcap.zst"] {
        assert_eq!(bench.run(&format!("messages {name}")).stdout, plain, "{name}");
    }
}

#[test]
fn frames_of_several_files_say_which_file() {
    let bench = Bench::new();
    let middle = bench.frames.len() / 2;
    bench.write("one.pcap", pcap(&bench.frames[..middle]));
    bench.write("two.pcap", pcap(&bench.frames[middle..]));
    let run = bench.run("messages one.pcap two.pcap");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let files: Vec<_> = run.json().iter().map(|line| line["file"].clone()).collect();
    assert!(files.iter().any(|file| file == "one.pcap"));
    assert!(files.iter().any(|file| file == "two.pcap"));
    assert!(bench.run("messages one.pcap").json().iter().all(|line| line["file"].is_null()));
}

#[test]
fn all_before_a_cut_is_used() {
    let bench = Bench::new();
    let (cut_at, kept) = (bench.frames.len() - 1, bench.frames.len() - 2);
    let mut content = pcap(&bench.frames[..cut_at]);
    content.truncate(content.len() - 3);
    bench.write("cut.pcap", &content);
    bench.write("kept.pcap", pcap(&bench.frames[..kept]));
    let frame = format!("frame {cut_at}");
    let expected = bench.run("messages kept.pcap").stdout;
    assert_eq!(bench.fails("messages cut.pcap", &["cut.pcap", &frame]).stdout, expected);
    let run = bench.fails("read cut.pcap -i flagged.txt --format jsonl", &["cut.pcap", &frame]);
    let lines = run.json();
    let whole = bench.run("read kept.pcap -i flagged.txt --format jsonl").json();
    assert_eq!(lines.len(), whole.len());
    let coverage = lines.last().unwrap();
    assert_eq!(coverage["frames"], kept as u64);
    assert!(coverage["damage"][0].as_str().unwrap().contains("cut.pcap"));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let bench = Bench::new();
    // More than a pipe holds: it is written to after its reader has gone.
    let many: Vec<Taken> = std::iter::repeat_n(&bench.frames, 200).flatten().cloned().collect();
    let path = bench.write("long.pcap", pcap(&many));
    for arguments in [
        vec!["messages".as_ref(), path.as_os_str()],
        vec![
            "read".as_ref(),
            path.as_os_str(),
            "--format".as_ref(),
            "jsonl".as_ref(),
            "--indicators".as_ref(),
            bench.path("flagged.txt").as_os_str(),
        ],
    ] {
        let mut child = program()
            .args(&arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        assert!(first.starts_with('{'));
        let run: Run = child.wait_with_output().unwrap().into();
        assert_eq!(run.stderr, "", "{arguments:?}");
        assert!(matches!(run.code, Some(0 | 1)), "{run:?}");
    }
}
