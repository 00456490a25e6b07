//! launchd's ways. Source: launch(3), `launch_activate_socket`; launchd.plist(5), `Sockets`.

use std::ffi::{CStr, c_char, c_int};
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

use super::Service;

/// The key below `Sockets` in the agent's property list.
const NAME: &CStr = c"Listeners";
/// The process was not started by launchd, or its property list has no such socket.
const NOT_OURS: [c_int; 2] = [libc::ESRCH, libc::ENOENT];

/// launchd hears nothing but the end of a process.
#[derive(Debug)]
pub(super) enum Ear {}

impl Ear {
    pub(super) fn tell(&self, _lines: &str) -> io::Result<()> {
        match *self {}
    }
}

pub(super) fn take() -> Result<Service, String> {
    let mut sockets = activated().map_err(|error| format!("the socket of launchd: {error}"))?;
    let socket = sockets.pop();
    match sockets.len() {
        0 => Ok(Service { socket, ..Service::default() }),
        more => Err(format!("launchd handed over {} sockets, and one is needed", more + 1)),
    }
}

#[allow(unsafe_code)]
fn activated() -> io::Result<Vec<OwnedFd>> {
    unsafe extern "C" {
        fn launch_activate_socket(name: *const c_char, descriptors: *mut *mut c_int, count: *mut usize) -> c_int;
    }
    let (mut descriptors, mut count) = (std::ptr::null_mut(), 0);
    // SAFETY: the name ends with a zero, and both places outlive the call.
    match unsafe { launch_activate_socket(NAME.as_ptr(), &mut descriptors, &mut count) } {
        0 => {}
        code if NOT_OURS.contains(&code) => return Ok(Vec::new()),
        code => return Err(io::Error::from_raw_os_error(code)),
    }
    // SAFETY: after success there are `count` descriptors, each of them this process's from now on.
    let owned = (0..count).map(|place| unsafe { OwnedFd::from_raw_fd(*descriptors.add(place)) }).collect();
    // SAFETY: the list was made by `malloc` for this process, and nothing names it after this.
    unsafe { libc::free(descriptors.cast()) };
    Ok(owned)
}
