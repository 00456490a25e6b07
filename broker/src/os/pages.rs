//! Memory of its own for a secret: never swapped where the OS allows that, in no core file, gone in a forked child.

use std::ffi::c_void;
use std::ops::Deref;
use std::ptr;

use rustix::mm::{self, MapFlags, ProtFlags};
use zeroize::Zeroizing;

/// Bytes that nobody else's memory is near to. They never move.
pub enum Pages {
    /// Pages of their own.
    Mapped {
        /// Where they begin.
        start: ptr::NonNull<u8>,
        /// How many bytes are used.
        length: usize,
        /// Whether they are kept out of swap.
        locked: bool,
    },
    /// The heap, where the OS gives no page.
    Heap(Zeroizing<Box<[u8]>>),
}

#[allow(unsafe_code)]
// SAFETY: the pages belong to this value alone, and nothing changes them before they are given back
unsafe impl Send for Pages {}
#[allow(unsafe_code)]
// SAFETY: as above
unsafe impl Sync for Pages {}

impl Pages {
    /// Takes a copy of bytes.
    #[allow(unsafe_code)]
    pub fn copy_of(bytes: &[u8]) -> Self {
        let length = bytes.len().max(1);
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new private mapping at an address of the OS's choice touches nothing that exists
        let mapped = unsafe { mm::mmap_anonymous(ptr::null_mut(), length, access, MapFlags::PRIVATE) };
        let Some(start) = mapped.ok().and_then(ptr::NonNull::new) else {
            return Self::Heap(Zeroizing::new(bytes.into()));
        };
        // SAFETY: the mapping is ours and has this length; locking it changes none of its bytes
        let locked = unsafe { mm::mlock(start.as_ptr(), length) }.is_ok();
        advise(start.as_ptr(), length);
        let start = start.cast::<u8>();
        // SAFETY: the mapping has room for them and cannot overlap with them
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), start.as_ptr(), bytes.len()) };
        Self::Mapped { start, length: bytes.len(), locked }
    }

    /// Whether the bytes are kept out of swap.
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Mapped { locked: true, .. })
    }
}

/// Leaves the pages out of core files and of forked children.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn advise(start: *mut c_void, length: usize) {
    for advice in [mm::Advice::LinuxDontDump, mm::Advice::LinuxWipeOnFork] {
        // SAFETY: the mapping is ours; neither changes its bytes in this process
        let _ = unsafe { mm::madvise(start, length, advice) };
    }
}

#[cfg(not(target_os = "linux"))]
fn advise(_start: *mut c_void, _length: usize) {}

impl Deref for Pages {
    type Target = [u8];

    #[allow(unsafe_code)]
    fn deref(&self) -> &[u8] {
        match self {
            // SAFETY: so many bytes were copied there, and they stay until this value is dropped
            Self::Mapped { start, length, .. } => unsafe { std::slice::from_raw_parts(start.as_ptr(), *length) },
            Self::Heap(bytes) => bytes,
        }
    }
}

impl Drop for Pages {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        if let Self::Mapped { start, length, .. } = self {
            // SAFETY: as in `deref`, and nobody reads them any more; the OS wipes pages before it gives them to others
            unsafe {
                start.as_ptr().write_bytes(0, *length);
                let _ = mm::munmap(start.as_ptr().cast(), (*length).max(1));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_kept_as_they_are() {
        for length in [0, 1, 4095, 4096, 4097, 20_000] {
            let bytes: Vec<u8> = (0..length).map(|number| u8::try_from(number % 251).unwrap_or_default()).collect();

            assert_eq!(*Pages::copy_of(&bytes), *bytes, "{length}");
        }
    }
}
