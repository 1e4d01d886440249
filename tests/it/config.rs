//! Flags from a file, completions and manual pages.

use std::fs;
use std::process::{Command, Stdio};

use crate::support::{Run, files_below, program, project, whoasked};

/// Runs a line in the bundled captures' directory, with a configuration.
fn run(config: &str, line: &str) -> Run {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("office.toml");
    fs::write(&path, config).unwrap();
    let mut command = program();
    command.current_dir(project("captures")).args(line.split_whitespace());
    command.arg("--config").arg(&path).output().unwrap().into()
}

fn read(list: &str, more: &[&str]) -> Run {
    let mut command = program();
    command.current_dir(project("captures")).args(["read", "office.pcap", "-i", list]);
    command.args(more).output().unwrap().into()
}

#[test]
fn flags_may_stand_in_a_file() {
    let config = "indicators = \"flagged.txt\"\nworkers = 1\n\n[read]\nformat = \"jsonl\"\n";
    let from_file = run(config, "read office.pcap");
    assert_eq!((from_file.code, from_file.faults().as_str()), (Some(1), ""));
    assert_eq!(from_file.stdout, read("flagged.txt", &["--format", "jsonl"]).stdout);
    let messages = run(config, "messages office.pcap");
    assert_eq!(messages.code, Some(0), "what is for others is left aside: {}", messages.stderr);
}

#[test]
fn the_command_line_comes_before_the_file_and_a_table_before_the_top() {
    let config = "format = \"text\"\nindicators = [\"flagged.txt\"]\n[read]\nformat = \"csv\"\n";
    let csv = read("flagged.txt", &["--format", "csv"]).stdout;
    assert_eq!(run(config, "read office.pcap").stdout, csv);
    let jsonl = read("flagged.txt", &["--format", "jsonl"]).stdout;
    assert_eq!(run(config, "read office.pcap --format jsonl").stdout, jsonl);
    let other = read("harmless.indicators.txt", &["--format", "csv"]);
    let lists = run(config, "read office.pcap -i harmless.indicators.txt");
    assert_eq!((lists.stdout, lists.code), (other.stdout, other.code), "lists are not mixed");
    let ticket = run(config, "read office.pcap --ticket=192.168.2.42");
    assert!(ticket.stdout.starts_with("Client 192.168.2.42"), "{}", ticket.stderr);
}

#[test]
fn what_is_wrong_in_the_file_is_named_with_its_line() {
    for (config, words) in [
        (
            "# flags\n\nformats = \"csv\"\n",
            vec!["office.toml, line 3", "`formats` is not an option"],
        ),
        (
            "[read]\nworker = 2\n",
            vec!["office.toml, line 2", "`worker` is not an option of `read`"],
        ),
        ("[raed]\nworkers = 2\n", vec!["office.toml, line 1", "[raed] is not a subcommand"]),
        ("workers = \"two\"\n", vec!["office.toml, line 1", "--workers", "two"]),
        ("\nformat = \"xml\"\n", vec!["office.toml, line 2", "--format", "xml"]),
        ("workers = [1, 2]\n", vec!["office.toml, line 1", "one value, not array"]),
        ("no-progress = 1\n", vec!["office.toml, line 1", "true or false, not integer"]),
        ("indicators = [true]\n", vec!["office.toml, line 1", "list of strings, not of boolean"]),
        ("indicators = [\n\"a\"\n", vec!["office.toml, line"]),
        ("config = \"other.toml\"\n", vec!["office.toml, line 1", "`config` is not an option"]),
    ] {
        let run = run(config, "read office.pcap -i flagged.txt");
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{config:?}: {run:?}");
        for word in words {
            assert!(run.stderr.contains(word), "{config:?}: {word:?} is not in {:?}", run.stderr);
        }
    }
    let missing = whoasked(["messages", "x.pcap", "--config", "no-such.toml"]);
    assert_eq!(missing.code, Some(2));
    assert!(missing.stderr.contains("cannot read no-such.toml"), "{}", missing.stderr);
}

#[test]
fn the_documented_example_is_taken() {
    let example = fs::read_to_string(project("docs/whoasked.toml")).unwrap();
    // What is shown as a remark is a flag too.
    let shown: String = example
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest)
                if rest.split(" = ").next().is_some_and(|key| !key.contains(' '))
                    && rest.contains(" = ") =>
            {
                format!("{rest}\n")
            }
            _ => format!("{line}\n"),
        })
        .collect();
    assert!(shown.lines().filter(|line| line.contains(" = ")).count() > 8, "{shown}");
    for config in [&example, &shown] {
        let run = run(config, "messages no-such.pcap");
        assert!(run.stderr.contains("no-such.pcap"), "the file is at fault alone: {}", run.stderr);
    }
    let mut command = program();
    command.current_dir(project("")).args(["read", "captures/office.pcap"]);
    let run: Run = command.args(["--config", "docs/whoasked.toml"]).output().unwrap().into();
    assert_eq!((run.code, run.faults().as_str()), (Some(1), ""), "it works as it stands");
    // Every flag of `read` is shown, but for what is of one capture.
    let help = whoasked(["read", "--help"]).stdout;
    for word in help.split_whitespace().filter_map(|word| word.strip_prefix("--")) {
        let flag = word.split(['[', '=', '`', ',', '.', ')']).next().unwrap();
        if !["help", "version", "config", "time-shift", ""].contains(&flag) {
            assert!(shown.lines().any(|line| line.starts_with(&format!("{flag} = "))), "{flag}");
        }
    }
}

#[test]
fn shells_take_the_completions() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = whoasked(["completions", shell]);
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{shell}");
        assert!(run.stdout.contains("evidence") && run.stdout.contains("read"), "{shell}");
    }
    let script = whoasked(["completions", "bash"]).stdout;
    let mut bash = match Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn() {
        Ok(bash) => bash,
        Err(error) => return println!("skipped: no bash ({error})"),
    };
    std::io::Write::write_all(&mut bash.stdin.take().unwrap(), script.as_bytes()).unwrap();
    assert!(bash.wait().unwrap().success(), "bash reads it");
}

#[test]
fn every_subcommand_has_a_manual_page() {
    let directory = tempfile::tempdir().unwrap();
    let run = whoasked(["man".as_ref(), directory.path().as_os_str()]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    let pages = files_below(directory.path());
    let names: Vec<_> =
        pages.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    for name in ["whoasked.1", "whoasked-read.1", "whoasked-messages.1", "whoasked-completions.1"] {
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
    let page = fs::read_to_string(directory.path().join("whoasked-read.1")).unwrap();
    for part in ["\\-\\-evidence", ".SH EXAMPLES", ".SH \"EXIT STATUS\"", "whoasked\\-read"] {
        assert!(page.contains(part), "{part}");
    }
    // The head has a date, and that of the release: whenever it is built, a page is the same.
    let head = concat!(r#"whoasked\-read 1 2026\-12\-01 "whoasked "#, env!("CARGO_PKG_VERSION"));
    assert!(page.replace("\\-", "-").contains(&head.replace("\\-", "-")), "{page}");
    let first = fs::read_to_string(directory.path().join("whoasked.1")).unwrap();
    assert_eq!(whoasked(["man"]).stdout, first);
    let Ok(groff) =
        Command::new("groff").args(["-man", "-Tascii", "-ww", "-z"]).args(&pages).output()
    else {
        return println!("skipped: no groff");
    };
    assert!(
        groff.status.success() && groff.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&groff.stderr)
    );
}
