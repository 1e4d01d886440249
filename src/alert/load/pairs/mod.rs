//! Formats in which each value stands beside the name of its field.
//!
//! In: log lines, or the lines of a mail. Out: a row for each log line, or for each block of labelled lines.
//!
//! - [`key_value`] reads `srcip="192.168.2.194" host="mi.kenal-cn.com"`, as Sophos UTM and SFOS, FortiGate, Check Point, Cisco
//!   Firepower, SonicWall, Zyxel and Meraki write it; [`line_pairs`] takes such a line apart.
//! - [`device_log`] brings lines that have no names of fields to such pairs: BIND, Unbound, Cisco ASA, MikroTik, WatchGuard.
//! - [`cef`] reads the Common Event Format of ArcSight, which many firewalls can send.
//! - [`labels`] reads `Destination: mi.kenal-cn.com`, one label a line, as mails have it and people type it.
//!
//! Decided here: which field is the host, the destination, the time and the threat; which lines are ordinary traffic; and
//! whether two lines were joined into one by a paste.

pub(crate) mod cef;
mod device_log;
pub(crate) mod key_value;
pub(crate) mod labels;
mod line_pairs;
