//! Files that grow: what is on the disk after a rotation, a kill, a full disk.

use super::*;

const NEVER: Rotation = Rotation { octets: None, every: None, keep: 2 };

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn a_line_that_a_killed_run_left_half_is_taken_off_and_whole_ones_stay() {
    let directory = tempfile::tempdir().unwrap();
    for (before, after) in [
        ("", "new\n"),
        ("one\n", "one\nnew\n"),
        ("one\ntwo\n{\"ha", "one\ntwo\nnew\n"),
        ("{\"half", "new\n"),
    ] {
        let path = directory.path().join("answers.jsonl");
        fs::write(&path, before).unwrap();
        let mut file = Growing::open(&path, NEVER, Heading::None).unwrap();
        assert!(matches!(file.write(b"new\n"), (4, None)));
        assert_eq!(text(&path), after);
    }
    let path = directory.path().join("long");
    fs::write(&path, vec![b'x'; 2 << 20]).unwrap();
    let mut file = Growing::open(&path, NEVER, Heading::None).unwrap();
    file.write(b"new\n");
    assert!(text(&path).ends_with("x\nnew\n") && text(&path).len() == (2 << 20) + 5);
}

#[test]
fn files_are_begun_anew_by_size_and_the_oldest_goes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("answers.csv");
    let rotation = Rotation { octets: Some(12), every: None, keep: 2 };
    let mut file = Growing::open(&path, rotation, Heading::First).unwrap();
    file.write(b"head\n");
    for line in ["aaaa\n", "bbbb\n", "cccc\n", "dddd\n"] {
        assert!(matches!(file.write(line.as_bytes()), (5, None)));
    }
    let at = |number: u32| file.numbered(number);
    assert_eq!(text(&path), "head\ndddd\n");
    assert_eq!(text(&at(1)), "head\ncccc\n");
    assert_eq!(text(&at(2)), "head\nbbbb\n");
    assert!(!at(3).exists());
    // A run that starts anew does not write a second heading.
    let mut file = Growing::open(&path, NEVER, Heading::First).unwrap();
    file.write(b"head\neeee\n");
    assert_eq!(text(&path), "head\ndddd\neeee\n");
}

#[test]
fn files_are_begun_anew_by_time_even_when_nothing_comes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("zeek.log");
    let rotation = Rotation { octets: None, every: Some(Duration::from_millis(50)), keep: 3 };
    let mut file = Growing::open(&path, rotation, Heading::Hashes).unwrap();
    file.write(b"#separator\n#fields\nold\n");
    std::thread::sleep(Duration::from_millis(80));
    file.tick().unwrap();
    file.write(b"new\n");
    assert_eq!(text(&file.numbered(1)), "#separator\n#fields\nold\n");
    assert_eq!(text(&path), "#separator\n#fields\nnew\n");
}

#[test]
fn a_file_that_was_moved_away_is_made_again_on_request() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("answers.jsonl");
    let moved = directory.path().join("moved");
    let mut file = Growing::open(&path, NEVER, Heading::None).unwrap();
    file.write(b"one\n");
    fs::rename(&path, &moved).unwrap();
    file.write(b"two\n");
    file.reopen();
    file.tick().unwrap();
    file.write(b"three\n");
    assert_eq!((text(&moved), text(&path)), ("one\ntwo\n".into(), "three\n".into()));
}

#[test]
fn a_file_that_somebody_else_empties_goes_on_from_its_beginning() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("answers.csv");
    let rotation = Rotation { octets: Some(12), ..NEVER };
    let mut file = Growing::open(&path, rotation, Heading::First).unwrap();
    file.write(b"head\none\n");
    OpenOptions::new().write(true).open(&path).unwrap().set_len(0).unwrap();
    assert!(matches!(file.write(b"two\n"), (4, None)));
    assert_eq!(text(&path), "head\ntwo\n");
    assert!(!file.numbered(1).exists(), "it was not full");
}

#[test]
fn a_full_disk_holds_whole_lines_and_goes_on_once_there_is_room() {
    use std::process::Command;
    let directory = tempfile::tempdir().unwrap();
    let disk = directory.path();
    let mount = |args: &[&str]| {
        Command::new("mount").args(args).arg(disk).status().is_ok_and(|s| s.success())
    };
    if !mount(&["-t", "tmpfs", "-o", "size=16k", "tmpfs"]) {
        println!("skipped: no tmpfs can be mounted here");
        return;
    }
    let path = disk.join("answers.jsonl");
    let ballast = disk.join("ballast");
    fs::write(&ballast, vec![0; 8 << 10]).unwrap();
    let mut file = Growing::open(&path, NEVER, Heading::None).unwrap();
    let mut wanted = Vec::new();
    for number in 0..300 {
        wanted.extend_from_slice(format!("{{\"a line of an answer\":{number}}}\n").as_bytes());
    }
    let (mut taken, failure) = file.write(&wanted);
    assert_eq!(failure.map(|error| error.kind()), Some(io::ErrorKind::StorageFull));
    assert!(taken > 1_000, "what fits is there: {taken}");
    assert_eq!(fs::read(&path).unwrap(), wanted[..taken], "whole lines");
    fs::remove_file(&ballast).unwrap();
    while taken < wanted.len() {
        let (more, failure) = file.write(&wanted[taken..]);
        assert!(failure.is_none(), "{failure:?}");
        taken += more;
    }
    let content = fs::read(&path).unwrap();
    drop(file);
    let unmounted = Command::new("umount").arg(disk).status();
    assert!(unmounted.is_ok_and(|status| status.success()));
    assert_eq!(content, wanted);
}

#[test]
fn a_pipe_without_a_reader_and_a_slow_reader_keep_nobody_waiting() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pipe");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let mut file = Growing::open(&path, NEVER, Heading::None).unwrap();
    assert!(matches!(file.write(b"one\n"), (0, Some(_))), "nobody reads");
    let mut reader =
        OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(&path).unwrap();
    let lines = b"a line\n".repeat(100_000);
    let (taken, failure) = file.write(&lines);
    assert_eq!(failure.unwrap().kind(), io::ErrorKind::WouldBlock);
    assert!(taken > 0 && taken < lines.len());
    let mut read = vec![0; 4096];
    let octets = reader.read(&mut read).unwrap();
    assert_eq!(read[..octets], lines[..octets]);
}

#[test]
fn each_reader_of_a_pipe_gets_the_heading_and_no_half_line() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pipe");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let reader = || {
        let flags = OFlag::O_NONBLOCK.bits();
        OpenOptions::new().read(true).custom_flags(flags).open(&path).unwrap()
    };
    let read = |reader: &mut File| {
        let mut octets = Vec::new();
        // Until there is no more for now.
        let _ = reader.read_to_end(&mut octets);
        String::from_utf8(octets).unwrap()
    };
    let mut first = reader();
    let mut file = Growing::open(&path, NEVER, Heading::First).unwrap();
    let mut lines = b"heading\n".to_vec();
    for number in 0..20_000 {
        lines.extend_from_slice(format!("line {number}\n").as_bytes());
    }
    let (taken, _) = file.write(&lines);
    assert!(taken < lines.len(), "a pipe holds less");
    // Most of the time that is within a line. If not, one octet more is.
    assert!(read(&mut first).starts_with("heading\nline 0\nline 1\n"));
    let cut = taken + usize::from(lines[taken - 1] == b'\n');
    let (more, _) = file.write(&lines[taken..cut]);
    assert_eq!(taken + more, cut);
    drop(first);
    assert!(matches!(file.write(&lines[cut..]), (0, Some(_))), "nobody reads");
    let mut second = reader();
    let mut at = cut;
    while at < lines.len() {
        let (taken, _) = file.write(&lines[at..]);
        let text = read(&mut second);
        if at == cut {
            let (_, behind) = text.split_once('\n').unwrap();
            let number: usize =
                behind.lines().next().unwrap().replace("line ", "").parse().unwrap();
            assert!(
                text.starts_with("heading\nline ") && (1..20_000).contains(&number),
                "{text:.40}"
            );
        }
        at += taken;
    }
}
