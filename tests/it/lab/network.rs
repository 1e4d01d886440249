//! The network of the laboratory: a namespace of the DC, one of all others, and the link between them, of which
//! the far end is where a switch would mirror the DC's port. The firewall stands in the latter.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Scope;
use std::time::Duration;

use nix::sched::{CloneFlags, setns};

use crate::live::succeeds;

/// The DC.
pub const DC: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 53);
/// The end of the DC's link that is listened on.
pub const PORT: &str = "port";
/// The servers of the world, by the last octet of their address.
const SERVERS: [u8; 5] = [1, 2, 3, 4, 10];
/// How often whoever waits for a packet looks whether it is over.
const LOOK: Duration = Duration::from_millis(20);

/// Two namespaces and the link between them, for as long as the test runs.
pub struct Network {
    dc: String,
    others: String,
}

impl Network {
    /// Makes it; `None`, with a word about it, where that is not possible.
    pub fn new(letter: char) -> Option<Network> {
        let number = std::process::id();
        let name = |side| format!("whoasked-{letter}{number}-{side}");
        let network = Network { dc: name("dc"), others: name("others") };
        for namespace in [&network.dc, &network.others] {
            if !succeeds("ip", &["netns", "add", namespace]) {
                println!("skipped: no network namespace can be made here (not root?)");
                return None;
            }
        }
        let link = ["link", "add", PORT, "type", "veth", "peer", "name", "eth0", "netns"];
        if !network.others(&[&link[..], &[&network.dc]].concat()) {
            println!("skipped: no virtual interfaces can be made here");
            return None;
        }
        for (namespace, interface) in [(&network.dc, "eth0"), (&network.others, PORT)] {
            // IPv6's own words on a new interface are none of the test's.
            let quiet = format!("echo 1 > /proc/sys/net/ipv6/conf/{interface}/disable_ipv6");
            succeeds("ip", &["netns", "exec", namespace, "sh", "-c", &quiet]);
            for name in ["lo", interface] {
                assert!(succeeds("ip", &["-n", namespace, "link", "set", name, "up"]));
            }
        }
        assert!(network.dc(&["addr", "add", &format!("{DC}/24"), "dev", "eth0"]));
        assert!(network.dc(&["route", "add", "default", "dev", "eth0"]));
        let clients = (100..140).map(|number| format!("10.77.0.{number}/24"));
        let servers = SERVERS.map(|number| format!("198.51.100.{number}/24"));
        for address in clients.chain(servers) {
            assert!(network.others(&["addr", "add", &address, "dev", PORT]));
        }
        for number in SERVERS {
            assert!(network.others(&["addr", "add", &format!("127.1.0.{number}/8"), "dev", "lo"]));
        }
        Some(network)
    }

    fn dc(&self, arguments: &[&str]) -> bool {
        succeeds("ip", &[&["-n", &self.dc], arguments].concat())
    }

    fn others(&self, arguments: &[&str]) -> bool {
        succeeds("ip", &[&["-n", &self.others], arguments].concat())
    }

    /// Takes the mirrored port down or up.
    pub fn set_port(&self, state: &str) {
        assert!(self.others(&["link", "set", PORT, state]));
    }

    /// A program that will run on the DC.
    pub fn on_dc(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.dc]).arg(program);
        command
    }

    /// A program that will run on the other side of the DC's link.
    pub fn beside(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.others]).arg(program);
        command
    }

    /// Starts a thread on the other side of the DC's link.
    pub fn start<'s>(&self, scope: &'s Scope<'s, '_>, work: impl FnOnce() + Send + 's) {
        let namespace = File::open(format!("/run/netns/{}", self.others)).unwrap();
        scope.spawn(move || {
            setns(namespace, CloneFlags::CLONE_NEWNET).unwrap();
            work();
        });
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for namespace in [&self.dc, &self.others] {
            succeeds("ip", &["netns", "del", namespace]);
        }
    }
}

/// What stands between the DC and the servers of the world: passes on, drops and holds back by the first label.
#[derive(Default)]
pub struct Firewall {
    is_over: AtomicBool,
    is_released: AtomicBool,
    seen: Mutex<BTreeMap<String, usize>>,
}

impl Firewall {
    /// Lets go what it held back.
    pub fn release(&self) {
        self.is_released.store(true, Ordering::Relaxed);
    }

    /// Ends it, and whoever asks [`is_over`](Self::is_over).
    pub fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// Whether all is over.
    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// How many questions for a name with this first label have come by.
    pub fn seen(&self, label: &str) -> usize {
        self.seen.lock().unwrap().get(label).copied().unwrap_or_default()
    }

    /// Stands before all servers.
    pub fn start<'s>(&'s self, network: &Network, scope: &'s Scope<'s, '_>) {
        for server in SERVERS {
            network.start(scope, move || self.stand_before(server));
        }
    }

    fn stand_before(&self, server: u8) {
        let outside = UdpSocket::bind((Ipv4Addr::new(198, 51, 100, server), 53)).unwrap();
        outside.set_read_timeout(Some(LOOK)).unwrap();
        let behind = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        behind.connect((Ipv4Addr::new(127, 1, 0, server), 53)).unwrap();
        behind.set_read_timeout(Some(LOOK * 50)).unwrap();
        let mut held: Vec<(SocketAddr, Vec<u8>)> = Vec::new();
        let mut buffer = [0; 4_096];
        let pass = |from: SocketAddr, question: &[u8]| {
            let mut answer = [0; 4_096];
            behind.send(question).unwrap();
            // Its answer is the one with its id: an earlier one may come late.
            while let Ok(length) = behind.recv(&mut answer) {
                if answer[..2] == question[..2] {
                    let _ = outside.send_to(&answer[..length], from);
                    break;
                }
            }
        };
        while !self.is_over() {
            if let Ok((length, from)) = outside.recv_from(&mut buffer) {
                let question = &buffer[..length];
                let label = first_label(question);
                *self.seen.lock().unwrap().entry(label.clone()).or_default() += 1;
                match label.as_str() {
                    "gone" => {}
                    "slow" if !self.is_released.load(Ordering::Relaxed) => {
                        held.push((from, question.to_vec()));
                    }
                    _ => pass(from, question),
                }
            }
            if self.is_released.load(Ordering::Relaxed) {
                held.drain(..).for_each(|(from, question)| pass(from, &question));
            }
        }
    }
}

/// The first label of what a message asks for, in lower case.
fn first_label(message: &[u8]) -> String {
    let length = usize::from(message.get(12).copied().unwrap_or_default());
    let label = message.get(13..13 + length).unwrap_or_default();
    String::from_utf8_lossy(label).to_lowercase()
}

/// One client's question for the address of a name.
pub struct Asked {
    socket: UdpSocket,
}

/// Asks the DC from 10.77.0.`client`. The caller's thread is on the other side of the DC's link.
pub fn ask(client: u8, name: &str) -> Asked {
    let socket = UdpSocket::bind((Ipv4Addr::new(10, 77, 0, client), 0)).unwrap();
    let mut message = vec![socket.local_addr().unwrap().port() as u8, client, 1, 0, 0, 1];
    message.extend([0; 6]);
    for label in name.split('.').filter(|label| !label.is_empty()) {
        message.push(label.len() as u8);
        message.extend(label.as_bytes());
    }
    message.extend([0, 0, 1, 0, 1]);
    // While the link is down it is lost, as it would be on the way.
    let _ = socket.send_to(&message, (DC, 53));
    Asked { socket }
}

impl Asked {
    /// Waits for the answer; whether there was one in time with an address at its end.
    pub fn is_answered(&self, patience: Duration) -> bool {
        self.socket.set_read_timeout(Some(patience)).unwrap();
        let mut buffer = [0; 4_096];
        let length = self.socket.recv(&mut buffer).unwrap_or_default();
        // An answer without an error that holds records.
        length > 12 && buffer[3] & 15 == 0 && buffer[7] > 0
    }
}

/// Copies the fixtures to where servers can write beside them, with the servers themselves: a profile of the
/// machine's that confines a service by its path (AppArmor) is none of the laboratory's.
pub fn furnish(folder: &std::path::Path, fixtures: &std::path::Path, programs: &[&str]) -> bool {
    for entry in fs::read_dir(fixtures).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
    }
    for program in programs {
        let Some(path) = found(program) else {
            println!("skipped: no {program}");
            return false;
        };
        fs::copy(path, folder.join(program)).unwrap();
    }
    true
}

/// Where a program is, also where only root looks for it.
fn found(program: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    places.map(|place| place.join(program)).find(|path| path.is_file())
}
