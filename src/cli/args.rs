//! Arguments, verbatim.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{ArgGroup, Args as ClapArgs, Parser, Subcommand, ValueEnum};

use crate::alert::Form as AlertForm;
use crate::indicator::Form as ListForm;
use crate::time::Span;

/// Tells which internal client is behind the alert that the firewall pins on the DNS server.
#[derive(Debug, Parser)]
#[command(
    name = "whoasked",
    version,
    about,
    propagate_version = true,
    max_term_width = 100,
    after_help = "\
Examples:
  whoasked read office.pcap --indicators flagged.txt
  whoasked explain --alerts atp-table.txt office.pcap
  whoasked explain mi.kenal-cn.com office.pcap
  whoasked live -i eth1 --indicators feeds/
  whoasked man DIR (manual pages), whoasked read --help

Exit status: 0 nothing flagged, 1 something flagged, whoever is behind it and \
also if that cannot be decided, 2 a usage, input or output error, 130 ended by \
a second Ctrl-C."
)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say who asked for what is flagged, from capture files
    Read(ReadArgs),
    /// Say who asks for what is flagged, as it happens, from a mirror port
    Live(LiveArgs),
    /// Say who is behind the firewall's own alerts, or who asked for one name or address
    Explain(ExplainArgs),
    /// Print one JSON line for each DNS message, as decoded
    Messages(MessagesArgs),
    /// Say how lists of flagged names and addresses are understood
    Indicators(IndicatorsArgs),
    /// Print what a shell needs to complete the arguments
    Completions(CompletionsArgs),
    /// Print the manual page, or write all of them to a directory
    Man(ManualArgs),
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  whoasked read office.pcap --indicators flagged.txt
  whoasked read office.pcap -i flagged.txt --report answer.html
  whoasked read client-side.pcapng.gz uplink.pcap.zst -i flagged.txt -f jsonl
  ssh tap tcpdump -s 0 -w - | whoasked read - -i flagged.txt -r 10.0.0.10,fd00::10
  whoasked read office.pcap -i flagged.txt --ticket=192.168.2.42
  whoasked read office.pcap -i flagged.txt --evidence case-17 -o csv=17.csv
  whoasked read office.pcap -i flagged.txt -f eve -o syslog=udp://siem:514

A list has one entry a line: `evil.com` (itself and all below), `=evil.com` \
(itself alone), `*.evil.com` (only what is below), `192.0.2.1`, \
`192.0.2.0/24`; or it is a hosts file, an adblock list, a response policy \
zone, CSV, STIX, MISP, Zeek or Suricata: `whoasked indicators check LIST` \
says how it was understood.

Exit status: 0 nothing flagged, 1 something flagged, 2 a usage, input or \
output error (what could be read and written is there all the same), 130 \
ended by a second Ctrl-C.")]
pub struct ReadArgs {
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub indicators: IndicatorArgs,
    #[command(flatten)]
    pub analysis: AnalysisArgs,
}

/// A number of octets: `500`, `64K`, `100M`, `2G`.
fn octets(text: &str) -> Result<u64, String> {
    let (number, shift) = match text.split_at_checked(text.len().saturating_sub(1)) {
        Some((number, "k" | "K")) => (number, 10),
        Some((number, "m" | "M")) => (number, 20),
        Some((number, "g" | "G")) => (number, 30),
        _ => (text, 0),
    };
    let octets = number.parse::<u64>().ok().filter(|number| *number > 0);
    octets
        .and_then(|number| number.checked_mul(1 << shift))
        .ok_or_else(|| "a size is expected, such as 500K, 100M or 2G".to_owned())
}

/// How much a ring keeps: what holds no second of packets was meant otherwise.
fn ring_octets(text: &str) -> Result<u64, String> {
    octets(text).and_then(|octets| match octets >> 20 {
        0 => Err(format!("1M at least is expected (did you mean {text}G?)")),
        _ => Ok(octets),
    })
}

/// A length of time: `90s`, `15m`, `24h`, `7d`.
fn period(text: &str) -> Result<Duration, String> {
    let wrong = || "a length of time is expected, such as 15m, 24h or 7d".to_owned();
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let number = number.parse::<u64>().ok().filter(|number| *number > 0);
    number.and_then(|number| number.checked_mul(seconds)).map(Duration::from_secs).ok_or_else(wrong)
}

/// A file and what is added to its times: `uplink.pcap=-1.25`.
fn time_shift(text: &str) -> Result<(PathBuf, Span), String> {
    let wrong = || "a file and seconds are expected, such as uplink.pcap=-1.25".to_owned();
    let (file, seconds) = text.rsplit_once('=').ok_or_else(wrong)?;
    let seconds = seconds.trim().trim_end_matches('s').trim_end();
    let span = seconds.parse().ok().and_then(Span::from_secs_f64).ok_or_else(wrong)?;
    if file.is_empty() { Err(wrong()) } else { Ok((file.into(), span)) }
}

/// An address and port, or a port of the loopback address.
fn socket(text: &str) -> Result<SocketAddr, String> {
    let of_port = text.parse().map(|port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    of_port.or_else(|_| text.parse()).map_err(|_| {
        "a port is expected, such as 9153, or an address with one, such as 10.0.0.5:9153 or [fd00::5]:9153".to_owned()
    })
}

/// The formats that can be written while it goes on: a ticket is of a whole capture, and so are answers to alerts.
fn format_of_live() -> impl TypedValueParser<Value = Format> {
    let formats = Format::value_variants().iter().filter(|format| format.can_follow());
    let values = PossibleValuesParser::new(formats.filter_map(Format::to_possible_value));
    values.try_map(|text| Format::from_str(&text, false))
}

#[derive(Debug, ClapArgs)]
#[command(group = ArgGroup::new("wanted").required(true).multiple(true))]
#[command(after_help = "\
Examples:
  whoasked live -i eth1 --indicators flagged.txt
  whoasked live -i eth1 --alerts atp-table.txt
  install -d -o nobody /var/log/whoasked
  whoasked live -i eth1 -i eth2 --indicators feeds/ -o jsonl=/var/log/whoasked/answers.jsonl
  whoasked live -i eth1 --indicators feeds/ --ring /var/lib/whoasked --ring-size 50G

On a terminal it shows a screen: `?` there tells the keys, `q` ends it. As root it becomes the user whoasked, \
or else nobody, before it writes anything: directories of outputs must let that user write.

SIGHUP reads the lists anew and opens the outputs anew, SIGUSR1 says on stderr what was seen, SIGINT and \
SIGTERM end the run: what is known is settled and summed up. See docs/live.md.

Exit status: 0 nothing flagged, 1 something flagged, 2 a usage or output error, 130 ended by a second Ctrl-C.")]
pub struct LiveArgs {
    /// Interface that the mirror port is connected to [repeatable; or several, with commas between]
    #[arg(short, long, value_name = "IFACE", required = true, value_delimiter = ',')]
    pub interface: Vec<String>,
    /// List of flagged names, addresses and networks: a file or a directory of files [repeatable]
    #[arg(long, value_name = "LIST", num_args = 1.., group = "wanted")]
    pub indicators: Vec<PathBuf>,
    /// How the lists are written, if their content does not tell it rightly
    #[arg(long, value_name = "FORM", value_enum)]
    pub indicators_format: Option<ListForm>,
    /// List of what is not flagged though it is listed [repeatable]
    #[arg(long, value_name = "LIST")]
    pub allow: Vec<PathBuf>,
    /// File of the firewall's alerts, as for `explain`: what they are about is looked for, in the place of lists
    /// [repeatable]
    #[arg(long, value_name = "FILE", group = "wanted", conflicts_with_all = ["indicators", "indicators_format", "allow"])]
    pub alerts: Vec<PathBuf>,
    /// The form of the alerts, if it is not recognised
    #[arg(long, value_enum, value_name = "FORM", conflicts_with = "indicators")]
    pub alerts_format: Option<AlertForm>,
    /// Address of your DNS server; several of one server with commas between [repeatable]
    #[arg(short, long, value_name = "ADDR[,ADDR...]")]
    pub resolver: Vec<String>,
    /// Network your clients are in; hosts outside are not named [repeatable]
    #[arg(long, value_name = "NET")]
    pub internal: Vec<String>,
    /// What your hosts are called: CSV with a header, a hosts file, DHCP leases [repeatable]
    #[arg(long, value_name = "FILE")]
    pub names: Vec<PathBuf>,
    /// How answers are written on stdout
    #[arg(short, long, value_parser = format_of_live(), default_value = "text")]
    pub format: Format,
    /// Write answers to a file too, or jsonl, eve, cef and syslog also to udp://HOST:PORT, tcp://HOST:PORT or
    /// unix:PATH [repeatable]
    #[arg(short, long, value_name = "FORM=PLACE")]
    pub output: Vec<String>,
    /// Begin the files of answers anew at this size, such as 100M
    #[arg(long, value_name = "SIZE", value_parser = octets, requires = "output")]
    pub rotate_size: Option<u64>,
    /// Begin them anew after so long, such as 24h
    #[arg(long, value_name = "TIME", value_parser = period, requires = "output")]
    pub rotate_every: Option<Duration>,
    /// How many earlier files of answers stay: FILE.1 is the newest of them
    #[arg(long, value_name = "N", default_value_t = 7, requires = "output")]
    pub rotate_keep: u32,
    /// Keep the last packets in this directory, for `whoasked explain` to read when an alert comes late
    #[arg(long, value_name = "DIR")]
    pub ring: Option<PathBuf>,
    /// How much of them is kept
    #[arg(long, value_name = "SIZE", default_value = "2G", value_parser = ring_octets, requires = "ring")]
    pub ring_size: u64,
    /// Answer GET /metrics (OpenMetrics) and GET /health there: a port of this machine alone, or an address
    /// with a port for others, too
    #[arg(long, value_name = "[ADDR:]PORT", value_parser = socket)]
    pub metrics: Option<SocketAddr>,
    /// Write the metrics to this file every 15 s, for node_exporter's textfile collector (FILE.prom)
    #[arg(long, value_name = "FILE")]
    pub metrics_file: Option<PathBuf>,
    /// Time zone of the text [default: local]
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    pub tz: Option<String>,
    /// A further port that DNS is spoken on, beside 53 [repeatable]
    #[arg(long, value_name = "PORT")]
    pub port: Vec<u16>,
    /// What is captured
    #[arg(long, value_enum, default_value_t = Captured::Hosts)]
    pub capture: Captured,
    /// Capture only what matches a BPF filter too, such as `host 10.0.0.10`
    #[arg(long, value_name = "EXPR")]
    pub filter: Option<String>,
    /// The ring in the kernel, in MiB, for each interface and thread
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=2000))]
    pub buffer: u16,
    /// Bytes captured of each packet
    #[arg(long, value_name = "BYTES", default_value_t = 262_144)]
    pub snaplen: u32,
    /// Capture threads on each interface, which share its packets by flow
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub fanout: u16,
    /// Threads that decode
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub workers: Option<u16>,
    /// Lines on stdout instead of the screen that a terminal gets
    #[arg(long)]
    pub no_tui: bool,
    /// Who to become once the interfaces are open, when started as root [default: whoasked, or else nobody]
    #[arg(long, value_name = "NAME", conflicts_with = "no_confine")]
    pub user: Option<String>,
    /// Keep all privileges, files and system calls in reach
    #[arg(long)]
    pub no_confine: bool,
    /// Say the kernel's filter, and at the end what was seen and lost
    #[arg(short, long)]
    pub verbose: bool,
    /// Flags from a TOML file, each as a key of its name; those given here come first
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// What the kernel lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Captured {
    /// DNS: its ports, fragments, tunnels
    Dns,
    /// And what names hosts, and how connections begin
    Hosts,
    /// Everything
    All,
}

#[derive(Debug, ClapArgs)]
#[command(
    override_usage = "whoasked explain [OPTIONS] NAME-OR-ADDRESS CAPTURE...\n       \
                      whoasked explain [OPTIONS] --alerts FILE CAPTURE...",
    after_help = "\
Examples:
  whoasked explain mi.kenal-cn.com office.pcap
  whoasked explain \"1 192.168.2.194 C2/Generic-A mi.kenal-cn.com 2 AFCd\" office.pcap
  whoasked explain --alerts atp-table.txt office.pcap
  whoasked explain --alerts aptp.log --tz Europe/Berlin monday.pcap tuesday.pcap --format jsonl

Alerts are read as people have them: the table of Sophos UTM9 as pasted from its page, log lines of \
Sophos UTM, SFOS, FortiGate, Check Point and Cisco Firepower, the threat log of Palo Alto, Suricata's \
EVE and fast.log, Snort's alerts, JSON as Splunk, Elastic and others export it, logs of Zeek, CEF, CSV \
with named columns (time, host, destination, threat, events), tables pasted from pfSense and OPNsense, \
and up to 49 lines of one name or address each. The form is found by what the file holds. One alert can stand on the \
command line itself, in quotes.

Exit status: 0 no alert is answered: the capture does not show what they flag, or not at their \
times; 1 at least one is answered, whether by a client, by `no client` or by `cannot be decided`; \
2 a usage, input or output error, or what is asked for is your own host; 130 ended by a second \
Ctrl-C."
)]
pub struct ExplainArgs {
    #[command(flatten)]
    pub input: InputArgs,
    /// File of the firewall's alerts, or `-` for stdin [repeatable]
    #[arg(short, long, value_name = "FILE")]
    pub alerts: Vec<PathBuf>,
    /// The form of the alerts, if it is not recognised
    #[arg(long, value_enum, value_name = "FORM")]
    pub alerts_format: Option<AlertForm>,
    #[command(flatten)]
    pub analysis: AnalysisArgs,
}

/// What all commands take that say who is behind something.
#[derive(Debug, ClapArgs)]
pub struct AnalysisArgs {
    /// Address of your DNS server; several of one server with commas between [repeatable]
    #[arg(short, long, value_name = "ADDR[,ADDR...]")]
    pub resolver: Vec<String>,
    /// Network your clients are in, such as 10.0.0.0/8; hosts outside are not named [repeatable]
    #[arg(long, value_name = "NET")]
    pub internal: Vec<String>,
    /// What your hosts are called: CSV with a header, a hosts file, DHCP leases (dnsmasq, ISC) [repeatable]
    #[arg(long, value_name = "FILE")]
    pub names: Vec<PathBuf>,
    #[command(flatten)]
    pub forms: FormArgs,
}

/// In which forms the answer is written, and where to.
#[derive(Debug, ClapArgs)]
pub struct FormArgs {
    /// How the answer is written on stdout
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Write the answer in another form too: to a file, or jsonl, eve, cef and syslog also to
    /// udp://HOST:PORT, tcp://HOST:PORT or unix:PATH [repeatable]
    #[arg(short, long, value_name = "FORM=PLACE")]
    pub output: Vec<String>,
    /// Write the answer as one HTML page too, to be opened in a browser, mailed or printed
    #[arg(long, value_name = "FILE.html")]
    pub report: Option<PathBuf>,
    /// Write the DNS packets that show it, and how connections to it began, to this directory, a .pcapng for each client and indicator
    #[arg(long, value_name = "DIR")]
    pub evidence: Option<PathBuf>,
    /// Print text for a ticket instead: of this client, or one of each [the same as --format ticket]
    #[arg(long, value_name = "CLIENT", num_args = 0..=1, require_equals = true,
          default_missing_value = "", conflicts_with = "format")]
    pub ticket: Option<String>,
    /// Time zone of the text: `local`, `UTC`, a name such as Europe/Berlin, or +01:00 [default: local]
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    pub tz: Option<String>,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  whoasked messages office.pcap
  whoasked messages --port 5300 lab.pcapng | jq -c 'select(.rcode == \"SERVFAIL\")'

Exit status: 0 all was read, 2 a usage or input error.")]
pub struct MessagesArgs {
    #[command(flatten)]
    pub input: InputArgs,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  whoasked completions bash > /etc/bash_completion.d/whoasked
  whoasked completions zsh > ~/.zfunc/_whoasked")]
pub struct CompletionsArgs {
    /// Which shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

#[derive(Debug, ClapArgs)]
pub struct ManualArgs {
    /// Where to write a page for each subcommand; without it, the first page goes to stdout
    #[arg(value_name = "DIR")]
    pub directory: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub struct InputArgs {
    /// Captures (.pcap or .pcapng, plain, .gz or .zst), directories of them, or `-` for stdin; several are
    /// read as one
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// A further port that DNS is spoken on, beside 53 [repeatable]
    #[arg(long, value_name = "PORT")]
    pub port: Vec<u16>,
    /// Read only frames that match a BPF filter, such as `host 10.0.0.10`
    #[arg(long, value_name = "EXPR")]
    pub filter: Option<String>,
    /// Add so many seconds to the times of a capture, or of all in a directory, whose clock is off [repeatable]
    #[arg(long, value_name = "FILE=SECONDS", value_parser = time_shift)]
    pub time_shift: Vec<(PathBuf, Span)>,
    /// Threads: 1 does all in one, 2 decodes beside linking, more decode in parallel
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub workers: Option<u16>,
    /// No progress bar
    #[arg(long)]
    pub no_progress: bool,
    /// Flags from a TOML file, each as a key of its name; those given here come first
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub struct IndicatorArgs {
    /// List of flagged names, addresses and networks: a file, a directory of files, or `-` [repeatable]
    #[arg(short, long, value_name = "LIST", num_args = 1..)]
    pub indicators: Vec<PathBuf>,
    /// How the lists are written, if their content does not tell it rightly
    #[arg(long, value_name = "FORM", value_enum)]
    pub indicators_format: Option<ListForm>,
    /// List of what is not flagged though it is listed, with all below it, in any of the forms [repeatable]
    #[arg(long, value_name = "LIST")]
    pub allow: Vec<PathBuf>,
}

impl ValueEnum for ListForm {
    fn value_variants<'a>() -> &'a [ListForm] {
        &ListForm::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, help) = match self {
            ListForm::Plain => ("plain", "One name, address or network a line"),
            ListForm::Hosts => ("hosts", "An address and names a line, as in /etc/hosts"),
            ListForm::Adblock => ("adblock", "Adblock rules: ||evil.com^"),
            ListForm::Rpz => ("rpz", "A response policy zone"),
            ListForm::Csv => ("csv", "A table: commas, semicolons or tabs between its columns"),
            ListForm::Stix => ("stix", "A STIX 2.1 bundle"),
            ListForm::Misp => ("misp", "An export of MISP"),
            ListForm::Zeek => ("zeek", "A file of Zeek's intelligence framework"),
            ListForm::SuricataDataset => {
                ("suricata-dataset", "A dataset of Suricata: base64, a line each")
            }
            ListForm::SuricataReputation => {
                ("suricata-iprep", "A reputation list of Suricata: address, category, score")
            }
            ListForm::SuricataRules => {
                ("suricata-rules", "Rules of Suricata, of which those with dns.query count")
            }
        };
        Some(PossibleValue::new(name).help(help))
    }
}

#[derive(Debug, ClapArgs)]
pub struct IndicatorsArgs {
    #[command(subcommand)]
    pub command: IndicatorsCommand,
}

#[derive(Debug, Subcommand)]
pub enum IndicatorsCommand {
    /// Say what was understood of lists, what was skipped and why, and what would flag too much
    Check(CheckArgs),
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  whoasked indicators check flagged.txt feeds/
  whoasked indicators check threatfox.csv bundle.json rpz.zone --allow ours.txt

Exit status: 0 all is well, 1 something was skipped or is doubtful, 2 a list cannot be used.")]
pub struct CheckArgs {
    /// Lists: files, directories of files, or `-` for stdin
    #[arg(value_name = "LIST", required = true)]
    pub lists: Vec<PathBuf>,
    /// How the lists are written, if their content does not tell it rightly
    #[arg(long, value_name = "FORM", value_enum)]
    pub indicators_format: Option<ListForm>,
    /// List of what is not flagged though it is listed [repeatable]
    #[arg(long, value_name = "LIST")]
    pub allow: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs: one JSON object a line, see docs/schema.md
    Jsonl,
    /// For spreadsheets: a line for each flagged lookup and client (this and what follows: docs/forms.md)
    Csv,
    /// JSON lines like those of Suricata's EVE
    Eve,
    /// Tab-separated values like a Zeek log
    Zeek,
    /// ArcSight's Common Event Format
    Cef,
    /// Syslog messages (RFC 5424)
    Syslog,
    /// Text for a ticket, one for each client
    Ticket,
    /// For spreadsheets: a line for each of the firewall's alerts and client (`explain`)
    Answers,
}

impl Format {
    /// Whether it can be written while a run goes on.
    pub fn can_follow(&self) -> bool {
        !matches!(self, Format::Ticket | Format::Answers)
    }
}

impl ValueEnum for AlertForm {
    fn value_variants<'a>() -> &'a [AlertForm] {
        &AlertForm::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            AlertForm::Table => "The table of Sophos UTM9's Advanced Threat Protection, as pasted",
            AlertForm::KeyValue => {
                "Log lines of key=\"value\" or the like: Sophos UTM, SFOS, Check Point, Cisco Firepower"
            }
            AlertForm::FortiGate => "Log lines of FortiGate",
            AlertForm::PaloAlto => "The threat log of Palo Alto Networks, as CSV",
            AlertForm::Eve => "Suricata's EVE, JSON objects",
            AlertForm::Json => "JSON objects of any kind, as Splunk and Elastic export them",
            AlertForm::Zeek => "Logs of Zeek with tabs: dns.log, intel.log, notice.log",
            AlertForm::Cef => "Common Event Format",
            AlertForm::FastLog => "Suricata's fast.log and Snort's alerts, of a line or several",
            AlertForm::Csv => "CSV with a header that names the columns",
            AlertForm::Names => "Names and addresses alone, one a line",
        };
        Some(PossibleValue::new(self.as_str()).help(help))
    }
}
