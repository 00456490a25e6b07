//! Wipes all memory before it is given back, so that nothing of a token outlives its use, in whichever crate's buffer it was.

use std::alloc::{GlobalAlloc, Layout, System};

/// The OS's allocator, which never gives memory back with anything in it.
///
/// A token passes through buffers of hyper, rustls, serde and oauth2 that know nothing of secrets. Growing is
/// the trait's own: a new piece, a copy, and the old one wiped.
#[derive(Debug)]
pub struct Wiping;

#[allow(unsafe_code)]
// SAFETY: every piece comes from `System` and goes back to it with the layout that it was asked for with
unsafe impl GlobalAlloc for Wiping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are passed on
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        // SAFETY: the piece has this size, and nobody uses it any more
        unsafe { piece.write_bytes(0, layout.size()) };
        // or the compiler would leave out what nobody can read
        std::hint::black_box(piece);
        // SAFETY: as above
        unsafe { System.dealloc(piece, layout) }
    }
}
