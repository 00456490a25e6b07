//! Does what takes long without holding up others: the worker's other tasks go on meanwhile.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Above this, reading or writing JSON takes long enough for others to notice: a tenth of a millisecond.
pub const LARGE_BYTES: usize = 64 * 1024;

/// Runs work that computes for long or waits for a disk.
pub fn aside<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        // one thread has nobody to hand its tasks to
        _ => work(),
    }
}

/// Runs work on so many bytes where it is, or aside when they are many.
pub fn by_size<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    if bytes > LARGE_BYTES { aside(work) } else { work() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_thread_does_the_work() {
        let one = tokio::runtime::Builder::new_current_thread().build();
        let many = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build();

        let done = [one, many].map(|runtime| runtime.map(|runtime| runtime.block_on(async { aside(|| 1) })).ok());

        assert_eq!((by_size(0, || 1), by_size(LARGE_BYTES + 1, || 2), done), (1, 2, [Some(1), Some(1)]));
    }
}
