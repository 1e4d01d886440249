//! Arguments, verbatim.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{ArgGroup, Args as ClapArgs, Parser, Subcommand, ValueEnum};

use crate::alert::AlertFormat;
use crate::indicator::Form as ListForm;
use crate::time::Span;

/// Finds the internal client behind the alert that the firewall pins on the DNS server.
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

Exit status: 0 nothing flagged; 1 something flagged, even if no client is behind \
it or that cannot be decided; 2 a usage, input or output error; 130 ended by a \
second Ctrl-C."
)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Report which clients asked for flagged names or addresses, from capture files
    Read(ReadArgs),
    /// Report which clients ask for flagged names or addresses, live from a mirror port
    Live(LiveArgs),
    /// Find the clients behind firewall alerts, or behind one name or address
    Explain(ExplainArgs),
    /// Print one JSON line for each DNS message, as decoded
    Messages(MessagesArgs),
    /// Check how lists of flagged names and addresses are read
    Indicators(IndicatorsArgs),
    /// Print a shell completion script
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

A list has one entry per line: `evil.com` (it and everything below it), \
`=evil.com` (that name only), `*.evil.com` (only names below it), `192.0.2.1`, \
`192.0.2.0/24`. It can also be a hosts file, an adblock list, a response \
policy zone, CSV, STIX, MISP, Zeek or Suricata. `whoasked indicators check \
LIST` shows how it is read.

Exit status: 0 nothing flagged; 1 something flagged; 2 a usage, input or \
output error (what could be read and written is still there); 130 ended by a \
second Ctrl-C.")]
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
        .ok_or_else(|| "expected a size, such as 500K, 100M or 2G".to_owned())
}

/// How much a ring keeps: what holds no second of packets was meant otherwise.
fn ring_octets(text: &str) -> Result<u64, String> {
    octets(text).and_then(|octets| match octets >> 20 {
        0 => Err(format!("expected at least 1M (did you mean {text}G?)")),
        _ => Ok(octets),
    })
}

/// A length of time: `90s`, `15m`, `24h`, `7d`.
fn period(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a duration, such as 15m, 24h or 7d".to_owned();
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
    let wrong = || "expected a file and seconds, such as uplink.pcap=-1.25".to_owned();
    let (file, seconds) = text.rsplit_once('=').ok_or_else(wrong)?;
    let seconds = seconds.trim().trim_end_matches('s').trim_end();
    let span = seconds.parse().ok().and_then(Span::from_secs_f64).ok_or_else(wrong)?;
    if file.is_empty() { Err(wrong()) } else { Ok((file.into(), span)) }
}

/// An address and port, or a port of the loopback address.
fn socket(text: &str) -> Result<SocketAddr, String> {
    let of_port = text.parse().map(|port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    of_port.or_else(|_| text.parse()).map_err(|_| {
        "expected a port, such as 9153, or an address and port, such as 10.0.0.5:9153 or [fd00::5]:9153".to_owned()
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

On a terminal it shows a screen: `?` lists the keys, `q` quits. Started as root, it becomes the user whoasked, \
or nobody if there is no such user, before it writes anything: that user must be able to write to the directories \
of the outputs.

SIGHUP reloads the lists and reopens the outputs. SIGUSR1 prints on stderr what was seen so far. SIGINT and \
SIGTERM end the run: what is known is settled and summed up. See docs/live.md.

Exit status: 0 nothing flagged; 1 something flagged; 2 a usage or output error; 130 ended by a second Ctrl-C.")]
pub struct LiveArgs {
    /// Interface that receives the mirror port [repeatable, or separate several with commas]
    #[arg(short, long, value_name = "IFACE", required = true, value_delimiter = ',')]
    pub interface: Vec<String>,
    /// List of flagged names, addresses and networks: a file or a directory of files [repeatable]
    #[arg(long, value_name = "LIST", num_args = 1.., group = "wanted")]
    pub indicators: Vec<PathBuf>,
    /// Format of the lists, if it is not detected correctly
    #[arg(long, value_name = "FORM", value_enum)]
    pub indicators_format: Option<ListForm>,
    /// Allow list: entries that are never flagged [repeatable]
    #[arg(long, value_name = "LIST")]
    pub allow: Vec<PathBuf>,
    /// File of firewall alerts, as for `explain`: watch for their destinations, instead of --indicators [repeatable]
    #[arg(long, value_name = "FILE", group = "wanted", conflicts_with_all = ["indicators", "indicators_format", "allow"])]
    pub alerts: Vec<PathBuf>,
    /// Format of the alerts, if it is not detected correctly
    #[arg(long, value_enum, value_name = "FORM", conflicts_with = "indicators")]
    pub alerts_format: Option<AlertFormat>,
    /// Address of your DNS server; separate several addresses of one server with commas [repeatable]
    #[arg(short, long, value_name = "ADDR[,ADDR...]")]
    pub resolver: Vec<String>,
    /// Your clients' network; clients outside it are not named [repeatable]
    #[arg(long, value_name = "NET")]
    pub internal: Vec<String>,
    /// Your hosts' names: CSV with a header, a hosts file, DHCP leases [repeatable]
    #[arg(long, value_name = "FILE")]
    pub names: Vec<PathBuf>,
    /// Format of the answers on stdout
    #[arg(short, long, value_parser = format_of_live(), default_value = "text")]
    pub format: Format,
    /// Also write answers to a file; jsonl, eve, cef and syslog can go to udp://HOST:PORT, tcp://HOST:PORT or
    /// unix:PATH as well [repeatable]
    #[arg(short, long, value_name = "FORM=PLACE")]
    pub output: Vec<String>,
    /// Rotate output files at this size, such as 100M
    #[arg(long, value_name = "SIZE", value_parser = octets, requires = "output")]
    pub rotate_size: Option<u64>,
    /// Rotate output files after this time, such as 24h
    #[arg(long, value_name = "TIME", value_parser = period, requires = "output")]
    pub rotate_every: Option<Duration>,
    /// Rotated output files to keep; FILE.1 is the newest
    #[arg(long, value_name = "N", default_value_t = 7, requires = "output")]
    pub rotate_keep: u32,
    /// Keep the latest packets in this directory, so that `whoasked explain` can answer late alerts
    #[arg(long, value_name = "DIR")]
    pub ring: Option<PathBuf>,
    /// Maximum total size of the packets in --ring
    #[arg(long, value_name = "SIZE", default_value = "2G", value_parser = ring_octets, requires = "ring")]
    pub ring_size: u64,
    /// Serve GET /metrics (OpenMetrics) and GET /health on this port of localhost, or on ADDR:PORT
    #[arg(long, value_name = "[ADDR:]PORT", value_parser = socket)]
    pub metrics: Option<SocketAddr>,
    /// Write the metrics to this file every 15 s, for node_exporter's textfile collector (FILE.prom)
    #[arg(long, value_name = "FILE")]
    pub metrics_file: Option<PathBuf>,
    /// Time zone of the text [default: local]
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    pub tz: Option<String>,
    /// Additional DNS port besides 53 [repeatable]
    #[arg(long, value_name = "PORT")]
    pub port: Vec<u16>,
    /// Which packets to capture
    #[arg(long, value_enum, default_value_t = Captured::Hosts)]
    pub capture: Captured,
    /// Capture only packets that also match a BPF filter, such as `host 10.0.0.10`
    #[arg(long, value_name = "EXPR")]
    pub filter: Option<String>,
    /// Kernel capture buffer in MiB, for each interface and thread
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=2000))]
    pub buffer: u16,
    /// Bytes to capture of each packet
    #[arg(long, value_name = "BYTES", default_value_t = 262_144)]
    pub snaplen: u32,
    /// Capture threads per interface; they share its packets by flow
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub fanout: u16,
    /// Decoder threads
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub workers: Option<u16>,
    /// Print lines even on a terminal, instead of the screen
    #[arg(long)]
    pub no_tui: bool,
    /// User to become after opening the interfaces, when started as root [default: whoasked, or nobody]
    #[arg(long, value_name = "NAME", conflicts_with = "no_confine")]
    pub user: Option<String>,
    /// Do not give up privileges or restrict files and system calls
    #[arg(long)]
    pub no_confine: bool,
    /// Print the kernel filter, and at the end what was seen and lost
    #[arg(short, long)]
    pub verbose: bool,
    /// Read options from a TOML file, each under its own name; the command line takes precedence
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Which packets the kernel hands over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Captured {
    /// DNS: its ports, fragments and tunnels
    Dns,
    /// DNS, host names, and the start of connections
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

Alert formats: the table of Sophos UTM9 as pasted from its page; log lines of Sophos UTM, SFOS, FortiGate, \
Check Point and Cisco Firepower; the threat log of Palo Alto; Suricata's EVE and fast.log; Snort's alerts; JSON as \
exported by Splunk, Elastic and others; Zeek logs; CEF; CSV with named columns (time, host, destination, threat, \
events); tables pasted from pfSense and OPNsense; and up to 49 lines of one name or address each. The format is \
detected from the content. A single alert can be given on the command line, in quotes.

Exit status: 0 no alert is matched: the capture does not show what they flag, or not at their times; 1 at least one \
is matched, by a client, by `no client` or by `cannot be decided`; 2 a usage, input or output error, or the name or \
address asked for is your own host's; 130 ended by a second Ctrl-C."
)]
pub struct ExplainArgs {
    #[command(flatten)]
    pub input: InputArgs,
    /// File of firewall alerts, or `-` for stdin [repeatable]
    #[arg(short, long, value_name = "FILE")]
    pub alerts: Vec<PathBuf>,
    /// Format of the alerts, if it is not detected correctly
    #[arg(long, value_enum, value_name = "FORM")]
    pub alerts_format: Option<AlertFormat>,
    #[command(flatten)]
    pub analysis: AnalysisArgs,
}

/// Options of all commands that name clients.
#[derive(Debug, ClapArgs)]
pub struct AnalysisArgs {
    /// Address of your DNS server; separate several addresses of one server with commas [repeatable]
    #[arg(short, long, value_name = "ADDR[,ADDR...]")]
    pub resolver: Vec<String>,
    /// Your clients' network, such as 10.0.0.0/8; clients outside it are not named [repeatable]
    #[arg(long, value_name = "NET")]
    pub internal: Vec<String>,
    /// Your hosts' names: CSV with a header, a hosts file, DHCP leases (dnsmasq, ISC) [repeatable]
    #[arg(long, value_name = "FILE")]
    pub names: Vec<PathBuf>,
    #[command(flatten)]
    pub forms: FormArgs,
}

/// The formats in which the answer is written, and where it goes.
#[derive(Debug, ClapArgs)]
pub struct FormArgs {
    /// Format of the answer on stdout
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Also write the answer in another format to a file; jsonl, eve, cef and syslog can go to
    /// udp://HOST:PORT, tcp://HOST:PORT or unix:PATH as well [repeatable]
    #[arg(short, long, value_name = "FORM=PLACE")]
    pub output: Vec<String>,
    /// Also write the answer as one HTML page, to open in a browser, mail or print
    #[arg(long, value_name = "FILE.html")]
    pub report: Option<PathBuf>,
    /// Extract the evidence (DNS packets and connection starts) to this directory, one .pcapng per client and indicator
    #[arg(long, value_name = "DIR")]
    pub evidence: Option<PathBuf>,
    /// Print ticket text instead, for this client, or for each client if none is given [same as --format ticket]
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

Exit status: 0 everything was read; 2 a usage or input error.")]
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
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

#[derive(Debug, ClapArgs)]
pub struct ManualArgs {
    /// Directory for one page per subcommand; without it, the main page goes to stdout
    #[arg(value_name = "DIR")]
    pub directory: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub struct InputArgs {
    /// Captures (.pcap or .pcapng, plain, .gz or .zst), directories of them, or `-` for stdin; several are
    /// merged by time
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Additional DNS port besides 53 [repeatable]
    #[arg(long, value_name = "PORT")]
    pub port: Vec<u16>,
    /// Read only frames that match a BPF filter, such as `host 10.0.0.10`
    #[arg(long, value_name = "EXPR")]
    pub filter: Option<String>,
    /// Correct the clock of a capture, or of all in a directory: add SECONDS to its timestamps [repeatable]
    #[arg(long, value_name = "FILE=SECONDS", value_parser = time_shift)]
    pub time_shift: Vec<(PathBuf, Span)>,
    /// Threads: 1 does everything in one, 2 decodes in a second one, more decode in parallel
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub workers: Option<u16>,
    /// Show no progress bar
    #[arg(long)]
    pub no_progress: bool,
    /// Read options from a TOML file, each under its own name; the command line takes precedence
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub struct IndicatorArgs {
    /// List of flagged names, addresses and networks: a file, a directory of files, or `-` [repeatable]
    #[arg(short, long, value_name = "LIST", num_args = 1..)]
    pub indicators: Vec<PathBuf>,
    /// Format of the lists, if it is not detected correctly
    #[arg(long, value_name = "FORM", value_enum)]
    pub indicators_format: Option<ListForm>,
    /// Allow list: entries that are never flagged, with everything below them, in any list format [repeatable]
    #[arg(long, value_name = "LIST")]
    pub allow: Vec<PathBuf>,
}

impl ValueEnum for ListForm {
    fn value_variants<'a>() -> &'a [ListForm] {
        &ListForm::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, help) = match self {
            ListForm::Plain => ("plain", "One name, address or network per line"),
            ListForm::Hosts => ("hosts", "An address and names on each line, as in /etc/hosts"),
            ListForm::Adblock => ("adblock", "Adblock rules: ||evil.com^"),
            ListForm::Rpz => ("rpz", "A response policy zone"),
            ListForm::Csv => {
                ("csv", "A table with columns separated by commas, semicolons or tabs")
            }
            ListForm::Stix => ("stix", "A STIX 2.1 bundle"),
            ListForm::Misp => ("misp", "A MISP export"),
            ListForm::Zeek => ("zeek", "A file of Zeek's intelligence framework"),
            ListForm::SuricataDataset => {
                ("suricata-dataset", "A Suricata dataset: one base64 text per line")
            }
            ListForm::SuricataReputation => {
                ("suricata-iprep", "A Suricata reputation list: address, category, score")
            }
            ListForm::SuricataRules => {
                ("suricata-rules", "Suricata rules; only those with dns.query are used")
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
    /// Show how lists are read, what is skipped and why, and what would flag too much
    Check(CheckArgs),
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  whoasked indicators check flagged.txt feeds/
  whoasked indicators check threatfox.csv bundle.json rpz.zone --allow ours.txt

Exit status: 0 all is well; 1 something was skipped or is doubtful; 2 a list cannot be used.")]
pub struct CheckArgs {
    /// Lists: files, directories of files, or `-` for stdin
    #[arg(value_name = "LIST", required = true)]
    pub lists: Vec<PathBuf>,
    /// Format of the lists, if it is not detected correctly
    #[arg(long, value_name = "FORM", value_enum)]
    pub indicators_format: Option<ListForm>,
    /// Allow list: entries that are never flagged [repeatable]
    #[arg(long, value_name = "LIST")]
    pub allow: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs: one JSON object per line, see docs/schema.md
    Jsonl,
    /// For spreadsheets: a row for each flagged lookup and client (this format and those below: docs/forms.md)
    Csv,
    /// JSON lines like Suricata's EVE
    Eve,
    /// Tab-separated values like a Zeek log
    Zeek,
    /// ArcSight's Common Event Format
    Cef,
    /// Syslog messages (RFC 5424)
    Syslog,
    /// Text for a ticket, one per client
    Ticket,
    /// For spreadsheets: a row for each firewall alert and client (`explain`)
    Answers,
}

impl Format {
    /// Whether it can be written while a run goes on.
    pub fn can_follow(&self) -> bool {
        !matches!(self, Format::Ticket | Format::Answers)
    }
}

impl ValueEnum for AlertFormat {
    fn value_variants<'a>() -> &'a [AlertFormat] {
        &AlertFormat::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            AlertFormat::Table => {
                "The table of Sophos UTM9's Advanced Threat Protection, as pasted"
            }
            AlertFormat::KeyValue => {
                "Log lines of key=\"value\" or similar: Sophos UTM, SFOS, Check Point, Cisco Firepower"
            }
            AlertFormat::FortiGate => "FortiGate log lines",
            AlertFormat::PaloAlto => "The threat log of Palo Alto Networks, as CSV",
            AlertFormat::Eve => "Suricata's EVE, JSON objects",
            AlertFormat::Json => "JSON objects of any kind, as exported by Splunk and Elastic",
            AlertFormat::Zeek => "Zeek logs with tabs: dns.log, intel.log, notice.log",
            AlertFormat::Cef => "Common Event Format",
            AlertFormat::FastLog => {
                "Suricata's fast.log and Snort's alerts, on one line or several"
            }
            AlertFormat::Csv => "CSV with a header that names the columns",
            AlertFormat::Names => "Only names and addresses, one per line",
        };
        Some(PossibleValue::new(self.as_str()).help(help))
    }
}
