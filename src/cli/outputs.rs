//! In which forms the answer goes where: `--format`, `--output`, `--evidence` and `--ticket` made sense of.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::ValueEnum;

use super::args::{FormArgs, Format};
use super::place::{Line, Place, STDOUT, is_same_file};
use super::settings::{Input, look_of_stdout};
use super::usage::{PAGE_FLAG, is_page as is_called_page};
use crate::attribution::{Attribution, ReadFile};
use crate::capture::{is_called_capture, is_pipe};
use crate::evidence::Evidence;
use crate::flow::Address;
use crate::packet::Ports;
use crate::report::{
    Answers, Cef, Csv, Ending, Eve, Html, Jsonl, Look, Report, Subject, Syslog, Text, Ticket, Zeek,
};

/// The width of a page in a file.
const FILE_COLUMNS: usize = 80;

/// How the answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text(Look),
    /// JSON lines.
    Jsonl,
    /// Comma-separated values.
    Csv,
    /// Like Suricata's EVE.
    Eve,
    /// Like a Zeek log.
    Zeek,
    /// Common Event Format.
    Cef,
    /// RFC 5424.
    Syslog,
    /// For a ticket, of one client or of all.
    Ticket(Option<Address>),
    /// The answers to alerts, as comma-separated values.
    Answers,
}

/// Where the answer goes, and in which forms.
#[derive(Debug)]
pub struct Outputs {
    stdout: Form,
    further: Vec<(Form, Place)>,
    page: Option<PathBuf>,
    evidence: Option<Cut>,
}

/// What is needed to cut evidence out of the captures.
#[derive(Debug)]
struct Cut {
    directory: PathBuf,
    captures: Vec<ReadFile>,
    ports: Ports,
}

impl Outputs {
    /// Checks what can be checked before anything is read. The captures of `input` are read again for
    /// evidence; neither they nor the `lists` are written over.
    ///
    /// # Errors
    /// When a form or place cannot be understood, or would harm what is there.
    pub fn new(mut args: FormArgs, input: &Input, lists: &[PathBuf]) -> anyhow::Result<Outputs> {
        let captures = &input.files;
        take_page(&mut args)?;
        let client = match args.ticket.as_deref() {
            None => None,
            Some("") => Some(None),
            Some(text) => Some(Some(client(text)?)),
        };
        let one = client.flatten();
        let format = if client.is_some() { Format::Ticket } else { args.format };
        let mut further: Vec<(Form, Place)> = Vec::new();
        let is_read =
            |path: &Path| captures.iter().chain(lists).find(|read| is_same_file(path, read));
        let stdout = Path::new(STDOUT);
        // Captures are held against it where they are taken in.
        if let Some(path) = lists.iter().find(|read| is_same_file(stdout, read)) {
            bail!("stdout is redirected to {}, which is also an input", path.display());
        }
        for text in &args.output {
            let (form, place) = output(text, one, |_| true)?;
            if let Place::File(path) = &place {
                if let Some(path) = is_read(path) {
                    bail!(
                        "--output: {} is an input of this run and cannot be written to",
                        path.display()
                    );
                }
                let page = args.report.as_deref().filter(|page| is_same_file(path, page));
                if page.is_some() || is_same_file(path, stdout) {
                    let other = if page.is_some() { "--report" } else { "stdout" };
                    bail!("--output: {other} already goes to {place}");
                }
            }
            spare_capture(&place)?;
            if further.iter().any(|(_, known)| place.is_file_of(known)) {
                bail!("--output: {place} is given twice");
            }
            further.push((form, place));
        }
        if args.report.as_ref().is_some_and(|path| path.as_os_str() == "-") {
            bail!("--report: name a file, such as answer.html; stdout is for the answer itself");
        }
        if args.report.as_ref().is_some_and(|path| is_same_file(path, stdout)) {
            bail!("--report: stdout already goes to this file");
        }
        if let Some(path) = &args.report {
            check_page(path)?;
        }
        if let Some(directory) = &args.evidence {
            check_evidence(directory, captures)?;
        }
        let cut =
            |directory| Cut { directory, captures: input.read_files(), ports: input.ports.clone() };
        let evidence = args.evidence.map(cut);
        let stdout = Form::new(format, look_of_stdout(), one);
        Ok(Outputs { stdout, further, page: args.report, evidence })
    }

    /// Whether the answers to alerts are to be written.
    pub fn have_answers(&self) -> bool {
        let mut forms = self.further.iter().map(|(form, _)| *form).chain([self.stdout]);
        forms.any(|form| matches!(form, Form::Answers))
    }

    /// Opens all places and makes the reports that write there.
    ///
    /// # Errors
    /// When a place cannot be written to.
    pub fn reports<'a>(&self, subject: Subject<'a>) -> anyhow::Result<Vec<Box<dyn Report + 'a>>> {
        let out = io::BufWriter::new(io::stdout().lock());
        let on_stdout: Box<dyn Report + 'a> = Box::new(OnStdout {
            shows_damage: matches!(self.stdout, Form::Text(_)) && io::stdout().is_terminal(),
            report: report(self.stdout, Box::new(out), false, subject),
        });
        let mut reports = vec![on_stdout];
        // Files come last: where anything cannot be opened, none of them is emptied.
        let (files, sockets): (Vec<_>, Vec<_>) =
            self.further.iter().partition(|(_, place)| matches!(place, Place::File(_)));
        for (_, place) in &files {
            place.check()?;
        }
        let open = |(form, place): &(Form, Place)| -> anyhow::Result<Box<dyn Report + 'a>> {
            let out = place.open(form.line())?;
            let report = report(*form, out, !matches!(place, Place::File(_)), subject);
            Ok(Box::new(OtherOutput { place: place.to_string(), report }))
        };
        for socket in sockets {
            reports.push(open(socket)?);
        }
        if let Some(path) = &self.page {
            reports.push(Box::new(OtherOutput {
                place: format!("--report {}", path.display()),
                report: Box::new(Html::create(path, subject)?),
            }));
        }
        if let Some(Cut { directory, captures, ports }) = &self.evidence {
            let evidence = Evidence::new(directory, captures, ports.clone(), subject)
                .with_context(|| format!("--evidence: {}", directory.display()))?;
            let place = format!("--evidence {}", directory.display());
            reports.push(Box::new(OtherOutput { place, report: Box::new(evidence) }));
        }
        for file in files {
            reports.push(open(file)?);
        }
        Ok(reports)
    }
}

impl Form {
    fn new(format: Format, look: Look, client: Option<Address>) -> Form {
        match format {
            Format::Text => Form::Text(look),
            Format::Jsonl => Form::Jsonl,
            Format::Csv => Form::Csv,
            Format::Eve => Form::Eve,
            Format::Zeek => Form::Zeek,
            Format::Cef => Form::Cef,
            Format::Syslog => Form::Syslog,
            Format::Ticket => Form::Ticket(client),
            Format::Answers => Form::Answers,
        }
    }

    /// What stdout gets by `--format` alone.
    pub fn new_for_stdout(format: Format) -> Form {
        Form::new(format, look_of_stdout(), None)
    }

    /// What a line of it is to a socket; none of what is no message for itself.
    pub fn line(self) -> Option<Line> {
        match self {
            Form::Jsonl | Form::Eve => Some(Line::Text),
            Form::Cef | Form::Syslog => Some(Line::Syslog),
            Form::Text(_) | Form::Csv | Form::Zeek | Form::Ticket(_) | Form::Answers => None,
        }
    }
}

/// The report of a form.
fn report<'a>(
    form: Form,
    out: Box<dyn Write>,
    to_socket: bool,
    subject: Subject<'a>,
) -> Box<dyn Report + 'a> {
    match form {
        Form::Text(look) => Box::new(Text::new(out, look, subject)),
        Form::Jsonl => Box::new(Jsonl::new(out, subject)),
        Form::Csv => Box::new(Csv::new(out, subject)),
        Form::Eve => Box::new(Eve::new(out, subject)),
        Form::Zeek => Box::new(Zeek::new(out, subject)),
        Form::Cef => Box::new(Cef::new(out, subject, to_socket)),
        Form::Syslog => Box::new(Syslog::new(out, subject)),
        Form::Ticket(client) => Box::new(Ticket::new(out, client, subject)),
        Form::Answers => Box::new(Answers::new(out, subject)),
    }
}

/// The report on stdout.
struct OnStdout<'a> {
    report: Box<dyn Report + 'a>,
    shows_damage: bool,
}

impl Report for OnStdout<'_> {
    fn attribution(&mut self, attribution: &Attribution) -> io::Result<()> {
        self.report.attribution(attribution)
    }

    fn end(&mut self, ending: &Ending<'_>) -> io::Result<()> {
        self.report.end(ending)
    }

    fn shows_damage(&self) -> bool {
        self.shows_damage
    }
}

/// A report elsewhere: its errors say where.
struct OtherOutput<'a> {
    place: String,
    report: Box<dyn Report + 'a>,
}

impl OtherOutput<'_> {
    /// Another kind than that of a pipe that somebody closed, which is no error on stdout alone.
    fn failed(&self, error: io::Error) -> io::Error {
        io::Error::other(format!("{}: {error}", self.place))
    }
}

impl Report for OtherOutput<'_> {
    fn attribution(&mut self, attribution: &Attribution) -> io::Result<()> {
        self.report.attribution(attribution).map_err(|error| self.failed(error))
    }

    fn end(&mut self, ending: &Ending<'_>) -> io::Result<()> {
        self.report.end(ending).map_err(|error| self.failed(error))
    }
}

/// Reads `FORM=PLACE`.
///
/// Of the forms, those that `can_be` of this command are named where one is none.
pub fn output(
    text: &str,
    client: Option<Address>,
    can_be: impl Fn(&Format) -> bool,
) -> anyhow::Result<(Form, Place)> {
    let Some((form, place)) = text.split_once('=') else {
        bail!("--output: `{text}` names no format (expected FORM=PLACE, such as csv=answer.csv)");
    };
    if is_called_page(form) {
        bail!(
            "--output: `{text}`: a page covers whole captures: `read` or `explain` writes one with {PAGE_FLAG}"
        );
    }
    let format = Format::from_str(form, true).map_err(|_| {
        let known: Vec<String> = Format::value_variants()
            .iter()
            .filter(|format| can_be(format))
            .filter_map(|format| Some(format.to_possible_value()?.get_name().to_owned()))
            .collect();
        anyhow::anyhow!("--output: `{form}` is not a format (expected one of {})", known.join(", "))
    })?;
    let form_of_it = Form::new(format, Look::new(FILE_COLUMNS, false), client);
    let place = Place::new(place).with_context(|| format!("--output: `{text}`"))?;
    if !matches!(place, Place::File(_)) && form_of_it.line().is_none() {
        bail!(
            "--output: `{text}`: {form} can only go to a file (jsonl, eve, cef and syslog can also go to a socket)"
        );
    }
    Ok((form_of_it, place))
}

/// Refuses to write over what is called as captures are: it may be all that there is of an evening.
///
/// # Errors
/// When there is such a file.
pub fn spare_capture(place: &Place) -> anyhow::Result<()> {
    match place {
        Place::File(path) if path.is_file() && is_called_capture(&path.to_string_lossy()) => {
            bail!("--output: {place} exists and is named like a capture; it is not overwritten")
        }
        _ => Ok(()),
    }
}

fn client(text: &str) -> anyhow::Result<Address> {
    match text.parse::<IpAddr>() {
        Ok(ip) => Ok(Address::from(ip)),
        Err(_) => bail!(
            "--ticket: `{text}` is not an IP address: give the host's address, shown next to its name in the \
             report, as in --ticket=192.168.2.42"
        ),
    }
}

/// `-o html=FILE` is `--report FILE`: it takes such an output out of the others.
fn take_page(args: &mut FormArgs) -> anyhow::Result<()> {
    let is_page = |text: &str| text.split_once('=').is_some_and(|(form, _)| is_called_page(form));
    while let Some(place) = args.output.iter().position(|text| is_page(text)) {
        let text = args.output.remove(place);
        let path = text.split_once('=').map_or("", |(_, path)| path);
        match Place::new(path).with_context(|| format!("--output: `{text}`"))? {
            Place::File(_) if args.report.is_some() => {
                bail!(
                    "--output: `{text}`: only one page can be written, and --report names another"
                );
            }
            Place::File(path) => args.report = Some(path),
            _ => bail!("--output: `{text}`: a page can only go to a file"),
        }
    }
    Ok(())
}

/// What a page is: nobody finds one under a name that tells of something else.
fn check_page(path: &Path) -> anyhow::Result<()> {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let instead = match ending.to_ascii_lowercase().as_str() {
        "csv" | "tsv" => "for spreadsheets, use -o csv=FILE",
        "json" | "jsonl" | "ndjson" => "for programs, use -o jsonl=FILE",
        "txt" | "text" | "log" | "md" => "for the text, use -o text=FILE",
        "pcap" | "pcapng" => "for the packets, use --evidence DIR",
        "pdf" => "a browser can print it as PDF",
        "doc" | "docx" | "odt" | "xls" | "xlsx" | "ods" | "xml" | "png" => {
            "docs/forms.md lists the other forms"
        }
        _ => return Ok(()),
    };
    bail!(
        "--report writes an HTML page, but {} has another extension: name it {} ({instead})",
        path.display(),
        path.with_extension("html").display()
    )
}

/// `--ticket 192.168.2.42` without `=` makes a capture of the address, or what is to be explained; of these
/// at most one address stands among the captures, and `questions` says whether.
///
/// # Errors
/// When the client of a ticket stands there.
pub fn refuse_loose_client(
    ticket: Option<&str>,
    captures: &[PathBuf],
    questions: usize,
) -> anyhow::Result<()> {
    let is_lost = |path: &&str| !Path::new(path).exists();
    let lost: Vec<&str> =
        captures.iter().filter_map(|path| path.to_str()).filter(is_lost).collect();
    let loose = lost.iter().find(|path| path.parse::<IpAddr>().is_ok());
    if let (Some(""), Some(client)) = (ticket, loose)
        && lost.len() > questions
    {
        bail!(
            "capture {client} not found; for its ticket, write `=` instead of the space: --ticket={client}"
        );
    }
    Ok(())
}

/// Evidence is read from the captures a second time, and must not mix with that of another run.
fn check_evidence(directory: &Path, captures: &[PathBuf]) -> anyhow::Result<()> {
    for path in captures {
        if is_pipe(path) {
            bail!(
                "--evidence reads the captures twice, which {} does not allow: save it to a file first",
                if path.as_os_str() == "-" { "stdin".into() } else { path.display().to_string() }
            );
        }
    }
    let mut entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => bail!("--evidence: {}: {error}", directory.display()),
    };
    if entries.next().is_some() {
        bail!(
            "--evidence: {} is not empty; use another directory, so that the evidence of two runs does not mix",
            directory.display()
        );
    }
    Ok(())
}
