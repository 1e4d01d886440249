//! What of the file system and of TCP stays in reach: Landlock.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, Ruleset, RulesetAttr, RulesetCreated,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};

use super::super::file::directory_of;
use super::Needs;

/// The newest rules that are asked for. An older kernel keeps those of them that it knows.
const RULES: ABI = ABI::V6;

/// What the system's own libraries read: zones, how a host's address is found, what libpcap asks about
/// interfaces, and how much memory this process has.
const SYSTEM: &[&str] = &[
    "/usr/share/zoneinfo",
    "/etc/localtime",
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/ld.so.cache",
    "/lib",
    "/lib64",
    "/usr/lib",
    "/sys/class/net",
    "/sys/devices",
    "/proc/self",
];

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
    let readable: Vec<PathBuf> = needs.read.iter().flat_map(|path| holders(path)).collect();
    let ruleset = Ruleset::default().handle_access(AccessFs::from_all(RULES))?;
    let ruleset = ruleset.handle_access(AccessNet::BindTcp)?;
    let ruleset = match needs.connects {
        true => ruleset,
        false => ruleset.handle_access(AccessNet::ConnectTcp)?,
    };
    ruleset
        .scope(Scope::Signal)?
        .create()?
        .add_rules(path_beneath_rules(SYSTEM, read))?
        .add_rules(path_beneath_rules(DEVICES, read | AccessFs::WriteFile | AccessFs::IoctlDev))?
        .add_rules(path_beneath_rules(readable, read))?
        .add_rules(path_beneath_rules(written, writing()))
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
            "files are not confined: this kernel has no Landlock, or it is switched off (Linux 5.13 or \
             newer with `landlock` in its lsm= list has it)"
                .to_owned(),
        ),
        // Older rules are weaker in details that nobody can do anything about.
        RulesetStatus::PartiallyEnforced | RulesetStatus::FullyEnforced => None,
    })
}
