//! The catalogue: which models there are, what they take and what they cost. Data in `catalogue.toml`, versioned by
//! row; no price means no call.

mod amounts;
mod duration;
mod mapping;
mod price;
mod row;
mod shared;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use domain::{FailureCode, MicroUsd};
use serde::Deserialize;

pub use duration::{DurationCodec, FixedFrames, Frames, Lengths, Seconds};
pub use mapping::{CategoryField, InputMapping, NumberField, OutputMapping, PictureFields, ResolutionField};
pub use price::{ManyFrames, PerClip, PerSecond, PerStill, PriceRule, Tokens, Unit};
pub use row::{InDoubt, InputLimits, ModelRow, Role};
pub use shared::SharedCatalogue;

use crate::{Bought, Certainty, ClipOrder, ModelRef, Order, ProviderError, Retry};

const EMBEDDED: &str = include_str!("../../catalogue.toml");

/// Why a catalogue file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// Not TOML, or not of our shape.
    #[error("the catalogue does not parse: {0}")]
    Malformed(toml::de::Error),
    /// A row contradicts itself or another one.
    #[error("the catalogue's row {id} ({price_version}): {reason}")]
    Row {
        /// Model of the row.
        id: String,
        /// Version of the row.
        price_version: String,
        /// What is wrong.
        reason: &'static str,
    },
}

/// A call nobody knows the price of: it is not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPrice {
    /// The model is not in the catalogue, or not yet.
    #[error("no price for {0}")]
    Unknown(String),
    /// The provider has switched it off.
    #[error("{0} is retired")]
    Retired(String),
    /// The model makes something else, or not in this size, length or number.
    #[error("no price for {0} as asked: {1}")]
    NotOffered(String, &'static str),
}

impl From<NoPrice> for ProviderError {
    fn from(error: NoPrice) -> Self {
        let code = match error {
            NoPrice::Retired(_) => FailureCode::ModelGone,
            NoPrice::Unknown(_) | NoPrice::NotOffered(..) => FailureCode::NoPrice,
        };
        Self::new(code, Certainty::NotSent, Retry::Never, error.to_string())
    }
}

/// The models and their prices.
#[derive(Debug, Clone)]
pub struct Catalogue {
    rows: Vec<ModelRow>,
    /// Where its days begin.
    zone: Tz,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    model: Vec<ModelRow>,
}

impl Catalogue {
    /// The catalogue this program was built with.
    ///
    /// # Errors
    /// [`CatalogueError`] when the file is wrong; a test keeps that from happening.
    pub fn embedded() -> Result<Self, CatalogueError> {
        Self::parse(EMBEDDED)
    }

    /// Reads a catalogue file.
    ///
    /// # Errors
    /// [`CatalogueError`] names the row and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        let File { model: rows } = toml::from_str(text).map_err(CatalogueError::Malformed)?;
        Self::from_rows(rows)
    }

    /// A catalogue of these rows, in any order.
    ///
    /// # Errors
    /// [`CatalogueError::Row`] names the row that contradicts itself or another one.
    pub fn from_rows(rows: Vec<ModelRow>) -> Result<Self, CatalogueError> {
        for (index, row) in rows.iter().enumerate() {
            let mut earlier = rows.iter().take(index).filter(|one| one.is_of(&row.model()));
            let twin = earlier.find_map(|one| one.clash(row));
            if let Some(reason) = twin.or_else(|| row.fault()) {
                return Err(CatalogueError::Row {
                    id: row.id.clone(),
                    price_version: row.price_version.clone(),
                    reason,
                });
            }
        }
        Ok(Self { rows, zone: Tz::UTC })
    }

    /// The same catalogue with days that begin when they do in a zone; in UTC when nothing is said.
    #[must_use]
    pub fn in_zone(self, zone: Tz) -> Self {
        Self { zone, ..self }
    }

    /// The day it is at a moment, where the catalogue counts its days.
    pub fn day(&self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.zone).date_naive()
    }

    /// Every row.
    pub fn rows(&self) -> &[ModelRow] {
        &self.rows
    }

    /// Every model with the row in force at a moment, in the order of the rows; also retired ones.
    pub fn models(&self, at: DateTime<Utc>) -> impl Iterator<Item = &ModelRow> {
        self.rows.iter().filter(move |row| self.row(&row.model(), at).is_ok_and(|current| std::ptr::eq(current, *row)))
    }

    /// The first row of every model none of whose rows is in force yet at a moment, in the order of the rows.
    pub fn models_to_come(&self, at: DateTime<Utc>) -> impl Iterator<Item = &ModelRow> {
        let is_first = move |row: &ModelRow| self.coming(&row.model(), at).first().is_some_and(|first| **first == *row);
        self.rows.iter().filter(move |row| self.row(&row.model(), at).is_err() && is_first(row))
    }

    /// The row in force for a model at a moment, also when the model has been retired: calls bought before are still
    /// to be settled.
    ///
    /// # Errors
    /// [`NoPrice::Unknown`] without one.
    pub fn row(&self, model: &ModelRef, at: DateTime<Utc>) -> Result<&ModelRow, NoPrice> {
        self.row_on(model, self.day(at))
    }

    /// The row in force for a model on a day.
    ///
    /// # Errors
    /// [`NoPrice::Unknown`] without one.
    pub fn row_on(&self, model: &ModelRef, day: NaiveDate) -> Result<&ModelRow, NoPrice> {
        self.rows
            .iter()
            .filter(|row| row.is_of(model) && row.valid_from <= day && row.valid_to.is_none_or(|end| day < end))
            .max_by_key(|row| row.valid_from)
            .ok_or_else(|| NoPrice::Unknown(model.to_string()))
    }

    /// The rows of a model that are not in force yet at a moment, the next one first.
    pub fn coming(&self, model: &ModelRef, at: DateTime<Utc>) -> Vec<&ModelRow> {
        let today = self.day(at);
        let mut rows: Vec<_> = self.rows.iter().filter(|row| row.is_of(model) && row.valid_from > today).collect();
        rows.sort_by_key(|row| row.valid_from);
        rows
    }

    /// The row in force for a model that can still be bought.
    ///
    /// # Errors
    /// [`NoPrice::Unknown`], [`NoPrice::Retired`].
    pub fn offer(&self, model: &ModelRef, at: DateTime<Utc>) -> Result<&ModelRow, NoPrice> {
        let row = self.row(model, at)?;
        if row.is_retired(self.day(at)) { Err(NoPrice::Retired(model.to_string())) } else { Ok(row) }
    }

    /// What a call is expected to cost at most: what is held before it. For everything but tokens it is what the call
    /// costs.
    ///
    /// # Errors
    /// [`NoPrice`]: the call must not be made.
    pub fn quote(&self, model: &ModelRef, order: &Order, at: DateTime<Utc>) -> Result<MicroUsd, NoPrice> {
        self.offer(model, at)?.price_of(order)
    }

    /// The length a clip of this order really has when it comes.
    ///
    /// # Errors
    /// [`NoPrice`]: the model makes none of that length.
    pub fn bought(&self, model: &ModelRef, order: &ClipOrder, at: DateTime<Utc>) -> Result<Bought, NoPrice> {
        self.row(model, at)?.bought(order)
    }

    /// What a still cost by the tokens the provider counted (`usageMetadata`).
    ///
    /// # Errors
    /// [`NoPrice`] when the model has no token price, or the count cannot be read.
    pub fn price_usage(
        &self,
        model: &ModelRef,
        usage: &serde_json::Value,
        at: DateTime<Utc>,
    ) -> Result<MicroUsd, NoPrice> {
        let refused = |reason| NoPrice::NotOffered(model.to_string(), reason);
        match &self.row(model, at)?.price {
            PriceRule::Tokens(tokens) => tokens.price(usage).ok_or_else(|| refused("no token count")),
            _ => Err(refused("it is not priced by tokens")),
        }
    }
}

#[cfg(test)]
mod tests;
