//! What Microsoft's alerts are about: Sentinel and Defender keep it beside the alert, as a list of things of many kinds.
//!
//! ```text
//! {"TimeGenerated":"...","AlertName":"C2 domain","Entities":"[{\"Address\":\"192.168.2.194\",\"Type\":\"ip\"},
//!   {\"DomainName\":\"mi.kenal-cn.com\",\"Type\":\"dns\"}]"}
//! ```

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::alert::load::row::value::{
    host_of, is_address, is_destination, is_public, normalized_key,
};

/// So the list is called.
const KEYS: [&str; 2] = ["Entities", "entities"];
/// So are what is told of it then, by words that every record may have.
const DESTINATION: &str = "destination";
const HOST: &str = "srcip";

/// Tells of a record with such a list its destination and host as others do: where it names one name, or no name and one
/// address outside. Of one that names several nothing is told, for which of them was flagged cannot be.
pub(crate) fn tell(fields: &mut Map<String, Value>) {
    let Some((key, all)) = KEYS.iter().find_map(|key| Some((*key, list(fields.get(*key)?)?)))
    else {
        return;
    };
    let (mut names, mut addresses, mut hosts) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for entity in all.iter().filter_map(Value::as_object) {
        let field = |words: &[&str]| {
            let found = entity
                .iter()
                .find(|(key, _)| words.iter().any(|word| key.eq_ignore_ascii_case(word)));
            found.and_then(|(_, value)| value.as_str()).map(str::to_owned)
        };
        let kind = normalized_key(&field(&["type", "kind"]).unwrap_or_default());
        match kind.as_str() {
            "dns" | "dnsresolution" | "domain" => names.extend(field(&["domainname"])),
            "url" => names.extend(field(&["url"]).map(|url| host_of(&url))),
            "ip" | "ipaddress" => addresses.extend(field(&["address"])),
            "host" | "machine" => hosts.extend(field(&["hostname"])),
            _ => {}
        }
    }
    let (far, own): (Vec<String>, Vec<String>) =
        addresses.into_iter().filter(|text| is_address(text)).partition(|text| is_public(text));
    let names: Vec<String> = names.into_iter().filter(|name| is_destination(name)).collect();
    let destination = match (names.as_slice(), far.as_slice()) {
        ([one], _) | ([], [one]) => one.clone(),
        _ => return,
    };
    let hosts: Vec<String> = if own.is_empty() { hosts.into_iter().collect() } else { own };
    fields.remove(key);
    fields.entry(DESTINATION).or_insert(Value::String(destination));
    if let [host] = hosts.as_slice() {
        fields.entry(HOST).or_insert(Value::String(host.clone()));
    }
}

/// The things of a list, which stands there as it is or as text.
fn list(value: &Value) -> Option<Vec<Value>> {
    match value {
        Value::String(text) => serde_json::from_str(text).ok(),
        Value::Array(items) => Some(items.clone()),
        _ => None,
    }
}
