//! Several files are one capture in the order of time.

use super::*;
use crate::capture::Fault;

/// A nanosecond pcap file with a frame at each of these times.
fn pcap_at(times: &[u64]) -> Vec<u8> {
    let mut file = Octets::pcap(ByteOrder::Little, 0xa1b2_3c4d, 1);
    for time in times {
        let (seconds, nanos) = (time / 1_000_000_000, time % 1_000_000_000);
        file.record(seconds as u32, nanos as u32, &time.to_le_bytes());
    }
    file.out
}

/// The files and times in the order in which frames at these times come out.
fn order(contents: &[&[u64]]) -> Vec<(u16, i64)> {
    let files = Files::new();
    let paths: Vec<_> = contents
        .iter()
        .enumerate()
        .map(|(place, times)| files.write(&format!("{place}.pcap"), &pcap_at(times)))
        .collect();
    let (seen, reader) = drain(Reader::open(&paths).unwrap());
    assert_eq!(reader.damage(), []);
    let progress = reader.progress();
    assert_eq!(Some(progress.consumed()), progress.total());
    for (file, times) in contents.iter().enumerate() {
        // Each file keeps its own order and numbers.
        let own: Vec<_> = seen.iter().filter(|frame| usize::from(frame.file) == file).collect();
        assert!(own.iter().map(|frame| frame.time as u64).eq(times.iter().copied()));
        assert!(own.iter().zip(1..).all(|(frame, number)| frame.number == number));
    }
    seen.iter().map(|frame| (frame.file, frame.time)).collect()
}

const MS: u64 = 1_000_000;

#[test]
fn one_file_keeps_its_order_even_backwards() {
    assert_eq!(order(&[&[5, 3, 9, 1]]), [(0, 5), (0, 3), (0, 9), (0, 1)]);
}

#[test]
fn files_that_follow_each_other_are_read_in_the_order_of_time() {
    assert_eq!(
        order(&[&[50, 60], &[10, 20], &[20, 30], &[]]),
        [(1, 10), (1, 20), (2, 20), (2, 30), (0, 50), (0, 60)]
    );
    // The end of one is the beginning of the other, given first.
    assert_eq!(order(&[&[20, 30], &[10, 20]]), [(1, 10), (1, 20), (0, 20), (0, 30)]);
}

#[test]
fn files_that_begin_at_once_go_in_argument_order() {
    assert_eq!(order(&[&[1, 1], &[1], &[1]]), [(0, 1), (0, 1), (1, 1), (2, 1)]);
}

#[test]
fn two_sensors_are_merged_by_time_and_ties_go_in_argument_order() {
    let [one, two] = [[0, 100 * MS, 250 * MS], [100 * MS, 200 * MS, 300 * MS]];
    let merged: Vec<_> =
        order(&[&one, &two]).iter().map(|seen| (seen.0, seen.1 / 1_000_000)).collect();
    assert_eq!(merged, [(0, 0), (0, 100), (1, 100), (1, 200), (0, 250), (1, 300)]);
    let merged: Vec<_> =
        order(&[&two, &one]).iter().map(|seen| (seen.0, seen.1 / 1_000_000)).collect();
    assert_eq!(merged, [(1, 0), (0, 100), (1, 100), (0, 200), (1, 250), (0, 300)]);
}

/// A capture of some seconds whose frames are out of order by up to 40 ms.
fn reordered() -> Vec<u64> {
    (0..6_000_u64).map(|n| n * MS + (n * 7_919 % 40) * MS).collect()
}

#[test]
fn a_cut_capture_reads_as_the_whole_one_even_where_it_is_out_of_order() {
    let whole = reordered();
    let expected: Vec<_> = order(&[&whole]).iter().map(|seen| seen.1).collect();
    for pieces in [2, 3, 7] {
        let parts: Vec<_> = whole.chunks(whole.len().div_ceil(pieces)).collect();
        let seen: Vec<_> = order(&parts).iter().map(|seen| seen.1).collect();
        assert!(seen == expected, "{pieces} pieces");
    }
}

#[test]
fn sensors_whose_captures_overlap_for_long_are_merged_through_many_blocks() {
    let one: Vec<u64> = (0..20_000).map(|n| n * 2 * MS).collect();
    let two: Vec<u64> = (5_000..30_000).map(|n| n * 2 * MS + MS).collect();
    let three: Vec<u64> = (20_000..30_000).map(|n| n * 2 * MS).collect();
    let seen = order(&[&two, &one, &three]);
    assert_eq!(seen.len(), 55_000);
    assert!(seen.is_sorted_by_key(|&(_, time)| time));
}

#[test]
fn how_it_is_read_does_not_change_the_order() {
    // Compressed files come in other blocks than plain ones.
    let files = Files::new();
    let one = reordered();
    let two: Vec<u64> = one.iter().map(|time| time + 900 * MS).collect();
    let read = |pack: fn(&[u8]) -> Vec<u8>| {
        let paths =
            [&one, &two].map(|times| files.write(&format!("{}", times[0]), &pack(&pcap_at(times))));
        drain(Reader::open(&paths).unwrap()).0
    };
    let plain = read(<[u8]>::to_vec);
    assert!(read(gzip) == plain && read(zstd) == plain);
}

#[test]
fn a_bad_file_among_several_is_damage_and_the_others_are_read() {
    let files = Files::new();
    let paths = [
        files.write("names.txt", b"evil.example\n"),
        files.write("good.pcap", &pcap_at(&[1, 2])),
        files.0.path().join("missing.pcap"),
    ];
    let (seen, reader) = drain(Reader::open(&paths).unwrap());
    assert_eq!(
        seen.iter().map(|frame| (frame.file, frame.number)).collect::<Vec<_>>(),
        [(1, 1), (1, 2)]
    );
    let [text, missing] = reader.damage() else { panic!("two are bad") };
    assert!(matches!(&text.fault, Fault::NotACapture(_)) && text.file == paths[0]);
    assert!(matches!(&missing.fault, Fault::Open(_)) && missing.file == paths[2]);
    assert!(text.to_string().ends_with("; the file was skipped"));

    let error = Reader::open(&[paths[0].clone(), paths[2].clone()]).map(|_| ()).unwrap_err();
    assert_eq!(error.to_string().lines().count(), 3);
}

#[test]
fn damage_in_one_of_several_files_is_kept_with_its_name() {
    let files = Files::new();
    let cut = pcap_at(&[10, 20]);
    let paths = [
        files.write("later.pcap", &pcap_at(&[50])),
        files.write("cut.pcap", &cut[..cut.len() - 3]),
    ];
    let (seen, reader) = drain(Reader::open(&paths).unwrap());
    assert_eq!(seen.iter().map(|frame| frame.time).collect::<Vec<_>>(), [10, 50]);
    let [damage] = reader.damage() else { panic!("one is cut") };
    assert_eq!((&damage.file, &damage.fault), (&paths[1], &Fault::Cut { there: 21, needed: 24 }));
}

#[test]
#[cfg(unix)]
fn pipes_are_opened_once_and_merged_like_files() {
    use std::process::Command;
    let files = Files::new();
    let contents = [pcap_at(&[10, 30]), gzip(&pcap_at(&[20, 40]))];
    let mut writers = Vec::new();
    let pipes = [0, 1].map(|place: usize| {
        let file = files.write(&format!("{place}"), &contents[place]);
        let pipe = files.0.path().join(format!("{place}.pipe"));
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let copy = Command::new("sh").arg("-c").arg("cat <$0 >$1").arg(&file).arg(&pipe).spawn();
        writers.push(copy.unwrap());
        pipe
    });
    let (seen, reader) = drain(Reader::open(&pipes).unwrap());
    assert_eq!(seen.iter().map(|frame| frame.time).collect::<Vec<_>>(), [10, 20, 30, 40]);
    assert_eq!((reader.progress().total(), reader.damage()), (None, &[][..]));
    for mut writer in writers {
        writer.wait().unwrap();
    }
}
