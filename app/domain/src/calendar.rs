//! Dates on their way to the page: as the number of a day. Reading a date's words would weigh more than the page's own.

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Writes the day's number, 1 being the first of January of the year 1.
///
/// # Errors
/// What the serializer answers.
pub(crate) fn serialize<S: Serializer>(date: &NaiveDate, serializer: S) -> Result<S::Ok, S::Error> {
    date.num_days_from_ce().serialize(serializer)
}

/// Reads the day's number.
///
/// # Errors
/// For a number that is no day.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDate, D::Error> {
    let day = i32::deserialize(deserializer)?;
    NaiveDate::from_num_days_from_ce_opt(day).ok_or_else(|| D::Error::custom("not a day"))
}

/// The same for a date there may be none of.
pub(crate) mod optional {
    use chrono::{Datelike, NaiveDate};
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    /// Writes the day's number, or nothing.
    ///
    /// # Errors
    /// What the serializer answers.
    pub(crate) fn serialize<S: Serializer>(date: &Option<NaiveDate>, serializer: S) -> Result<S::Ok, S::Error> {
        date.map(|date| date.num_days_from_ce()).serialize(serializer)
    }

    /// Reads the day's number, or nothing.
    ///
    /// # Errors
    /// For a number that is no day.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NaiveDate>, D::Error> {
        let Some(day) = Option::<i32>::deserialize(deserializer)? else { return Ok(None) };
        NaiveDate::from_num_days_from_ce_opt(day).map(Some).ok_or_else(|| D::Error::custom("not a day"))
    }
}
