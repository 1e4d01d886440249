//! How right the answers to alerts are, on labelled captures of real resolver software and on the bundled ones.
//!
//! From the truth beside a capture alerts are made as a firewall raises them: one for a flagged query or answer, which blames the
//! DNS server, by a clock that may be off. The program is told nothing but these and the capture. Who is named is held
//! against who caused that very query; the thresholds are those that the project promises. The labelled captures are optional.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use serde_json::Value;
use whoasked::time::{Span, Timestamp, Zone};

use crate::support::{Taken, files_below, frames, pcap, program, project, read_truth, shared};

/// How many alerts are made of one capture; of more rows, so many at even steps.
const ALERTS_MAX: usize = 100;
/// From here on somebody is told to be it.
const SURE: f64 = 0.95;
/// What happens so close together, an alert's time does not tell apart.
const AT_ONCE: Span = Span::from_secs(2);

/// How a firewall's log shows the time of an alert.
#[derive(Clone, Copy, Debug)]
enum Shown {
    /// To the nanosecond.
    Exactly,
    /// Cut to whole seconds.
    Seconds,
    /// Cut to whole minutes, without seconds.
    Minutes,
    /// To whole seconds by the clocks of a zone, which it does not name;
    Unnamed(&'static str),
    /// and by how far that is from UTC, if it does.
    Named(&'static str),
}

/// A firewall, by its clock.
struct Firewall {
    name: &'static str,
    /// What its clock shows too much, in seconds, of every first and every second alert;
    off_s: [i64; 2],
    /// these are of two devices, and the log says of which.
    says_device: bool,
    shown: Shown,
    /// It says everything twice, the second time a second later.
    is_twice: bool,
}

const fn off(name: &'static str, off_s: i64, shown: Shown) -> Firewall {
    Firewall { name, off_s: [off_s, off_s], says_device: false, shown, is_twice: false }
}

const THREE_DAYS: i64 = 3 * 86_400;

const FIREWALLS: &[Firewall] = &[
    off("right", 0, Shown::Exactly),
    off("seconds", 0, Shown::Seconds),
    off("minutes", 0, Shown::Minutes),
    Firewall { is_twice: true, ..off("twice", 0, Shown::Seconds) },
    off("zone-named", 0, Shown::Named("+02:00")),
    off("zone-unnamed", 0, Shown::Unnamed("+02:00")),
    off("off-3", -3, Shown::Seconds),
    off("off+3", 3, Shown::Seconds),
    off("off-20", -20, Shown::Seconds),
    off("off+40", 40, Shown::Seconds),
    off("off+120", 120, Shown::Seconds),
    off("off-20-minutes", -20, Shown::Minutes),
    Firewall { off_s: [0, 40], says_device: true, ..off("two-named", 0, Shown::Seconds) },
    Firewall { off_s: [0, 40], ..off("two-unnamed", 0, Shown::Seconds) },
    off("days-away", THREE_DAYS, Shown::Seconds),
];

/// A flagged query of the truth, and the alert that a firewall raises of it.
#[derive(Debug)]
struct Row {
    time: Timestamp,
    host: String,
    destination: String,
    indicator: String,
    /// Who caused it.
    causes: BTreeSet<String>,
    /// Who may be named as well: they had a part in it, or the truth does not exclude it.
    neutral: BTreeSet<String>,
    /// Who asked for what leads there about then: a log of whole seconds does not tell them apart.
    at_once: BTreeSet<String>,
    is_in_capture: bool,
}

/// A capture with its truth.
struct Case {
    group: String,
    path: PathBuf,
    rows: Vec<Row>,
    /// Who asked for what leads to an indicator, at whatever time.
    pairs: BTreeSet<(String, String)>,
}

fn texts(value: &Value) -> BTreeSet<String> {
    let all = value.as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn seconds(value: &Value) -> Option<Timestamp> {
    value.as_f64().map(|seconds| Timestamp((seconds * 1e9) as i64))
}

impl Row {
    /// The alert of a flagged query. Firewalls show the name that was asked for, or the entry of their list: this one
    /// does so in turn.
    fn new(row: &Value, place: usize, resolvers: &BTreeSet<String>) -> Row {
        let indicator = texts(&row["indicators"]).into_iter().next().unwrap();
        let by_query = texts(&row["match"]).iter().any(|m| m == "qname" || m == "dst-ip");
        let is_name = texts(&row["match"]).contains("qname");
        let qname = row["qname"].as_str().unwrap();
        let destination = if is_name && place.is_multiple_of(2) { qname } else { &indicator };
        let asked = seconds(&row["time"]).unwrap();
        let causes = texts(&row["causes"]);
        let neutral = ["also_possible", "joined", "cache_served"].map(|key| texts(&row[key]));
        let neutral = neutral.into_iter().flatten().chain(resolvers.iter().cloned());
        Row {
            time: if by_query { asked } else { seconds(&row["resp_time"]).unwrap_or(asked) },
            host: row["dc"].as_str().unwrap().to_owned(),
            destination: destination.to_owned(),
            neutral: neutral.filter(|client| !causes.contains(client)).collect(),
            at_once: BTreeSet::new(),
            indicator,
            causes,
            is_in_capture: row["in_capture"] != false,
        }
    }
}

impl Case {
    /// Of a capture with its truth beside it, if that has rows.
    fn new(group: String, path: PathBuf) -> Option<Case> {
        let truth = read_truth(&path)?;
        let mut case = Case { group, path, rows: Vec::new(), pairs: BTreeSet::new() };
        case.add(&truth, Span(0));
        (!case.rows.is_empty()).then_some(case)
    }

    /// Adds what a truth says, so much later.
    fn add(&mut self, truth: &Value, later: Span) {
        let resolvers: BTreeSet<String> =
            truth["dc"].as_array().unwrap().iter().flat_map(texts).collect();
        let flagged = truth["upstream_rows"].as_array().unwrap().iter();
        let decided: Vec<&Value> = flagged.filter(|row| row["ambiguous"] != true).collect();
        let step = decided.len().div_ceil(ALERTS_MAX).max(1);
        for (place, row) in decided.into_iter().step_by(step).enumerate() {
            let mut row = Row::new(row, place, &resolvers);
            row.at_once = at_once(&truth["planted"], &row);
            row.time = row.time + later;
            self.rows.push(row);
        }
        self.pairs.extend(truth["pairs"].as_array().unwrap().iter().map(|pair| {
            let text = |key: &str| pair[key].as_str().unwrap().to_owned();
            (text("client"), text("indicator"))
        }));
    }
}

/// The clients whose questions led to a row's indicator, and were open within a moment of it.
fn at_once(planted: &Value, row: &Row) -> BTreeSet<String> {
    let about = |ask: &&Value| {
        let from = seconds(&ask["time"]).unwrap();
        let to = seconds(&ask["answered"]).unwrap_or(from);
        let reaches = ask["reaches"].as_array().unwrap().iter();
        (from - AT_ONCE..=to + AT_ONCE).contains(&row.time)
            && reaches.into_iter().any(|reached| reached["indicator"] == row.indicator.as_str())
    };
    let asks = planted.as_array().unwrap().iter().filter(about);
    asks.map(|ask| ask["client"].as_str().unwrap().to_owned()).collect()
}

impl Firewall {
    fn device(&self, place: usize) -> usize {
        place % 2
    }

    /// A time as its log has it.
    fn written(&self, time: Timestamp, place: usize) -> String {
        let time = time + Span::from_secs(self.off_s[self.device(place)]);
        let (zone, said) = match self.shown {
            Shown::Exactly => return time.to_string(),
            Shown::Seconds | Shown::Minutes => ("UTC", "Z"),
            Shown::Unnamed(zone) => (zone, ""),
            Shown::Named(zone) => (zone, zone),
        };
        let civil = Zone::parse(zone).unwrap().civil(time).unwrap();
        let clock = match self.shown {
            Shown::Minutes => &civil.clock[..5],
            _ => &civil.clock[..],
        };
        format!("{} {clock}{said}", civil.date)
    }

    /// Its log, and which row each line is of.
    fn log(&self, rows: &[Row]) -> (String, Vec<usize>) {
        let (mut log, mut lines) = ("time,host,destination,devname\n".to_owned(), Vec::new());
        for (place, row) in rows.iter().enumerate() {
            let device = if self.says_device { ["fw1", "fw2"][self.device(place)] } else { "" };
            for later in 0..if self.is_twice { 2 } else { 1 } {
                let time = self.written(row.time + Span::from_secs(later), place);
                writeln!(log, "{time},{},{},{device}", row.host, row.destination).unwrap();
                lines.push(place);
            }
        }
        (log, lines)
    }
}

/// What is counted of a firewall's alerts.
#[derive(Clone, Copy, Debug)]
enum Count {
    Alerts,
    /// Clients named who caused it, at 0.95 or more, and less surely.
    Right,
    RightUnsure,
    /// Who asked for it about then: a log of whole seconds does not tell them from who caused it.
    AtOnce,
    AtOnceUnsure,
    /// Who asked for it at another time.
    Other,
    OtherUnsure,
    /// Who never asked for it.
    Innocent,
    InnocentUnsure,
    /// Who caused it and is not named.
    Missing,
    Undetermined,
    Unanswered,
}

const COLUMNS: [&str; 12] = [
    "alerts", "right", "<0.95", "at-once", "<0.95", "other", "<0.95", "innocent", "<0.95",
    "missing", "undet", "unansw",
];

#[derive(Clone, Copy, Debug, Default)]
struct Score([u64; COLUMNS.len()]);

impl Score {
    fn add(&mut self, other: &Score) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, count)| *sum += count);
    }

    fn note(&mut self, what: Count) {
        self.0[what as usize] += 1;
    }

    fn print(&self, name: &str) {
        let counts: String = self.0.iter().map(|count| format!("{count:9}")).collect();
        println!("{name:28}{counts}");
    }
}

/// What the program says of one alert.
#[derive(Debug, Default)]
struct Said {
    verdict: String,
    clients: Vec<(String, f64, String)>,
    notes: String,
}

/// What was found on one capture: the scores by firewall, and what is to be told of it.
struct Found {
    group: String,
    scores: Vec<Score>,
    faults: Vec<String>,
}

fn judge(case: &Case, firewalls: &[Firewall], options: &[&str]) -> Found {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program();
    command.arg("explain");
    let mut lines = BTreeMap::new();
    for firewall in firewalls {
        let (log, of) = firewall.log(&case.rows);
        let path = folder.path().join(format!("{}.csv", firewall.name));
        fs::write(&path, log).unwrap();
        command.arg("--alerts").arg(path);
        lines.insert(format!("{}.csv", firewall.name), of);
    }
    let output = command.args(["-f", "answers"]).args(options).arg(&case.path).output().unwrap();
    assert!(
        matches!(output.status.code(), Some(0 | 1)),
        "{}: {}",
        case.path.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    let mut said: BTreeMap<(String, usize), Said> = BTreeMap::new();
    let mut reader = csv::Reader::from_reader(&output.stdout[..]);
    let columns = reader.headers().unwrap().clone();
    for row in reader.records() {
        let row = row.unwrap();
        let cell = |name: &str| &row[columns.iter().position(|column| column == name).unwrap()];
        let file = Path::new(cell("file")).file_name().unwrap().to_str().unwrap().to_owned();
        let line: usize = cell("line").parse().unwrap();
        let one = said.entry((file, line - 2)).or_default();
        one.verdict = cell("verdict").to_owned();
        one.notes = cell("notes").to_owned();
        if !cell("client").is_empty() {
            let confidence = cell("confidence").parse().unwrap();
            one.clients.push((cell("client").to_owned(), confidence, cell("role").to_owned()));
        }
    }
    let mut found = Found { group: case.group.clone(), scores: Vec::new(), faults: Vec::new() };
    for firewall in firewalls {
        let file = format!("{}.csv", firewall.name);
        let mut score = Score::default();
        for (line, place) in lines[&file].iter().enumerate() {
            let row = &case.rows[*place];
            let one = &said[&(file.clone(), line)];
            if let Some(fault) = score.count(row, one, &case.pairs) {
                let what = format!("{} {} line {}", case.path.display(), firewall.name, line + 2);
                found.faults.push(format!("{what}: {fault}"));
            }
        }
        found.scores.push(score);
    }
    found
}

impl Score {
    /// Counts what is said of an alert, and tells whom it names wrongly.
    fn count(
        &mut self,
        row: &Row,
        said: &Said,
        pairs: &BTreeSet<(String, String)>,
    ) -> Option<String> {
        self.note(Count::Alerts);
        match said.verdict.as_str() {
            "undetermined" => self.note(Count::Undetermined),
            "not-answered" | "not-captured" | "other-times" => self.note(Count::Unanswered),
            _ => {}
        }
        let mut wrong = Vec::new();
        for (client, confidence, role) in &said.clients {
            let asked = pairs.contains(&(client.clone(), row.indicator.clone()));
            let (sure, unsure) = if row.causes.contains(client) {
                (Count::Right, Count::RightUnsure)
            } else if row.neutral.contains(client) || role == "cached" && asked {
                // That it asked is all that is said of who was answered from the cache.
                continue;
            } else if row.at_once.contains(client) {
                (Count::AtOnce, Count::AtOnceUnsure)
            } else if asked {
                (Count::Other, Count::OtherUnsure)
            } else {
                (Count::Innocent, Count::InnocentUnsure)
            };
            let counted = if *confidence < SURE { unsure } else { sure };
            self.note(counted);
            if matches!(
                counted,
                Count::Other
                    | Count::Innocent
                    | Count::OtherUnsure
                    | Count::InnocentUnsure
                    | Count::AtOnce
            ) {
                wrong.push(format!("{counted:?} {client} {role} {confidence}"));
            }
        }
        for cause in &row.causes {
            if !said.clients.iter().any(|(client, ..)| client == cause) {
                self.note(Count::Missing);
            }
        }
        (!wrong.is_empty()).then(|| {
            let lost = if row.is_in_capture { "" } else { " (not in the capture)" };
            format!(
                "{} at {}{lost} of {:?} names {wrong:?} ({})",
                row.destination, row.time, row.causes, said.notes
            )
        })
    }
}

/// Judges cases on as many threads as there are processors, in their order.
fn judge_all(cases: &[Case]) -> Vec<Found> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let next = Mutex::new(0);
    let found = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let mut next = next.lock().unwrap();
                    let place = *next;
                    *next += 1;
                    drop(next);
                    let Some(case) = cases.get(place) else { return };
                    let judged = judge(case, FIREWALLS, &[]);
                    found.lock().unwrap().insert(place, judged);
                }
            });
        }
    });
    found.into_inner().unwrap().into_values().collect()
}

/// What must hold of the alerts of a firewall.
#[derive(Clone, Copy)]
struct Promise {
    /// So many of those named at 0.95 or more may be wrong, of 1,000.
    wrong_sure_permille: u64,
    /// Somebody may be named less surely who asked at another time.
    guesses: bool,
    /// So many of those who caused it are named at least, of 1,000.
    named_permille: u64,
    /// And so many of these at 0.95 or more.
    sure_permille: u64,
}

impl Score {
    /// Says what is promised, and does not hold. Who never asked for what is flagged is never named.
    fn judge(&self, name: &str, promise: Promise) -> Vec<String> {
        let of = |what: Count| self.0[what as usize];
        let sure = of(Count::Right) + of(Count::AtOnce) + of(Count::Other);
        let right = of(Count::Right) + of(Count::RightUnsure);
        let innocent = of(Count::Innocent) + of(Count::InnocentUnsure);
        let share = |part: u64, whole: u64| (part * 1_000).checked_div(whole).unwrap_or(1_000);
        let mut short = Vec::new();
        let mut hold = |holds: bool, what: String| {
            if !holds {
                short.push(format!("{name}: {what}"));
            }
        };
        hold(innocent == 0, format!("{innocent} named who never asked"));
        let wrong = of(Count::Other) + of(Count::AtOnce);
        hold(
            wrong * 1_000 <= sure * promise.wrong_sure_permille,
            format!("{wrong} of {sure} named at {SURE} or more did not raise it"),
        );
        let guessed = of(Count::OtherUnsure);
        hold(promise.guesses || guessed == 0, format!("{guessed} named of another time"));
        let named = share(right, right + of(Count::Missing));
        hold(named >= promise.named_permille, format!("only {named} of 1,000 are named"));
        let sure = share(of(Count::Right), right);
        hold(sure >= promise.sure_permille, format!("only {sure} of 1,000 surely"));
        short
    }
}

/// What is promised of a firewall's alerts on captures without damage: nobody is sure who did not raise the alert, and where the
/// clock is right nobody else is named at all. By a clock that is off too much nobody need be named.
fn promised(firewall: &Firewall) -> Promise {
    let (guesses, named_permille, sure_permille) = match firewall.name {
        "right" | "seconds" | "zone-named" => (false, 998, 500),
        "twice" => (true, 998, 450),
        "minutes" => (true, 998, 400),
        "off-3" | "off+3" => (true, 970, 500),
        "zone-unnamed" | "off+120" | "days-away" => (true, 0, 0),
        _ => (true, 940, 0),
    };
    Promise { wrong_sure_permille: 0, guesses, named_permille, sure_permille }
}

/// And where packets are lost: the lookup that raised an alert may be missing, and another be there.
fn promised_of_damaged(firewall: &Firewall) -> Promise {
    let Promise { named_permille, sure_permille, .. } = promised(firewall);
    Promise {
        wrong_sure_permille: 5,
        guesses: true,
        named_permille: named_permille.min(950),
        sure_permille: sure_permille / 2,
    }
}

/// Prints what was found: by firewall, and by scenario of the clock that is right.
fn table(found: &[Found]) -> Vec<Score> {
    let heading: String = COLUMNS.iter().map(|column| format!("{column:>9}")).collect();
    println!("\n{:28}{heading}", "");
    let sum = |of: &dyn Fn(&&Found) -> bool, place: usize| {
        let mut score = Score::default();
        found.iter().filter(of).for_each(|one| score.add(&one.scores[place]));
        score
    };
    let groups: BTreeSet<&str> = found.iter().map(|one| one.group.as_str()).collect();
    for group in groups.iter().filter(|_| groups.len() > 1) {
        sum(&|one| one.group == *group, 0).print(group);
    }
    let sums: Vec<Score> = (0..FIREWALLS.len()).map(|place| sum(&|_| true, place)).collect();
    for (firewall, score) in FIREWALLS.iter().zip(&sums) {
        score.print(firewall.name);
    }
    sums
}

/// Judges cases, and holds what is promised against it.
fn hold(cases: &[Case], promise: fn(&Firewall) -> Promise) -> Vec<String> {
    let found = judge_all(cases);
    for fault in found.iter().flat_map(|one| &one.faults) {
        println!("{fault}");
    }
    let sums = table(&found);
    let each = FIREWALLS.iter().zip(&sums);
    each.flat_map(|(firewall, score)| score.judge(firewall.name, promise(firewall))).collect()
}

#[test]
fn alerts_on_labelled_captures_are_answered_as_promised() {
    let Some(root) = shared("lab-captures") else { return };
    let captures = files_below(&root).into_iter().filter(|path| path.ends_with("capture.pcap.zst"));
    let cases = captures.filter_map(|path| {
        let run = path.parent()?.file_name()?.to_str()?.to_owned();
        let of_name = if run.starts_with("s08") { 2 } else { 1 };
        let group: Vec<&str> = run.split('-').take(of_name).collect();
        Case::new(group.join("-"), path)
    });
    let (damaged, whole): (Vec<Case>, Vec<Case>) =
        cases.partition(|case| case.group.starts_with("s08"));
    let mut short = hold(&whole, promised);
    short.extend(hold(&damaged, promised_of_damaged));
    assert!(short.is_empty(), "\n{}", short.join("\n"));
}

#[test]
fn alerts_on_bundled_captures_are_answered_as_promised() {
    let captures = files_below(&project("captures")).into_iter();
    let is_capture = |path: &PathBuf| path.to_string_lossy().contains(".pcap");
    let cases: Vec<Case> = captures
        .filter(is_capture)
        .filter_map(|path| Case::new("bundled".to_owned(), path))
        .collect();
    let short = hold(&cases, promised);
    assert!(short.is_empty(), "\n{}", short.join("\n"));
}

/// How often a capture comes again, each time later and of other clients.
const TURNS: i64 = 3;
const HOUR_S: i64 = 3_600;

/// The frames of a capture again, of other clients: those of 10.10.0.0/16 and fd10::/16 are of the next networks.
fn of_others(frames: &[Taken], turn: i64, later: Span) -> impl Iterator<Item = Taken> {
    frames.iter().map(move |frame| {
        let mut bytes = frame.bytes.clone();
        let (places, network): (&[usize], &[u8]) = match bytes[12..14] {
            [8, 0] => (&[26, 30], &[10, 10]),
            _ => (&[22, 38], &[0xfd, 0x10]),
        };
        for &place in places {
            if bytes[place..].starts_with(network) {
                bytes[place + 1] += u8::try_from(turn).unwrap();
            }
        }
        Taken { time: frame.time + later.0, bytes, ..frame.clone() }
    })
}

/// A capture in which the same is asked for again and again, each time so many seconds later by others; it begins so much later
/// than it did.
fn in_turn(folder: &Path, turn_s: i64, later: Span) -> Case {
    let origin = project("captures/lab/unbound-s15-serial.pcap.zst");
    let (once, truth) = (frames(&origin), read_truth(&origin).unwrap().to_string());
    let after = |turn: i64| Span(later.0 + Span::from_secs(turn * turn_s).0);
    let all: Vec<Taken> = (0..TURNS).flat_map(|turn| of_others(&once, turn, after(turn))).collect();
    let path = folder.join("turns.pcap");
    fs::write(&path, pcap(&all)).unwrap();
    let (group, rows, pairs) = ("turns".to_owned(), Vec::new(), BTreeSet::new());
    let mut case = Case { group, path, rows, pairs };
    for turn in 0..TURNS {
        let network = 10 + turn;
        let truth = truth.replace("\"10.10.", &format!("\"10.{network}."));
        let truth = truth.replace("\"fd10:", &format!("\"fd{network}:"));
        case.add(&serde_json::from_str(&truth).unwrap(), after(turn));
    }
    case
}

/// Who is named surely raised the alert; and if so many of 1,000 are to be named, nobody else is named at all.
fn hold_in_turn(case: &Case, firewalls: &[(Firewall, u64)], options: &[&str]) {
    for (firewall, permille) in firewalls {
        let found = judge(case, std::slice::from_ref(firewall), options);
        let [score] = found.scores[..] else { unreachable!() };
        score.print(firewall.name);
        let promise = Promise {
            wrong_sure_permille: 0,
            guesses: *permille == 0,
            named_permille: *permille,
            sure_permille: *permille,
        };
        let short = score.judge(firewall.name, promise);
        assert!(short.is_empty(), "{short:?}\n{}", found.faults.join("\n"));
    }
}

#[test]
fn who_asks_for_the_same_minutes_later_is_not_sure_where_the_clock_may_be_off() {
    let folder = tempfile::tempdir().unwrap();
    let turn_s = 120;
    let case = in_turn(folder.path(), turn_s, Span(0));
    let firewalls = [
        (off("right", 0, Shown::Seconds), 1_000),
        (off("fast", turn_s, Shown::Seconds), 0),
        (off("slow", -turn_s, Shown::Seconds), 0),
    ];
    hold_in_turn(&case, &firewalls, &[]);
}

/// A row of the first turn whose name one client asks for in a turn.
const ASKED_ONCE: &str = "www.stonehealthx13.org";

impl Case {
    /// Leaves the rows of one turn, and of these one.
    fn only_one_of(&mut self, turn: usize) {
        let mut of_name = self.rows.drain(..).filter(|row| row.destination == ASKED_ONCE);
        let one = of_name.nth(turn).unwrap();
        drop(of_name);
        self.rows = vec![one];
    }
}

#[test]
fn who_asks_for_the_same_an_hour_later_is_not_sure_where_the_zone_may_be_another() {
    let folder = tempfile::tempdir().unwrap();
    let mut case = in_turn(folder.path(), HOUR_S, Span(0));
    case.only_one_of(0);
    let firewalls = [
        (off("named", 0, Shown::Named("+00:00")), 1_000),
        (off("unnamed", 0, Shown::Unnamed("+01:00")), 0),
    ];
    hold_in_turn(&case, &firewalls, &[]);
    let said = [(off("said", 0, Shown::Unnamed("+01:00")), 1_000)];
    hold_in_turn(&case, &said, &["--tz", "+01:00"]);
}

#[test]
fn in_the_hour_that_comes_twice_each_alert_is_of_its_own_time() {
    let folder = tempfile::tempdir().unwrap();
    // Clocks in Berlin are set back at 01:00 UTC.
    let of_summer = Timestamp::from_rfc3339("2026-10-25T00:10:00Z").unwrap();
    let once = frames(&project("captures/lab/unbound-s15-serial.pcap.zst"));
    let until = |time: Timestamp| time - Timestamp(once[0].time);
    let berlin =
        |named_permille| [(off("berlin", 0, Shown::Unnamed("Europe/Berlin")), named_permille)];
    let options = ["--tz", "Europe/Berlin"];
    // Two of three turns are of the same time by the clock.
    let mut case = in_turn(folder.path(), HOUR_S, until(of_summer));
    hold_in_turn(&case, &berlin(0), &options);
    case.only_one_of(1);
    hold_in_turn(&case, &berlin(0), &options);
    // The first turn is of the second time, and nobody asked the first time.
    let mut case = in_turn(folder.path(), HOUR_S, until(of_summer + Span::from_secs(HOUR_S)));
    case.only_one_of(0);
    hold_in_turn(&case, &berlin(1_000), &options);
}
