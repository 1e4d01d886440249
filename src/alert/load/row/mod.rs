//! One row of a file, in the same few fields whatever the format, and the alert that it makes.
//!
//! In: a [`AlertRow`], which a format's reader filled with text as it stands in the file. Out: an [`Alert`], or why it is none.
//! [`value`] says what a single value is (nothing, an address, a name, a count); [`threat_text`] finds the name that a
//! rule's message is about.

pub(crate) mod threat_text;
pub(crate) mod value;

use std::net::SocketAddr;

use crate::alert::Alert;
use crate::alert::load::columns::heading::Heading;
use crate::alert::load::row::value::{
    is_address, is_destination, is_public, normalized_key, parse_count, present_value, refanged,
    shortened, threat_name, without_interface, without_port, without_remark,
};
use crate::time::Written;

/// The longest text of a row that is kept, in characters.
const TEXT_LEN_MAX: usize = 1_000;
/// The longest value that is kept: a name has 253 characters, a URL more, of which only the host counts.
const VALUE_LEN_MAX: usize = 2_048;

/// What a row says, as written.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AlertRow<'a> {
    /// The number that it gives itself.
    pub number: Option<&'a str>,
    pub time: Option<Written>,
    pub host: Option<&'a str>,
    pub host_port: Option<&'a str>,
    /// The name that was talked to, or asked about; a URL counts for its host.
    pub name: Option<&'a str>,
    /// The address that was talked to.
    pub address: Option<&'a str>,
    pub address_port: Option<&'a str>,
    pub threat: Option<&'a str>,
    /// What it says in words beside the threat.
    pub words: Option<&'a str>,
    /// What was spoken there: `dns`.
    pub service: Option<&'a str>,
    pub events: Option<&'a str>,
    /// The firewall that raised it.
    pub device: Option<&'a str>,
}

impl AlertRow<'_> {
    /// The alert that it makes; why it makes none.
    pub(crate) fn alert(mut self, line: u32, text: &str) -> Result<Alert, String> {
        if self.is_of_response() {
            std::mem::swap(&mut self.host, &mut self.address);
        }
        let name = self.name.and_then(present_value).filter(|name| is_destination(name));
        let address = self.address.and_then(present_value).map(without_remark).map(without_port);
        let address = address.filter(|address| is_destination(address));
        let Some(destination) = name.map(without_port).or(address) else {
            return Err("it names no destination, neither a name nor an address".to_owned());
        };
        Ok(Alert {
            file: String::new(),
            line,
            number: self.number.and_then(|text| text.parse().ok()).unwrap_or_default(),
            text: shortened(text.trim(), TEXT_LEN_MAX).replace(['\n', '\r'], " "),
            time: self.time.map(|written| written.time),
            again: self.time.and_then(|written| written.again),
            until: self.time.and_then(|written| written.until),
            is_local: self.time.is_some_and(|written| written.is_local),
            is_time_fine: self.time.is_some_and(|written| written.is_fine),
            is_time_unread: false,
            host: self
                .host
                .and_then(present_value)
                .map(without_remark)
                .map(without_port)
                .map(|host| shortened(&refanged(host), VALUE_LEN_MAX)),
            destination: shortened(destination, VALUE_LEN_MAX),
            threat: self
                .threat
                .and_then(threat_name)
                .map(|threat| shortened(threat, VALUE_LEN_MAX)),
            events: self.events.and_then(parse_count),
            device: self
                .device
                .and_then(present_value)
                .map(|device| shortened(device, VALUE_LEN_MAX)),
        })
    }

    /// Whether it is about a response, and so has its two ends the other way round.
    fn is_of_response(&self) -> bool {
        self.host_port.and_then(present_value) == Some("53")
            && self.address_port.and_then(present_value) != Some("53")
            && self.address.and_then(present_value).is_some()
    }
}

impl<'a> AlertRow<'a> {
    /// Whether it names neither a host nor a destination.
    pub(crate) fn names_no_end(&self) -> bool {
        let ends = [self.host, self.name, self.address];
        ends.into_iter().flatten().all(|end| present_value(end).is_none())
    }

    /// Whether it is about a packet to or from a DNS server.
    pub(crate) fn is_about_dns(&self) -> bool {
        let ports = [self.host_port, self.address_port];
        let is_of_port = |end: &str| {
            let end = without_interface(end.trim()).parse::<SocketAddr>();
            end.is_ok_and(|end| end.port() == 53)
        };
        let is_dns = |service: &str| SERVICES_OF_DNS.contains(&normalized_key(service).as_str());
        ports.into_iter().flatten().any(|port| present_value(port) == Some("53"))
            || [self.host, self.address, self.name].into_iter().flatten().any(is_of_port)
            || self.service.is_some_and(is_dns)
    }

    /// What its fields name that was asked for, where all that is known of it is the DNS server that was asked: the only name
    /// outside that stands alone in a field which tells of that.
    pub(crate) fn queried_name_in(
        &self,
        fields: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Option<&'a str> {
        let is_of_server =
            self.is_about_dns() && self.remote_address().is_some_and(is_address_or_end);
        if !is_of_server || self.name.is_some_and(|name| is_destination(name) && !is_address(name))
        {
            return None;
        }
        let is_name = |value: &&str| {
            let is_link = value.contains("://") || value.contains(['/', '@', ':']);
            !is_link && is_destination(value) && !is_address(value) && is_public(value)
        };
        let named = fields.filter(|(key, _)| Heading::of(key).names_what_was_queried());
        let mut named = named.filter_map(|(_, value)| present_value(value).filter(is_name));
        let first = named.next()?;
        named.all(|other| other.eq_ignore_ascii_case(first)).then_some(first)
    }

    /// The address of the far end.
    pub(crate) fn remote_address(&self) -> Option<&'a str> {
        if self.is_of_response() { self.host } else { self.address }
    }
}

/// Whether it is an address, with whatever SonicWall writes behind it.
fn is_address_or_end(text: &str) -> bool {
    is_address(without_interface(text.trim()))
}

/// What firewalls call DNS as a service.
const SERVICES_OF_DNS: [&str; 9] =
    ["dns", "dnsudp", "dnstcp", "dnsbase", "domain", "domainudp", "domaintcp", "udp53", "tcp53"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_blames_who_it_was_for() {
        let row = AlertRow {
            host: Some("198.51.100.7"),
            host_port: Some("53"),
            address: Some("192.168.2.194"),
            address_port: Some("50112"),
            name: Some("evil.com"),
            ..AlertRow::default()
        };
        let alert = row.alert(1, "x").unwrap();
        assert_eq!(alert.host.as_deref(), Some("192.168.2.194"));
        assert_eq!(alert.destination, "evil.com");
    }
}
