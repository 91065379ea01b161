//! Models: what there is to buy, adding and withdrawing a price, retiring one.

use std::collections::BTreeMap;

use domain::models::ModelsView;
use leptos::prelude::*;

use crate::{AppError, wire::LeanJson};

/// What stands before the name of an amount on its way here: a name that begins with a digit is taken for a place in a list.
pub const AMOUNT_PREFIX: &str = "of_";

/// What the forms of a model are called: the start of the ids in them, and of what a refused one brings back.
pub const PRICE_FORM: &str = "price";
/// The same of the form that withdraws a price.
pub const WITHDRAWAL_FORM: &str = "withdraw";
/// The same of the form of retirement.
pub const RETIREMENT_FORM: &str = "retire";

/// The page of models.
#[server(prefix = "/api/admin", endpoint = "models/load", output = LeanJson)]
pub async fn load_models() -> Result<ModelsView, AppError> {
    crate::auth::require_person().await?;
    Ok(crate::auth::engine()?.models().await?)
}

/// Adds a price of a model, from a day like `2026-12-01` on. `amounts` are US dollars, by the names of
/// [`domain::models::ModelView::prices`] behind [`AMOUNT_PREFIX`]; those that are empty or left out stay what they are on
/// that day.
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
    let read = |text: &str| MicroUsd::parse_dollars(text).unwrap_or(MicroUsd::ZERO);
    let typed: Vec<(&str, &str)> =
        amounts.iter().map(|(key, text)| (key.strip_prefix(AMOUNT_PREFIX).unwrap_or(key), text.trim())).collect();
    let amounts = typed.iter().filter(|(_, text)| !text.is_empty()).map(|(key, text)| ((*key).to_owned(), read(text)));
    let done = crate::auth::engine()?.add_price(person.id, &model, &amounts.collect(), day(&valid_from), &reason).await;
    let rest = [("valid_from", valid_from.as_str()), ("reason", reason.as_str())];
    super::back::end::<AddPrice>(done, PRICE_FORM, typed.into_iter().chain(rest))
}

/// Withdraws the price of a model that was to begin on a day.
#[server(prefix = "/api/admin", endpoint = "models/withdraw", output = LeanJson)]
pub async fn withdraw_price(model: String, valid_from: String, reason: String) -> Result<(), AppError> {
    let person = crate::auth::require_person().await?;
    let done = crate::auth::engine()?.withdraw_price(person.id, &model, day(&valid_from), &reason).await;
    super::back::end::<WithdrawPrice>(
        done,
        WITHDRAWAL_FORM,
        [("valid_from", valid_from.as_str()), ("reason", reason.as_str())],
    )
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
    let on = (!take_back).then(|| day(&retires_on));
    let done = crate::auth::engine()?.retire_model(person.id, &model, on, &reason).await;
    let take_back = if take_back { "true" } else { "" };
    let typed = [("retires_on", retires_on.as_str()), ("take_back", take_back), ("reason", reason.as_str())];
    super::back::end::<RetireModel>(done, RETIREMENT_FORM, typed)
}

/// A day; what cannot be read is long past, which the engine refuses together with the other wrong fields.
#[cfg(feature = "ssr")]
fn day(text: &str) -> chrono::NaiveDate {
    text.trim().parse().unwrap_or(chrono::NaiveDate::MIN)
}
