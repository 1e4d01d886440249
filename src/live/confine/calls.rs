//! The system calls that stay in reach: seccomp.
//!
//! Another call fails with EPERM rather than ending the run: a new C library that tries a new call must not
//! end a watch of months. There is none among those left out that would lead anywhere when it fails.
//!
//! A thread can be started, a namespace cannot: in a user namespace of its own a thread has all capabilities
//! again, whatever it gave up. What `clone3` is to make stands in memory, where no filter sees it, so that call
//! is said not to exist (ENOSYS), and the C library starts threads by `clone`.

use std::collections::BTreeMap;
use std::env::consts::ARCH;

use nix::libc;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule,
};

use super::{Needs, Receiver};

/// Memory, threads, signals and clocks.
const PROCESS: &[libc::c_long] = &[
    libc::SYS_brk,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_mincore,
    libc::SYS_membarrier,
    libc::SYS_futex,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_gettid,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_getpgid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_tgkill,
    libc::SYS_nanosleep,
    libc::SYS_clock_nanosleep,
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    libc::SYS_uname,
    libc::SYS_sysinfo,
    libc::SYS_getrusage,
    libc::SYS_prlimit64,
    // To give up what is left, which is all that can still be done with it.
    libc::SYS_capget,
    libc::SYS_capset,
];

/// Files, within what Landlock leaves.
const FILES: &[libc::c_long] = &[
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_openat,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_fstatfs,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_readlinkat,
    libc::SYS_getdents64,
    libc::SYS_getcwd,
    libc::SYS_mkdirat,
    libc::SYS_unlinkat,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_fcntl,
    libc::SYS_flock,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_pipe2,
];

/// Waiting, and what is open already.
const SOCKETS: &[libc::c_long] = &[
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_eventfd2,
    libc::SYS_bind,
    libc::SYS_connect,
    libc::SYS_getsockopt,
    libc::SYS_setsockopt,
    libc::SYS_getsockname,
    libc::SYS_getpeername,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_sendmmsg,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_shutdown,
];

/// To answer whoever connects to where it listens already.
const ANSWERING: &[libc::c_long] = &[libc::SYS_accept, libc::SYS_accept4];

/// The older forms of these calls, which newer processors do not have.
#[cfg(target_arch = "x86_64")]
const OLDER: &[libc::c_long] = &[
    libc::SYS_getpgrp,
    libc::SYS_open,
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_access,
    libc::SYS_readlink,
    libc::SYS_mkdir,
    libc::SYS_unlink,
    libc::SYS_rename,
    libc::SYS_dup2,
    libc::SYS_pipe,
    libc::SYS_poll,
    libc::SYS_select,
    libc::SYS_epoll_wait,
    libc::SYS_time,
];
#[cfg(not(target_arch = "x86_64"))]
const OLDER: &[libc::c_long] = &[];

/// What names of threads and of memory are set with.
const PRCTL: &[libc::c_int] = &[libc::PR_SET_NAME, libc::PR_GET_NAME, libc::PR_SET_VMA];

/// What makes a namespace.
const NAMESPACES: libc::c_int = libc::CLONE_NEWUSER
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWCGROUP;

/// The programs that let through these calls alone, in the order in which they are to be applied: of what two of
/// them say the more severe holds.
pub(super) fn filters(needs: &Needs) -> Result<[BpfProgram; 2], BackendError> {
    let missing = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    let missing = program(missing, SeccompAction::Allow, errno(libc::ENOSYS))?;
    Ok([missing, program(allowed(needs)?, errno(libc::EPERM), SeccompAction::Allow)?])
}

fn errno(number: libc::c_int) -> SeccompAction {
    SeccompAction::Errno(number as u32)
}

/// `matched` for calls that a rule fits, `other` for all others.
fn program(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    other: SeccompAction,
    matched: SeccompAction,
) -> Result<BpfProgram, BackendError> {
    SeccompFilter::new(rules, other, matched, ARCH.try_into()?)?.try_into()
}

fn allowed(needs: &Needs) -> Result<BTreeMap<i64, Vec<SeccompRule>>, BackendError> {
    let answering = if needs.listens.is_some() { ANSWERING } else { &[] };
    let calls = PROCESS.iter().chain(FILES).chain(SOCKETS).chain(OLDER).chain(answering);
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        calls.map(|call| (*call, Vec::new())).collect();
    // Left to the other program.
    rules.insert(libc::SYS_clone3, Vec::new());
    let no_namespace = condition(0, SeccompCmpOp::MaskedEq(NAMESPACES as u64), 0)?;
    rules.insert(libc::SYS_clone, vec![SeccompRule::new(vec![no_namespace])?]);
    let mut families = vec![libc::AF_PACKET, libc::AF_NETLINK];
    if needs.connects.contains(&Receiver::Unix) {
        families.push(libc::AF_UNIX);
    }
    if needs.asks_hosts() {
        families.extend([libc::AF_INET, libc::AF_INET6]);
    }
    rules.insert(libc::SYS_socket, first_is_one_of(&families)?);
    // A pair of datagram sockets could be connected to somebody else, one of streams cannot.
    let stream = condition(1, SeccompCmpOp::MaskedEq(0xf), libc::SOCK_STREAM as u64)?;
    rules.insert(libc::SYS_socketpair, vec![SeccompRule::new(vec![stream])?]);
    rules.insert(libc::SYS_prctl, first_is_one_of(PRCTL)?);
    // All but what types into the terminal that it was started from.
    let typing = [libc::TIOCSTI, libc::TIOCLINUX];
    let others = typing.map(|kind| condition(1, SeccompCmpOp::Ne, kind));
    let others = others.into_iter().collect::<Result<_, _>>()?;
    rules.insert(libc::SYS_ioctl, vec![SeccompRule::new(others)?]);
    Ok(rules)
}

/// What the low 32 bits of an argument must be.
fn condition(
    argument: u8,
    comparison: SeccompCmpOp,
    value: u64,
) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, comparison, value)
}

/// The first argument is one of these.
fn first_is_one_of(values: &[libc::c_int]) -> Result<Vec<SeccompRule>, BackendError> {
    let rule = |value: &libc::c_int| {
        SeccompRule::new(vec![condition(0, SeccompCmpOp::Eq, *value as u64)?])
    };
    values.iter().map(rule).collect()
}
