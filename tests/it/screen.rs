//! The screen of `whoasked live`, in a real terminal: tmux plays that, and says what is on it. It needs what the
//! tests of `live` need, and tmux; without them it says `skipped`.

#![cfg(feature = "tui")]
#![allow(
    clippy::disallowed_methods,
    reason = "a test waits for other programs, with a clock and threads"
)]

use std::cell::Cell;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::live::{PATIENCE, Pair, folder, succeeds, wait_until};
use crate::support::project;

/// How long the end of a run may take.
const END: Duration = Duration::from_secs(2);
/// A terminal with a shell in it.
struct Terminal {
    server: String,
    /// How many programs were started in it: what one left must not pass for another's.
    round: Cell<u32>,
}

impl Terminal {
    /// Opens one of 80 columns and 24 lines; `None`, with a word about it, without tmux.
    fn open(letter: char) -> Option<Terminal> {
        if !succeeds("tmux", &["-V"]) {
            println!("skipped: no tmux");
            return None;
        }
        let server = format!("whoasked-{letter}{}", std::process::id());
        let terminal = Terminal { server, round: Cell::new(0) };
        let shell = "exec env PS1= TERM=screen TZ=UTC sh";
        assert!(terminal.tmux(&["new-session", "-d", "-x", "80", "-y", "24", shell]).is_some());
        Some(terminal)
    }

    /// Asks tmux for something.
    fn tmux(&self, arguments: &[&str]) -> Option<String> {
        let mut command = Command::new("tmux");
        command.args(["-u", "-f", "/dev/null", "-L", &self.server]).args(arguments);
        let output = command.stdin(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn keys(&self, keys: &[&str]) {
        assert!(self.tmux(&[&["send-keys"], keys].concat()).is_some());
    }

    fn types(&self, line: &str) {
        assert!(self.tmux(&["send-keys", "-l", line]).is_some());
        self.keys(&["Enter"]);
    }

    /// What is on it, with what has scrolled off.
    fn shows(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-J", "-S", "-200"]).unwrap()
    }

    /// Waits until all of these are on it, and says how long that took.
    fn wait_for(&self, words: &[&str]) -> Duration {
        let began = Instant::now();
        loop {
            let shown = self.shows();
            if words.iter().all(|word| shown.contains(word)) {
                return began.elapsed();
            }
            assert!(began.elapsed() < PATIENCE, "{words:?} did not come:\n{shown}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Starts the program. The shell says how it ended, in words that the command does not hold itself, and
    /// whether the terminal is as it was.
    fn start(&self, pair: &Pair, (before, arguments): (&str, &str)) {
        self.round.set(self.round.get() + 1);
        let program = env!("CARGO_BIN_EXE_whoasked");
        let list = project("captures/flagged.txt");
        let (list, mirror, round) = (list.display(), &pair.mirror, self.round.get());
        self.types(&format!(
            "clear; echo round {round}' 'begins; read -r _; stty -a >before; {before} '{program}' live -i {mirror} --indicators '{list}' {arguments}; \
             echo round {round}' 'ended with $?; stty -a >after; cmp before after && echo as it was in {round}."
        ));
        self.wait_for(&[&format!("round {round} begins")]);
        assert!(self.tmux(&["clear-history"]).is_some());
        // Its screen would hide that: it starts when that was seen.
        self.keys(&["Enter"]);
    }

    /// Starts it and waits for its screen.
    fn start_screen(&self, pair: &Pair, arguments: &str) {
        self.start(pair, ("", arguments));
        self.wait_for(&["q quit", "packets/s", &pair.mirror]);
        assert!(!self.shows().contains("listening"), "that is for lines");
    }

    /// The process of the program.
    fn program_id(&self) -> String {
        let shell = self.tmux(&["display-message", "-p", "#{pane_pid}"]).unwrap();
        let output = Command::new("ps").args(["-o", "pid=", "--ppid", shell.trim()]).output();
        String::from_utf8(output.unwrap().stdout).unwrap().trim().to_owned()
    }

    /// Waits until the program has ended, and looks at what it left.
    fn wait_for_end(&self, code: &str) -> String {
        let round = self.round.get();
        let ended = format!("round {round} ended with {code}");
        let took = self.wait_for(&[&ended, &format!("\nas it was in {round}.")]);
        assert!(took < END, "it took {took:?} to end");
        // The shell echoes what is typed, a line at a time.
        self.types(&format!("echo still' 'here in {round}"));
        self.wait_for(&[&format!("still' 'here in {round}"), &format!("still here in {round}")]);
        let shown = self.shows();
        assert!(!shown.contains("q quit"), "the screen is gone:\n{shown}");
        shown
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

/// A pair of interfaces, and a terminal in a folder of its own.
fn desk(letter: char) -> Option<(Pair, Terminal, tempfile::TempDir)> {
    let (pair, terminal) = (Pair::new(letter)?, Terminal::open(letter)?);
    let folder = folder();
    terminal.types(&format!("cd '{}'", folder.path().display()));
    Some((pair, terminal, folder))
}

#[test]
fn it_shows_who_is_behind_the_alert_and_q_ends_it() {
    let Some((pair, terminal, folder)) = desk('s') else { return };
    terminal.start_screen(&pair, "-o jsonl=answers.jsonl");
    pair.send(&project("captures/office.pcap"), 2_000);
    terminal.wait_for(&[
        "192.168.2.42 KEVIN-PC",
        "mi.kenal-cn.com",
        "itself",
        "via www.mi",
        "192.168.2.194 asked",
    ]);
    // One of them in full, with its chain of aliases.
    terminal.keys(&["/"]);
    terminal.keys(&["-l", "mia-pc"]);
    terminal.keys(&["Enter"]);
    terminal.keys(&["Enter"]);
    let detail =
        ["1 www.microsoft.com", "e13678.dspb.akamaiedge.NET (an alias)", "MIA-PC (by DHCP)"];
    terminal.wait_for(&detail);
    // Other sizes, and back.
    for (width, height, word) in
        [("30", "6", "too small"), ("120", "40", "so far"), ("80", "24", "q back")]
    {
        assert!(terminal.tmux(&["resize-window", "-x", width, "-y", height]).is_some());
        terminal.wait_for(&[word]);
    }
    // What is said meanwhile comes on the screen, and again at the end.
    assert!(succeeds("kill", &["-HUP", &terminal.program_id()]));
    terminal.wait_for(&["lists reloaded"]);
    // From the detail to the list, and from there out.
    terminal.keys(&["q"]);
    terminal.wait_for(&["q quit"]);
    terminal.keys(&["q"]);
    let shown = terminal.wait_for_end("1");
    assert!(
        shown.contains("In total: ") && shown.contains("192.168.2.42 (KEVIN-PC): mi.kenal-cn.com"),
        "{shown}"
    );
    assert!(shown.contains("lists reloaded"), "{shown}");
    // The other outputs went on.
    let answers = std::fs::read_to_string(folder.path().join("answers.jsonl")).unwrap();
    assert!(answers.contains("\"state\":\"final\""));
}

#[test]
fn the_terminal_is_given_back_however_it_ends() {
    let Some((pair, terminal, _folder)) = desk('t') else { return };
    for signal in ["TERM", "INT"] {
        terminal.start_screen(&pair, "");
        assert!(succeeds("kill", &[&format!("-{signal}"), &terminal.program_id()]));
        terminal.wait_for_end("0");
    }
    terminal.start_screen(&pair, "");
    terminal.keys(&["C-c"]);
    terminal.wait_for_end("0");
}

#[test]
fn stopped_it_leaves_the_terminal_and_comes_back_to_it() {
    let Some((pair, terminal, _folder)) = desk('z') else { return };
    terminal.types("set -m");
    terminal.start_screen(&pair, "");
    let program = terminal.program_id();
    terminal.keys(&["C-z"]);
    // The shell goes on with its line: the terminal is as it was.
    terminal.wait_for(&["\nas it was in 1."]);
    terminal.types("fg");
    terminal.wait_for(&["q quit"]);
    pair.send(&project("captures/office.pcap"), 2_000);
    terminal.wait_for(&["192.168.2.42 KEVIN-PC"]);
    terminal.keys(&["q"]);
    terminal.wait_for(&["In total: "]);
    // Its last words are there a moment before it has given its memory back.
    wait_until("it has ended", || !succeeds("kill", &["-0", &program]));
}

#[test]
fn lines_come_where_they_are_wanted() {
    let Some((pair, terminal, _folder)) = desk('n') else { return };
    for (before, arguments) in [("", "--no-tui"), ("", "-f jsonl"), ("TERM=dumb", "")] {
        terminal.start(&pair, (before, arguments));
        terminal.wait_for(&[": listening on"]);
        assert!(!terminal.shows().contains("q quit"), "{before} {arguments}");
        terminal.keys(&["C-c"]);
        terminal.wait_for(&["what is known follows"]);
        terminal.wait_for_end("0");
    }
}
