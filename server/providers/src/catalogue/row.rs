//! One row of the catalogue.

use chrono::{DateTime, NaiveDate, Utc};
use domain::{ClipSeconds, MicroUsd, Resolution};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{NoPrice, PriceRule};
use crate::{ModelRef, Provider};

/// What a model makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A still from a photo.
    Still,
    /// A clip between two stills.
    Clip,
}

/// What follows when a paid request was sent, no answer came, and the provider cannot be asked what became of it. Requests
/// that can be looked up are looked up first, whatever is said here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InDoubt {
    /// A person decides.
    Ask,
    /// Buy again, below the price the owner sets: both are on the bill.
    Repeat,
}

/// What a model takes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputLimits {
    /// Pictures in one request.
    pub photos_max: u32,
    /// Bytes of one picture.
    pub photo_max_bytes: usize,
    /// Media types it reads.
    pub photo_types: Vec<String>,
}

/// How an endpoint wants the length of a clip written: the least uniform field among vendors.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DurationCodec {
    codec: Spelling,
    min_seconds: u8,
    max_seconds: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Spelling {
    /// `5`
    Integer,
    /// `"5"`
    Text,
    /// `"5s"`
    TextWithUnit,
}

impl DurationCodec {
    /// The length as the endpoint wants it; none when it does not make clips of that length.
    pub fn encode(&self, duration: ClipSeconds) -> Option<Value> {
        let seconds = duration.get();
        (self.min_seconds..=self.max_seconds).contains(&seconds).then(|| match self.codec {
            Spelling::Integer => json!(seconds),
            Spelling::Text => json!(seconds.to_string()),
            Spelling::TextWithUnit => json!(format!("{seconds}s")),
        })
    }
}

/// One version of one model: what it takes and what it costs from a day on.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelRow {
    /// Who runs it.
    pub provider: Provider,
    /// Its id there.
    pub id: String,
    /// What it makes.
    pub role: Role,
    /// Name of this version of the price, kept with every call bought at it.
    pub price_version: String,
    /// First day (UTC) of this row.
    pub valid_from: NaiveDate,
    /// First day (UTC) the provider no longer runs it.
    pub retires_on: Option<NaiveDate>,
    /// Where the price was read.
    pub source: String,
    /// What to do with a lost answer that nobody can find.
    pub in_doubt: InDoubt,
    /// What it takes.
    pub limits: InputLimits,
    /// How it wants a length; clips only.
    pub duration: Option<DurationCodec>,
    /// What it costs.
    pub price: PriceRule,
}

impl ModelRow {
    /// The model this row is about.
    pub fn model(&self) -> ModelRef {
        ModelRef { provider: self.provider, id: self.id.clone() }
    }

    /// Whether the provider has switched the model off.
    pub fn is_retired(&self, at: DateTime<Utc>) -> bool {
        self.retires_on.is_some_and(|day| day <= at.date_naive())
    }

    /// What a clip of this model costs by this row.
    ///
    /// # Errors
    /// [`NoPrice::NotOffered`] when it makes none of that kind.
    pub fn clip_price(&self, duration: ClipSeconds, resolution: Resolution) -> Result<MicroUsd, NoPrice> {
        match &self.price {
            PriceRule::PerSecond(seconds) => seconds
                .price(duration, resolution)
                .ok_or_else(|| NoPrice::NotOffered(self.id.clone(), "not of this size")),
            PriceRule::Tokens(_) => Err(NoPrice::NotOffered(self.id.clone(), "it makes stills")),
        }
    }

    /// The first contradiction in the row.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let fits = match (self.role, &self.price) {
            (Role::Still, PriceRule::Tokens(_)) => true,
            (Role::Clip, PriceRule::PerSecond(_)) => self.duration.is_some(),
            _ => false,
        };
        if !fits {
            Some("the price rule does not fit the role")
        } else if !self.price.is_positive() {
            Some("a price that is not above nothing")
        } else if self.id.is_empty() || self.price_version.is_empty() || self.source.is_empty() {
            Some("id, price_version and source must say something")
        } else if self.retires_on.is_some_and(|day| day <= self.valid_from) {
            Some("it retires before it begins")
        } else {
            None
        }
    }
}
