//! Settings: arguments made sense of, or refused with a reason.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use ipnet::IpNet;

use super::analysis::Analysis;
use super::args::{
    AnalysisArgs, Captured, CheckArgs, ExplainArgs, Format, IndicatorArgs, InputArgs, LiveArgs,
    MessagesArgs, ReadArgs,
};
use super::indicators::{OfAlerts, WatchSource};
use super::outputs::{Outputs, refuse_loose_client};
use super::place::{STDOUT, is_same_file};
use super::say;
use crate::alert::{AlertFormat, Zones};
use crate::attribution::ReadFile;
use crate::capture::live::{DeviceOptions, Wanted, is_interface};
use crate::capture::{LeftOut, Listing, captures_in, is_called_capture};
use crate::flow::Address;
use crate::identity::Inventory;
use crate::indicator::{Lists, files_of};
use crate::live::Rotation;
use crate::number::count;
use crate::packet::Ports;
use crate::report::Look;
use crate::time::{Span, UTC, Zone};

/// So many words that are no files are a row of alerts whose quotes were forgotten.
const ROW_WORDS: usize = 3;
/// So many files that are left out are named for each reason.
const NAMED_MAX: usize = 4;

/// What to read, and how.
#[derive(Debug)]
pub struct Input {
    pub files: Vec<PathBuf>,
    /// What the directories that were given hold and may be captures, and is not read, a sentence each.
    pub left_out: Vec<String>,
    pub ports: Ports,
    pub filter: Option<String>,
    /// What is added to the times of some of the files.
    pub shifts: BTreeMap<PathBuf, Span>,
    pub workers: usize,
    pub shows_progress: bool,
}

/// Settings of `whoasked read`.
#[derive(Debug)]
pub struct Read {
    pub analysis: Analysis,
    pub lists: Lists,
    pub outputs: Outputs,
}

/// Settings of `whoasked explain`.
#[derive(Debug)]
pub struct Explain {
    pub analysis: Analysis,
    pub subject: Subject,
    /// The form of the alerts, where it is not to be found out.
    pub alerts_form: Option<AlertFormat>,
    /// The zones of their times, and of what is said of them.
    pub zones: Zones,
    pub outputs: Outputs,
}

/// What is to be explained.
#[derive(Debug)]
pub enum Subject {
    /// A name or an address, or an alert as pasted.
    Question(String),
    /// Files of alerts.
    Alerts(Vec<PathBuf>),
}

/// Settings of `whoasked indicators check`.
#[derive(Debug)]
pub struct Check {
    pub lists: Lists,
}

/// Settings of `whoasked messages`.
#[derive(Debug)]
pub struct Messages {
    pub input: Input,
}

/// Settings of `whoasked live`.
#[derive(Debug)]
pub struct Live {
    pub interfaces: Vec<String>,
    pub device: DeviceOptions,
    pub fanout: u16,
    pub workers: usize,
    pub ports: Ports,
    pub flagged: WatchSource,
    pub resolvers: Vec<Vec<Address>>,
    pub internal: Vec<IpNet>,
    pub inventory: Inventory,
    pub zone: Zone,
    pub format: Format,
    pub outputs: Vec<String>,
    pub rotation: Rotation,
    /// Where the last packets are kept, and how many octets of them.
    pub ring: Option<(PathBuf, u64)>,
    /// Whether a screen is shown, and whether in colours.
    pub screen: Option<bool>,
    /// Where metrics are asked for, and the file that they are written to.
    pub metrics: Option<SocketAddr>,
    pub metrics_file: Option<PathBuf>,
    /// Who to become, when started as root.
    pub user: Option<String>,
    pub is_confined: bool,
    pub is_verbose: bool,
}

impl Live {
    /// # Errors
    /// When an address, network or zone cannot be read, or something is given twice.
    pub fn new(args: LiveArgs) -> anyhow::Result<Live> {
        let mut names = args.interface.clone();
        names.sort_unstable();
        names.dedup();
        if names.len() < args.interface.len() {
            bail!("--interface: the same one is given twice (for several threads, use --fanout N)");
        }
        if let Some(why) = args.interface.iter().find_map(|name| list_for_interface(name)) {
            bail!("{why}");
        }
        let LiveArgs { indicators, indicators_format, allow, alerts, .. } = args;
        let flagged = match alerts.is_empty() {
            true => {
                WatchSource::Lists(lists(IndicatorArgs { indicators, indicators_format, allow }))
            }
            false => WatchSource::Alerts(OfAlerts {
                files: alerts,
                form: args.alerts_format,
                resolvers: resolvers(&args.resolver)?,
            }),
        };
        if flagged.paths().any(|path| path.as_os_str() == "-") {
            bail!("a list on stdin cannot be reloaded on SIGHUP; use a file");
        }
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        let device = DeviceOptions {
            buffer: usize::from(args.buffer) << 20,
            snaplen: args.snaplen,
            wanted: match args.capture {
                Captured::Dns => Wanted::Dns,
                Captured::Hosts => Wanted::Hosts,
                Captured::All => Wanted::All,
            },
            ports: args.port.clone(),
            filter: args.filter,
        };
        Ok(Live {
            interfaces: args.interface,
            device,
            fanout: args.fanout,
            workers: args.workers.map_or(cores.saturating_sub(1).clamp(1, 4), usize::from),
            ports: Ports::new(&args.port),
            flagged,
            resolvers: resolvers(&args.resolver)?,
            internal: internal(&args.internal)?,
            inventory: inventory(&args.names)?,
            zone: zone(args.tz.as_deref(), args.format)?,
            format: args.format,
            outputs: args.output,
            rotation: Rotation {
                octets: args.rotate_size,
                every: args.rotate_every,
                keep: args.rotate_keep,
            },
            ring: args.ring.map(|directory| (directory, args.ring_size)),
            screen: screen(args.no_tui, args.format),
            metrics: args.metrics,
            metrics_file: args.metrics_file,
            user: args.user,
            is_confined: !args.no_confine,
            is_verbose: args.verbose,
        })
    }
}

/// Whether there is to be a screen, and whether it has colours: on a terminal that can do more than write
/// lines, if no other form is asked for.
fn screen(no_tui: bool, format: Format) -> Option<bool> {
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    let is_wanted =
        !no_tui && format == Format::Text && !is_dumb && std::io::stdout().is_terminal();
    is_wanted.then(|| look_of_stdout().is_coloured())
}

impl Read {
    /// # Errors
    /// When an address or network cannot be read, or stdin is to be two things at once.
    pub fn new(args: ReadArgs) -> anyhow::Result<Read> {
        let lists = lists(args.indicators);
        if let Some(why) = lists.indicators.iter().find_map(|path| interface_for_list(path)) {
            bail!("{why}");
        }
        if lists.indicators.is_empty() {
            bail!("no list of indicators given: use --indicators LIST; see --help");
        }
        if args.input.files.is_empty() && lists.indicators.len() > 1 {
            bail!(
                "no capture given: every argument after --indicators was read as a list; name the captures first, \
                 as in `whoasked read office.pcap --indicators flagged.txt`"
            );
        }
        stdin_is_one_thing(args.input.files.iter().chain(lists.paths()))?;
        refuse_loose_client(args.analysis.forms.ticket.as_deref(), &args.input.files, 0)?;
        let read: Vec<PathBuf> = lists.paths().cloned().collect();
        let (analysis, outputs) = analysis(args.input, args.analysis, &read)?;
        Ok(Read { analysis, lists, outputs })
    }
}

/// What to say where a list was given for an interface: `-i` is short for something else in `read`.
pub fn list_for_interface(name: &str) -> Option<String> {
    (Path::new(name).is_file() && !is_interface(name)).then(|| {
        format!(
            "--interface: {name} is a file, not an interface; in `live`, -i names the interface and --indicators \
             the list, as in `whoasked live -i eth1 --indicators {name}`"
        )
    })
}

/// What to say where an interface was given for a list.
fn interface_for_list(path: &Path) -> Option<String> {
    let name = path.to_str().filter(|name| !path.exists() && is_interface(name))?;
    Some(format!(
        "--indicators: {name} is an interface, not a list; in `read`, -i names the list; to listen there, use \
         `whoasked live -i {name} --indicators LIST`"
    ))
}

impl Explain {
    /// # Errors
    /// When it is not clear what is to be explained, or by which captures.
    pub fn new(args: ExplainArgs) -> anyhow::Result<Explain> {
        let mut input = args.input;
        let questions = usize::from(args.alerts.is_empty());
        refuse_loose_client(args.analysis.forms.ticket.as_deref(), &input.files, questions)?;
        let subject = match args.alerts.is_empty() {
            true => Subject::Question(take_question(&mut input.files)?),
            false => Subject::Alerts(args.alerts),
        };
        if let Subject::Question(question) = &subject
            && args.alerts_format.is_some()
            && !AlertFormat::is_alert(question)
        {
            bail!("--alerts-format applies to alerts only: give a file of them with --alerts FILE");
        }
        let alerts: &[PathBuf] = if let Subject::Alerts(files) = &subject { files } else { &[] };
        stdin_is_one_thing(input.files.iter().chain(alerts))?;
        // The firewall's clock is the user's, unless they say otherwise; in what form the answer is
        // written changes nothing of that.
        let said = args.analysis.forms.tz.as_deref().map(zone_named).transpose()?;
        let alerts_form = args.alerts_format;
        let (analysis, outputs) = analysis(input, args.analysis, alerts)?;
        let zones = Zones {
            page: analysis.zone.clone(),
            is_said: said.is_some(),
            alerts: said.unwrap_or_else(Zone::local),
            captured: None,
        };
        Ok(Explain { analysis, subject, alerts_form, zones, outputs })
    }
}

/// What is asked about, among what stands before the captures: the first that is no file, so that the
/// order does not matter.
fn take_question(files: &mut Vec<PathBuf>) -> anyhow::Result<String> {
    const WHAT: &str = "say what to explain before the captures: a name or an address, as in `whoasked \
                        explain mi.kenal-cn.com office.pcap`, or --alerts FILE";
    let is_file = |path: &PathBuf| path.as_os_str() == "-" || path.exists();
    let Some(place) = files.iter().position(|path| !is_file(path)) else {
        if let [first, rest @ ..] = files.as_slice()
            && !rest.is_empty()
            && first.extension().is_some_and(|ending| {
                matches!(ending.to_str(), Some("txt" | "csv" | "log" | "json"))
            })
        {
            bail!("{WHAT}; if {} holds alerts: --alerts {0}", first.display());
        }
        bail!("{WHAT}");
    };
    let question = files.remove(place).to_string_lossy().into_owned();
    if is_called_capture(&question)
        || question.contains('/') && place > 0 && !AlertFormat::is_alert(&question)
    {
        bail!("file {question} not found");
    }
    let mut words =
        files.iter().filter(|path| !is_file(path) && !is_called_capture(&path.to_string_lossy()));
    let another = words.next();
    if words.count() + usize::from(another.is_some()) >= ROW_WORDS - 1 {
        bail!(
            "neither `{question}` nor what follows is a file; put an alert row in quotes, as in `whoasked explain \
             \"1 192.168.2.194 C2/Generic-A mi.kenal-cn.com 2 AFCd\" office.pcap`"
        );
    }
    if let Some(another) = another {
        bail!(
            "file `{}` not found; if it is another flagged name or address like `{question}`: explain takes one at \
             a time; put several into a file, one per line, and use --alerts FILE",
            another.display()
        );
    }
    if files.is_empty() {
        bail!("no capture given after `{question}` (a .pcap or .pcapng file, or - for stdin)");
    }
    Ok(question)
}

/// What is analysed.
///
/// # Errors
/// When an address or network cannot be read, or there is no capture.
fn analysis(
    input: InputArgs,
    args: AnalysisArgs,
    lists: &[PathBuf],
) -> anyhow::Result<(Analysis, Outputs)> {
    let resolvers = resolvers(&args.resolver)?;
    let internal = internal(&args.internal)?;
    let input = Input::new(input)?;
    let zone = zone(args.forms.tz.as_deref(), args.forms.format)?;
    let mut read = files_of(lists)?;
    read.extend_from_slice(&args.names);
    let outputs = Outputs::new(args.forms, &input, &read)?;
    let inventory = inventory(&args.names)?;
    let alerts_unread = Vec::new();
    let analysis = Analysis { input, resolvers, internal, zone, inventory, alerts_unread };
    Ok((analysis, outputs))
}

/// The DNS servers that were declared.
fn resolvers(texts: &[String]) -> anyhow::Result<Vec<Vec<Address>>> {
    let resolvers: Vec<Vec<Address>> =
        texts.iter().map(|text| addresses(text)).collect::<anyhow::Result<_>>()?;
    let mut seen: Vec<Address> = resolvers.iter().flatten().copied().collect();
    seen.sort_unstable();
    if let Some(twice) = seen.windows(2).find_map(|pair| match pair {
        [one, other] if one == other => Some(*one),
        _ => None,
    }) {
        bail!("--resolver: {twice} is given twice");
    }
    Ok(resolvers)
}

/// The networks whose hosts may be named.
fn internal(texts: &[String]) -> anyhow::Result<Vec<IpNet>> {
    texts.iter().map(|text| network(text)).collect()
}

/// The zone in which times are said. People think in their own, and so does the firewall's log; what is
/// for programs is the same on every machine unless a zone is asked for.
fn zone(name: Option<&str>, format: Format) -> anyhow::Result<Zone> {
    match (name, format) {
        (None, Format::Text | Format::Ticket) => Ok(Zone::local()),
        (None, _) => Ok(UTC.clone()),
        (Some(name), _) => zone_named(name),
    }
}

fn zone_named(name: &str) -> anyhow::Result<Zone> {
    Zone::parse(name).with_context(|| {
        format!(
            "--tz: `{name}` is not a time zone (expected `local`, `UTC`, a name such as Europe/Berlin, or +01:00)"
        )
    })
}

/// The host names in these files. What could not be understood of them is said, and left out.
fn inventory(files: &[PathBuf]) -> anyhow::Result<Inventory> {
    let (inventory, warnings) = Inventory::load(files)?;
    for warning in &warnings {
        say(&format!("whoasked: {warning}"));
    }
    Ok(inventory)
}

/// Which indicators to load.
pub fn lists(args: IndicatorArgs) -> Lists {
    Lists { indicators: args.indicators, allow: args.allow, form: args.indicators_format }
}

impl Check {
    /// # Errors
    /// When stdin is to be two things at once.
    pub fn new(args: CheckArgs) -> anyhow::Result<Check> {
        let CheckArgs { lists: indicators, indicators_format, allow } = args;
        let lists = lists(IndicatorArgs { indicators, indicators_format, allow });
        stdin_is_one_thing(lists.paths())?;
        Ok(Check { lists })
    }
}

/// Whether `-` stands among these paths once at most.
///
/// # Errors
/// When it stands there more often.
pub fn stdin_is_one_thing<'a>(paths: impl Iterator<Item = &'a PathBuf>) -> anyhow::Result<()> {
    if paths.filter(|path| path.as_os_str() == "-").count() > 1 {
        bail!("`-` (stdin) can be given only once");
    }
    Ok(())
}

/// How a page on stdout is to look.
pub fn look_of_stdout() -> Look {
    let terminal = std::io::stdout().is_terminal().then(textwrap::termwidth);
    look(terminal, |name| std::env::var(name).ok())
}

/// How a page is to look on a terminal so wide, or elsewhere, by the environment's variables.
///
/// `COLUMNS` decides on the width, else the terminal, else it is 80. Whether there are colours:
/// 1. never with `NO_COLOR` set to anything (<https://no-color.org>);
/// 2. always with `CLICOLOR_FORCE` set to anything but 0 (<https://bixense.com/clicolors>);
/// 3. else on a terminal that is not `dumb`.
fn look(terminal: Option<usize>, variable: impl Fn(&str) -> Option<String>) -> Look {
    let is_set = |name| variable(name).is_some_and(|value| !value.is_empty());
    let columns = variable("COLUMNS").and_then(|text| text.trim().parse().ok());
    let width = columns.filter(|columns| *columns > 0).or(terminal).unwrap_or(80);
    let forced = is_set("CLICOLOR_FORCE") && variable("CLICOLOR_FORCE").as_deref() != Some("0");
    let is_dumb = variable("TERM").as_deref() == Some("dumb");
    let coloured = !is_set("NO_COLOR") && (forced || terminal.is_some() && !is_dumb);
    Look::new(width, coloured)
}

impl Messages {
    /// # Errors
    /// None yet; all settings of it are valid.
    pub fn new(args: MessagesArgs) -> anyhow::Result<Messages> {
        Ok(Messages { input: Input::new(args.input)? })
    }
}

impl Input {
    /// # Errors
    /// When there is nothing to read.
    fn new(args: InputArgs) -> anyhow::Result<Input> {
        if args.files.is_empty() {
            bail!("no capture given (a .pcap or .pcapng file, or - for stdin); see --help");
        }
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        let (files, left_out) = with_directories(args.files)?;
        if let Some(file) = files.iter().find(|file| is_same_file(file, Path::new(STDOUT))) {
            bail!("stdout is redirected to {}, which is also an input", file.display());
        }
        Ok(Input {
            shifts: time_shifts(&args.time_shift, &files)?,
            files,
            left_out,
            ports: Ports::new(&args.port),
            filter: args.filter,
            workers: args.workers.map_or(cores.min(4), usize::from),
            shows_progress: !args.no_progress,
        })
    }
}

impl Input {
    /// Its files, each with what is added to its times.
    pub fn read_files(&self) -> Vec<ReadFile> {
        let read = self.files.iter().map(|path| {
            let shift = self.shifts.get(path).copied().unwrap_or_default();
            ReadFile { path: path.clone(), shift }
        });
        read.collect()
    }
}

/// What is added to the times of which files: those that are given, or lie in a directory that is.
fn time_shifts(
    given: &[(PathBuf, Span)],
    files: &[PathBuf],
) -> anyhow::Result<BTreeMap<PathBuf, Span>> {
    let mut shifts: BTreeMap<PathBuf, Span> = BTreeMap::new();
    for (path, shift) in given {
        let within = |file: &&PathBuf| *file == path || (path.is_dir() && file.starts_with(path));
        let shifted: Vec<&PathBuf> = files.iter().filter(within).collect();
        if shifted.is_empty() {
            bail!("--time-shift: {} is not one of the captures", path.display());
        }
        if let Some(twice) = shifted.iter().find(|file| shifts.contains_key(**file)) {
            bail!("--time-shift: {} is shifted twice", twice.display());
        }
        shifts.extend(shifted.into_iter().map(|file| (file.clone(), *shift)));
    }
    Ok(shifts)
}

/// The files, with the captures in it for each directory; and what there may be captures as well, and is left out.
fn with_directories(given: Vec<PathBuf>) -> anyhow::Result<(Vec<PathBuf>, Vec<String>)> {
    let mut files = Vec::with_capacity(given.len());
    let mut lacking = Vec::new();
    for path in given {
        if !path.is_dir() {
            files.push(path);
            continue;
        }
        let found = captures_in(&path)
            .with_context(|| format!("the directory {} cannot be read", path.display()))?;
        let left_out = words_of_left_out(&path, &found, |_| true);
        if found.captures.is_empty() {
            bail!(
                "no capture in the directory {} (files named .pcap, .pcapng, .cap or .dmp, plain, .gz or .zst){}",
                path.display(),
                left_out.map_or(String::new(), |words| format!("; left out: {words}"))
            );
        }
        if let Some(words) = left_out {
            let read = count(found.captures.len() as u64, "capture", "captures");
            say(&format!("whoasked: {}: {read} found; left out: {words}", path.display()));
        }
        let may_lack = words_of_left_out(&path, &found, LeftOut::may_be_capture);
        lacking.extend(may_lack.map(|words| format!("{}: left out: {words}", path.display())));
        files.extend(found.captures);
    }
    Ok((files, lacking))
}

/// What a directory holds that is not read, for some of the reasons, in words.
fn words_of_left_out(
    directory: &Path,
    found: &Listing,
    is_meant: impl Fn(LeftOut) -> bool,
) -> Option<String> {
    let inner = |path: &PathBuf| {
        path.strip_prefix(directory).unwrap_or(path).to_string_lossy().escape_debug().to_string()
    };
    let meant = found.left_out.iter().filter(|(why, _)| is_meant(**why));
    let words = meant.map(|(why, paths)| {
        let few: Vec<String> = paths.iter().take(NAMED_MAX).map(inner).collect();
        let more = if paths.len() > few.len() { ", ..." } else { "" };
        format!("{} {} ({}{more})", paths.len(), why.words(), few.join(", "))
    });
    let words: Vec<String> = words.collect();
    (!words.is_empty()).then(|| words.join("; "))
}

fn addresses(text: &str) -> anyhow::Result<Vec<Address>> {
    let address = |part: &str| {
        let part = part.trim();
        let ip: IpAddr = part.parse().with_context(|| {
            format!("--resolver: `{part}` is not an IP address (expected one such as 10.0.0.10)")
        })?;
        Ok(Address::from(ip))
    };
    text.split(',').map(address).collect()
}

fn network(text: &str) -> anyhow::Result<IpNet> {
    let host = text.parse::<IpAddr>();
    if let Ok(IpAddr::V4(v4)) = host
        && v4.octets().ends_with(&[0])
    {
        bail!("--internal: `{text}` is a single address; give a network, such as {text}/24");
    }
    host.map(IpNet::from).or_else(|_| text.parse()).with_context(|| {
        format!("--internal: `{text}` is not a network (expected one such as 10.0.0.0/8)")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_decides_on_width_and_colours() {
        let look = |terminal, variables: &[(&str, &str)]| {
            let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
            super::look(terminal, |name| find(name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(look(None, &[]), Look::new(80, false));
        assert_eq!(look(Some(132), &[("TERM", "xterm")]), Look::new(132, true));
        assert_eq!(look(Some(132), &[("TERM", "dumb")]), Look::new(132, false));
        assert_eq!(look(Some(132), &[("COLUMNS", "100")]), Look::new(100, true));
        assert_eq!(look(Some(132), &[("COLUMNS", "wide")]), Look::new(132, true));
        assert_eq!(look(None, &[("COLUMNS", "7")]), Look::new(40, false));
        assert_eq!(look(None, &[("CLICOLOR_FORCE", "1")]), Look::new(80, true));
        assert_eq!(look(None, &[("CLICOLOR_FORCE", "0")]), Look::new(80, false));
        let both = [("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")];
        assert_eq!(look(Some(80), &both), Look::new(80, false));
        assert_eq!(look(Some(80), &[("NO_COLOR", "")]), Look::new(80, true));
    }
}
