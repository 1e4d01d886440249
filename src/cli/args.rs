//! Arguments, verbatim.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

/// Tells which internal client is behind the alert that the firewall pins on the DNS server.
#[derive(Debug, Parser)]
#[command(name = "whoasked", version, about, propagate_version = true, max_term_width = 100)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say who asked for what is flagged, from capture files
    Read(ReadArgs),
    /// Print one JSON line for each DNS message, as decoded
    Messages(MessagesArgs),
    /// Look into lists of indicators
    Indicators(IndicatorsArgs),
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  whoasked read office.pcap --indicators flagged.txt
  whoasked read client-side.pcapng.gz uplink.pcap.zst --indicators flagged.txt --format jsonl
  tcpdump -w - port 53 | whoasked read - --indicators flagged.txt --resolver 10.0.0.10,fd00::10

A list has one entry a line: `evil.com` (itself and all below), `=evil.com` (itself alone),
`*.evil.com` (only what is below), `192.0.2.1`, `192.0.2.0/24`. Read are also hosts files, adblock
lists, response policy zones, tables (CSV), STIX, MISP, Zeek and Suricata lists: see
`whoasked indicators check LIST`.

Exit status: 0 nothing flagged, 1 something flagged, 2 a usage or input error.")]
pub struct ReadArgs {
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub indicators: IndicatorArgs,
    /// Address of your DNS server; several of one server with commas between [repeatable]
    #[arg(short, long, value_name = "ADDR[,ADDR...]")]
    pub resolver: Vec<String>,
    /// Network your clients are in, such as 10.0.0.0/8; hosts outside are not named [repeatable]
    #[arg(long, value_name = "NET")]
    pub internal: Vec<String>,
    /// How the answer is written
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
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
pub struct InputArgs {
    /// Captures (.pcap or .pcapng, plain, .gz or .zst), or `-` for stdin; several are read as one
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// A further port that DNS is spoken on, beside 53 [repeatable]
    #[arg(long, value_name = "PORT")]
    pub port: Vec<u16>,
    /// Read only frames that match a BPF filter, such as `host 10.0.0.10`
    #[arg(long, value_name = "EXPR")]
    pub filter: Option<String>,
    /// Threads: 1 does all in one, 2 decodes beside linking, more decode in parallel
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub workers: Option<u16>,
    /// No progress bar
    #[arg(long)]
    pub no_progress: bool,
}

#[derive(Debug, ClapArgs)]
pub struct IndicatorArgs {
    /// List of flagged names, addresses and networks: a file, a directory of files, or `-` [repeatable]
    #[arg(short, long, value_name = "LIST", num_args = 1..)]
    pub indicators: Vec<PathBuf>,
    /// How the lists are written, if their content does not tell it rightly
    #[arg(long, value_name = "FORM", value_enum)]
    pub indicators_format: Option<IndicatorForm>,
    /// List of what is not flagged though it is listed, with all below it, in any of the forms [repeatable]
    #[arg(long, value_name = "LIST")]
    pub allow: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum IndicatorForm {
    /// One name, address or network a line
    Plain,
    /// An address and names a line, as in /etc/hosts
    Hosts,
    /// Adblock rules: ||evil.com^
    Adblock,
    /// A response policy zone
    Rpz,
    /// A table: commas, semicolons or tabs between its columns
    Csv,
    /// A STIX 2.1 bundle
    Stix,
    /// An export of MISP
    Misp,
    /// A file of Zeek's intelligence framework
    Zeek,
    /// A dataset of Suricata: base64, a line each
    SuricataDataset,
    /// A reputation list of Suricata: address, category, score
    SuricataIprep,
    /// Rules of Suricata, of which those with dns.query count
    SuricataRules,
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
    pub indicators_format: Option<IndicatorForm>,
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
}
