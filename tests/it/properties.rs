//! What must hold of every answer, whatever the capture: its evidence can be found in the frames it
//! names, it depends on no clock, and a mirror port that shows all frames twice changes nobody's part.
//! Captures that lost frames, had them swapped or bits flipped are answered as well, by the same rules.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_json::Value;

use crate::support::{
    Labelled, Run, Taken, bundled, frames, laboratory, pcap, read_jsonl, whoasked,
};

/// The messages of a capture by frame, as `whoasked messages` decodes them.
struct Messages(BTreeMap<u64, Vec<Value>>);

impl Messages {
    fn of(path: &Path) -> Messages {
        let mut by_frame: BTreeMap<u64, Vec<Value>> = BTreeMap::new();
        for message in whoasked(["messages".as_ref(), path.as_os_str()]).json() {
            by_frame.entry(message["frame"].as_u64().unwrap()).or_default().push(message);
        }
        Messages(by_frame)
    }

    /// Whether a frame holds a message that is so.
    fn any(&self, frame: &Value, is: impl Fn(&Value) -> bool) -> bool {
        let messages = frame.as_u64().and_then(|frame| self.0.get(&frame));
        messages.is_some_and(|messages| messages.iter().any(is))
    }

    /// Whether a frame is a query from or to such addresses, of this name and type.
    fn is_query(
        &self,
        frame: &Value,
        ends: [(&str, &Value); 2],
        name: &Value,
        rtype: &Value,
    ) -> bool {
        self.any(frame, |message| {
            message["response"] == false
                && ends.iter().all(|(end, is)| message[end] == **is)
                && is_same_name(&message["qname"], name)
                && message["qtype"] == *rtype
        })
    }

    fn is_response(&self, frame: &Value, end: &str, address: &Value, rcode: &Value) -> bool {
        self.any(frame, |message| {
            message["response"] == true && message[end] == *address && message["rcode"] == *rcode
        })
    }

    /// Whether a frame mentions a name or address.
    fn mentions(&self, frame: &Value, name: &Value) -> bool {
        self.any(frame, |message| {
            let single = ["qname", "src", "dst"].map(|key| &message[key]);
            let several =
                ["aliases", "targets", "addresses", "name_servers"].map(|key| &message[key]);
            let several = several.into_iter().filter_map(Value::as_array).flatten();
            single.into_iter().chain(several).any(|text| is_same_name(text, name))
        })
    }

    /// What an attribution claims that its frames do not show.
    fn unfounded(&self, line: &Value) -> Option<String> {
        let sighting = &line["sighting"];
        if !sighting["frame"].is_null() {
            let ends = [("src", &sighting["resolver"]), ("dst", &sighting["server"])];
            let ends = if sighting["leg"] == "client" { [ends[1], ends[1]] } else { ends };
            if !self.is_query(&sighting["frame"], ends, &sighting["name"], &sighting["type"]) {
                return Some("the frame is not that query".to_owned());
            }
        }
        if !sighting["response_frame"].is_null()
            && !self.is_response(
                &sighting["response_frame"],
                "src",
                &sighting["server"],
                &sighting["rcode"],
            )
        {
            return Some("the response_frame is not that response".to_owned());
        }
        line["clients"].as_array().unwrap().iter().find_map(|client| self.unfounded_client(client))
    }

    fn unfounded_client(&self, client: &Value) -> Option<String> {
        let (asked, answered) = (&client["asked_frame"], &client["answer_frame"]);
        let ends = [("src", &client["ip"]), ("sport", &client["port"])];
        if !asked.is_null() && !self.is_query(asked, ends, &client["asked"], &client["asked_type"])
        {
            return Some(format!("frame {asked} is not that client's query"));
        }
        if !answered.is_null()
            && !self.is_response(answered, "dst", &client["ip"], &client["rcode"])
        {
            return Some(format!("frame {answered} is not that client's answer"));
        }
        if asked.is_null() && answered.is_null() {
            return Some("neither query nor answer of the client".to_owned());
        }
        let confidence = client["confidence"].as_f64().unwrap();
        if !(0.0..=1.0).contains(&confidence) {
            return Some(format!("a confidence of {confidence}"));
        }
        let steps = client["chain"].as_array().unwrap();
        let step = steps
            .iter()
            .find(|step| !step["frame"].is_null() && !self.mentions(&step["frame"], &step["name"]));
        step.map(|step| format!("the frame of the step does not show it: {step}"))
    }
}

fn is_same_name(one: &Value, other: &Value) -> bool {
    matches!((one.as_str(), other.as_str()), (Some(one), Some(other)) if one.eq_ignore_ascii_case(other))
}

/// Runs the program on a capture and checks what must always hold.
fn checked(path: &Path, indicators: &str) -> Result<Run, TestCaseError> {
    let files = [path.to_owned()];
    let run = read_jsonl(&files, indicators, 1);
    // A capture of which little can be read is no all-clear: the code is 2, and the answer is there.
    let little = ["so little can be concluded", "nothing can be concluded"];
    let says_little = run.code == Some(2) && little.iter().any(|words| run.stderr.contains(words));
    prop_assert!(says_little || matches!(run.code, Some(0 | 1)), "{:?}: {}", run.code, run.stderr);
    let messages = Messages::of(path);
    let lines = run.json();
    for line in lines.iter().filter(|line| line["type"] == "attribution") {
        if let Some(unfounded) = messages.unfounded(line) {
            return Err(TestCaseError::fail(format!("{unfounded}: {line:#}")));
        }
        let named = line["clients"].as_array().unwrap().len();
        prop_assert_eq!(line["verdict"] == "attributed", named > 0, "{:#}", line);
        prop_assert_eq!(line["reason"].is_null(), named > 0, "{:#}", line);
    }
    let coverage = lines.last().unwrap();
    prop_assert_eq!(&coverage["type"], "coverage");
    prop_assert_eq!(&coverage["lost"]["failed_frames"], 0, "the decoder panicked");
    Ok(run)
}

#[test]
fn evidence_is_where_it_is_said_to_be() {
    let mut captures = bundled();
    captures.extend(laboratory(&[
        "s02-iterate-cname-1",
        "s06-",
        "s07-",
        "s08-loss20",
        "s08-mix",
        "s10-",
        "s12-",
    ]));
    let mut clients = 0;
    for capture in captures {
        match checked(&capture.path, &capture.indicators) {
            Ok(run) => clients += notices_forgery(&capture.path, &run),
            Err(error) => panic!("{}: {error}", capture.path.display()),
        }
    }
    assert!(clients > 100, "only {clients} clients were named");
}

/// Checks the check: evidence that was moved to another frame is noticed. Returns how many clients were
/// named with evidence.
fn notices_forgery(path: &Path, run: &Run) -> usize {
    let messages = Messages::of(path);
    let mut clients = 0;
    for mut line in run.json() {
        let Some(client) = line.pointer_mut("/clients/0/asked_frame") else { continue };
        let Some(frame) = client.as_u64() else { continue };
        clients += 1;
        *client = Value::from(u64::MAX);
        assert!(messages.unfounded(&line).is_some(), "{}: frame {frame}", path.display());
    }
    clients
}

/// The bundled captures that the generator made: small ones.
fn small() -> Vec<(Labelled, Vec<Taken>)> {
    let captures = bundled().into_iter().map(|capture| (frames(&capture.path), capture));
    let small = captures.filter(|(frames, _)| frames.len() < 2_000);
    small.map(|(frames, capture)| (capture, frames)).collect()
}

/// Frames as a file, and what is said of it.
fn answer(frames: &[Taken], indicators: &str) -> Result<Run, TestCaseError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("capture.pcap");
    fs::write(&path, pcap(frames)).unwrap();
    checked(&path, indicators)
}

/// The lines without what tells the time or the file.
fn timeless(run: &Run) -> Vec<Value> {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(object) => {
                object.retain(|key, _| !key.contains("time") && key != "files");
                object.values_mut().for_each(strip);
            }
            Value::Array(values) => values.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut lines = run.json();
    lines.iter_mut().for_each(strip);
    lines
}

#[test]
fn the_answer_is_the_same_in_any_year() {
    for (capture, frames) in small() {
        let now = answer(&frames, &capture.indicators).unwrap();
        let mut shifted = frames.clone();
        for frame in &mut shifted {
            frame.time -= 1_500_000_000_123_456_789;
        }
        let then = answer(&shifted, &capture.indicators).unwrap();
        assert_eq!(timeless(&now), timeless(&then), "{}", capture.path.display());
    }
}

/// Who is named for what: indicator, client, role on upstream legs.
fn parts(run: &Run) -> BTreeSet<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let lines = run.json();
    let attributions = lines.iter().filter(|line| line["type"] == "attribution");
    attributions
        .flat_map(|line| {
            let value = text(&line["indicator"]["value"]);
            let clients = line["clients"].as_array().unwrap();
            clients
                .iter()
                .map(move |client| (value.clone(), text(&client["ip"]), text(&client["role"])))
                .collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn a_mirror_that_shows_all_twice_changes_nobodys_part() {
    for (capture, frames) in small() {
        let once = answer(&frames, &capture.indicators).unwrap();
        let mut doubled = Vec::with_capacity(2 * frames.len());
        for frame in &frames {
            doubled.push(frame.clone());
            doubled.push(Taken { time: frame.time + 900, ..frame.clone() });
        }
        let twice = answer(&doubled, &capture.indicators).unwrap();
        assert_eq!(parts(&once), parts(&twice), "{}", capture.path.display());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damaged_captures_are_answered_with_evidence(
        place in any::<prop::sample::Index>(),
        lost in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        swapped in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
        flipped in prop::collection::vec(
            (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0u8..8),
            0..40,
        ),
    ) {
        let captures = bundled();
        let capture = place.get(&captures);
        let mut frames = frames(&capture.path);
        for at in &lost {
            if frames.len() > 1 {
                frames.remove(at.index(frames.len()));
            }
        }
        for at in &swapped {
            let at = at.index(frames.len());
            if at > 0 {
                let time = frames[at].time;
                frames[at].time = frames[at - 1].time;
                frames[at - 1].time = time;
                frames.swap(at - 1, at);
            }
        }
        for (frame, octet, bit) in &flipped {
            let frame = frame.index(frames.len());
            let bytes = &mut frames[frame].bytes;
            if !bytes.is_empty() {
                let octet = octet.index(bytes.len());
                bytes[octet] ^= 1 << bit;
            }
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("capture.pcap");
        fs::write(&path, pcap(&frames)).unwrap();
        let alone = checked(&path, &capture.indicators)?;
        let together = read_jsonl(&[path], &capture.indicators, 4);
        prop_assert_eq!(alone.stdout, together.stdout);
    }
}
