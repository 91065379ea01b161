//! What a person may change of the catalogue: a price from a day on, that it does not begin after all, and the day a model
//! is not bought any more. Each with a reason, each kept for good.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use domain::{MicroUsd, UserId, models::REASON_MAX_CHARS, options::InvalidOption};
use providers::{ModelRef, Provider, catalogue::ModelRow};
use uuid::Uuid;

use super::store;
use crate::{Conflict, Engine, Error, generations::store::audit};

/// A price or a retirement may be set for so many days ahead.
const AHEAD_DAYS: u64 = 730;
/// No price of anything is higher than this; who types one has slipped.
const PRICE_MOST: MicroUsd = MicroUsd::new(1_000_000_000);

impl Engine {
    /// Adds a price of a model: the row in force on its first day with these amounts; that day is not in the past.
    /// `amounts` are named as in [`domain::models::ModelView::prices`]; those left out stay.
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
        // Another process may have added one that it builds on.
        self.refresh_catalogue().await?;
        let today = self.row_of(&model)?;
        let mut wrong = self.check(valid_from, "valid_from", today.retires_on, reason);
        let before = self.catalogue().row_on(&model, valid_from).cloned().unwrap_or(today);
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
            valid_to: before.valid_to.filter(|end| *end > valid_from),
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

    /// Withdraws a price of a model that is not in force yet: nothing begins on that day. What was added stays in the
    /// history.
    ///
    /// # Errors
    /// [`Error::Conflict`] when no price begins on that day, or it has begun; [`Error::NotFound`] and [`Error::Invalid`]
    /// as for [`Engine::add_price`].
    pub async fn withdraw_price(
        &self,
        by: UserId,
        model: &str,
        valid_from: NaiveDate,
        reason: &str,
    ) -> Result<(), Error> {
        let model = named(model)?;
        self.row_of(&model)?;
        if let Some(wrong) = wrong_reason(reason) {
            return Err(Error::Invalid(vec![wrong]));
        }
        let mut tx = self.pg().begin().await?;
        store::lock(&mut tx).await?;
        let is_coming = valid_from > self.today();
        if !is_coming || !store::insert_withdrawal(&mut tx, &model, valid_from, by, reason.trim()).await? {
            return Err(Error::Conflict(Conflict::NoPriceToCome));
        }
        audit(&mut tx, Some(by), "model.price_withdrawn", by.uuid()).await?;
        tx.commit().await?;
        tracing::info!(%model, user.id = %by, "user {by} withdrew the price of {model} that was to begin on {valid_from}");
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
        let wrong = self.check(retires_on.unwrap_or_else(|| self.today()), "retires_on", None, reason);
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

    /// The row of today, also of a model that has been retired; the first one of a model that is not sold yet.
    fn row_of(&self, model: &ModelRef) -> Result<ModelRow, Error> {
        let (catalogue, now) = (self.catalogue(), self.now());
        let coming = || catalogue.coming(model, now).into_iter().next();
        let row = catalogue.row(model, now).ok().or_else(coming);
        row.cloned().ok_or(Error::NotFound("model"))
    }

    /// What is wrong with a day, which is before `end` when that is still to come, and with a reason.
    fn check(&self, day: NaiveDate, field: &str, end: Option<NaiveDate>, reason: &str) -> Vec<InvalidOption> {
        let today = self.today();
        let last = today.checked_add_days(Days::new(AHEAD_DAYS)).unwrap_or(today);
        let last = end.filter(|end| *end > today).and_then(|end| end.pred_opt()).map_or(last, |day| last.min(day));
        let mut wrong = Vec::new();
        if !(today..=last).contains(&day) {
            wrong.push(invalid(field, &format!("{today}..={last}")));
        }
        wrong.extend(wrong_reason(reason));
        wrong
    }
}

fn wrong_reason(reason: &str) -> Option<InvalidOption> {
    let is_right = (1..=REASON_MAX_CHARS).contains(&reason.trim().chars().count());
    (!is_right).then(|| invalid("reason", &format!("1..={REASON_MAX_CHARS}")))
}

fn named(model: &str) -> Result<ModelRef, Error> {
    let (provider, id) = model.split_once('/').ok_or(Error::NotFound("model"))?;
    let provider = Provider::parse(provider).ok_or(Error::NotFound("model"))?;
    Ok(ModelRef { provider, id: id.to_owned() })
}

fn invalid(field: &str, expected: &str) -> InvalidOption {
    InvalidOption { field: field.to_owned(), expected: expected.to_owned() }
}
