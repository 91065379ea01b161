//! Measured progress out of `ffmpeg -progress`.

use std::time::{Duration, Instant};

/// At most so often is somebody told.
const PERIOD: Duration = Duration::from_millis(250);
/// Longest line that is kept while it is not complete.
const MAX_LINE: usize = 1024;

/// Reads `key=value` lines in pieces and tells growing percents below 100; the end is told by whoever verified it.
pub(crate) struct Progress<F> {
    total_us: u64,
    line: Vec<u8>,
    told: u8,
    told_at: Option<Instant>,
    tell: F,
}

impl<F: Fn(u8)> Progress<F> {
    pub fn new(total_us: u64, tell: F) -> Self {
        Self { total_us: total_us.max(1), line: Vec::new(), told: 0, told_at: None, tell }
    }

    pub fn read(&mut self, piece: &[u8]) {
        for &byte in piece {
            if byte == b'\n' {
                let line = std::mem::take(&mut self.line);
                self.take(&String::from_utf8_lossy(&line));
            } else if self.line.len() < MAX_LINE {
                self.line.push(byte);
            }
        }
    }

    fn take(&mut self, line: &str) {
        let Some(Ok(done_us)) = line.strip_prefix("out_time_us=").map(|value| value.trim().parse::<u64>()) else {
            return;
        };
        let percent = u8::try_from(done_us.saturating_mul(100) / self.total_us).unwrap_or(99).min(99);
        let is_early = self.told_at.is_some_and(|instant| instant.elapsed() < PERIOD);
        if percent > self.told && !is_early {
            self.told = percent;
            self.told_at = Some(Instant::now());
            (self.tell)(percent);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn only_growing_percents_below_a_hundred_are_told() {
        let told = RefCell::new(Vec::new());
        let mut progress = Progress::new(4_000_000, |percent| told.borrow_mut().push(percent));
        let mut step = |text: &str| {
            // As if the period had passed.
            progress.told_at = None;
            progress.read(text.as_bytes());
        };
        step("frame=1\nout_time_us=N/A\nout_time_us=1000");
        step("000\nprogress=continue\n");
        step("out_time_us=500000\nout_time_us=-42\n");
        step("out_time_us=9000000\nprogress=end\n");
        assert_eq!(told.into_inner(), [25, 99]);
    }

    #[test]
    fn nobody_is_told_more_than_four_times_a_second() {
        let told = RefCell::new(0);
        let mut progress = Progress::new(100_000, |_| *told.borrow_mut() += 1);
        let begin = Instant::now();
        for step in 1..=90 {
            progress.read(format!("out_time_us={}\n", step * 1000).as_bytes());
        }
        let allowed = 1 + begin.elapsed().as_millis() / PERIOD.as_millis();
        assert!(*told.borrow() <= allowed && *told.borrow() >= 1);
    }
}
