//! How far ffmpeg is, while it runs.

use std::{
    sync::atomic::{AtomicU8, Ordering},
    time::Duration,
};

use tokio::time::Interval;

/// Measured progress is written this often at the most.
const EVERY: Duration = Duration::from_millis(500);

/// A percent that somebody else measures, told whenever it has grown.
pub(crate) struct Percent<'a> {
    measured: &'a AtomicU8,
    told: u8,
    ticks: Interval,
}

impl<'a> Percent<'a> {
    pub(crate) fn new(measured: &'a AtomicU8) -> Self {
        Self { measured, told: 0, ticks: tokio::time::interval(EVERY) }
    }

    /// The next percent that is more than the last. Nothing is lost when this is dropped before.
    pub(crate) async fn grown(&mut self) -> u8 {
        loop {
            self.ticks.tick().await;
            let now = self.measured.load(Ordering::Relaxed);
            if now > self.told {
                self.told = now;
                return now;
            }
        }
    }
}
