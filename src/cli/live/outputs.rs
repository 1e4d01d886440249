//! Where the answers of a live run go, each on a thread of its own.

use std::borrow::Cow;
use std::io;
use std::path::Path;

use anyhow::{Context, bail};

use super::super::args::Format;
use super::super::outputs::{Form as FileForm, output, spare_capture};
use super::super::place::{Line, Place, is_same_file};
use super::super::settings::{Live as Settings, look_of_stdout};
use crate::live::{Form, Growing, Heading, Queue, Sent, Watched, directory_of};

/// The outputs beside stdout, as they were given.
pub struct ExtraOutputs {
    /// As the user named it.
    name: String,
    form: Form,
    line: Line,
    pub place: Place,
}

/// Makes sense of what was given, before anything is opened.
///
/// # Errors
/// When a form or place cannot be understood, or would harm what is there.
pub fn further(settings: &Settings) -> anyhow::Result<Vec<ExtraOutputs>> {
    let mut all: Vec<ExtraOutputs> = Vec::new();
    for text in &settings.outputs {
        let (form, place) = output(text, None, Format::can_follow)?;
        spare_capture(&place)?;
        let is_socket = !matches!(place, Place::File(_));
        let line = form.line().unwrap_or(Line::Text);
        let form = live_form(form, is_socket).with_context(|| {
            format!("--output: `{text}`: a ticket can only be written after a run")
        })?;
        if all.iter().any(|known| place.is_file_of(&known.place)) {
            bail!("--output: {place} is given twice");
        }
        if let Place::File(path) = &place
            && settings.flagged.paths().any(|list| is_same_file(list, path))
        {
            bail!("--output: {place} is an input of this run and cannot be written to");
        }
        all.push(ExtraOutputs { name: text.clone(), form, line, place });
    }
    Ok(all)
}

/// Opens stdout and the others; with a screen, stdout gets what it came to. `way_out` is added to why a file cannot be opened.
///
/// # Errors
/// When a file cannot be written to. A receiver that is not there is waited for.
pub fn open(
    settings: &Settings,
    further: Vec<ExtraOutputs>,
    has_screen: bool,
    way_out: &str,
) -> anyhow::Result<Vec<(Form, Queue)>> {
    let stdout = Sent::new(|| Ok(Box::new(Watched(io::stdout())) as Box<dyn io::Write + Send>))?;
    let form = live_form(FileForm::new_for_stdout(settings.format), false)
        .context("--format: a ticket can only be written after a run")?;
    let form = if has_screen { Form::Ending(look_of_stdout().width()) } else { form };
    let mut outputs = vec![(form, Queue::start("stdout", Box::new(stdout))?)];
    for ExtraOutputs { name, form, line, place } in further {
        let queue = match place {
            Place::File(path) => {
                let file =
                    Growing::open(&path, settings.rotation, heading(form)).with_context(|| {
                        format!("--output: {}{}", path.display(), hint(&path, way_out))
                    })?;
                Queue::start(&name, Box::new(file))?
            }
            place => Queue::start(&name, Box::new(Sent::later(move || place.connect(line))))?,
        };
        outputs.push((form, queue));
    }
    Ok(outputs)
}

/// What to do about a file that cannot be opened: a directory that is missing is not one that lets nobody write.
fn hint<'a>(path: &Path, way_out: &'a str) -> Cow<'a, str> {
    let directory = directory_of(path);
    match directory.exists() {
        true => Cow::Borrowed(way_out),
        false => Cow::Owned(format!(
            " (there is no directory {0}: create it with `install -d -o nobody {0}`, or with the user of --user)",
            directory.display()
        )),
    }
}

fn heading(form: Form) -> Heading {
    match form {
        Form::Csv => Heading::First,
        Form::Zeek => Heading::Hashes,
        Form::Lines | Form::Ending(_) | Form::Jsonl | Form::Eve | Form::Cef(_) | Form::Syslog => {
            Heading::None
        }
    }
}

/// The form as lines that come one by one; a ticket has none.
fn live_form(form: FileForm, to_socket: bool) -> Option<Form> {
    match form {
        FileForm::Text(_) => Some(Form::Lines),
        FileForm::Jsonl => Some(Form::Jsonl),
        FileForm::Eve => Some(Form::Eve),
        FileForm::Cef => Some(Form::Cef(to_socket)),
        FileForm::Syslog => Some(Form::Syslog),
        FileForm::Csv => Some(Form::Csv),
        FileForm::Zeek => Some(Form::Zeek),
        FileForm::Ticket(_) | FileForm::Answers => None,
    }
}
