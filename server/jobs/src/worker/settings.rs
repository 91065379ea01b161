//! How a worker behaves.

use std::time::Duration;

use crate::Limits;

/// How a worker behaves. The default fits jobs of minutes.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// Jobs this process runs at once.
    pub concurrency: usize,
    /// Seconds that running jobs get to finish or park after a stop; the rest is given back.
    pub grace_secs: u64,
    /// Seconds after which a job of a silent worker is taken away.
    pub lease_secs: u64,
    /// Seconds between renewals; a third of the lease.
    pub heartbeat_secs: u64,
    /// What may run at once and how fast it may start, over all processes.
    pub limits: Limits,
    /// Seconds before the second attempt at most; doubles with every attempt, drawn with full jitter.
    pub retry_base_secs: u64,
    /// Seconds between attempts at most.
    pub retry_cap_secs: u64,
    /// Milliseconds between claims when nothing wakes the worker.
    pub poll_ms: u64,
    /// Seconds a handler may take to return after its cancel token fired; then its future is dropped.
    pub cancel_grace_secs: u64,
    /// Days that ended jobs and their events are kept; 0 keeps them for ever.
    pub keep_days: u32,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self {
            concurrency: 8,
            grace_secs: 20,
            lease_secs: 30,
            heartbeat_secs: 10,
            limits: Limits::default(),
            retry_base_secs: 5,
            retry_cap_secs: 300,
            poll_ms: 1_000,
            cancel_grace_secs: 5,
            keep_days: 30,
        }
    }
}

impl WorkerSettings {
    pub(crate) fn lease(&self) -> Duration {
        Duration::from_secs(self.lease_secs.max(1))
    }

    pub(crate) fn lease_ms(&self) -> i64 {
        i64::try_from(self.lease().as_millis()).unwrap_or(i64::MAX)
    }

    pub(crate) fn heartbeat(&self) -> Duration {
        Duration::from_secs(self.heartbeat_secs).clamp(Duration::from_millis(200), self.lease() / 3)
    }

    /// Wait before the attempt after number `attempt`: exponential, full jitter.
    pub(crate) fn backoff(&self, attempt: u16) -> Duration {
        let doublings = u32::from(attempt.saturating_sub(1)).min(20);
        let most = self.retry_base_secs.saturating_mul(1 << doublings).min(self.retry_cap_secs);
        Duration::from_millis(rand::random_range(0..=most.saturating_mul(1_000)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_up_to_the_cap() {
        let settings = WorkerSettings { retry_base_secs: 5, retry_cap_secs: 60, ..WorkerSettings::default() };
        for (attempt, most_secs) in [(1, 5), (2, 10), (3, 20), (4, 40), (5, 60), (90, 60)] {
            let longest = (0..2_000).map(|_| settings.backoff(attempt)).max().unwrap_or_default();
            assert!(longest <= Duration::from_secs(most_secs), "attempt {attempt} waited {longest:?}");
            // Full jitter spreads over the whole range: 2000 draws reach its upper half.
            assert!(longest > Duration::from_secs(most_secs) / 2, "attempt {attempt} never waited long");
        }
    }

    #[test]
    fn heartbeat_leaves_room_for_two_misses() {
        let settings = WorkerSettings { lease_secs: 3, heartbeat_secs: 10, ..WorkerSettings::default() };
        assert_eq!(settings.heartbeat(), Duration::from_secs(1));
    }
}
