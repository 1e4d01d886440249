//! What of the file system and of TCP stays in reach: Landlock.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, NetPort, Ruleset, RulesetAttr, RulesetCreated,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};

use super::super::file::directory_of;
use super::{Needs, Receiver};

/// The newest rules that are asked for. An older kernel keeps those of them that it knows.
const RULES: ABI = ABI::V6;

/// What the system's own libraries read: zones, what libpcap asks about interfaces, and how much memory this
/// process has.
const SYSTEM: &[&str] =
    &["/usr/share/zoneinfo", "/etc/localtime", "/sys/class/net", "/sys/devices", "/proc/self"];

/// What they read to find the address of a host: directories, since what stands in them is replaced, and the
/// modules of the C library.
const NAMES: &[&str] = &["/etc", "/lib", "/lib64", "/usr/lib"];
/// Where the servers stand that are asked for it; often a link to where a program writes it.
const SERVERS: &str = "/etc/resolv.conf";
/// What they are asked by when an answer is too long for a datagram.
const DNS_PORT: u16 = 53;

/// What is written though it is no output.
const DEVICES: &[&str] = &["/dev/null", "/dev/tty"];

/// Makes the rules, for which all files are looked up now.
pub(super) fn rules(needs: &Needs) -> Result<RulesetCreated, RulesetError> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let written: Vec<PathBuf> = needs
        .written
        .iter()
        .cloned()
        .chain(needs.outputs.iter().flat_map(|path| holders(path)))
        .collect();
    let mut readable: Vec<PathBuf> = needs.read.iter().flat_map(|path| holders(path)).collect();
    let mut ports: Vec<u16> = needs.connects.iter().filter_map(Receiver::port).collect();
    if needs.asks_hosts() {
        readable.extend(NAMES.iter().map(PathBuf::from).chain(holders(Path::new(SERVERS))));
        ports.push(DNS_PORT);
    }
    let ports = ports.into_iter().map(|port| Ok(NetPort::new(port, AccessNet::ConnectTcp)));
    Ruleset::default()
        .handle_access(AccessFs::from_all(RULES))?
        .handle_access(AccessNet::from_all(RULES))?
        .scope(Scope::from_all(RULES))?
        .create()?
        .add_rules(path_beneath_rules(SYSTEM, read))?
        .add_rules(path_beneath_rules(DEVICES, read | AccessFs::WriteFile | AccessFs::IoctlDev))?
        .add_rules(path_beneath_rules(readable, read))?
        .add_rules(path_beneath_rules(written, writing()))?
        .add_rules(ports)
}

/// What is done in a directory of outputs.
fn writing() -> BitFlags<AccessFs> {
    AccessFs::ReadFile
        | AccessFs::ReadDir
        | AccessFs::WriteFile
        | AccessFs::Truncate
        | AccessFs::MakeReg
        | AccessFs::MakeDir
        | AccessFs::RemoveFile
}

/// The directories through which a file is reached: that of the path, and that of what it leads to. A rule
/// for the file itself would not hold for the one that takes its place.
fn holders(path: &Path) -> Vec<PathBuf> {
    let mut holders = vec![directory_of(path).to_owned()];
    let real = std::fs::canonicalize(path).ok();
    holders.extend(real.map(|real| directory_of(&real).to_owned()));
    holders
}

/// Puts the rules in force. Says what this kernel does not know of them.
pub(super) fn enforce(rules: RulesetCreated) -> Result<Option<String>, RulesetError> {
    Ok(match rules.restrict_self()?.ruleset {
        RulesetStatus::NotEnforced => Some(
            "file access is not restricted: this kernel has no Landlock, or it is off (needs Linux 5.13 or newer \
             with `landlock` in lsm=)"
                .to_owned(),
        ),
        // Older rules are weaker in details that nobody can do anything about.
        RulesetStatus::PartiallyEnforced | RulesetStatus::FullyEnforced => None,
    })
}
