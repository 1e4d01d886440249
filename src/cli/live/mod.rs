//! `whoasked live`: who asked for what is flagged, as it happens.

mod confinement;
mod metrics;
mod outputs;
mod screen_handle;
mod service;
mod signals;
mod status_line;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};

use self::confinement::Confinement;
use self::screen_handle::ScreenHandle;
use super::analysis::attributor;
use super::settings::Live as Settings;
use super::{Outcome, say, stderr};
use crate::capture::live::{Device, Group};
use crate::frame::Batch;
use crate::indicator::Indicators;
use crate::live::{Answers, Board, Control, Feed, Notify, Queue, Ring, RingWatch};
use crate::name::NameHasher;
use crate::number::{count, few};
use crate::pipeline::live::{Listener, Lookout, Tap, listen, now};
use crate::pipeline::{Decoder, Sequencer, Stop};
use crate::report::Internal;

/// How long the end of a run may take, until the last output has written what waits.
const ENDING: Duration = Duration::from_millis(1_600);
/// How much of it may be spent on the last word on what waits,
const JUDGING: Duration = Duration::from_millis(800);
/// and on waiting for room in outputs.
const WAITING: Duration = Duration::from_millis(1_200);
/// How many pairs of indicator and client the summary keeps.
const SUMMARY_MAX: usize = 1 << 15;
/// How many lists are named.
const LISTS_NAMED: usize = 3;

pub fn run(settings: Settings) -> anyhow::Result<Outcome> {
    let hasher = NameHasher::random();
    let further = outputs::further(&settings)?;
    // What takes privileges comes first; then they are given up, before there is any thread and before anything is
    // read that others wrote.
    let flagged = settings.flagged.open(hasher)?;
    let listeners = listeners(&settings)?;
    let metrics = metrics::open(&settings)?;
    let notify = Arc::new(Notify::from_environment().context("NOTIFY_SOCKET")?);
    let confinement = Confinement::new(&settings, &further, metrics.address())?;
    let loaded = Arc::new(confinement.apart(|| flagged.load(hasher))??);
    // From here on the terminal is the screen's, and given back however this function is left.
    let mut shown = ScreenHandle::open(&settings);
    confinement.check(&settings, &further)?;
    let stop = Arc::new(Stop::default());
    let control = Arc::new(Control::default());
    let board = Board::default();
    let feed = Feed::default();
    let lookout = Arc::new(Lookout::new(Arc::clone(&loaded)));
    let (outputs, ring) = confinement.apart(|| {
        stderr::write_apart(&settings.zone)?;
        let way_out = confinement.way_out();
        let outputs = outputs::open(&settings, further, shown.is_on(), &way_out)?;
        let ring = match &settings.ring {
            Some((directory, octets)) => Some(ring(directory, *octets, &settings, &way_out)?),
            None => None,
        };
        let reload = signals::Reload {
            flagged: settings.flagged.clone(),
            hasher,
            control: Arc::clone(&control),
            lookout: Arc::clone(&lookout),
            notify: Arc::clone(&notify),
            listed: Arc::clone(&loaded),
            ring: settings.ring.as_ref().map(|(directory, _)| directory.clone()),
        };
        let queues = outputs.iter().map(|(_, queue)| queue.clone()).collect();
        signals::obey(reload, queues, (board.clone(), Arc::clone(&stop)), shown.is_on())?;
        status_line::keep(board.clone(), Arc::clone(&stop), shown.is_on())?;
        shown.begin(&board, &feed, &stop)?;
        metrics.start(&board, &stop, &way_out)?;
        service::keep(Arc::clone(&notify), board.clone(), Arc::clone(&stop))?;
        anyhow::Ok((outputs, ring))
    })??;
    let listening = listening(&settings, &loaded);
    let is_verbose = settings.is_verbose;
    let declared = settings.resolvers.iter().flatten().copied().collect();
    let looked_for = (Arc::clone(&loaded), hasher);
    let attributor = attributor(settings.resolvers, &settings.ports, looked_for)
        .with_inventory(settings.inventory)
        .with_provisional()
        .with_room()
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
    let mut keeper = Sequencer::new(decoder.clone(), answers);
    let (tap, ring) = match ring {
        Some(mut ring) => {
            let watch = ring.watch();
            (Some(Box::new(move |batch: &Batch| ring.take(batch)) as Tap<'_>), Some(watch))
        }
        None => (None, None),
    };
    let mut forsaken = Ok(());
    let heard = || {
        forsaken = confinement.forsake();
        if forsaken.is_err() {
            return stop.set();
        }
        if !shown.is_on() {
            say(&format!("whoasked: {listening}"));
        }
        notify.ready("listening");
    };
    let sources = (listeners, heard);
    listen(sources, tap, &decoder, &mut keeper, settings.workers, &lookout, &stop);
    // What it came to is written where the terminal was before.
    shown.close();
    forsaken?;
    if keeper.sink.is_reader_gone() {
        say("whoasked: the reader of the output is gone; ending");
    }
    notify.ends();
    let began = now();
    let spent = || Duration::from_nanos(u64::try_from((now() - began).0).unwrap_or_default());
    keeper.sink.outputs().for_each(|queue| queue.be_patient(WAITING));
    let counters = keeper.counters();
    let is_flagged = keeper.sink.finish(counters, &|| spent() >= JUDGING);
    let is_lost = last_words(&keeper.sink, ring.as_ref(), &|| ENDING.saturating_sub(spent()));
    keeper.sink.publish();
    // Behind the answers, which matter more.
    if is_verbose {
        say(&status_line::coverage(&board.latest()));
    }
    Ok(match (is_lost, is_flagged) {
        (true, _) => Outcome::Failed,
        (false, true) => Outcome::Flagged,
        (false, false) => Outcome::Clean,
    })
}

/// Starts the ring, and says when there is less room than it is to take.
fn ring(
    directory: &Path,
    octets_max: u64,
    settings: &Settings,
    way_out: &str,
) -> anyhow::Result<Ring> {
    if directory.exists() && !directory.is_dir() {
        bail!("--ring: {} is a file, not a directory", directory.display());
    }
    let ring =
        Ring::start(directory, octets_max, settings.interfaces.clone()).map_err(|error| {
            // Whose ring it is is no matter of who may write there.
            let is_mine = error.kind() != std::io::ErrorKind::ResourceBusy;
            let way_out = if is_mine { way_out } else { "" };
            anyhow::Error::new(error).context(format!("--ring: {}{way_out}", directory.display()))
        })?;
    if ring.held() > octets_max {
        say(&format!(
            "whoasked: the ring in {} holds {}, more than --ring-size {}: its oldest packets are deleted as new \
             ones arrive",
            directory.display(),
            size(ring.held()),
            size(octets_max)
        ));
    }
    if ring.room() < octets_max {
        say(&format!(
            "whoasked: --ring-size is {}, but only {} can be used in {} besides the reserve for answers: the ring keeps that much only",
            size(octets_max),
            size(ring.room()),
            directory.display()
        ));
    }
    Ok(ring)
}

/// Octets as `--ring-size` takes them, rounded down: `10M`.
fn size(octets: u64) -> String {
    let unit = [(30, 'G'), (20, 'M'), (10, 'K')].into_iter().find(|(shift, _)| octets >> shift > 9);
    unit.map_or_else(|| octets.to_string(), |(shift, unit)| format!("{}{unit}", octets >> shift))
}

/// What it does now: where it listens and what for.
fn listening(settings: &Settings, loaded: &Indicators) -> String {
    let lists = loaded.lists();
    let lists = few(lists.iter().take(LISTS_NAMED).map(|list| &list.name), lists.len());
    let what = match loaded.len() {
        1 => "1 flagged name or address".to_owned(),
        many => format!("{many} flagged names and addresses"),
    };
    let interfaces = settings.interfaces.join(", ");
    format!(
        "listening on {interfaces} for {what} from {lists}; nothing appears until one is asked for; Ctrl-C ends it"
    )
}

/// Lets outputs and the ring write what waits, all of them within the rest of the time. Whether something was lost.
fn last_words(answers: &Answers, ring: Option<&RingWatch>, rest: &dyn Fn() -> Duration) -> bool {
    answers.outputs().for_each(Queue::end);
    let mut is_lost = false;
    for queue in answers.outputs() {
        let state = queue.finish(rest());
        if state.lost > 0 && !queue.is_reader_gone() {
            is_lost = true;
            let lost = count(state.lost, "line was lost", "lines were lost");
            say(&format!("whoasked: {}: {lost}", state.name));
        }
    }
    let Some(state) = ring.map(|ring| ring.finish(rest())) else { return is_lost };
    let packets = match state.lost {
        0 => None,
        lost => Some(count(lost, "packet was lost", "packets were lost")),
    };
    for why in packets.into_iter().chain(state.fault) {
        is_lost = true;
        say(&format!("whoasked: --ring: {why}"));
    }
    is_lost
}

/// Opens the interfaces.
fn listeners(settings: &Settings) -> anyhow::Result<Vec<Listener>> {
    let mut listeners = Vec::new();
    for (interface, name) in (0u16..).zip(&settings.interfaces) {
        let group = (settings.fanout > 1).then(Group::default);
        for _ in 0..settings.fanout {
            let device = Device::open(name, settings.device.clone(), group.clone()).map_err(
                |why| match why.contains("filter expression") {
                    true => anyhow::anyhow!("--filter: {why}"),
                    false => anyhow::anyhow!("--interface: {why}{}", way_out(&why)),
                },
            )?;
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
        "; run it as root, or once: setcap cap_net_raw=ep $(command -v whoasked)"
    } else if why.contains("No such device") {
        "; `ip -brief link` lists the interfaces"
    } else {
        ""
    }
}
