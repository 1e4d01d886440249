//! Files by their names: whoever a page is sent to has nothing from the folders of the server it was made on.

/// As much of the end of `path` as tells it from all the others: its file name, if no other has the same.
pub(super) fn shortest<'p, 'o>(
    path: &'p str,
    others: impl Iterator<Item = &'o str> + Clone,
) -> &'p str {
    let is_path = |end: &str| path.len() > end.len() && !end.is_empty();
    let mut ends = path.rmatch_indices('/').filter_map(|(place, _)| path.get(place + 1..));
    let is_alone = |end: &str| {
        let alike = |other: &str| {
            other != path && other.strip_suffix(end).is_some_and(|rest| rest.ends_with('/'))
        };
        !others.clone().any(|other| other == end || alike(other))
    };
    ends.find(|end| is_path(end) && is_alone(end)).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_called_by_as_much_as_tells_it_from_others() {
        let files = ["/srv/a/dns.pcap", "/srv/b/dns.pcap", "/srv/b/office.pcap", "dns.pcapng", ""];
        let short = |path: &'static str| shortest(path, files.iter().copied());
        assert_eq!(short("/srv/a/dns.pcap"), "a/dns.pcap");
        assert_eq!(short("/srv/b/dns.pcap"), "b/dns.pcap");
        assert_eq!(short("/srv/b/office.pcap"), "office.pcap");
        assert_eq!(short("dns.pcapng"), "dns.pcapng");
        assert_eq!(short("/other/alerts.csv"), "alerts.csv");
        assert_eq!(short("/srv/"), "srv/");
        assert_eq!(short(""), "");
        assert_eq!(shortest("/a/x.pcap", ["x.pcap", "/a/x.pcap"].into_iter()), "a/x.pcap");
    }
}
