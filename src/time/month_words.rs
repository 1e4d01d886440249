//! Days as German, French, Spanish and Italian write them, with the months of English, which the rest of a time is read with:
//! `Montag, 2. März 2026 um 09:17:42`, `2 mars 2026 à 09:17`, `2 de marzo de 2026, 9:17`.

/// How months are called where English calls them otherwise, with what each is in English.
const MONTHS: [(&str, &[&str]); 12] = [
    ("Jan", &["januar", "jänner", "jän", "janvier", "janv", "enero", "ene", "gennaio", "gen"]),
    ("Feb", &["februar", "février", "fevrier", "févr", "fév", "febrero", "febbraio"]),
    ("Mar", &["märz", "maerz", "mär", "mrz", "mars", "marzo"]),
    ("Apr", &["avril", "avr", "abril", "abr", "aprile"]),
    ("May", &["mai", "mayo", "maggio", "mag"]),
    ("Jun", &["juni", "juin", "junio", "giugno", "giu"]),
    ("Jul", &["juli", "juillet", "juil", "julio", "luglio", "lug"]),
    ("Aug", &["août", "aout", "agosto", "ago"]),
    ("Sep", &["septembre", "septiembre", "settembre", "sept", "set"]),
    ("Oct", &["oktober", "okt", "octobre", "octubre", "ottobre", "ott"]),
    ("Nov", &["novembre", "noviembre"]),
    ("Dec", &["dezember", "dez", "décembre", "déc", "diciembre", "dicembre", "dic"]),
];
/// Days of the week, and what stands between a day and a clock.
const DROPPED: [&str; 62] = [
    "montag",
    "dienstag",
    "mittwoch",
    "donnerstag",
    "freitag",
    "samstag",
    "sonnabend",
    "sonntag",
    "mo",
    "di",
    "mi",
    "do",
    "fr",
    "sa",
    "so",
    "lundi",
    "mardi",
    "mercredi",
    "jeudi",
    "vendredi",
    "samedi",
    "dimanche",
    "lun",
    "mer",
    "jeu",
    "ven",
    "sam",
    "dim",
    "lunes",
    "martes",
    "miércoles",
    "jueves",
    "viernes",
    "sábado",
    "domingo",
    "lunedì",
    "martedì",
    "mercoledì",
    "giovedì",
    "venerdì",
    "sabato",
    "domenica",
    "at",
    "on",
    "um",
    "am",
    "den",
    "der",
    "vom",
    "à",
    "le",
    "de",
    "del",
    "el",
    "a",
    "las",
    "alle",
    "ore",
    "il",
    "dal",
    "gio",
    "dom",
];

/// A text with the months of English and without such words; none if it has none of either.
pub(super) fn in_english(text: &str) -> Option<String> {
    let mut is_changed = false;
    let mut words: Vec<&str> = Vec::new();
    for word in text.split_whitespace() {
        let bare = word.trim_end_matches(['.', ',']);
        let lower = bare.to_lowercase();
        let month = MONTHS.iter().find(|(_, names)| names.contains(&lower.as_str()));
        let is_day =
            bare.len() <= 2 && !bare.is_empty() && bare.bytes().all(|octet| octet.is_ascii_digit());
        // `9:17 AM` has a half of the day behind its clock.
        let has_clock = words.last().is_some_and(|before| before.contains(':'));
        if let Some((english, _)) = month {
            words.push(english);
            is_changed = true;
        } else if DROPPED.contains(&lower.as_str()) && !has_clock {
            is_changed = true;
        } else if is_day && word.ends_with('.') {
            words.push(bare);
        } else {
            words.push(word);
        }
    }
    is_changed.then(|| words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_four_languages_become_those_of_english() {
        for (text, english) in [
            ("2. März 2026 09:17:42", "2 Mar 2026 09:17:42"),
            ("Montag, 2. März 2026 um 09:17:42", "2 Mar 2026 09:17:42"),
            ("2 mars 2026 à 09:17", "2 Mar 2026 09:17"),
            ("lundi 2 mars 2026 09:17:42", "2 Mar 2026 09:17:42"),
            ("2 de marzo de 2026, 9:17", "2 Mar 2026, 9:17"),
            ("2 dicembre 2026 alle ore 09:17", "2 Dec 2026 09:17"),
            ("Mar 2, 2026 at 9:17 AM", "Mar 2, 2026 9:17 AM"),
        ] {
            assert_eq!(in_english(text).as_deref(), Some(english), "{text}");
        }
        for text in ["2026-03-02 09:17:42", "Mar  2 09:17:42", "9:17 am", "1772443062", ""] {
            assert_eq!(in_english(text), None, "{text}");
        }
    }
}
