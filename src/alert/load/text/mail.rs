//! A mail as it was saved or exported, with its header: the text in it.
//!
//! ```text
//! Subject: FortiGate alert: botnet
//! Content-Type: text/html; charset="utf-8"
//! Content-Transfer-Encoding: quoted-printable
//!
//! <table border=3D"1"><tr><td>Time</td><td>2026-03-02 09:17:42</td></tr>
//! ```
//!
//! Of what says the same twice, as text and as HTML, the one counts that is read as alerts; attached files are read behind
//! the text. The header is left out: it names the machines that the mail went through, and when it was sent.

use base64::Engine;
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};

use crate::alert::load::format::AlertFormat;
use crate::alert::load::text::numbered_text::NumberedText;
use crate::alert::load::text::{PlainText, html};
use crate::text;

/// Letters within letters beyond so many are left out.
const DEPTH_MAX: usize = 8;
/// No header has more lines.
const HEADER_LINES_MAX: usize = 500;
/// What only the header of a mail says, and not somebody who pasted a few lines of one.
const MIME: [&str; 3] = ["content-type", "content-transfer-encoding", "mime-version"];
/// Attached files that are read, however their type is called.
const ENDINGS: [&str; 6] = [".csv", ".txt", ".log", ".json", ".tsv", ".html"];

/// The text of a mail, or of the mails of a mailbox; none of what is no mail, or has none.
pub(crate) fn text(mail: &str) -> Option<NumberedText> {
    let header = mail.lines().skip_while(|line| line.trim().is_empty()).take(HEADER_LINES_MAX);
    let header = header.take_while(|line| !line.trim().is_empty());
    let is_mime = |line: &str| {
        let name = line.split(':').next().unwrap_or_default();
        MIME.iter().any(|known| name.eq_ignore_ascii_case(known))
    };
    if !header.into_iter().any(is_mime) {
        return None;
    }
    let whole = NumberedText::of(mail);
    let lines: Vec<MailLine<'_>> = whole.lines().collect();
    let first = lines.iter().position(|(_, line)| !line.trim().is_empty())?;
    let lines = lines.get(first..)?;
    let mails = match lines.first()?.1.starts_with("From ") {
        true => mails(lines),
        false => vec![lines],
    };
    let texts = mails.into_iter().filter_map(|mail| MimePart::of(mail)?.text(0));
    all(texts).filter(|made| !made.text().trim().is_empty())
}

/// The mails of a mailbox: each has a line before that begins with `From ` (RFC 4155), behind an empty one.
fn mails<'m>(lines: &'m [MailLine<'m>]) -> Vec<&'m [MailLine<'m>]> {
    let says = |at: usize| lines.get(at).map_or("", |(_, line)| *line);
    let is_mark = |at: usize| {
        let is_first = at.checked_sub(1).is_none_or(|before| says(before).trim().is_empty());
        let header = says(at + 1).split_once(':').map_or("", |(name, _)| name);
        is_first && says(at).starts_with("From ") && is_header_name(header)
    };
    let marks: Vec<usize> = (0..lines.len()).filter(|at| is_mark(*at)).collect();
    let ends = marks.iter().copied().skip(1).chain([lines.len()]);
    marks.iter().zip(ends).filter_map(|(mark, end)| lines.get(mark + 1..end)).collect()
}

/// Whether it can be the name of a header.
fn is_header_name(name: &str) -> bool {
    let is_of = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    !name.is_empty() && name.chars().all(is_of)
}

/// A line, and where it stands in the file.
type MailLine<'m> = (u32, &'m str);

/// A mail, or a part of one.
struct MimePart<'m> {
    /// Names in lower case, and what stands behind each.
    headers: Vec<(String, String)>,
    body: &'m [MailLine<'m>],
}

impl<'m> MimePart<'m> {
    fn of(lines: &'m [MailLine<'m>]) -> Option<MimePart<'m>> {
        let end = lines.iter().position(|(_, line)| line.trim().is_empty()).unwrap_or(lines.len());
        if end > HEADER_LINES_MAX {
            return None;
        }
        let (header, body) = lines.split_at_checked(end)?;
        let mut headers: Vec<(String, String)> = Vec::new();
        for (_, line) in header {
            if line.starts_with([' ', '\t']) {
                let (_, value) = headers.last_mut()?;
                value.push(' ');
                value.push_str(line.trim());
                continue;
            }
            let (name, value) = line.split_once(':')?;
            if !is_header_name(name) {
                return None;
            }
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        Some(MimePart { headers, body: body.get(1..).unwrap_or_default() })
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The kind of its content, in lower case: `text/html`.
    fn kind(&self) -> String {
        let kind = self.header("content-type").and_then(|value| value.split(';').next());
        kind.map_or_else(|| "text/plain".to_owned(), |kind| kind.trim().to_ascii_lowercase())
    }

    /// What a header says of a thing: `boundary="x"`, or, with the letters that it is in, `filename*=UTF-8''a.csv` (RFC 2231).
    fn parameter(&self, header: &str, name: &str) -> Option<&str> {
        let value = self.header(header)?;
        value.split(';').skip(1).find_map(|part| {
            let (known, value) = part.split_once('=')?;
            let known = known.trim().trim_end_matches('*');
            known.eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
        })
    }

    /// The text that is in it.
    fn text(&self, depth: usize) -> Option<NumberedText> {
        let kind = self.kind();
        if depth > DEPTH_MAX {
            return None;
        }
        if kind.starts_with("multipart/") {
            let parts = self.parts();
            let texts = parts.iter().filter_map(|part| part.text(depth + 1));
            return match kind.as_str() {
                "multipart/alternative" => first_with_alerts(texts),
                _ => all(texts),
            };
        }
        if kind == "message/rfc822" {
            return MimePart::of(self.body)?.text(depth + 1);
        }
        let name = self.parameter("content-type", "name");
        let name = name.or_else(|| self.parameter("content-disposition", "filename"));
        let name = name.unwrap_or_default().to_ascii_lowercase();
        let is_file = ENDINGS.iter().any(|ending| name.ends_with(ending));
        if !kind.starts_with("text/") && !is_file {
            return None;
        }
        let plain = self.decoded();
        Some(match html::text(plain.text()) {
            Some(page) => plain.renumbered(page),
            None => plain,
        })
    }

    /// The parts of one that has several.
    fn parts(&self) -> Vec<MimePart<'m>> {
        let Some(boundary) =
            self.parameter("content-type", "boundary").filter(|mark| !mark.is_empty())
        else {
            return Vec::new();
        };
        let is_mark = |(_, line): &MailLine<'_>| {
            let behind = line.strip_prefix("--").and_then(|line| line.strip_prefix(boundary));
            behind.is_some_and(|behind| matches!(behind.trim_end(), "" | "--"))
        };
        // What stands before the first mark is for readers that know no parts.
        self.body.split(is_mark).skip(1).filter_map(MimePart::of).collect()
    }

    /// Its content as it was written.
    fn decoded(&self) -> NumberedText {
        let encoding = self.header("content-transfer-encoding").unwrap_or_default();
        let first = self.body.first().map_or(1, |(place, _)| *place);
        let mut made = NumberedText::default();
        match encoding.trim().to_ascii_lowercase().as_str() {
            "quoted-printable" => {
                let mut octets = Vec::new();
                let mut begin = None;
                for (place, line) in self.body {
                    let begin_place = *begin.get_or_insert(*place);
                    let line = line.trim_end();
                    let soft = line.strip_suffix('=');
                    push_quoted_printable(soft.unwrap_or(line), &mut octets);
                    if soft.is_none() {
                        made.push(&decoded_text(&octets), begin_place);
                        octets.clear();
                        begin = None;
                    }
                }
                if let Some(place) = begin {
                    made.push(&decoded_text(&octets), place);
                }
            }
            "base64" => {
                // A mailing list puts its own words below.
                let is_packed = |line: &&str| {
                    line.bytes().all(|o| o.is_ascii_alphanumeric() || b"+/=".contains(&o))
                };
                let lines = self.body.iter().map(|(_, line)| line.trim());
                let packed: String = lines.take_while(is_packed).collect();
                let octets = reader().decode(packed).unwrap_or_default();
                for line in decoded_text(&octets).lines() {
                    made.push(line, first);
                }
            }
            _ => {
                for (place, line) in self.body {
                    made.push(line, *place);
                }
            }
        }
        made
    }
}

/// Of texts that say the same, the first whose alerts are read; the last, which a mail has for the best, comes first.
fn first_with_alerts(texts: impl Iterator<Item = NumberedText>) -> Option<NumberedText> {
    let mut texts: Vec<NumberedText> = texts.collect();
    texts.reverse();
    let is_read = |text: &NumberedText| AlertFormat::of(&PlainText::of(text.text()).text).is_some();
    let best = texts.iter().position(is_read).unwrap_or_default();
    (best < texts.len()).then(|| texts.swap_remove(best))
}

/// All texts, one behind the other.
fn all(texts: impl Iterator<Item = NumberedText>) -> Option<NumberedText> {
    texts.reduce(|mut before, behind| {
        let end = behind.lines().next().map_or(1, |(place, _)| place);
        before.push("", end);
        for (place, line) in behind.lines() {
            before.push(line, place);
        }
        before
    })
}

/// Some programs leave out what fills up the last few signs.
fn reader() -> GeneralPurpose {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(&base64::alphabet::STANDARD, config)
}

/// Names and addresses are ASCII in whatever it is written.
fn decoded_text(octets: &[u8]) -> String {
    if let Some(text) = text::of_utf16(octets) {
        return text;
    }
    match std::str::from_utf8(octets) {
        Ok(text) => text.trim_start_matches('\u{feff}').to_owned(),
        Err(_) => octets.iter().map(|octet| char::from(*octet)).collect(),
    }
}

/// `border=3D"1"`.
fn push_quoted_printable(line: &str, octets: &mut Vec<u8>) {
    let mut rest = line;
    while let Some((before, behind)) = rest.split_once('=') {
        octets.extend_from_slice(before.as_bytes());
        let octet = behind.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match octet {
            Some(octet) => {
                octets.push(octet);
                rest = behind.get(2..).unwrap_or_default();
            }
            None => {
                octets.push(b'=');
                rest = behind;
            }
        }
    }
    octets.extend_from_slice(rest.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::Zones;
    use crate::alert::load::Alerts;

    const DC: &str = "192.168.2.194";
    const NAME: &str = "mi.kenal-cn.com";

    fn read(text: &str) -> Alerts {
        Alerts::read("a.eml", text, None, &Zones::default())
            .unwrap_or_else(|why| panic!("{text}: {why}"))
    }

    /// Who, and where to.
    fn who(alerts: &Alerts) -> Vec<(&str, &str)> {
        alerts
            .alerts
            .iter()
            .map(|alert| (alert.host.as_deref().unwrap_or_default(), alert.destination.as_str()))
            .collect()
    }

    /// A mail whose text is packed, with what a mailing list puts below.
    fn mail(text: &[u8], below: &str) -> String {
        let packed = reader().encode(text);
        format!(
            "From: fw@office.example\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n{packed}\n{below}\n"
        )
    }

    #[test]
    fn each_mail_of_a_mailbox_is_read() {
        let text = |clock: &str| {
            format!("Threat: C2\nSource: {DC}\nDestination: {NAME}\nTime: 2026-03-02 {clock}\n")
        };
        let mails = ["09:17:42", "11:17:42", "13:17:43"].map(|clock| {
            format!(
                "From fw@office Mon Mar  2 10:00:00 2026\n{}\n",
                mail(text(clock).as_bytes(), "")
            )
        });
        let alerts = read(&mails.concat());
        assert_eq!(who(&alerts), [(DC, NAME); 3]);
        // What only looks like the line between two is text.
        let words = format!(
            "From: fw@office.example\nContent-Type: text/plain\n\n{}\nFrom our firewall, yours\nthe admin\n",
            text("09:17:42")
        );
        assert_eq!(who(&read(&words)), [(DC, NAME)]);
    }

    #[test]
    fn a_packed_text_ends_where_words_follow_and_may_be_utf_16() {
        let text = format!("time,src_ip,domain\n2026-03-02 09:17:42,{DC},{NAME}\n");
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let marked = [&[0xff, 0xfe], wide.as_slice()].concat();
        for octets in [text.as_bytes(), &wide, &marked] {
            let alerts = read(&mail(octets, "--\nTo leave this list, write to leave@example.com"));
            assert_eq!(who(&alerts), [(DC, NAME)]);
        }
        let attached = mail(text.as_bytes(), "").replace(
        "Content-Type: text/plain",
        "Content-Type: application/octet-stream\nContent-Disposition: attachment; filename*=UTF-8''alerts.csv",
    );
        assert_eq!(who(&read(&attached)), [(DC, NAME)]);
    }
}
