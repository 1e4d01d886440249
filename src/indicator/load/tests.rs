//! Lists of each form, good and broken.

use super::*;
use crate::indicator::{IndicatorId, IndicatorKind, ListId};
use crate::name::Name;
use proptest::prelude::*;
use std::fs;

fn read(list: impl Into<Vec<u8>>) -> Result<(Indicators, Vec<Warning>), LoadError> {
    Indicators::read("flagged.txt", list.into(), NameHasher::random())
}

/// Each indicator with its line.
fn shown(indicators: &Indicators) -> Vec<(String, u32)> {
    let all = (0..indicators.len() as u32).filter_map(|id| indicators.get(IndicatorId(id)));
    all.map(|indicator| (indicator.value.to_owned(), indicator.line)).collect()
}

fn values(list: &str) -> Vec<String> {
    let (indicators, _) = read(list).unwrap();
    shown(&indicators).into_iter().map(|(value, _)| value).collect()
}

#[test]
fn a_plain_list_with_everything_in_it() {
    let list = "\u{feff}# c2, week 12\r\n\r\nEvil.COM.\r\n*.bad.example ; below\r\n=one.example // alone\r\n\
                192.0.2.1\r\n198.51.100.7/24\r\n2001:db8::/32\r\nhxxp://münchen[.]example/x # x\r\nevil.com\r\n";
    let (indicators, warnings) = read(list).unwrap();
    let expected = [
        ("evil.com", 3),
        ("*.bad.example", 4),
        ("=one.example", 5),
        ("192.0.2.1", 6),
        ("198.51.100.0/24", 7),
        ("2001:db8::/32", 8),
        ("xn--mnchen-3ya.example", 9),
    ];
    assert_eq!(shown(&indicators), expected.map(|(value, line)| (value.to_owned(), line)));
    let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
    assert_eq!(
        warning.to_string(),
        "flagged.txt line 7: \"198.51.100.7/24\": it has host bits set: read as the network that contains it"
    );
    let [list] = indicators.lists() else { panic!() };
    assert_eq!((list.lines, list.entries, list.duplicates, list.skipped), (10, 7, 1, 0));
    assert_eq!(list.form, Form::Plain);
    let counts = IndicatorKind::ALL.map(|kind| indicators.count_of(ListId(0), kind));
    assert_eq!(counts, [1, 1, 2, 1, 2]);
}

#[test]
fn the_marks_of_a_list_may_stand_before_its_names() {
    let list = "# of Monday\n- mi[.]kenal-cn[.]com\n* x1.ad-sync.net\n• one.example # c2\n1. two.example\n2) 192.0.2.1\n";
    let expected = ["mi.kenal-cn.com", "x1.ad-sync.net", "one.example", "two.example", "192.0.2.1"];
    assert_eq!(values(list), expected);
    let (_, warnings) = read("evil.com\n- see there\n").unwrap();
    assert!(warnings[0].to_string().contains("more than one word"), "{warnings:?}");
}

#[test]
fn a_hosts_file_gives_its_names_and_no_address() {
    let list = "127.0.0.1 localhost\n::1 ip6-localhost ip6-loopback\n255.255.255.255\tbroadcasthost\n\
                fe80::1%lo0 localhost\n0.0.0.0 0.0.0.0\n# start\n0.0.0.0 Evil.com alias.example # c2\n\
                :: v6.example\n0.0.0.0 evil.com\nbyhand.example\n0.0.0.0\n0.0.0.0 a..b good.example\n";
    let (indicators, warnings) = read(list).unwrap();
    let expected = [
        ("evil.com", 7),
        ("alias.example", 7),
        ("v6.example", 8),
        ("byhand.example", 10),
        ("good.example", 12),
    ];
    assert_eq!(shown(&indicators), expected.map(|(value, line)| (value.to_owned(), line)));
    assert_eq!(indicators.lists()[0].form, Form::Hosts);
    assert_eq!(indicators.lists()[0].duplicates, 1);
    let skipped: Vec<_> = warnings.iter().map(|w| (w.line, w.text.as_str())).collect();
    assert_eq!(skipped, [(11, "0.0.0.0"), (12, "a..b")]);
}

#[test]
fn an_address_in_a_hosts_file_that_leads_somewhere_is_warned_of() {
    let (indicators, warnings) = read("203.0.113.7 evil.com").unwrap();
    assert_eq!(indicators.count_of(ListId(0), IndicatorKind::Address), 0);
    assert_eq!(warnings[0].done, "only its names are used");
}

#[test]
fn a_hosts_line_in_a_plain_list_is_skipped_not_guessed_at() {
    let (_, warnings) = read("evil.com\nbad.example\n0.0.0.0 other.example").unwrap();
    assert_eq!((warnings[0].line, warnings[0].done), (3, "skipped"));
}

#[test]
fn what_flags_too_much_is_used_and_warned_of() {
    for (list, why) in [
        (".", "it is the root, and every name is below it"),
        ("com", "it is a whole top-level domain"),
        ("*.com", "it is a whole top-level domain"),
        ("0.0.0.0/0", "it covers every address"),
        ("::/0", "it covers every address"),
    ] {
        let (indicators, warnings) = read(list).unwrap();
        assert_eq!((indicators.len(), warnings[0].why.as_str()), (1, why), "{list}");
    }
    let (_, warnings) = read("=com\n=.\nevil.com").unwrap();
    assert_eq!(warnings, []);
}

#[test]
fn bad_lines_are_shown_escaped_and_short() {
    let mut list = b"evil.com\nbad\x1b[31m.example\n\xff\xfe.example # latin\nz".to_vec();
    list.extend_from_slice("y".repeat(70_000).as_bytes());
    list.extend_from_slice(b"\nnul\0.example\nlast.example # \xe9");
    let mut head = vec![b'#'; 65_536];
    head.push(b'\n');
    let (indicators, warnings) = read([head, list].concat()).unwrap();
    assert_eq!(indicators.len(), 2);
    let seen: Vec<_> = warnings.iter().map(|w| (w.line, w.text.as_str())).collect();
    let long = format!("z{}...", "y".repeat(79));
    assert_eq!(
        seen,
        [
            (1, format!("{}...", "#".repeat(80)).as_str()),
            (3, "bad\\u{1b}[31m.example"),
            (4, "��.example"),
            (5, long.as_str()),
            (6, "nul\\0.example"),
        ]
    );
}

#[test]
fn warnings_are_bounded_and_counted() {
    let (indicators, warnings) = read(format!("evil.com\n{}", "a..b\n".repeat(1_000))).unwrap();
    assert_eq!(warnings.len(), WARNINGS_A_REASON_MAX as usize);
    let list = &indicators.lists()[0];
    assert_eq!((list.skipped, list.warned), (1_000, 1_000));
    let [reason] = list.reasons.as_slice() else { panic!("{:?}", list.reasons) };
    assert_eq!((reason.count, reason.done), (1_000, "skipped"));
    // As many reasons as there are characters that no name has.
    let list: String = (0x4e00..0x4e00 + 1_000)
        .filter_map(char::from_u32)
        .map(|other| format!("evil.com,{other}\\{other}\nevil.com\n"))
        .chain((0x2500..0x2600).filter_map(char::from_u32).map(|c| format!("a{c}b.com\n")))
        .collect();
    let (indicators, warnings) =
        Indicators::read_as("x", list.into(), Some(Form::Plain), NameHasher::random()).unwrap();
    assert!(warnings.len() <= WARNINGS_MAX as usize);
    assert!(indicators.lists()[0].reasons.len() <= REASONS_MAX + 1);
}

#[test]
fn a_list_that_yields_nothing_is_an_error_that_says_why() {
    let error = |list: &str| read(list).unwrap_err().to_string();
    assert_eq!(
        error(""),
        "no usable entry in flagged.txt (read as a plain list): 0 lines read, 0 skipped; expected one entry per \
         line, such as evil.example, 203.0.113.7 or 203.0.113.0/24"
    );
    assert!(error("# nothing\n").contains(": 1 line read, 0 skipped; expected one entry per line"));
    assert_eq!(
        error("a..b\n1234\n"),
        "no usable entry in flagged.txt (read as a plain list): 2 lines read, 2 skipped; first: line 1: \"a..b\": \
         it has an empty label"
    );
    assert!(error("127.0.0.1 localhost").starts_with("no usable entry"));
    assert!(error("\0\0").contains("is binary"));
    assert!(error("\n\r\r\n\0").contains("is a packet capture"));
}

#[test]
fn files_are_named_apart_and_missing_ones_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for name in ["a", "b"] {
        fs::create_dir(path(name)).unwrap();
        fs::write(path(name).join("c2.txt"), "evil.com\n=evil.com\n").unwrap();
    }
    fs::write(path("other.txt"), "evil.com").unwrap();
    let paths = [path("a/c2.txt"), path("other.txt"), path("b/c2.txt")];
    let (indicators, _) = Indicators::load(&paths, NameHasher::random()).unwrap();
    let list_of = |id| indicators.list_name(indicators.get(IndicatorId(id)).unwrap().list);
    let seen: Vec<_> = (0..5).map(list_of).collect();
    let (a, b) = (paths[0].to_str().unwrap(), paths[2].to_str().unwrap());
    assert_eq!(seen, [a, a, "other.txt", b, b]);
    let mut found = Vec::new();
    indicators.match_name(Name::from_wire(b"\x04EVIL\x03com\0"), &mut found);
    assert_eq!(found, [1, 4, 0, 2, 3].map(IndicatorId), "by kind, then by list");

    let missing = Indicators::load(&[path("none.txt")], NameHasher::random()).unwrap_err();
    assert!(missing.to_string().ends_with("none.txt (file not found)"), "{missing}");
    let cut = zstd::encode_all("evil.com\n".repeat(100_000).as_bytes(), 1).unwrap();
    fs::write(path("cut.zst"), &cut[..cut.len() - 4]).unwrap();
    let cut = Indicators::load(&[path("cut.zst")], NameHasher::random()).unwrap_err();
    assert!(matches!(cut, LoadError::Read { .. }), "{cut}");
    assert!(matches!(Indicators::load(&[], NameHasher::random()), Err(LoadError::NoLists)));
}

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        "[=*.]{0,2}([a-zA-Z0-9_-]{1,5}\\.){0,3}[a-zA-Z]{1,5}\\.?",
        "[0-9]{1,3}\\.[0-9]{1,2}\\.[0-9]{1,2}\\.[0-9]{1,2}(/[0-9]{1,2})?",
        "[0-9a-f]{1,4}::[0-9a-f]{0,4}(/[0-9]{1,3})?",
        "hxxps?(\\[:\\]|:)//[a-z]{1,5}(\\[\\.\\]|\\(dot\\))[a-z]{2}(:[0-9]{1,6})?/[a-z#;]{0,3}",
        "(0\\.0\\.0\\.0|::1)( [a-z]{1,4}\\.[a-z]{2}){0,3}",
        "[ -~]{0,20}",
        "\\PC{0,12}",
    ]
}

#[test]
fn lists_that_hold_nothing_are_no_error_beside_others_that_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir_all(path("feeds/inner/deep")).unwrap();
    for (name, list) in [
        ("feeds/a.txt", "evil.com\nbad.example\n"),
        ("feeds/b.txt", "# nothing today\n"),
        ("feeds/inner/c.txt", "192.0.2.1\n"),
        ("feeds/inner/deep/d.txt", "too.deep.example\n"),
        ("feeds/.hidden", "hidden.example\n"),
    ] {
        fs::write(path(name), list).unwrap();
    }
    let feeds = [path("feeds")];
    let (indicators, warnings) = Indicators::load(&feeds, NameHasher::random()).unwrap();
    let values: Vec<_> = shown(&indicators).into_iter().map(|(value, _)| value).collect();
    assert_eq!(values, ["evil.com", "bad.example", "192.0.2.1"]);
    let names: Vec<_> = indicators.lists().iter().map(|list| list.name.as_str()).collect();
    assert_eq!(names, ["a.txt", "b.txt", "c.txt"]);
    let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
    assert_eq!(warning.why, "it has no entries");
    let empty = Indicators::load(&[path("feeds/inner/deep/..")], NameHasher::random());
    assert!(empty.is_ok());
    fs::create_dir(path("none")).unwrap();
    let error = Indicators::load(&[path("none")], NameHasher::random()).unwrap_err();
    assert!(error.to_string().contains("no list in the directory"), "{error}");
}

#[test]
fn what_is_allowed_is_not_flagged_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("flagged"), "evil.com\n*.wide.example\nbad.fine.example\n192.0.2.0/24\n")
        .unwrap();
    fs::write(path("allow"), "good.evil.com\n=one.wide.example\nfine.example\n192.0.2.8/30\n")
        .unwrap();
    let lists = Lists { indicators: vec![path("flagged")], allow: vec![path("allow")], form: None };
    let (indicators, warnings) = lists.load(NameHasher::random()).unwrap();
    assert_eq!(warnings, []);
    assert_eq!((indicators.len(), indicators.allowed().unwrap().len()), (4, 4));
    let matched = |text: &str| {
        let (mut found, mut wire) = (vec![IndicatorId(9)], Vec::new());
        crate::name::push_from_text(text, &mut wire).unwrap();
        let name = Name::from_wire(&wire);
        indicators.match_name(name, &mut found);
        (found.len() - 1, indicators.is_name_taken_back(name))
    };
    for (name, flagged, allowed) in [
        ("evil.com", 1, false),
        ("x.evil.com", 1, false),
        ("good.evil.com", 0, true),
        ("x.GOOD.evil.com", 0, true),
        ("one.wide.example", 0, true),
        ("x.one.wide.example", 1, false),
        // An allowed name is allowed with all below it, though an entry is narrower.
        ("bad.fine.example", 0, true),
        ("fine.example", 0, false),
        ("else.example", 0, false),
    ] {
        assert_eq!(matched(name), (flagged, allowed), "{name}");
    }
    let matched = |text: &str| {
        let mut found = Vec::new();
        let address = text.parse().unwrap();
        indicators.match_address(address, &mut found);
        (indicators.is_address_taken_back(address), found.len())
    };
    assert_eq!([matched("192.0.2.9"), matched("192.0.2.1")], [(true, 0), (false, 1)]);
}

#[test]
fn a_table_of_alerts_is_refused_with_the_way_out() {
    let table = "192.168.2.194 C2/Generic-A mi.kenal-cn.com 1 AFCd\n192.168.2.12 C2/Generic-A 192.55.83.30 4 AFCd\n";
    let error = read(table).unwrap_err().to_string();
    assert!(error.contains("whoasked explain --alerts flagged.txt"), "{error}");
    // Named as what it is not, it gives no threat as a name.
    let forced = Indicators::read_as("x", table.into(), Some(Form::Hosts), NameHasher::random());
    let (_, warnings) = forced.unwrap();
    assert!(warnings.iter().any(|warning| warning.why.contains("explain --alerts")));
}

#[test]
fn a_million_octets_of_anything_take_no_time() {
    let long = 1 << 20;
    for list in [
        "[".repeat(long),
        "{\"a\":".repeat(long / 5),
        format!("{{\"objects\":{}", "[".repeat(long)),
        format!("{{\"response\":{}1{}}}", "[".repeat(long / 2), "]".repeat(long / 2)),
        format!("[{}]", vec!["{\"Event\":{}}"; long / 13].join(",")),
        "\"".repeat(long),
        "a,domain\n\"".repeat(long / 10),
        format!("a,domain\n{}", "\"x\n".repeat(long / 4)),
        format!("a,domain\n{}", "1,".repeat(long / 2)),
        "domain,".repeat(long / 7),
        format!("$TTL 1\n{}", "a (\n".repeat(long / 4)),
        format!("$TTL 1\n{}", "a\\".repeat(long / 2)),
        format!("$TTL 1\n{}", "a.".repeat(long / 2)),
        format!("alert dns a -> b ({}\n", "content:\"a\";".repeat(long / 12)),
        format!("alert dns a -> b (\\\n{}", "dns.query;\\\n".repeat(long / 12)),
        format!("#fields\tindicator\tindicator_type\n{}", "\t".repeat(long)),
        "||".repeat(long / 2),
        "QUFB".repeat(long / 4),
        format!("[\"{}\"]", "\\u0041".repeat(long / 6)),
        format!(
            "{{\"objects\":[{{\"type\":\"indicator\",\"pattern\":\"{}\"}}]}}",
            "[a:b='c' OR ".repeat(long / 12)
        ),
        "evil.com\n".repeat(long / 9),
        "[(dot)".repeat(long / 6),
        "ü".repeat(long / 2),
    ] {
        let _ = read(list);
    }
}

/// The beginning of a list of each form, so that what follows is read as that.
fn begun() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        "{\"objects\":[{\"type\":\"indicator\",\"pattern\":\"",
        "{\"Event\":{\"Attribute\":[{\"type\":\"domain\",\"value\":\"",
        "#fields\tindicator\tindicator_type\n",
        "ioc_value,ioc_type\n",
        "# \"ioc_value\", \"confidence_level\"\n",
        "$ORIGIN x.\n",
        "alert dns a -> b (dns.query; content:\"",
        "||a.com^\n||",
        "192.0.2.1,1,1\n",
        "ZXZpbC5jb20=\n",
    ])
}

fn form() -> impl Strategy<Value = Form> {
    prop::sample::select(Form::ALL.to_vec())
}

proptest! {
    #[test]
    fn any_octets_are_read_without_a_panic(list: Vec<u8>) {
        let _ = read(list);
    }

    #[test]
    fn any_text_is_read_in_any_form(
        form in form(), begun in begun(), rest in "[a-z0-9.,;:\"'\\\\{}()\\[\\]|#$@*=\t\n -]{0,80}",
    ) {
        let list = format!("{begun}{rest}");
        let _ = read(list.clone());
        let _ = Indicators::read_as("x", list.into(), Some(form), NameHasher::random());
    }

    #[test]
    fn any_lines_are_read_and_what_they_give_reads_back(
        lines in prop::collection::vec(line(), 0..12),
    ) {
        let list = lines.join("\n");
        if let Ok((indicators, _)) = read(list) {
            let first: Vec<_> = shown(&indicators).into_iter().map(|(value, _)| value).collect();
            prop_assert_eq!(values(&first.join("\n")), first);
        }
    }
}
