//! A confined run: what it can no longer do, and what it must still be able to. Each test starts itself as a
//! child, for there is no way back from confinement.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test may panic, and a child says that it is ready"
)]

use std::fs;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::libc;
use nix::sched::{CloneFlags, unshare};
use whoasked::frame::{Batch, Frame, FrameId, LinkType};
use whoasked::live::{Growing, Heading, Needs, Queue, Receiver, Ring, Rotation, confine, forsake};
use whoasked::time::Timestamp;

/// Where a child finds its directory, and that it is one.
const CHILD: &str = "WHOASKED_TEST_CHILD";
const NOBODY: u32 = 65_534;
const PATIENCE: Duration = Duration::from_secs(5);

/// The directory of a child, if this is one.
fn child() -> Option<PathBuf> {
    std::env::var_os(CHILD).map(PathBuf::from)
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|_| fs::read("/etc/shadow").is_ok())
}

/// A directory as an administrator would have it: a list that is read, a directory that is written.
fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    for inner in ["lists", "out"] {
        fs::create_dir(place.path().join(inner)).unwrap();
    }
    fs::write(place.path().join("lists/flagged.txt"), "old.example\n").unwrap();
    chown(place.path().join("out"), Some(NOBODY), Some(NOBODY)).unwrap();
    place
}

/// Runs a test of this file as a child in `place`; `meanwhile` when it is confined and waits.
fn run(program: &Path, test: &str, place: &Path, uid: Option<u32>, meanwhile: impl FnOnce()) {
    let mut command = Command::new(program);
    command.args(["--exact", test, "--nocapture"]).env(CHILD, place);
    if let Some(uid) = uid {
        command.uid(uid).gid(uid);
    }
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child = pipes.spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut said = Vec::new();
    let mut octet = [0];
    while !said.ends_with(b"ready\n") && out.read(&mut octet).unwrap() == 1 {
        said.push(octet[0]);
    }
    meanwhile();
    // If it is gone, its output says why.
    let _ = child.stdin.take().unwrap().write_all(b"\n");
    out.read_to_end(&mut said).unwrap();
    let status = child.wait().unwrap();
    assert!(status.success(), "{status}: {}", String::from_utf8_lossy(&said));
}

fn wait_for_parent() {
    println!("ready");
    io::stdout().flush().unwrap();
    io::stdin().read_exact(&mut [0]).unwrap();
}

fn needs(place: &Path) -> Needs {
    Needs {
        read: vec![place.join("lists/flagged.txt")],
        outputs: vec![place.join("out/answers.jsonl")],
        written: vec![place.join("out")],
        ..Needs::default()
    }
}

/// The capabilities of this thread, from its status.
fn capabilities(kind: &str) -> u64 {
    let status = fs::read_to_string("/proc/thread-self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(kind)).unwrap();
    u64::from_str_radix(line.split_whitespace().last().unwrap(), 16).unwrap()
}

fn refuses<T>(what: &str, result: io::Result<T>) {
    let error = result.err().unwrap_or_else(|| panic!("{what} went through"));
    assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{what}: {error}");
}

/// The error by which a call that starts a process fails.
#[expect(unsafe_code, reason = "no safe function makes namespaces so")]
fn starting(call: libc::c_long, first: u64, second: u64) -> io::Error {
    match unsafe { libc::syscall(call, first, second, 0, 0, 0) } {
        0 => unsafe { libc::_exit(0) },
        1.. => panic!("call {call} of {first:#x} went through"),
        _ => io::Error::last_os_error(),
    }
}

/// In a user namespace of its own a thread would have all capabilities again.
fn cannot_make_a_namespace() {
    for kind in [libc::CLONE_NEWUSER, libc::CLONE_NEWNS, libc::CLONE_NEWNET] {
        let error = starting(libc::SYS_clone, (kind | libc::SIGCHLD) as u64, 0);
        refuses("clone", Err::<(), _>(error));
        refuses("unshare", unshare(CloneFlags::from_bits_retain(kind)).map_err(io::Error::from));
    }
    let mut arguments = [0u64; 8];
    arguments[0] = libc::CLONE_NEWUSER as u64;
    let error =
        starting(libc::SYS_clone3, arguments.as_ptr() as u64, size_of_val(&arguments) as u64);
    assert_eq!(error.raw_os_error(), Some(libc::ENOSYS), "so that clone is tried");
}

fn cannot_do_harm(place: &Path) {
    cannot_make_a_namespace();
    refuses("reading passwords", fs::read("/etc/shadow"));
    // What anybody may read, Landlock refuses.
    refuses("reading what is none of its business", fs::read("/etc/passwd"));
    refuses("listing directories", fs::read_dir("/etc").map(drop));
    refuses("starting a program", Command::new("/bin/true").status());
    refuses("writing elsewhere", fs::write("/tmp/whoasked-was-here", ""));
    refuses("writing to what it reads", fs::write(place.join("lists/flagged.txt"), ""));
    refuses("listening", TcpListener::bind("127.0.0.1:0"));
    refuses("connecting", TcpStream::connect("127.0.0.1:9"));
    refuses("datagrams", UdpSocket::bind("127.0.0.1:0"));
    refuses("local sockets", UnixDatagram::unbound());
    refuses("a pair that could be connected elsewhere", UnixDatagram::pair());
    refuses("links", symlink("/etc", place.join("out/link")));
    refuses("modes", fs::set_permissions(place.join("out"), fs::Permissions::from_mode(0o777)));
    // 1 is CAP_CHOWN and so on; 13 is CAP_NET_RAW.
    let raw = 1 << 13;
    assert_eq!(capabilities("CapBnd") & !raw & capabilities("CapPrm"), 0);
    assert_eq!(capabilities("CapPrm") & !raw, 0, "others are gone");
    assert_eq!(capabilities("CapEff") & !raw, 0);
    assert_eq!(capabilities("CapAmb") | capabilities("CapInh"), 0);
    assert_eq!(capabilities("NoNewPrivs"), 1);
    assert_eq!(capabilities("Seccomp:"), 2);
}

fn can_do_its_work(place: &Path) {
    let list = fs::read_to_string(place.join("lists/flagged.txt")).unwrap();
    assert_eq!(list, "new.example\n", "a list that was replaced is read");

    let path = place.join("out/answers.jsonl");
    let rotation = Rotation { octets: Some(10), every: None, keep: 2 };
    let target = Growing::open(&path, rotation, Heading::None).unwrap();
    let queue = Queue::start("jsonl", Box::new(target)).unwrap();
    queue.writer().write_all(b"one\n").unwrap();
    queue.reopen();
    while queue.state().queued > 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    queue.writer().write_all(b"second\n").unwrap();
    let end = queue.finish(PATIENCE);
    assert_eq!((end.written, end.lost, end.fault), (2, 0, None));
    assert_eq!(fs::read_to_string(&path).unwrap(), "second\n");
    assert_eq!(fs::read_to_string(place.join("out/answers.jsonl.1")).unwrap(), "one\n");

    let mut ring = Ring::start(&place.join("out/ring"), 1 << 20, vec![]).unwrap();
    for number in 1..9_000 {
        let mut batch = Batch::new();
        batch.push(Frame {
            id: FrameId::new(0, number),
            time: Timestamp(number as i64),
            link: LinkType(1),
            original_len: 200,
            bytes: &[0; 200],
        });
        ring.take(&batch);
        while ring.watch().state().queued > 20 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    let end = ring.watch().finish(PATIENCE);
    assert_eq!((end.written, end.lost, end.fault), (8_999, 0, None));
}

fn open_loopback() -> Result<(), pcap::Error> {
    let capture =
        pcap::Capture::from_device("lo")?.promisc(true).buffer_size(4 << 20).immediate_mode(false);
    capture.timeout(10).open().map(drop)
}

fn can_open_its_interface_again_where_it_captures() {
    open_loopback().expect("an interface can be opened again");
    let inner = std::thread::spawn(|| {
        forsake().unwrap();
        assert_eq!(capabilities("CapPrm"), 0);
        assert!(open_loopback().is_err(), "without the capability it cannot");
    });
    inner.join().unwrap();
    open_loopback().expect("what one thread gave up, another has");
    // There is no way to get it back.
    forsake().unwrap();
    assert!(open_loopback().is_err());
}

/// What a confined child is held to, once its parent is ready.
fn goes_on_confined(place: &Path) {
    wait_for_parent();
    cannot_do_harm(place);
    can_do_its_work(place);
    can_open_its_interface_again_where_it_captures();
}

#[test]
fn started_by_root_it_becomes_somebody_who_can_do_its_work_and_nothing_else() {
    if let Some(place) = child() {
        let confined = confine(&Needs { user: Some("nobody".into()), ..needs(&place) }).unwrap();
        assert_eq!((confined.user.as_deref(), confined.remarks), (Some("nobody"), vec![]));
        assert!(fs::read_to_string("/proc/self/statm").is_ok(), "itself it may read");
        goes_on_confined(&place);
        return;
    }
    if !is_root() {
        println!("skipped: not root");
        return;
    }
    let place = place();
    let list = place.path().join("lists/flagged.txt");
    let test = "started_by_root_it_becomes_somebody_who_can_do_its_work_and_nothing_else";
    run(&std::env::current_exe().unwrap(), test, place.path(), None, || {
        // As a careful script does it: written beside, then put in its place.
        fs::write(list.with_extension("new"), "new.example\n").unwrap();
        fs::rename(list.with_extension("new"), &list).unwrap();
    });
    let out = fs::metadata(place.path().join("out/answers.jsonl")).unwrap();
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&out), NOBODY);
}

#[test]
fn with_one_capability_and_no_root_it_is_confined_as_well() {
    if let Some(place) = child() {
        assert_eq!(capabilities("CapEff"), 1 << 13);
        let refused = confine(&Needs { user: Some("root".into()), ..needs(&place) }).unwrap_err();
        assert!(refused.to_string().contains("only root can become"), "{refused}");
        let confined = confine(&needs(&place)).unwrap();
        assert_eq!((confined.user, confined.remarks), (None, vec![]));
        goes_on_confined(&place);
        return;
    }
    if !is_root() {
        println!("skipped: not root");
        return;
    }
    let place = place();
    let program = place.path().join("program");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let set = Command::new("setcap").arg("cap_net_raw=ep").arg(&program).status();
    if !set.is_ok_and(|status| status.success()) {
        println!("skipped: no setcap");
        return;
    }
    let test = "with_one_capability_and_no_root_it_is_confined_as_well";
    run(&program, test, place.path(), Some(NOBODY), || {
        fs::write(place.path().join("lists/flagged.txt"), "new.example\n").unwrap();
    });
}

#[test]
fn an_output_that_connects_may_and_nothing_may_listen() {
    if let Some(place) = child() {
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        let (listener, other) =
            (TcpListener::bind("127.0.0.1:0"), TcpListener::bind("127.0.0.1:0"));
        let (listener, other) = (listener.unwrap(), other.unwrap());
        let address = listener.local_addr().unwrap();
        let user = Some("nobody".to_owned());
        let connects = vec![Receiver::Udp, Receiver::Tcp(address.port())];
        let listens = Some(address);
        confine(&Needs { user, connects, listens, ..needs(&place) }).unwrap();
        println!("ready");
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(receiver.local_addr().unwrap()).unwrap();
        socket.send(b"answer").unwrap();
        TcpStream::connect(address).unwrap();
        listener.accept().expect("what listened before still does");
        refuses("another port", TcpStream::connect(other.local_addr().unwrap()));
        refuses("listening", TcpListener::bind("127.0.0.1:0"));
        refuses("local sockets", UnixDatagram::unbound());
        return;
    }
    if !is_root() {
        println!("skipped: not root");
        return;
    }
    let place = place();
    let test = "an_output_that_connects_may_and_nothing_may_listen";
    run(&std::env::current_exe().unwrap(), test, place.path(), None, || {});
}

#[test]
fn an_output_to_a_local_socket_reaches_those_with_a_file_and_no_host() {
    if let Some(place) = child() {
        let path = place.join("out/receiver");
        let receiver = UnixDatagram::bind(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
        let name = format!("whoasked-test-{}", std::process::id());
        let name = SocketAddr::from_abstract_name(name).unwrap();
        let _nameless = UnixDatagram::bind_addr(&name).unwrap();
        let user = Some("nobody".to_owned());
        confine(&Needs { user, connects: vec![Receiver::Unix], ..needs(&place) }).unwrap();
        println!("ready");
        let socket = UnixDatagram::unbound().unwrap();
        socket.send_to(b"answer", &path).unwrap();
        assert_eq!(receiver.recv(&mut [0; 10]).unwrap(), 6);
        refuses("a socket without a file", socket.connect_addr(&name));
        refuses("datagrams", UdpSocket::bind("127.0.0.1:0"));
        UnixStream::pair().expect("signals are handed on by a pair of streams");
        return;
    }
    if !is_root() {
        println!("skipped: not root");
        return;
    }
    let place = place();
    let test = "an_output_to_a_local_socket_reaches_those_with_a_file_and_no_host";
    run(&std::env::current_exe().unwrap(), test, place.path(), None, || {});
}

/// Administrators and programs put another file in the place of `hosts` and `resolv.conf`.
#[test]
fn a_host_that_gets_a_name_later_is_found() {
    if let Some(place) = child() {
        unshare(CloneFlags::CLONE_NEWNS).unwrap();
        for arguments in [&["--make-rprivate", "/"][..], &["--bind", "etc", "/etc"]] {
            let mounted = Command::new("mount").args(arguments).current_dir(&place).status();
            assert!(mounted.unwrap().success());
        }
        let user = Some("nobody".to_owned());
        confine(&Needs { user, connects: vec![Receiver::Tcp(9944)], ..needs(&place) }).unwrap();
        assert!("collector.test:9944".to_socket_addrs().is_err());
        wait_for_parent();
        let found = "collector.test:9944".to_socket_addrs().unwrap().next();
        assert_eq!(found, Some(([192, 0, 2, 7], 9944).into()));
        assert_eq!(fs::read_to_string("/etc/resolv.conf").unwrap(), "# new\n");
        return;
    }
    if !is_root() {
        println!("skipped: not root");
        return;
    }
    let place = place();
    let at = |path: &str| place.path().join(path);
    for directory in ["etc", "run"] {
        fs::create_dir(at(directory)).unwrap();
    }
    fs::write(at("etc/nsswitch.conf"), "hosts: files\n").unwrap();
    fs::write(at("etc/hosts"), "127.0.0.1 localhost\n").unwrap();
    fs::write(at("etc/passwd"), "nobody:x:65534:65534::/:/bin/false\n").unwrap();
    fs::write(at("run/resolv.conf"), "# old\n").unwrap();
    symlink(at("run/resolv.conf"), at("etc/resolv.conf")).unwrap();
    let test = "a_host_that_gets_a_name_later_is_found";
    run(&std::env::current_exe().unwrap(), test, place.path(), None, || {
        for (path, text) in
            [("etc/hosts", "192.0.2.7 collector.test\n"), ("run/resolv.conf", "# new\n")]
        {
            fs::write(at("run/new"), text).unwrap();
            fs::rename(at("run/new"), at(path)).unwrap();
        }
    });
}

#[test]
fn a_list_that_the_new_user_cannot_read_is_said_at_once() {
    if let Some(place) = child() {
        let confined = confine(&Needs { user: Some("nobody".into()), ..needs(&place) }).unwrap();
        let [remark] = &confined.remarks[..] else { panic!("{:?}", confined.remarks) };
        assert!(remark.contains("flagged.txt can no longer be read"), "{remark}");
        println!("ready");
        return;
    }
    if !is_root() {
        println!("skipped: not root");
        return;
    }
    let place = place();
    let list = place.path().join("lists/flagged.txt");
    fs::set_permissions(&list, fs::Permissions::from_mode(0o600)).unwrap();
    let test = "a_list_that_the_new_user_cannot_read_is_said_at_once";
    run(&std::env::current_exe().unwrap(), test, place.path(), None, || {});
}
