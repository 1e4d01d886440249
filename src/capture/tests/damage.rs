//! A damaged file gives every whole frame before the damage, says where it is, and never panics.

use std::io::{BufReader, Read};

use proptest::prelude::*;

use super::*;
use crate::capture::{Damage, Fault, Place};

/// Reads what is left of a small file. Whatever it is, only an unusable header may make it an error.
fn read(files: &Files, content: &[u8]) -> (usize, Vec<Damage>) {
    match files.read(content) {
        Ok((seen, reader)) => {
            // What is said of damage must be sayable.
            assert!(reader.damage().iter().all(|damage| !damage.to_string().is_empty()));
            (seen.len(), reader.damage().to_vec())
        }
        Err(error) => {
            assert!(error.to_string().contains("capture: "), "{error}");
            (0, Vec::new())
        }
    }
}

#[test]
fn cut_anywhere_a_file_gives_all_whole_frames_before_the_cut() {
    let files = Files::new();
    for (content, ends) in [small_pcap(), small_pcapng()] {
        for cut in 0..content.len() {
            let (frames, damage) = read(&files, &content[..cut]);
            let whole = ends.iter().filter(|&&end| end <= cut).count();
            assert_eq!(frames, whole, "cut at {cut}");
            // The place is that of the record which is cut; a cut between records cannot be told.
            if let [Damage { place: Some(place), fault: Fault::Cut { there, needed }, .. }] =
                &damage[..]
            {
                assert_eq!(place.offset + there, cut as u64);
                assert!(there < needed);
                assert_eq!(place.frame, whole as u64 + 1);
            } else {
                assert_eq!(damage, [], "cut at {cut}");
            }
        }
    }
}

#[test]
fn cut_anywhere_a_compressed_file_gives_all_frames_that_can_be_decompressed() {
    let files = Files::new();
    for (content, ends) in [small_pcap(), small_pcapng()] {
        for packed in [gzip(&content), zstd(&content)] {
            for cut in 0..packed.len() {
                let part = &packed[..cut];
                let mut plain = Vec::new();
                let octets: Box<dyn Read> = match part.first() {
                    Some(0x1f) => Box::new(flate2::read::MultiGzDecoder::new(part)),
                    _ => Box::new(zstd::Decoder::new(part).unwrap()),
                };
                plain.extend(BufReader::new(octets).bytes().map_while(Result::ok));
                let whole = ends.iter().filter(|&&end| end <= plain.len()).count();
                let (frames, damage) = read(&files, part);
                assert_eq!(frames, whole, "cut at {cut}");
                assert!(frames == 0 || damage.len() == 1, "a cut stream is damage: {damage:?}");
            }
        }
    }
}

#[test]
fn no_flipped_octet_makes_a_panic_or_an_endless_file() {
    let files = Files::new();
    for (content, _) in [small_pcap(), small_pcapng()] {
        for packed in [content.clone(), gzip(&content), zstd(&content)] {
            for at in 0..packed.len() {
                for mask in [0x01, 0x80, 0xff] {
                    let mut flipped = packed.clone();
                    flipped[at] ^= mask;
                    let (frames, damage) = read(&files, &flipped);
                    assert!(frames <= content.len() / 12 && damage.len() <= 10);
                }
            }
        }
    }
}

#[test]
fn a_record_of_impossible_length_is_named() {
    let mut file = Octets::pcap(ByteOrder::Big, 0xa1b2_c3d4, 1);
    file.record(1, 0, &[0; 60]);
    file.u32(1).u32(0).u32(3_000_000_000).u32(60).bytes(&[0; 60]);
    let (seen, reader) = Files::new().read(&file.out).unwrap();
    assert_eq!(seen.len(), 1);
    let [damage] = reader.damage() else { panic!("one damage") };
    assert_eq!(damage.place, Some(Place { frame: 2, offset: 100, decompressed: false }));
    assert!(damage.to_string().ends_with(
        "capture: frame 2 (byte 100): record claims 3000000000 bytes; the maximum is 262144; skipped 76 bytes to \
         find the next frame"
    ));
}

#[test]
fn behind_a_hole_a_file_goes_on() {
    for is_pcapng in [false, true] {
        let (whole, starts) = long_file(is_pcapng);
        let files = Files::new();
        for (hole, octets) in [(0, 0), (0, 0x5a), (5, 0), (17, 0), (70, 0xff), (300, 0)] {
            let mut broken = whole.clone();
            let (from, until) = (starts[1_000] + hole, starts[1_000] + hole + 5_000);
            broken[from..until].fill(octets);
            let (seen, reader) = files.read(&broken).unwrap();
            // Whatever ends before the hole, and whatever begins behind it.
            let end = broken.len();
            let whole = starts.iter().zip(starts.iter().skip(1).chain([&end]));
            let spared = whole.filter(|(begins, ends)| **ends <= from || **begins >= until).count();
            let lost = spared.abs_diff(seen.len());
            assert!(lost <= 1, "{lost} with {octets:#x} from {hole} on: {:?}", reader.damage());
            let last = seen.last().map(|frame| frame.bytes.clone());
            assert_eq!(last, Some(long_file_frame(3_000)));
            let [damage] = reader.damage() else { panic!("one damage: {:?}", reader.damage()) };
            assert!((4_800..=5_200).contains(&damage.passed_over), "{damage}");
        }
        // Octets that are missing, as where a copy went on too late.
        for gone in [1, 2, 30, 5_000] {
            let mut broken = whole.clone();
            broken.drain(starts[1_000] + 40..starts[1_000] + 40 + gone);
            let (seen, reader) = files.read(&broken).unwrap();
            assert_eq!(seen.last().map(|frame| frame.bytes.clone()), Some(long_file_frame(3_000)));
            assert_eq!(reader.damage().len(), 1, "{gone}: {:?}", reader.damage());
            assert!((2_900..3_000).contains(&seen.len()), "{gone}: {}", seen.len());
        }
    }
}

#[test]
fn holes_are_counted_together_and_zeros_at_the_end_are_no_frames() {
    let (whole, starts) = long_file(false);
    let files = Files::new();
    // Two holes are one kind of damage, of which the octets count together; zeros at the end are no frames.
    let mut broken = whole;
    for record in [500, 2_000] {
        broken[starts[record]..starts[record] + 64].fill(0);
    }
    broken.extend([0; 100_000]);
    let (seen, reader) = files.read(&broken).unwrap();
    assert!((2_996..3_000).contains(&seen.len()), "{}", seen.len());
    let [damage] = reader.damage() else { panic!("one damage: {:?}", reader.damage()) };
    assert!(
        damage
            .to_string()
            .contains("zero bytes where a record should be; here and 2 more times; skipped 100,"),
        "{damage}"
    );
}

/// The octets of the frames of [`long_file`], counted from 1.
fn long_file_frame(number: u32) -> Vec<u8> {
    vec![number as u8; 60 + (number % 7) as usize]
}

/// A file of 3,000 frames, as pcapng or pcap, and where the record of each begins.
fn long_file(is_pcapng: bool) -> (Vec<u8>, Vec<usize>) {
    let mut file = match is_pcapng {
        true => Octets::new(ByteOrder::Little).section().interface(1, 0, &[]).clone(),
        false => Octets::pcap(ByteOrder::Little, 0xa1b2_c3d4, 1),
    };
    let mut starts = Vec::new();
    for number in 1..=3_000 {
        starts.push(file.out.len());
        let (seconds, part, bytes) = (1_000 + number / 100, number % 100, long_file_frame(number));
        match is_pcapng {
            true => file.enhanced(0, u64::from(seconds) * 1_000_000 + u64::from(part), &bytes),
            false => file.record(seconds, part, &bytes),
        };
    }
    (file.out, starts)
}

#[test]
fn where_no_block_can_stand_the_next_is_searched_for() {
    let files = Files::new();
    let start = |order| {
        let mut file = Octets::new(order);
        file.section().interface(1, 0, &[]).enhanced(0, 1, b"good");
        file
    };
    for (kind, len) in [(6, 28), (6, 33), (5, 8), (5, 0), (6, 600_000), (5, 17 << 20)] {
        let mut file = start(ByteOrder::Little);
        let at = file.out.len() as u64;
        file.u32(kind).u32(len).bytes(&vec![0; 700_000]).enhanced(0, 3, b"last");
        let (seen, reader) = files.read(&file.out).unwrap();
        assert_eq!(seen.len(), 2);
        let [damage] = reader.damage() else { panic!("{len}") };
        let Damage { place: Some(place), fault, passed_over, .. } = damage else { panic!("{len}") };
        assert!(matches!(fault, Fault::BlockLength { len: claimed, .. } if *claimed == len));
        assert_eq!((place.frame, place.offset, *passed_over), (2, at, 700_008));
    }
    // A length that only the one behind contradicts; what follows of its section is still known.
    let mut file = start(ByteOrder::Big);
    file.enhanced(0, 2, b"bad!");
    let last = file.out.len() - 1;
    file.out[last] += 4;
    file.enhanced(0, 3, b"last");
    let (seen, reader) = files.read(&file.out).unwrap();
    assert_eq!(seen.iter().map(|frame| &frame.bytes[..]).collect::<Vec<_>>(), [b"good", b"last"]);
    assert_eq!(reader.damage()[0].fault, Fault::BlockTrailer { leading: 36, trailing: 40 });
}

#[test]
fn an_unknown_block_may_be_cut_too() {
    let mut file = Octets::new(ByteOrder::Little);
    file.section().interface(1, 0, &[]).enhanced(0, 1, b"good");
    let at = file.out.len() as u64;
    file.u32(10).u32(1 << 20).bytes(&vec![0; 500_000]);
    let (seen, reader) = Files::new().read(&file.out).unwrap();
    assert_eq!(seen.len(), 1);
    let [Damage { place: Some(place), fault, .. }] = reader.damage() else { panic!("one damage") };
    assert_eq!(fault, &Fault::Cut { there: 500_008, needed: 1 << 20 });
    assert_eq!((place.frame, place.offset), (2, at));
}

#[test]
fn frames_without_a_known_interface_are_counted_and_the_rest_is_read() {
    let mut file = Octets::new(ByteOrder::Big);
    file.section().simple(3, b"one").interface(1, 0, &[]).enhanced(0, 1, b"two");
    file.enhanced(1, 2, b"three").enhanced(u32::MAX, 3, b"four");
    let mut too_long = Octets::new(ByteOrder::Big);
    too_long.u32(0).u32(0).u32(4).u32(9).u32(9).bytes(b"five");
    file.block(6, &too_long).enhanced(0, 5, b"six");
    let (seen, reader) = Files::new().read(&file.out).unwrap();
    let numbers: Vec<_> = seen.iter().map(|frame| frame.number).collect();
    assert_eq!(numbers, [2, 6]);
    let damage: Vec<_> = reader.damage().iter().map(|d| (&d.fault, d.times)).collect();
    assert_eq!(
        damage,
        [(&Fault::UnknownInterface(0), 3), (&Fault::FrameLength { claimed: 9, room: 4 }, 1)]
    );
    assert!(reader.damage()[0].to_string().ends_with("; skipped this frame and 2 more like it"));
}

#[test]
fn a_version_we_do_not_know_ends_the_file_and_a_byte_order_is_searched_for() {
    let files = Files::new();
    let mut first = Octets::new(ByteOrder::Little);
    first.section().interface(1, 0, &[]).enhanced(0, 1, b"good");
    let len = first.out.len();
    let broken = |at: usize, value| {
        let mut file = first.clone();
        // Another link type than the section before has.
        file.section().interface(101, 0, &[]).enhanced(0, 1, b"next");
        file.out[at] = value;
        let (seen, reader) = files.read(&file.out).unwrap();
        let links = seen.iter().map(|frame| frame.link).collect::<Vec<_>>();
        (links, reader.damage()[0].fault.clone())
    };
    assert_eq!(broken(len + 12, 9), (vec![1], Fault::SectionVersion(9, 0)));
    assert_eq!(broken(len + 8, 0x55), (vec![1, 101], Fault::SectionOrder(0x553c_2b1a)));
}

#[test]
fn what_is_no_capture_is_an_error_that_says_what_was_found() {
    let files = Files::new();
    let error = |content: &[u8]| files.read(content).map(|_| ()).unwrap_err().to_string();
    assert!(error(b"").ends_with("it is empty"));
    assert!(error(&gzip(b"")).ends_with("it is empty"));
    assert!(error(b"# flagged names").contains("not a packet capture (looks like text); captures"));
    assert!(error(b"BZh91AY").contains("bzip2: decompress it first"));
    assert!(error(&[0xd4, 0xc3, 0xb2, 0xa1, 2]).ends_with("(5 of 24 bytes present)"));
    let missing = Reader::open(&[files.0.path().join("none.pcap")]).map(|_| ()).unwrap_err();
    assert!(missing.to_string().contains("none.pcap: cannot open it: No such file"));
    let directory = Reader::open(&[files.0.path().to_owned()]).map(|_| ()).unwrap_err();
    assert!(directory.to_string().contains("directory"), "{directory}");
    assert_eq!(Reader::open(&[]).map(|_| ()).unwrap_err(), CaptureError::NoFile);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn random_octets_behind_a_header_never_panic(kind in 0..4, tail: Vec<u8>) {
        let mut head = match kind {
            0 => Octets::pcap(ByteOrder::Little, 0xa1b2_c3d4, 1),
            1 => Octets::pcap(ByteOrder::Big, 0xa1b2_cd34, 1),
            _ => Octets::new(ByteOrder::Little),
        };
        if kind == 2 {
            head.section().interface(1, 0, &tail);
        }
        head.bytes(&tail);
        read(&Files::new(), &head.out);
        read(&Files::new(), &gzip(&head.out));
    }

    #[test]
    fn random_block_bodies_never_panic(kind in 0_u32..8, body: Vec<u8>) {
        let mut file = Octets::new(ByteOrder::Big);
        file.section().interface(1, 0, &[]).block(kind, &Octets { order: ByteOrder::Big, out: body });
        file.enhanced(0, 1, b"last");
        read(&Files::new(), &file.out);
    }
}
