use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;

/// The simulator's own time. It runs with the machine's until it is moved or
/// stopped; whoever waits for a moment wakes as soon as the clock has reached
/// it, so that a test needs no wait of its own. Cheap to clone: all clones are
/// one clock.
#[derive(Clone, Debug)]
pub struct Clock {
    hands: Arc<Mutex<Hands>>,
    moved: watch::Sender<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Hands {
    /// How far this clock is from the machine's.
    offset: TimeDelta,
    stands_at: Option<DateTime<Utc>>,
}

impl Hands {
    fn now(self) -> DateTime<Utc> {
        self.stands_at.unwrap_or_else(|| Utc::now().checked_add_signed(self.offset).unwrap_or(DateTime::<Utc>::MAX_UTC))
    }

    fn show(&mut self, time: DateTime<Utc>) {
        self.offset = time - Utc::now();
        if self.stands_at.is_some() {
            self.stands_at = Some(time);
        }
    }
}

impl Clock {
    /// Runs with the machine's clock, or stands at a moment.
    pub(crate) fn new(stands_at: Option<DateTime<Utc>>) -> Self {
        let hands = Hands { offset: TimeDelta::zero(), stands_at };
        Self { hands: Arc::new(Mutex::new(hands)), moved: watch::Sender::new(0) }
    }

    /// What it shows.
    pub fn now(&self) -> DateTime<Utc> {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner).now()
    }

    /// Whether it runs by itself.
    pub fn is_running(&self) -> bool {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner).stands_at.is_none()
    }

    /// Puts it forward; it goes on running or standing from there.
    pub fn advance(&self, by: Duration) {
        let by = TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX);
        self.change(|hands| {
            let time = hands.now().checked_add_signed(by).unwrap_or(DateTime::<Utc>::MAX_UTC);
            hands.show(time);
        });
    }

    /// Shows this moment from now on, earlier or later.
    pub fn set(&self, time: DateTime<Utc>) {
        self.change(|hands| hands.show(time));
    }

    /// Stops it where it is: from now on it only moves when it is moved.
    pub fn stop(&self) {
        self.change(|hands| hands.stands_at = Some(hands.now()));
    }

    /// Lets it run again from where it stands.
    pub fn run(&self) {
        self.change(|hands| {
            let time = hands.now();
            hands.stands_at = None;
            hands.show(time);
        });
    }

    /// Waits until it shows `moment`.
    pub(crate) async fn reach(&self, moment: DateTime<Utc>) {
        let mut moved = self.moved.subscribe();
        loop {
            let left = (moment - self.now()).to_std().unwrap_or(Duration::ZERO);
            if left.is_zero() {
                return;
            }
            // The sender is ours, so a change cannot fail to come.
            if self.is_running() {
                let _ = tokio::time::timeout(left, moved.changed()).await;
            } else {
                let _ = moved.changed().await;
            }
        }
    }

    fn change(&self, change: impl FnOnce(&mut Hands)) {
        change(&mut self.hands.lock().unwrap_or_else(PoisonError::into_inner));
        self.moved.send_modify(|count| *count += 1);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn who_waits_wakes_when_the_clock_is_put_forward() {
        let start: DateTime<Utc> = "2026-11-26T09:00:00Z".parse().unwrap();
        let clock = Clock::new(Some(start));
        let waiter = tokio::spawn({
            let clock = clock.clone();
            async move { clock.reach(start + TimeDelta::seconds(3_600)).await }
        });
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(3_599));
        tokio::task::yield_now().await;
        assert!(!waiter.is_finished());
        clock.advance(Duration::from_secs(1));
        tokio::time::timeout(Duration::from_secs(5), waiter).await.unwrap().unwrap();
        assert_eq!(clock.now(), start + TimeDelta::seconds(3_600));
    }

    #[test]
    fn it_runs_on_from_where_it_was_set() {
        let clock = Clock::new(None);
        let day: DateTime<Utc> = "2030-01-01T00:00:00Z".parse().unwrap();
        clock.set(day);
        assert!(clock.is_running() && clock.now() >= day && clock.now() < day + TimeDelta::seconds(60));
        clock.stop();
        let stands = clock.now();
        assert_eq!(clock.now(), stands);
        clock.run();
        assert!(clock.is_running() && clock.now() >= stands);
    }
}
