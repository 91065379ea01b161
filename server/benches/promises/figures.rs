//! Many measured times.

use std::time::Duration;

/// Measured times in order.
pub struct Figures(Vec<Duration>);

impl From<Vec<Duration>> for Figures {
    fn from(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }
}

impl Figures {
    /// The time that so many percent stay below, in milliseconds; 0 of nothing.
    pub fn percentile_ms(&self, percent: usize) -> f64 {
        let at = (self.0.len() * percent / 100).min(self.0.len().saturating_sub(1));
        self.0.get(at).copied().unwrap_or_default().as_secs_f64() * 1_000.0
    }
}

/// The one in the middle; 0 where there is none.
pub fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}
