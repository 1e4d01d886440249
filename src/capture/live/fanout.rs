//! Several rings on one interface: `PACKET_FANOUT` (packet(7)).

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Joins the socket of a capture handle to a group that shares the frames of an interface: each frame goes to
/// one member, all frames of a flow to the same, fragments put together first.
///
/// # Errors
/// When the kernel refuses it.
pub(super) fn join(socket: BorrowedFd<'_>, group: u16) -> io::Result<()> {
    let mode = libc::PACKET_FANOUT_HASH | libc::PACKET_FANOUT_FLAG_DEFRAG;
    let argument: libc::c_uint = u32::from(group) | mode << 16;
    // SAFETY: the socket is open for as long as it is borrowed; the kernel reads as many octets as it is told
    // the argument has, and keeps none of them.
    let done = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_FANOUT,
            std::ptr::from_ref(&argument).cast(),
            size_of_val(&argument) as libc::socklen_t,
        )
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
