//! Every format, byte order, resolution and compression gives the same frames.

use super::*;

const ORDERS: [ByteOrder; 2] = [ByteOrder::Little, ByteOrder::Big];

#[test]
fn pcap_in_both_orders_and_all_resolutions() {
    let files = Files::new();
    for order in ORDERS {
        for (magic, unit_ns) in [(0xa1b2_c3d4, 1_000), (0xa1b2_3c4d, 1)] {
            let mut file = Octets::pcap(order, magic, 113);
            file.record(1_600_000_000, 999_999, b"first").record(4_294_967_295, 7, b"");
            let (seen, reader) = files.read(&file.out).unwrap();
            let frame = |number, time, bytes: &[u8]| Seen {
                file: 0,
                number,
                time,
                link: 113,
                original_len: bytes.len() as u32,
                bytes: bytes.to_vec(),
            };
            let second = 1_000_000_000;
            assert_eq!(
                seen,
                [
                    frame(1, 1_600_000_000 * second + 999_999 * unit_ns, b"first"),
                    frame(2, 4_294_967_295 * second + 7 * unit_ns, b""),
                ]
            );
            assert_eq!(reader.damage(), []);
        }
    }
}

#[test]
fn a_pcap_behind_another_goes_on_whatever_it_is_of() {
    let mut file = Octets::pcap(ByteOrder::Little, 0xa1b2_c3d4, 1);
    file.record(1, 2, b"first");
    for (order, magic, link) in
        [(ByteOrder::Little, 0xa1b2_c3d4, 1), (ByteOrder::Big, 0xa1b2_3c4d, 113)]
    {
        let mut next = Octets::pcap(order, magic, link);
        file.bytes(&next.record(3, 4, b"next").out);
    }
    let (seen, reader) = Files::new().read(&file.out).unwrap();
    assert_eq!(reader.damage(), []);
    let frames: Vec<_> = seen.iter().map(|f| (f.number, f.time, f.link, &f.bytes[..])).collect();
    let expected = [
        (1, 1_000_002_000, 1, &b"first"[..]),
        (2, 3_000_004_000, 1, b"next"),
        (3, 3_000_000_004, 113, b"next"),
    ];
    assert_eq!(frames, expected);
    // What only begins as one does is a frame, or damage.
    let mut file = Octets::pcap(ByteOrder::Little, 0xa1b2_c3d4, 1);
    file.u32(0xa1b2_c3d4).u16(9).u16(9).u32(0).u32(0).record(5, 6, b"after");
    let (seen, reader) = Files::new().read(&file.out).unwrap();
    assert_eq!((seen.len(), reader.damage().len()), (2, 0));
}

#[test]
fn pcap_of_the_kuznetzov_kind_has_longer_record_headers() {
    for order in ORDERS {
        let mut file = Octets::pcap(order, 0xa1b2_cd34, 1);
        for frame in [&b"one"[..], b"four"] {
            let len = frame.len() as u32;
            file.u32(5).u32(6).u32(len).u32(1_500).u32(2).u16(8).u16(0).bytes(frame);
        }
        let (seen, _) = Files::new().read(&file.out).unwrap();
        let bytes: Vec<_> = seen.iter().map(|frame| &frame.bytes[..]).collect();
        assert_eq!(bytes, [&b"one"[..], b"four"]);
        assert_eq!((seen[1].time, seen[1].original_len), (5_000_006_000, 1_500));
    }
}

#[test]
fn pcapng_interfaces_have_their_own_link_type_and_clock() {
    for order in ORDERS {
        let seconds = match order {
            ByteOrder::Little => 3_600_i64.to_le_bytes(),
            ByteOrder::Big => 3_600_i64.to_be_bytes(),
        };
        let nanoseconds = Octets::option(order, 9, &[9]);
        let binary = [
            Octets::option(order, 2, b"eth0"),
            Octets::option(order, 9, &[0x80 | 20]),
            Octets::option(order, 14, &seconds),
        ];
        let mut file = Octets::new(order);
        file.section()
            .interface(1, 0, &[])
            .interface(113, 0, &nanoseconds)
            .interface(101, 0, &binary.concat())
            .enhanced(1, 1_600_000_000_123_456_789, b"nano")
            .enhanced(0, 1_600_000_000_123_456, b"micro")
            .enhanced(2, 3 << 19, b"binary");
        let (seen, _) = Files::new().read(&file.out).unwrap();
        let short: Vec<_> = seen.iter().map(|frame| (frame.link, frame.time)).collect();
        assert_eq!(
            short,
            [
                (113, 1_600_000_000_123_456_789),
                (1, 1_600_000_000_123_456_000),
                (101, 3_601_500_000_000)
            ]
        );
    }
}

#[test]
fn pcapng_sections_begin_anew_even_in_the_other_byte_order() {
    let mut file = Octets::new(ByteOrder::Big);
    file.section().interface(1, 0, &[]).interface(113, 0, &[]).enhanced(1, 5, b"one");
    let mut second = Octets::new(ByteOrder::Little);
    second.section().interface(101, 0, &[]).enhanced(0, 6, b"two");
    file.bytes(&second.out);
    let (seen, reader) = Files::new().read(&file.out).unwrap();
    let links: Vec<_> = seen.iter().map(|frame| (frame.number, frame.link)).collect();
    assert_eq!(links, [(1, 113), (2, 101)]);
    assert_eq!(reader.damage(), []);
}

#[test]
fn pcapng_simple_and_obsolete_packets_are_frames_and_other_blocks_are_not() {
    for order in ORDERS {
        let mut old = Octets::new(order);
        old.u16(0).u16(0).u32(0).u32(2_000).u32(3).u32(99).bytes(b"old");
        let mut file = Octets::new(order);
        let other = Octets { order, out: vec![1; 300_000] };
        file.section().interface(1, 4, &[]).block(2, &old);
        file.block(0x0bad, &other).block(10, &other).simple(9, b"four").simple(2, b"tw");
        let (seen, reader) = Files::new().read(&file.out).unwrap();
        let short: Vec<_> =
            seen.iter().map(|f| (f.number, f.time, f.original_len, &f.bytes[..])).collect();
        // A simple packet has no time: that of the frame before stands in. A custom block has a number
        // in Wireshark, other blocks have none.
        assert_eq!(
            short,
            [(1, 2_000_000, 99, &b"old"[..]), (3, 2_000_000, 9, b"four"), (4, 2_000_000, 2, b"tw")]
        );
        assert_eq!(reader.damage(), []);
    }
}

#[test]
fn compressed_files_are_known_by_their_content() {
    let files = Files::new();
    for (content, ends) in [small_pcap(), small_pcapng()] {
        let (plain, _) = files.read(&content).unwrap();
        assert_eq!(plain.len(), ends.len());
        let (head, tail) = content.split_at(content.len() / 2);
        let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9][..], &zstd(&content)].concat();
        for packed in [
            gzip(&content),
            [gzip(head), gzip(&[]), gzip(tail)].concat(),
            zstd(&content),
            [zstd(head), zstd(tail)].concat(),
            skippable,
        ] {
            let (seen, reader) = files.read(&packed).unwrap();
            assert_eq!(seen, plain);
            assert_eq!(reader.damage(), []);
            let progress = reader.progress();
            assert_eq!(Some(progress.consumed()), progress.total());
            assert_eq!(progress.consumed(), packed.len() as u64);
        }
    }
}

#[test]
fn long_files_are_read_in_many_blocks_and_long_frames_whole() {
    let files = Files::new();
    let mut pcap = Octets::pcap(ByteOrder::Little, 0xa1b2_3c4d, 1);
    let mut pcapng = Octets::new(ByteOrder::Little);
    pcapng.section().interface(1, 0, &Octets::option(ByteOrder::Little, 9, &[9]));
    // Short ones by the thousand, then the longest possible, then short ones again.
    let lens: Vec<usize> = (0..5_000).map(|n| 40 + n * 7 % 300).chain([262_144; 3]).collect();
    for (number, &len) in lens.iter().chain(&lens[..3_000]).enumerate() {
        let mut frame = vec![number as u8; len];
        frame[0] = (number >> 8) as u8;
        pcap.record(1, number as u32, &frame);
        pcapng.enhanced(0, 1_000_000_000 + number as u64, &frame);
    }
    let (one, _) = files.read(&pcap.out).unwrap();
    assert_eq!(one.len(), 8_003);
    for (at, frame) in one.iter().enumerate() {
        assert_eq!((frame.number, frame.time), (at as u64 + 1, 1_000_000_000 + at as i64));
        assert_eq!(frame.bytes.len(), lens[at % 5_003]);
        assert_eq!((frame.bytes[0], frame.bytes[1]), ((at >> 8) as u8, at as u8));
    }
    for content in [pcapng.out, gzip(&pcap.out), zstd(&pcap.out)] {
        assert!(files.read(&content).unwrap().0 == one);
    }
}

#[test]
fn a_filter_leaves_out_frames_and_keeps_their_numbers() {
    let mut file = Octets::pcap(ByteOrder::Little, 0xa1b2_c3d4, 1);
    for kind in [[8, 0], [8, 6], [8, 0], [8, 6]] {
        file.record(1, 0, &[&[2; 12], &kind[..], &[0; 46]].concat());
    }
    let files = Files::new();
    let path = [files.write("a.pcap", &file.out)];
    let (seen, _) = drain(Reader::open(&path).unwrap().with_filter("arp").unwrap());
    assert_eq!(seen.iter().map(|frame| frame.number).collect::<Vec<_>>(), [2, 4]);
    assert!(Reader::open(&path).unwrap().with_filter("port port").is_err());
}
