//! Confinement: what a taken-over `whoasked` could do is what it has to do, and no more.
//!
//! It opens its devices as whoever started it, and then, before it has any further thread:
//!
//! 1. becomes an unprivileged user, when it was started as root;
//! 2. gives up all capabilities but `CAP_NET_RAW`, which [`forsake`] takes from every thread that does not
//!    capture;
//! 3. can gain none any more (`no_new_privs`, and no user namespace by seccomp);
//! 4. sees of the file system only what it was told to read and write, and what its libraries read; may listen
//!    on no TCP port, connect to those of its outputs alone, and reach nobody's abstract socket (Landlock);
//! 5. may use only the system calls that it needs, and make only the kinds of sockets (seccomp): it can start no
//!    program.
//!
//! `CAP_NET_RAW` stays with the capture threads since an interface that was removed and made again needs a
//! new socket: libpcap takes none that somebody else opened, and one in a fanout group cannot be bound again.
//! They copy frames and look into none; what takes frames apart runs without the capability.

mod calls;
mod files;

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::chown;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;

use caps::{CapSet, Capability, CapsHashSet};
use nix::unistd::{Gid, Uid, User, setgroups, setresgid, setresuid};

/// Who whoasked becomes when nobody is named, if there is such a user.
pub const USER: &str = "whoasked";
/// Who otherwise.
const USER_ELSE: &str = "nobody";

/// What is still needed once the devices are open.
#[derive(Clone, Debug, Default)]
pub struct Needs {
    /// Who to become when started as root. `None`: `whoasked` if there is such a user, else `nobody`.
    pub user: Option<String>,
    /// Directories in which files are made, written, renamed and removed. One that is missing is made, and
    /// belongs to whom it becomes.
    pub written: Vec<PathBuf>,
    /// Files that are written: what is done in their directories is done for them.
    pub outputs: Vec<PathBuf>,
    /// Files that are read, also after somebody put others in their places.
    pub read: Vec<PathBuf>,
    /// What outputs connect to.
    pub connects: Vec<Receiver>,
    /// Where it listens already: who connects there may be answered. It can begin to listen nowhere.
    pub listens: Option<SocketAddr>,
}

/// What an output connects to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receiver {
    /// A host, at this port.
    Tcp(u16),
    /// A host.
    Udp,
    /// A socket of this machine.
    Unix,
}

impl Receiver {
    fn port(&self) -> Option<u16> {
        match self {
            Receiver::Tcp(port) => Some(*port),
            Receiver::Udp | Receiver::Unix => None,
        }
    }
}

impl Needs {
    /// Whether an output connects to a host, whose address has to be found.
    fn asks_hosts(&self) -> bool {
        self.connects.iter().any(|receiver| *receiver != Receiver::Unix)
    }
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confined {
    /// Who it is now, if that changed.
    pub user: Option<String>,
    /// What could not be done on this system, or will not work, a sentence each: to be said once.
    pub remarks: Vec<String>,
}

/// Why it could not be confined.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfineError {
    /// There is no such user.
    #[error("there is no user `{0}` to become; choose another with --user")]
    NoUser(String),
    /// Only root can become somebody else.
    #[error("only root can become the user `{0}`; omit --user")]
    NotRoot(String),
    /// A directory cannot be made.
    #[error("cannot create the directory {}: {why}", path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
    /// The system refused.
    #[error("{what}: {why}; to run without confinement, use --no-confine")]
    Refused {
        /// What was tried.
        what: &'static str,
        /// The system's words.
        why: String,
    },
}

fn refused<E: ToString>(what: &'static str) -> impl FnOnce(E) -> ConfineError {
    move |error| ConfineError::Refused { what, why: error.to_string() }
}

/// Confines this process. To be called when the devices are open, from the only thread there is: threads
/// inherit most of it from the one that starts them. It cannot be undone.
///
/// # Errors
/// When there is no user to become, or the system refuses. A system without Landlock is no error.
pub fn confine(needs: &Needs) -> Result<Confined, ConfineError> {
    let mut confined = Confined::default();
    // All that needs names or files of others is looked up while it can be.
    let user = user(needs.user.as_deref())?;
    make_directories(needs, user.as_ref())?;
    let files = files::rules(needs).map_err(refused("Landlock"))?;
    let filters = calls::filters(needs);
    keep_raw(user.as_ref())?;
    nix::sys::prctl::set_no_new_privs().map_err(refused("no_new_privs"))?;
    confined.remarks.extend(files::enforce(files).map_err(refused("Landlock"))?);
    confined.remarks.extend(unreadable(needs));
    match filters {
        Ok(programs) => {
            for program in &programs {
                seccompiler::apply_filter_all_threads(program).map_err(refused("seccomp"))?;
            }
        }
        Err(error) => confined.remarks.push(format!(
            "system calls are not restricted: seccomp is not available on this processor ({error})"
        )),
    }
    confined.user = user.map(|user| user.name);
    Ok(confined)
}

/// Gives up the last capability, in this thread and those that it will start. For all that do not capture.
///
/// # Errors
/// When the system refuses.
pub fn forsake() -> Result<(), ConfineError> {
    for set in [CapSet::Effective, CapSet::Permitted] {
        caps::clear(None, set).map_err(refused("capabilities"))?;
    }
    Ok(())
}

/// Does `work` where the last capability is gone, so that no thread that it starts has it.
///
/// # Errors
/// When the system refuses.
pub fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, ConfineError> {
    let done = thread::scope(|scope| {
        let inner = scope.spawn(|| {
            forsake()?;
            Ok(work())
        });
        inner.join()
    });
    done.unwrap_or_else(|panic| resume_unwind(panic))
}

/// Makes the directories that are missing, for whoever writes there.
fn make_directories(needs: &Needs, user: Option<&User>) -> Result<(), ConfineError> {
    for directory in needs.written.iter().filter(|path| !path.exists()) {
        make(directory, user).map_err(|error| ConfineError::Directory {
            path: directory.clone(),
            why: error.to_string(),
        })?;
    }
    Ok(())
}

fn make(directory: &Path, user: Option<&User>) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    match user {
        Some(user) => chown(directory, Some(user.uid.as_raw()), Some(user.gid.as_raw())),
        None => Ok(()),
    }
}

/// Who to become; nobody else when not started as root.
fn user(named: Option<&str>) -> Result<Option<User>, ConfineError> {
    let find = |name: &str| User::from_name(name).map_err(refused("users"));
    match (named, Uid::effective().is_root()) {
        (None, false) => Ok(None),
        (Some(name), false) => match find(name)? {
            Some(user) if user.uid == Uid::effective() => Ok(None),
            _ => Err(ConfineError::NotRoot(name.to_owned())),
        },
        (Some(name), true) => match find(name)? {
            Some(user) => Ok(Some(user)),
            None => Err(ConfineError::NoUser(name.to_owned())),
        },
        (None, true) => match find(USER)? {
            Some(user) => Ok(Some(user)),
            None => match find(USER_ELSE)? {
                Some(user) => Ok(Some(user)),
                None => Err(ConfineError::NoUser(USER_ELSE.to_owned())),
            },
        },
    }
}

/// Becomes `user`, with `CAP_NET_RAW` as its only capability, if it was there.
fn keep_raw(user: Option<&User>) -> Result<(), ConfineError> {
    let failed = "capabilities";
    let may = |set, capability| caps::has_cap(None, set, capability).unwrap_or(false);
    let raw = may(CapSet::Permitted, Capability::CAP_NET_RAW);
    let mut kept = CapsHashSet::default();
    if raw {
        kept.insert(Capability::CAP_NET_RAW);
    }
    if may(CapSet::Effective, Capability::CAP_SETPCAP) {
        for capability in caps::read(None, CapSet::Bounding).map_err(refused(failed))? {
            if !kept.contains(&capability) {
                caps::drop(None, CapSet::Bounding, capability).map_err(refused(failed))?;
            }
        }
    }
    if let Some(user) = user {
        become_user(user.uid, user.gid, raw)?;
    }
    // Kernels before 4.3 have no ambient capabilities.
    let _ = caps::clear(None, CapSet::Ambient);
    caps::set(None, CapSet::Effective, &kept).map_err(refused(failed))?;
    caps::set(None, CapSet::Permitted, &kept).map_err(refused(failed))?;
    caps::clear(None, CapSet::Inheritable).map_err(refused(failed))
}

fn become_user(uid: Uid, gid: Gid, keeps_capabilities: bool) -> Result<(), ConfineError> {
    if keeps_capabilities {
        caps::securebits::set_keepcaps(true).map_err(refused("capabilities"))?;
    }
    setgroups(&[gid]).map_err(refused("groups"))?;
    setresgid(gid, gid, gid).map_err(refused("group"))?;
    setresuid(uid, uid, uid).map_err(refused("user"))?;
    if keeps_capabilities {
        caps::securebits::set_keepcaps(false).map_err(refused("capabilities"))?;
    }
    Ok(())
}

/// What will have to be read again and cannot be.
fn unreadable(needs: &Needs) -> Vec<String> {
    let opened = |path: &PathBuf| match path.is_dir() {
        true => fs::read_dir(path).map(drop),
        false => fs::File::open(path).map(drop),
    };
    let remark = |path: &PathBuf| match opened(path) {
        Ok(()) => None,
        Err(error) => Some(format!(
            "{} can no longer be read ({error}), so a reload will keep its current content: make it readable for \
             the user that whoasked becomes",
            path.display()
        )),
    };
    // What is no file of this system, as a pipe, was read for once.
    let lasting = needs
        .read
        .iter()
        .filter(|path| fs::metadata(path).map_or(true, |data| data.is_file() || data.is_dir()));
    lasting.filter_map(remark).collect()
}
