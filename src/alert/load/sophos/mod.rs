//! What Sophos UTM 9 shows on its Advanced Threat Protection page, and sends by mail.
//!
//! In: a pasted table, or a mail. Out: a row for each row of the table, by [`table`]. The mail names no destination, so
//! [`mail`] only recognises it, and the error says where the table is.

pub(crate) mod mail;
pub(crate) mod table;
