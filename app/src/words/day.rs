//! Names of days.

use chrono::{Datelike, NaiveDate};

use crate::i18n::Locale;

/// A day in digits, as an input of days holds it: `2026-03-09`.
pub fn iso_day(date: NaiveDate) -> String {
    format!("{}-{:02}-{:02}", date.year(), date.month(), date.day())
}

/// A day without its year: `Mar 9` or `3월 9일`.
pub fn day_name(date: NaiveDate, locale: Locale) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = MONTHS.get(date.month0() as usize).copied().unwrap_or_default();
    match locale {
        Locale::ko => format!("{}월 {}일", date.month(), date.day()),
        Locale::en => format!("{month} {}", date.day()),
    }
}
