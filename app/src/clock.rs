//! Time on pages: the server's clock goes on ticking in the browser, moments are shown in the shop's zone.

use chrono::{DateTime, Datelike, Duration, Timelike, Utc};
use leptos::prelude::*;

use crate::{
    i18n::Locale,
    shell::{ShopZone, use_facts},
};

/// The time on the server, second by second.
#[derive(Debug, Clone, Copy)]
pub struct Clock(RwSignal<DateTime<Utc>>);

impl Clock {
    /// Starts at the moment the server rendered the page, and ticks once the page is awake. Until then server and
    /// browser show the same.
    pub fn provide() -> Self {
        let rendered_at = use_facts().rendered_at;
        let now = RwSignal::new(rendered_at);
        Effect::new(move || {
            let woken_at = Utc::now();
            // The browser's own clock may be wrong: only its distance is used.
            let tick = move || now.set(rendered_at + (Utc::now() - woken_at));
            if let Ok(handle) = set_interval_with_handle(tick, std::time::Duration::from_secs(1)) {
                on_cleanup(move || handle.clear());
            }
        });
        let clock = Self(now);
        provide_context(clock);
        clock
    }

    /// The time now, for a view that is not to be built anew with every tick.
    pub fn now_once(self) -> DateTime<Utc> {
        self.0.get_untracked()
    }

    /// The time now; reading it in a view ticks the view.
    pub fn now(self) -> DateTime<Utc> {
        self.0.get()
    }
}

/// The clock of this page; one that stands still where none was started.
pub fn use_clock() -> Clock {
    use_context().unwrap_or_else(|| Clock(RwSignal::new(use_facts().rendered_at)))
}

/// A moment in full, in the shop's zone and with its name: `2026-11-22 17:05:09 Asia/Seoul`.
pub fn exact(at: DateTime<Utc>, zone: &ShopZone) -> String {
    let local = at + Duration::seconds(i64::from(zone.offset_seconds));
    format!(
        "{}-{:02}-{:02} {:02}:{:02}:{:02} {}",
        local.year(),
        local.month(),
        local.day(),
        local.hour(),
        local.minute(),
        local.second(),
        zone.name
    )
}

/// Hour, minute and second in the shop's zone, for timelines.
pub fn precise(at: DateTime<Utc>, zone: &ShopZone) -> String {
    let local = at + Duration::seconds(i64::from(zone.offset_seconds));
    format!("{:02}:{:02}:{:02}", local.hour(), local.minute(), local.second())
}

/// How long ago, in words; from a week on the date.
pub fn ago(locale: Locale, at: DateTime<Utc>, now: DateTime<Utc>, zone: &ShopZone) -> String {
    use leptos_i18n::td_string;

    let passed = now - at;
    let (minutes, hours, days) = (passed.num_minutes(), passed.num_hours(), passed.num_days());
    if minutes < 1 {
        td_string!(locale, time.now).to_owned()
    } else if hours < 1 {
        td_string!(locale, time.minutes_ago, count = minutes)
    } else if days < 1 {
        td_string!(locale, time.hours_ago, count = hours)
    } else if days < 7 {
        td_string!(locale, time.days_ago, count = days)
    } else {
        date(at, zone)
    }
}

/// How long until something comes, in words; from a week on the date. What has come is as good as here.
pub fn until(locale: Locale, at: DateTime<Utc>, now: DateTime<Utc>, zone: &ShopZone) -> String {
    use leptos_i18n::td_string;

    let left = at - now;
    let (minutes, hours, days) = (left.num_minutes(), left.num_hours(), left.num_days());
    if minutes < 1 {
        td_string!(locale, time.soon).to_owned()
    } else if hours < 1 {
        td_string!(locale, time.in_minutes, count = minutes)
    } else if days < 1 {
        td_string!(locale, time.in_hours, count = hours)
    } else if days < 7 {
        td_string!(locale, time.in_days, count = days)
    } else {
        date(at, zone)
    }
}

fn date(at: DateTime<Utc>, zone: &ShopZone) -> String {
    let local = at + Duration::seconds(i64::from(zone.offset_seconds));
    format!("{}-{:02}-{:02}", local.year(), local.month(), local.day())
}

/// A duration in words: seconds below a minute, then minutes and seconds, then hours and minutes.
pub fn lasting(locale: Locale, duration: Duration) -> String {
    use leptos_i18n::td_string;

    let total = duration.num_seconds().max(0);
    let (hours, minutes, seconds) = (total / 3600, total / 60 % 60, total % 60);
    if hours > 0 {
        td_string!(locale, time.hours, hours = hours, minutes = minutes)
    } else if minutes > 0 {
        td_string!(locale, time.minutes, minutes = minutes, seconds = seconds)
    } else {
        td_string!(locale, time.seconds, count = seconds)
    }
}

/// A running time as a stopwatch shows it: `0:07`, `12:30`, `1:02:03`.
pub fn stopwatch(duration: Duration) -> String {
    let total = duration.num_seconds().max(0);
    let (hours, minutes, seconds) = (total / 3600, total / 60 % 60, total % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn moments_are_shown_in_the_shops_zone() {
        let zone = ShopZone::default();
        assert_eq!(exact(at("2026-11-22T15:30:05Z"), &zone), "2026-11-23 00:30:05 Asia/Seoul");
    }

    #[test]
    fn ago_changes_its_unit_and_ends_with_a_date() {
        let zone = ShopZone::default();
        let now = at("2026-11-22T12:00:00Z");
        assert_eq!(ago(Locale::ko, now - Duration::seconds(59), now, &zone), "방금");
        assert_eq!(ago(Locale::ko, now - Duration::minutes(59), now, &zone), "59분 전");
        assert_eq!(ago(Locale::en, now - Duration::hours(23), now, &zone), "23 h ago");
        assert_eq!(ago(Locale::en, now - Duration::days(8), now, &zone), "2026-11-14");
        assert_eq!(ago(Locale::ko, now + Duration::seconds(3), now, &zone), "방금", "a clock ahead is not the past");
    }

    #[test]
    fn what_comes_is_said_like_what_was() {
        let zone = ShopZone::default();
        let now = at("2026-11-22T12:00:00Z");
        assert_eq!(until(Locale::ko, now - Duration::hours(1), now, &zone), "곧");
        assert_eq!(until(Locale::en, now + Duration::minutes(59), now, &zone), "in 59 min");
        assert_eq!(until(Locale::ko, now + Duration::minutes(419), now, &zone), "6시간 뒤");
        assert_eq!(until(Locale::en, now + Duration::days(6), now, &zone), "in 6 d");
        assert_eq!(until(Locale::ko, now + Duration::days(8), now, &zone), "2026-11-30");
    }

    #[test]
    fn durations_never_go_below_nothing() {
        assert_eq!(stopwatch(Duration::seconds(-4)), "0:00");
        assert_eq!(stopwatch(Duration::seconds(3723)), "1:02:03");
        assert_eq!(lasting(Locale::ko, Duration::seconds(75)), "1분 15초");
        assert_eq!(lasting(Locale::en, Duration::seconds(7260)), "2 h 1 min");
    }
}
