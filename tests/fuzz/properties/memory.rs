//! The system's allocator, which remembers the largest piece that a thread asked for.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The largest piece of memory that a few kilobytes of a stranger's may make us ask for: serde's own first step for a list.
const LARGEST_PIECE: usize = 1024 * 1024 + 4096;

struct Remembering;

thread_local! {
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: Remembering = Remembering;

/// Does some work.
///
/// Errors: panics when it asked for a larger piece than [`LARGEST_PIECE`].
pub(super) fn bounded(work: impl FnOnce()) {
    LARGEST.set(0);
    work();
    assert!(LARGEST.get() <= LARGEST_PIECE, "{} bytes were asked for at once", LARGEST.get());
}

fn remember(size: usize) {
    let _ = LARGEST.try_with(|largest| largest.set(largest.get().max(size)));
}

#[allow(unsafe_code)]
// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Remembering {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        remember(layout.size());
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        remember(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        remember(size);
        // SAFETY: as above.
        unsafe { System.realloc(place, layout, size) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(place, layout) }
    }
}
