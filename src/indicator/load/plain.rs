//! Plain lists: one name, address or network a line; and hosts files, with what may stand between.
//!
//! A comment begins with `#`, `;` or `//` at the start of a line or behind white space, and ends with
//! the line. The marks of a list may stand before a name: `- evil.com`, `1. evil.com`.

use super::form::Form;
use super::hosts;
use super::lines::Lines;
use super::loader::{Loader, Stop};
use super::word::Scanned;
use crate::indicator::building::Remark;
use crate::indicator::network::parse_address;
use crate::text::{without_bullet, without_comment};

/// Lines read quickly, keeping the room that they take.
#[derive(Default)]
pub(super) struct Words {
    pub scanned: Scanned,
}

/// Reads a plain list or a hosts file.
pub(super) fn load(loader: &mut Loader, lines: &mut Lines<'_>, form: Form) -> Result<(), Stop> {
    let mut words = Words::default();
    let mut read = |loader: &mut Loader, line: &str| {
        let content = std::str::from_utf8(without_comment(line.as_bytes())).unwrap_or_default();
        match form {
            _ if content.is_empty() => Ok(()),
            Form::Hosts => hosts_line(loader, content),
            _ => plain_line(loader, content),
        }
    };
    loop {
        if form == Form::Plain {
            loader.names(lines, &mut words)?;
        }
        if !loader.next_line(lines, &mut read)? {
            return Ok(());
        }
    }
}

/// Reads what a line holds beside its comment.
pub(super) fn plain_line(loader: &mut Loader, content: &str) -> Result<(), Stop> {
    if content.contains(char::is_whitespace) {
        // `- evil.com`, `1. evil.com`.
        let bare = without_bullet(content);
        if bare.len() < content.len() && !bare.contains(char::is_whitespace) {
            return loader.word(bare, Remark::default());
        }
        loader.skip(content, "it is more than one word; a comment begins with #, ; or //");
        return Ok(());
    }
    loader.word(content, Remark::default())
}

/// As [`plain_line`], of a hosts file.
pub(super) fn hosts_line(loader: &mut Loader, content: &str) -> Result<(), Stop> {
    let Some((address, names)) = hosts::split(content) else {
        if parse_address(content).is_some() {
            loader.skip(content, "there is no name after the address");
            return Ok(());
        }
        // Somebody added a name by hand.
        return plain_line(loader, content);
    };
    if !hosts::leads_nowhere(address) {
        let why = "the address in a hosts file is not an indicator";
        loader.warn(content, why, "only its names are used");
    }
    for name in names.filter(|name| !hosts::is_furniture(name)) {
        if parse_address(name).is_some() {
            loader.skip(name, "it is an address where a name should be");
        } else if name.contains('/') {
            loader.skip(
                name,
                "it is not a host name; if this is an alert table, use `whoasked explain --alerts`",
            );
        } else {
            loader.word(name, Remark::default())?;
        }
    }
    Ok(())
}
