//! Whether the keys are good and the catalogue still says what the providers list, without spending anything.

use chrono::{DateTime, NaiveDate, Utc};
use domain::{FailureCode, MicroUsd};
use serde::Serialize;

use crate::{
    Catalogue, Makers, ModelRef, ModelRow, Provider, ProviderError, catalogue::Unit, fal_queue::pricing::ListedPrice,
};

/// What the providers say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// One for each provider.
    pub providers: Vec<ProviderCheck>,
}

impl CheckReport {
    /// Every key that is set was taken, and no model is missing or listed at another price.
    pub fn is_clean(&self) -> bool {
        self.providers.iter().all(|one| {
            !matches!(one.key, KeyCheck::Refused { .. } | KeyCheck::Unreachable { .. })
                && one.models.iter().all(|model| !model.verdict.is_fault())
        })
    }
}

/// One provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProviderCheck {
    /// Which one.
    pub provider: Provider,
    /// What became of the key.
    pub key: KeyCheck,
    /// Every model of the catalogue that can be bought there today; empty where the key was not taken.
    pub models: Vec<ModelCheck>,
}

/// What a provider says to our key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum KeyCheck {
    /// There is none.
    NotConfigured,
    /// It was taken.
    Valid,
    /// It was refused, or the account behind it was.
    Refused {
        /// Why.
        code: FailureCode,
        /// The provider's words.
        detail: String,
    },
    /// The provider could not be asked.
    Unreachable {
        /// Why.
        code: FailureCode,
        /// What happened.
        detail: String,
    },
}

/// One model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelCheck {
    /// Which one.
    pub model: ModelRef,
    /// The version of our price.
    pub price_version: String,
    /// The day it is switched off, by the catalogue.
    pub retires_on: Option<NaiveDate>,
    /// What the provider lists.
    pub verdict: Verdict,
}

/// What a provider lists for a model, beside our catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Verdict {
    /// At our price.
    SamePrice,
    /// It is there; the provider lists no prices.
    Listed,
    /// It is there, and our row does not say what a unit is: this is what it could say.
    Unpriced {
        /// The provider's unit.
        unit: String,
        /// Its price of one.
        listed: MicroUsd,
    },
    /// At another price, or in another unit.
    OtherPrice {
        /// Our unit.
        our_unit: String,
        /// How many of them the prices are for.
        of: u32,
        /// Our price of so many.
        ours: MicroUsd,
        /// The provider's unit, with the currency where that is not the US dollar.
        unit: String,
        /// Its price of so many.
        listed: MicroUsd,
    },
    /// The provider does not list it.
    NotListed,
}

impl Verdict {
    /// Somebody should look at the catalogue.
    pub const fn is_fault(&self) -> bool {
        matches!(self, Self::OtherPrice { .. } | Self::NotListed)
    }
}

/// Asks every provider that has a key. Spends nothing, and never fails: what could not be asked stands in the report.
pub async fn check_providers(makers: &Makers) -> CheckReport {
    let now = Utc::now();
    let (fal, gemini) = tokio::join!(check_fal(makers, now), check_gemini(makers, now));
    CheckReport { providers: vec![fal, gemini] }
}

async fn check_fal(makers: &Makers, now: DateTime<Utc>) -> ProviderCheck {
    let Some(fal) = makers.fal() else { return unasked(Provider::Fal, KeyCheck::NotConfigured) };
    let catalogue = makers.catalogue();
    let rows: Vec<&ModelRow> = offered(&catalogue, Provider::Fal, now);
    let endpoints: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    match fal.listed_prices(&endpoints).await {
        Ok(listed) => {
            let price_of = |row: &ModelRow| listed.iter().find(|one| one.endpoint == row.id);
            let models = rows.into_iter().map(|row| checked(row, compare(row, price_of(row)))).collect();
            ProviderCheck { provider: Provider::Fal, key: KeyCheck::Valid, models }
        }
        Err(error) => unasked(Provider::Fal, unusable(error)),
    }
}

async fn check_gemini(makers: &Makers, now: DateTime<Utc>) -> ProviderCheck {
    let Some(gemini) = makers.gemini() else { return unasked(Provider::Gemini, KeyCheck::NotConfigured) };
    let catalogue = makers.catalogue();
    match gemini.models().await {
        Ok(listed) => {
            let verdict = |row: &ModelRow| if listed.contains(&row.id) { Verdict::Listed } else { Verdict::NotListed };
            let rows = offered(&catalogue, Provider::Gemini, now);
            let models = rows.into_iter().map(|row| checked(row, verdict(row))).collect();
            ProviderCheck { provider: Provider::Gemini, key: KeyCheck::Valid, models }
        }
        Err(error) => unasked(Provider::Gemini, unusable(error)),
    }
}

fn offered(catalogue: &Catalogue, provider: Provider, now: DateTime<Utc>) -> Vec<&ModelRow> {
    let today = catalogue.day(now);
    catalogue.models(now).filter(|row| row.provider == provider && !row.is_retired(today)).collect()
}

fn compare(row: &ModelRow, listed: Option<&ListedPrice>) -> Verdict {
    let Some(listed) = listed else { return Verdict::NotListed };
    let is_dollar = listed.currency.is_empty() || listed.currency.eq_ignore_ascii_case("USD");
    let unit = if is_dollar { listed.unit.clone() } else { format!("{} in {}", listed.unit, listed.currency) };
    match &row.unit {
        None => Verdict::Unpriced { unit, listed: listed.of(1) },
        Some(ours) => {
            let (price, theirs) = (MicroUsd::new(ours.micro_usd), listed.of(ours.of));
            if is_dollar && is_same_unit(ours, &listed.unit) && price == theirs {
                Verdict::SamePrice
            } else {
                Verdict::OtherPrice { our_unit: ours.name.clone(), of: ours.of, ours: price, unit, listed: theirs }
            }
        }
    }
}

/// `second` and `seconds` are one unit, and so is a unit the provider does not name.
fn is_same_unit(ours: &Unit, listed: &str) -> bool {
    let plain = |text: &str| text.trim().trim_end_matches('s').to_ascii_lowercase();
    listed.trim().is_empty() || plain(&ours.name) == plain(listed)
}

fn checked(row: &ModelRow, verdict: Verdict) -> ModelCheck {
    ModelCheck { model: row.model(), price_version: row.price_version.clone(), retires_on: row.retires_on, verdict }
}

const fn unasked(provider: Provider, key: KeyCheck) -> ProviderCheck {
    ProviderCheck { provider, key, models: Vec::new() }
}

fn unusable(error: ProviderError) -> KeyCheck {
    let ProviderError { code, detail, .. } = error;
    match code {
        FailureCode::ProviderKey | FailureCode::ProviderCredit | FailureCode::ProviderAccount => {
            KeyCheck::Refused { code, detail }
        }
        _ => KeyCheck::Unreachable { code, detail },
    }
}
