//! Rings: what a reader finds in them.

use super::*;
use crate::capture::{Reader, captures_in};
use crate::frame::FrameId;

const PATIENCE: Duration = Duration::from_secs(10);

fn batch(numbers: std::ops::Range<u64>, file: u16, link: u16) -> Batch {
    let mut batch = Batch::new();
    for number in numbers {
        batch.push(Frame {
            id: FrameId::new(file, number),
            time: Timestamp(1_700_000_000_123_456_000 + number as i64),
            link: LinkType(link),
            original_len: 1_500,
            bytes: &[number as u8; 101],
        });
    }
    batch
}

/// Time, link type, length on the wire and an octet of a frame.
type Seen = (i64, u16, u32, u8);

/// All frames, and what is wrong.
fn read(directory: &Path) -> (Vec<Seen>, Vec<String>) {
    let mut reader = Reader::open(&captures_in(directory).unwrap().captures).unwrap();
    let mut batch = Batch::new();
    let mut frames = Vec::new();
    while reader.fill(&mut batch) {
        frames.extend(
            batch
                .frames()
                .map(|f| (f.time.0, f.link.0, f.original_len, f.bytes[f.bytes.len() - 1])),
        );
    }
    (frames, reader.damage().iter().map(ToString::to_string).collect())
}

fn take(ring: &mut Ring, batch: &Batch) {
    // As long as half of what may wait does.
    while ring.watch().state().queued > batch.len() as u64 * WAITING_MAX as u64 / 2 {
        thread::sleep(Duration::from_millis(1));
    }
    ring.take(batch);
}

#[test]
fn what_is_kept_is_the_last_and_all_of_it_in_whole_files() {
    let directory = tempfile::tempdir().unwrap();
    let limit = 1 << 20;
    let mut ring =
        Ring::start(directory.path(), limit, vec!["eth0".into(), "eth1".into()]).unwrap();
    for begin in (0..30_000).step_by(500) {
        let is_second = begin % 1_000 == 500;
        let (file, link) = if is_second && begin > 10_000 { (1, 113) } else { (0, 1) };
        take(&mut ring, &batch(begin..begin + 500, file, link));
    }
    let state = ring.watch().finish(PATIENCE);
    assert_eq!((state.written, state.lost, state.queued, &state.fault), (30_000, 0, 0, &None));
    let size: u64 = captures_in(directory.path())
        .unwrap()
        .captures
        .iter()
        .map(|p| fs::metadata(p).unwrap().len())
        .sum();
    assert!(size <= limit && size > limit * 3 / 4, "{size}");
    let (frames, damage) = read(directory.path());
    assert!(damage.is_empty(), "{damage:?}");
    assert!(frames.len() > 5_000);
    let first = 30_000 - frames.len() as u64;
    for (frame, number) in frames.iter().zip(first..) {
        let link = if number % 1_000 >= 500 { 113 } else { 1 };
        let time = 1_700_000_000_123_456_000 + number as i64;
        assert_eq!(*frame, (time, link, 1_500, number as u8));
    }
}

#[test]
fn a_ring_that_is_read_while_it_is_written_or_after_a_kill_is_not_damaged() {
    let directory = tempfile::tempdir().unwrap();
    let mut ring = Ring::start(directory.path(), 1 << 20, vec![]).unwrap();
    for begin in (0..2_000).step_by(100) {
        take(&mut ring, &batch(begin..begin + 100, 0, 1));
        if begin > 0 && ring.watch().state().written > 0 {
            let (frames, damage) = read(directory.path());
            assert!(damage.is_empty() && !frames.is_empty(), "{damage:?}");
        }
    }
    ring.watch().finish(PATIENCE);
    // What a kill leaves: the last record half written.
    let newest = captures_in(directory.path()).unwrap().captures.pop().unwrap();
    let file = OpenOptions::new().write(true).open(&newest).unwrap();
    file.set_len(file.metadata().unwrap().len() - 50).unwrap();
    let (frames, damage) = read(directory.path());
    assert_eq!((frames.len(), damage), (1_999, vec![]));
    // The next run goes on beside it.
    let mut ring = Ring::start(directory.path(), 1 << 20, vec![]).unwrap();
    ring.take(&batch(5_000..5_100, 0, 1));
    ring.watch().finish(PATIENCE);
    assert_eq!(read(directory.path()).0.len(), 2_099);
    // In any other capture a cut is damage.
    fs::rename(newest, directory.path().join("office.pcapng")).unwrap();
    assert_eq!(read(directory.path()).1.len(), 1);
}

#[test]
fn tshark_reads_a_ring_to_the_nanosecond() {
    let directory = tempfile::tempdir().unwrap();
    let mut ring = Ring::start(directory.path(), 1 << 20, vec!["eth0".into()]).unwrap();
    ring.take(&batch(1..3, 0, 1));
    ring.watch().finish(PATIENCE);
    let file = captures_in(directory.path()).unwrap().captures.pop().unwrap();
    let tshark = std::process::Command::new("tshark")
        .args(["-T", "fields", "-e", "frame.time_epoch", "-e", "frame.interface_name", "-r"])
        .arg(file)
        .output();
    let Ok(output) = tshark else {
        println!("skipped: no tshark");
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(text, "1700000000.123456001\teth0\n1700000000.123456002\teth0\n");
}

#[test]
fn what_still_waits_when_the_time_is_over_is_lost_and_counted_once() {
    let directory = tempfile::tempdir().unwrap();
    let counts = Arc::new(Counts { queued: AtomicU64::new(20), ..Counts::default() });
    let watch = RingWatch { name: "ring".to_owned(), counts: Arc::clone(&counts) };
    // Nobody writes.
    let state = watch.finish(Duration::from_millis(20));
    assert_eq!((state.written, state.queued, state.lost), (0, 0, 20));
    // It is written late all the same.
    let mut writer = Writer {
        directory: directory.path().to_owned(),
        claim: Claim::new(directory.path()).unwrap(),
        looked: Timestamp(0),
        octets_max: 1 << 20,
        file_octets: 1 << 16,
        is_full: false,
        open: None,
        described: Vec::new(),
        counts,
    };
    writer.take(&Piece { octets: Vec::new(), described: 0, frames: 20, first: Timestamp(0) });
    let state = watch.state();
    assert_eq!((state.written, state.queued, state.lost), (0, 0, 20));
}

/// A file system of so many octets, in a mount namespace of this thread alone; `None`, with a word about it, where
/// that is not possible.
fn small_disk(octets: u64) -> Option<tempfile::TempDir> {
    use nix::mount::{MsFlags, mount};
    use nix::sched::{CloneFlags, unshare};
    let directory = tempfile::tempdir().unwrap();
    let (none, private) = (None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE);
    let mounted = unshare(CloneFlags::CLONE_NEWNS)
        .and_then(|()| mount(none, "/", none, private, none))
        .and_then(|()| {
            let size = format!("size={octets}");
            let flags = MsFlags::empty();
            mount(Some("small"), directory.path(), Some("tmpfs"), flags, Some(size.as_str()))
        });
    if let Err(error) = mounted {
        println!("skipped: no file system can be mounted here ({error})");
        return None;
    }
    Some(directory)
}

#[test]
fn a_full_disk_is_said_and_the_last_packets_stay() {
    let Some(disk) = small_disk(400 << 10) else { return };
    let directory = disk.path().join("ring");
    let mut ring = Ring::start(&directory, 10 << 20, vec![]).unwrap();
    assert!((250 << 10..=300 << 10).contains(&ring.room()), "a quarter is left: {}", ring.room());
    let watch = ring.watch();
    assert_eq!((watch.state().fault, watch.oldest()), (None, None));
    for begin in (0..20_000).step_by(50) {
        take(&mut ring, &batch(begin..begin + 50, 0, 1));
    }
    let state = watch.finish(PATIENCE);
    assert_eq!(state.fault.as_deref(), Some(FULL));
    assert_eq!(state.lost, 0, "the oldest went instead");
    let (frames, damage) = read(&directory);
    assert!(damage.is_empty(), "{damage:?}");
    assert!(frames.len() > 1_000, "{} packets are left", frames.len());
    assert_eq!(frames.last().unwrap().0, 1_700_000_000_123_456_000 + 19_999, "the newest is there");
    assert_eq!(watch.oldest(), Some(Timestamp(frames[0].0)), "it knows how far back it reaches");
    // What an earlier run left counts as room, and there is enough of it for less.
    let ring = Ring::start(&directory, 200 << 10, vec![]).unwrap();
    assert!(ring.room() > 200 << 10, "{}", ring.room());
    assert_eq!(ring.watch().oldest(), Some(Timestamp(frames[0].0)));
}

#[test]
fn a_disk_that_has_room_again_is_full_no_more() {
    let Some(disk) = small_disk(400 << 10) else { return };
    let directory = disk.path().join("ring");
    let mut ring = Ring::start(&directory, 250 << 10, vec![]).unwrap();
    fs::write(disk.path().join("other"), vec![0; 200 << 10]).unwrap();
    let mut number = 0;
    let mut fill = |ring: &mut Ring| {
        for _ in 0..100 {
            take(ring, &batch(number..number + 50, 0, 1));
            number += 50;
        }
        while ring.watch().state().queued > 0 {
            thread::sleep(Duration::from_millis(1));
        }
    };
    fill(&mut ring);
    assert_eq!(ring.watch().state().fault.as_deref(), Some(FULL));
    fs::remove_file(disk.path().join("other")).unwrap();
    fill(&mut ring);
    assert_eq!(ring.watch().state().fault, None);
}

/// Waits, ten seconds at most, until something is so.
fn until(what: &dyn Fn() -> bool) {
    let patience = now() + Span::from_secs(10);
    while !what() {
        assert!(now() < patience, "it never came");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn old_packets_leave_room_for_answers_at_once_and_again_when_that_is_taken() {
    let Some(disk) = small_disk(1 << 20) else { return };
    let directory = disk.path().join("ring");
    let mut ring = Ring::start(&directory, 10 << 20, vec![]).unwrap();
    for begin in (0..20_000).step_by(50) {
        take(&mut ring, &batch(begin..begin + 50, 0, 1));
    }
    until(&|| ring.watch().state().queued == 0);
    // A quarter of so small a disk is for others.
    let answers = vec![0; 200 << 10];
    for name in ["a.jsonl", "b.jsonl"] {
        fs::write(disk.path().join(name), &answers).unwrap();
        // No packet comes, and the oldest go all the same.
        let free = || fstatvfs(File::open(disk.path()).unwrap()).unwrap();
        until(&|| free().blocks_available() * free().fragment_size() >= 256 << 10);
    }
    let state = ring.watch().finish(PATIENCE);
    assert_eq!((state.lost, state.fault.as_deref()), (0, Some(FULL)));
    let (frames, damage) = read(&directory);
    assert!(damage.is_empty() && frames.len() > 500, "{} {damage:?}", frames.len());
    assert_eq!(ring.watch().oldest(), Some(Timestamp(frames[0].0)));
}

#[test]
fn the_reserve_is_a_twentieth_within_bounds() {
    for (disk, left) in [
        (400 << 10, 100 << 10),
        (200 << 20, 50 << 20),
        (1 << 30, 64 << 20),
        (10 << 30, 512 << 20),
        (1 << 44, 1 << 30),
    ] {
        assert_eq!(reserve(disk), left, "of {disk}");
    }
}

#[test]
fn two_runs_do_not_share_a_ring_and_what_ended_holds_none() {
    let directory = tempfile::tempdir().unwrap();
    let first = Ring::start(directory.path(), 1 << 20, vec![]).unwrap();
    let second = Ring::start(directory.path(), 1 << 20, vec![]).unwrap_err();
    assert!(
        second.to_string().contains("another whoasked is writing its packets there"),
        "{second}"
    );
    first.watch().finish(PATIENCE);
    Ring::start(directory.path(), 1 << 20, vec![]).unwrap();
}

#[test]
fn a_file_that_was_deleted_is_not_written_on_and_not_counted() {
    let directory = tempfile::tempdir().unwrap();
    let mut ring = Ring::start(directory.path(), 1 << 20, vec![]).unwrap();
    let watch = ring.watch();
    take(&mut ring, &batch(0..50, 0, 1));
    until(&|| watch.state().written == 50);
    for file in captures_in(directory.path()).unwrap().captures {
        fs::remove_file(file).unwrap();
    }
    until(&|| watch.oldest().is_none());
    take(&mut ring, &batch(50..100, 0, 1));
    until(&|| watch.state().written == 100);
    let (frames, damage) = read(directory.path());
    assert_eq!((frames.len(), damage), (50, vec![]), "the later ones are there");
    assert_eq!(watch.oldest(), Some(Timestamp(frames[0].0)));
}

#[test]
fn a_directory_that_was_deleted_is_said_and_one_made_again_is_used_where_it_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("ring");
    let mut ring = Ring::start(&directory, 1 << 20, vec![]).unwrap();
    let watch = ring.watch();
    take(&mut ring, &batch(0..50, 0, 1));
    until(&|| watch.state().written == 50);
    fs::remove_dir_all(&directory).unwrap();
    until(&|| watch.state().fault.is_some_and(|why| why.contains("the directory was deleted")));
    assert_eq!(watch.oldest(), None);
    take(&mut ring, &batch(50..100, 0, 1));
    until(&|| watch.state().lost == 50);
    fs::create_dir(&directory).unwrap();
    take(&mut ring, &batch(100..150, 0, 1));
    until(&|| watch.state().written == 100);
    assert_eq!((read(&directory).0.len(), watch.state().fault), (50, None));
}
