//! What a person may change of the catalogue: a price from a day on, and the day a model is not bought any more. Both with
//! a reason, both kept for good.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use domain::{MicroUsd, UserId, models::REASON_MAX_CHARS, options::InvalidOption};
use providers::{ModelRef, Provider, catalogue::ModelRow};
use uuid::Uuid;

use super::store;
use crate::{Engine, Error, generations::store::audit};

/// A price or a retirement may be set for so many days ahead.
const AHEAD_DAYS: u64 = 730;
/// No price of anything is higher than this; who types one has slipped.
const PRICE_MOST: MicroUsd = MicroUsd::new(1_000_000_000);

impl Engine {
    /// Adds a price of a model: the row in force with these amounts, from a day on that is not in the past. `amounts` are
    /// named as in [`domain::models::ModelView::prices`]; those left out stay.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a model that is not in the catalogue; [`Error::Invalid`] names each wrong field.
    pub async fn add_price(
        &self,
        by: UserId,
        model: &str,
        amounts: &BTreeMap<String, MicroUsd>,
        valid_from: NaiveDate,
        reason: &str,
    ) -> Result<(), Error> {
        let model = named(model)?;
        let before = self.row_of(&model)?;
        let mut wrong = self.check(valid_from, "valid_from", reason);
        let known: Vec<String> = before.amounts().into_iter().map(|(key, _)| key).collect();
        for (key, amount) in amounts {
            if !known.contains(key) || *amount <= MicroUsd::ZERO || *amount > PRICE_MOST {
                wrong.push(invalid(key, "0.000001..=1000"));
            }
        }
        if amounts.is_empty() {
            wrong.push(invalid("amounts", &known.join("|")));
        }
        if !wrong.is_empty() {
            return Err(Error::Invalid(wrong));
        }
        let row = ModelRow {
            price_version: format!("{valid_from} {}", &Uuid::now_v7().simple().to_string()[24..]),
            valid_from,
            source: reason.trim().to_owned(),
            ..before.with_amounts(amounts)
        };
        let spec = serde_json::to_value(&row).map_err(Error::internal)?;
        let mut tx = self.pg().begin().await?;
        store::lock(&mut tx).await?;
        store::insert_of_person(&mut tx, &model, valid_from, &spec, by, reason.trim()).await?;
        audit(&mut tx, Some(by), "model.price_added", by.uuid()).await?;
        tx.commit().await?;
        tracing::info!(%model, user.id = %by, "user {by} added a price of {model} from {valid_from} on");
        self.refresh_catalogue().await
    }

    /// Says from which day on a model is not bought any more, or, without a day, that it stays. Calls bought before are
    /// finished and settled.
    ///
    /// # Errors
    /// Those of [`Engine::add_price`].
    pub async fn retire_model(
        &self,
        by: UserId,
        model: &str,
        retires_on: Option<NaiveDate>,
        reason: &str,
    ) -> Result<(), Error> {
        let model = named(model)?;
        self.row_of(&model)?;
        let wrong = self.check(retires_on.unwrap_or_else(|| self.now().date_naive()), "retires_on", reason);
        if !wrong.is_empty() {
            return Err(Error::Invalid(wrong));
        }
        let mut tx = self.pg().begin().await?;
        store::lock(&mut tx).await?;
        store::insert_retirement(&mut tx, &model, retires_on, by, reason.trim()).await?;
        audit(&mut tx, Some(by), "model.retired", by.uuid()).await?;
        tx.commit().await?;
        tracing::info!(%model, user.id = %by, "user {by} set the retirement of {model} to {retires_on:?}");
        self.refresh_catalogue().await
    }

    /// The row of today, also of a model that has been retired.
    fn row_of(&self, model: &ModelRef) -> Result<ModelRow, Error> {
        self.catalogue().row(model, self.now()).cloned().map_err(|_| Error::NotFound("model"))
    }

    fn check(&self, day: NaiveDate, field: &str, reason: &str) -> Vec<InvalidOption> {
        let today = self.now().date_naive();
        let last = today.checked_add_days(Days::new(AHEAD_DAYS)).unwrap_or(today);
        let mut wrong = Vec::new();
        if !(today..=last).contains(&day) {
            wrong.push(invalid(field, &format!("{today}..={last}")));
        }
        if !(1..=REASON_MAX_CHARS).contains(&reason.trim().chars().count()) {
            wrong.push(invalid("reason", &format!("1..={REASON_MAX_CHARS}")));
        }
        wrong
    }
}

fn named(model: &str) -> Result<ModelRef, Error> {
    let (provider, id) = model.split_once('/').ok_or(Error::NotFound("model"))?;
    let provider = Provider::parse(provider).ok_or(Error::NotFound("model"))?;
    Ok(ModelRef { provider, id: id.to_owned() })
}

fn invalid(field: &str, expected: &str) -> InvalidOption {
    InvalidOption { field: field.to_owned(), expected: expected.to_owned() }
}
