//! Confinement of a live run: what it still needs, and what is said when that will not be there.

use std::net::SocketAddr;

use anyhow::bail;

use super::super::place::Place;
use super::super::say;
use super::super::settings::Live as Settings;
use super::outputs::ExtraOutputs;
use crate::indicator::files_of;
use crate::live::{
    ConfineError, Confined, Needs, Receiver, apart, can_be_begun_anew, confine, forsake,
};

/// How far a run is confined.
pub struct Confinement(Option<Confined>);

impl Confinement {
    /// Confines this process, unless it is not to be. To be called when the devices are open and before
    /// anything is read or written; `listens` is where metrics are asked for.
    ///
    /// # Errors
    /// When that fails.
    pub fn new(
        settings: &Settings,
        further: &[ExtraOutputs],
        listens: Option<SocketAddr>,
    ) -> anyhow::Result<Confinement> {
        Ok(Confinement(match settings.is_confined {
            true => Some(confine(&needs(settings, further, listens)?)?),
            false => None,
        }))
    }

    /// Does `work`, and all on threads that it starts, without the capability to capture.
    ///
    /// # Errors
    /// When that cannot be given up.
    pub fn apart<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, ConfineError> {
        match &self.0 {
            Some(_) => apart(work),
            None => Ok(work()),
        }
    }

    /// Gives up the capability to capture in this thread and those that it will start.
    ///
    /// # Errors
    /// When it cannot be given up.
    pub fn forsake(&self) -> Result<(), ConfineError> {
        match &self.0 {
            Some(_) => forsake(),
            None => Ok(()),
        }
    }

    /// What to do about a file that cannot be written, for the end of a sentence.
    pub fn way_out(&self) -> String {
        match self.0.as_ref().and_then(|confined| confined.user.as_ref()) {
            Some(user) => format!(
                " (whoasked now runs as the user {user}: let that user write there with `chown {user}`, choose \
                 another with --user, or keep the current one with --no-confine)"
            ),
            None => String::new(),
        }
    }

    /// Says what will not work, as of files of which it would turn out only at night that they cannot be begun
    /// anew.
    ///
    /// # Errors
    /// When such a file is to be begun anew.
    pub fn check(&self, settings: &Settings, further: &[ExtraOutputs]) -> anyhow::Result<()> {
        for remark in self.0.iter().flat_map(|confined| &confined.remarks) {
            say(&format!("whoasked: {remark}"));
        }
        let rotates = settings.rotation.octets.is_some() || settings.rotation.every.is_some();
        for ExtraOutputs { place, .. } in further {
            let Place::File(path) = place else { continue };
            // A pipe or a device is what it is.
            let is_lasting = std::fs::metadata(path).is_ok_and(|data| data.is_file());
            if !is_lasting || can_be_begun_anew(path) {
                continue;
            }
            let what = format!(
                "{place} can be written to but not rotated: its directory is not writable{}",
                self.way_out()
            );
            match rotates {
                true => bail!("--output: {what}"),
                false => {
                    say(&format!("whoasked: {what}; SIGHUP cannot reopen it after it was moved"))
                }
            }
        }
        Ok(())
    }
}

/// What is still needed when the devices are open.
fn needs(
    settings: &Settings,
    further: &[ExtraOutputs],
    listens: Option<SocketAddr>,
) -> anyhow::Result<Needs> {
    let lists: Vec<_> = settings.flagged.paths().cloned().collect();
    let files = further.iter().filter_map(|further| match &further.place {
        Place::File(path) => Some(path.clone()),
        _ => None,
    });
    let mut read: Vec<_> = files_of(&lists)?.into_iter().chain(lists.iter().cloned()).collect();
    read.sort_unstable();
    read.dedup();
    Ok(Needs {
        user: settings.user.clone(),
        written: settings.ring.iter().map(|(directory, _)| directory.clone()).collect(),
        outputs: files.chain(settings.metrics_file.clone()).collect(),
        read,
        connects: further.iter().filter_map(|further| receiver(&further.place)).collect(),
        listens,
    })
}

/// What an output connects to, if it does.
fn receiver(place: &Place) -> Option<Receiver> {
    match place {
        Place::File(_) => None,
        Place::Udp(_) => Some(Receiver::Udp),
        Place::Tcp(host) => host.rsplit_once(':')?.1.parse().ok().map(Receiver::Tcp),
        Place::Unix(_) => Some(Receiver::Unix),
    }
}
