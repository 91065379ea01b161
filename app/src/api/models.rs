//! Models: what there is to buy, adding a price, retiring one.

use std::collections::BTreeMap;

use domain::models::ModelsView;
use leptos::prelude::*;

use crate::{AppError, wire::LeanJson};

/// What stands before the name of an amount on its way here: a name that begins with a digit is taken for a place in a list.
pub const AMOUNT_PREFIX: &str = "of_";

/// The page of models.
#[server(prefix = "/api/admin", endpoint = "models/load", output = LeanJson)]
pub async fn load_models() -> Result<ModelsView, AppError> {
    crate::auth::require_person().await?;
    Ok(crate::auth::engine()?.models().await?)
}

/// Adds a price of a model, from a day like `2026-12-01` on. `amounts` are US dollars, by the names of
/// [`domain::models::ModelView::prices`] behind [`AMOUNT_PREFIX`]; those that are left out stay.
#[server(prefix = "/api/admin", endpoint = "models/price", output = LeanJson)]
pub async fn add_price(
    model: String,
    #[server(default)] amounts: BTreeMap<String, String>,
    valid_from: String,
    reason: String,
) -> Result<(), AppError> {
    use domain::MicroUsd;

    let person = crate::auth::require_person().await?;
    // What cannot be read is nothing, which no price is: the engine names it together with the other wrong fields.
    let read = |text: String| MicroUsd::parse_dollars(&text).unwrap_or(MicroUsd::ZERO);
    let name = |key: String| key.strip_prefix(AMOUNT_PREFIX).map(str::to_owned).unwrap_or(key);
    let amounts = amounts.into_iter().map(|(key, text)| (name(key), read(text))).collect();
    crate::auth::engine()?.add_price(person.id, &model, &amounts, day(&valid_from), &reason).await?;
    super::back::lead_plain_form_back();
    Ok(())
}

/// Says from which day on a model is not bought any more; with `take_back`, that it stays.
#[server(prefix = "/api/admin", endpoint = "models/retire", output = LeanJson)]
pub async fn retire_model(
    model: String,
    retires_on: String,
    #[server(default)] take_back: bool,
    reason: String,
) -> Result<(), AppError> {
    let person = crate::auth::require_person().await?;
    let retires_on = (!take_back).then(|| day(&retires_on));
    crate::auth::engine()?.retire_model(person.id, &model, retires_on, &reason).await?;
    super::back::lead_plain_form_back();
    Ok(())
}

/// A day; what cannot be read is long past, which the engine refuses together with the other wrong fields.
#[cfg(feature = "ssr")]
fn day(text: &str) -> chrono::NaiveDate {
    text.trim().parse().unwrap_or(chrono::NaiveDate::MIN)
}
