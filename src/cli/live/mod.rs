//! `whoasked live`: who asked for what is flagged, as it happens.

mod metrics;
mod shown;
mod signals;
mod status_line;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};

use self::shown::Shown;
use super::analysis::attributor;
use super::outputs::{Form as FileForm, output};
use super::place::Place;
use super::settings::Live as Settings;
use super::{Outcome, indicators, say};
use crate::capture::live::Device;
use crate::frame::Batch;
use crate::live::{Answers, Board, Control, Feed, Form, Growing, Heading, Queue, Ring, Sent};
use crate::name::NameHasher;
use crate::pipeline::live::{Listener, Lookout, Tap, listen, now};
use crate::pipeline::{Decoder, Keeper, Stop};
use crate::report::Internal;

/// How long outputs may take to write what waits when the run ends.
const LAST_WORDS: Duration = Duration::from_millis(1_500);
/// How many pairs of indicator and client the summary keeps.
const SUMMARY_MAX: usize = 1 << 15;

pub fn run(settings: Settings) -> anyhow::Result<Outcome> {
    let hasher = NameHasher::random();
    let loaded = Arc::new(indicators::load(&settings.lists, hasher)?);
    let listeners = listeners(&settings)?;
    // From here on the terminal is the screen's, and given back however this function is left.
    let mut shown = Shown::open(&settings);
    let outputs = outputs(&settings, shown.is_on())?;
    let ring = match &settings.ring {
        Some((directory, octets)) => Some(
            Ring::start(directory, *octets, settings.interfaces.clone())
                .with_context(|| format!("--ring: {}", directory.display()))?,
        ),
        None => None,
    };
    let stop = Arc::new(Stop::default());
    let control = Arc::new(Control::default());
    let board = Board::default();
    let metrics = metrics::open(&settings, &board)?;
    let lookout = Arc::new(Lookout::new(Arc::clone(&loaded)));
    let queues = outputs.iter().map(|(_, queue)| queue.clone()).collect();
    let reload = signals::Reload {
        lists: settings.lists.clone(),
        hasher,
        control: Arc::clone(&control),
        lookout: Arc::clone(&lookout),
        outputs: queues,
    };
    signals::obey(reload, board.clone(), Arc::clone(&stop), shown.is_on())?;
    status_line::keep(board.clone(), Arc::clone(&stop), shown.is_on())?;
    let feed = Feed::default();
    shown.begin(&board, &feed, &stop)?;
    metrics.start(&board, &stop)?;
    let declared = settings.resolvers.iter().flatten().copied().collect();
    let looked_for = (Arc::clone(&loaded), hasher);
    let attributor = attributor(settings.resolvers, &settings.ports, looked_for)
        .with_inventory(settings.inventory)
        .with_provisional()
        .with_summary_limit(SUMMARY_MAX);
    let internal = Internal::new(settings.internal);
    let subject = (settings.interfaces, settings.zone, internal);
    let decoder = Decoder::new(settings.ports, hasher, Some(Arc::clone(&loaded)));
    let told = (control, board.clone(), now());
    let mut answers = Answers::new(attributor, loaded, subject, outputs, told)
        .with_declared(declared)
        .with_ring(ring.as_ref().map(Ring::watch));
    if shown.is_on() {
        answers = answers.with_feed(feed);
    }
    let mut keeper = Keeper::new(decoder.clone(), answers);
    let (tap, ring) = match ring {
        Some(mut ring) => {
            let watch = ring.watch();
            (Some(Box::new(move |batch: &Batch| ring.take(batch)) as Tap<'_>), Some(watch))
        }
        None => (None, None),
    };
    if !shown.is_on() {
        say("whoasked: listening; Ctrl-C ends it");
    }
    listen(listeners, tap, &decoder, &mut keeper, settings.workers, &lookout, &stop);
    // What it came to is written where the terminal was before.
    shown.close();
    let counters = keeper.counters();
    let is_flagged = keeper.sink.finish(counters);
    say(&status_line::coverage(&board.latest()));
    let mut is_lost = false;
    for queue in keeper.sink.outputs() {
        let state = queue.finish(LAST_WORDS);
        if state.lost > 0 && !queue.is_reader_gone() {
            is_lost = true;
            say(&format!("whoasked: {}: {} lines were lost", state.name, state.lost));
        }
    }
    if let Some(state) = ring.map(|ring| ring.finish(LAST_WORDS)) {
        let packets = if state.lost > 0 {
            format!("{} packets were lost", state.lost)
        } else {
            String::new()
        };
        for why in [packets].into_iter().chain(state.fault).filter(|why| !why.is_empty()) {
            is_lost = true;
            say(&format!("whoasked: --ring: {why}"));
        }
    }
    Ok(match (is_lost, is_flagged) {
        (true, _) => Outcome::Failed,
        (false, true) => Outcome::Flagged,
        (false, false) => Outcome::Clean,
    })
}

/// Opens the interfaces.
fn listeners(settings: &Settings) -> anyhow::Result<Vec<Listener>> {
    let mut listeners = Vec::new();
    for (interface, name) in (0u16..).zip(&settings.interfaces) {
        for _ in 0..settings.fanout {
            // A group of this process and interface.
            let group = (std::process::id() as u16).wrapping_mul(31).wrapping_add(interface);
            let group = (settings.fanout > 1).then_some(group);
            let device = Device::open(name, settings.device.clone(), group)
                .map_err(|why| anyhow::anyhow!("--interface: {why}{}", way_out(&why)))?;
            if settings.is_verbose && (listeners.is_empty() || settings.fanout == 1) {
                say(&format!("whoasked: {name}: filter: {}", device.expression()));
            }
            listeners.push(Listener { interface, source: Box::new(device) });
        }
    }
    Ok(listeners)
}

/// What to do about an interface that cannot be opened, if that is known.
fn way_out(why: &str) -> &'static str {
    if why.contains("not permitted") || why.contains("permission") {
        "; listening takes root, or once: setcap cap_net_raw=ep $(command -v whoasked)"
    } else if why.contains("No such device") {
        "; `ip -brief link` lists the interfaces there are"
    } else {
        ""
    }
}

/// Opens the outputs, each with a thread of its own. With a screen, stdout gets what it came to.
fn outputs(settings: &Settings, has_screen: bool) -> anyhow::Result<Vec<(Form, Queue)>> {
    let stdout = Sent::new(|| Ok(Box::new(io::stdout()) as Box<dyn io::Write + Send>))?;
    let form = live_form(FileForm::new_for_stdout(settings.format), false)
        .context("--format: live writes text, jsonl, eve, cef or syslog")?;
    let form = if has_screen { Form::Ending } else { form };
    let mut outputs = vec![(form, Queue::start("stdout", Box::new(stdout))?)];
    for text in &settings.outputs {
        let (form, place) = output(text, None)?;
        let is_socket = !matches!(place, Place::File(_));
        let live = live_form(form, is_socket).with_context(|| {
            format!("--output: `{text}`: live writes text, jsonl, eve, cef or syslog")
        })?;
        let Place::File(path) = place else {
            bail!("--output: `{text}`: live writes to files as yet");
        };
        let file = Growing::open(&path, settings.rotation, Heading::None)
            .with_context(|| format!("--output: {}", path.display()))?;
        outputs.push((live, Queue::start(text, Box::new(file))?));
    }
    Ok(outputs)
}

fn live_form(form: FileForm, to_socket: bool) -> Option<Form> {
    match form {
        FileForm::Text(_) => Some(Form::Lines),
        FileForm::Jsonl => Some(Form::Jsonl),
        FileForm::Eve => Some(Form::Eve),
        FileForm::Cef => Some(Form::Cef(to_socket)),
        FileForm::Syslog => Some(Form::Syslog),
        FileForm::Csv | FileForm::Zeek | FileForm::Ticket(_) => None,
    }
}
