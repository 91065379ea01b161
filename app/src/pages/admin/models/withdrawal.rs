//! Prices that are not in force yet, and the form that withdraws one of them.

use domain::models::{ModelView, ScheduledPrice};
use leptos::{prelude::*, server_fn::ServerFn as _};
use leptos_i18n::td_string;

use super::{
    Changing,
    change::Refused,
    field::{Field, Input, Kind, typed},
    words::prices,
};
use crate::{
    api::models::{WITHDRAWAL_FORM, WithdrawPrice},
    shell::use_locale,
    words::iso_day,
};

/// What begins on which day, with the way to withdraw it.
#[component]
pub(super) fn Scheduled(model: ModelView, changing: Changing) -> impl IntoView {
    const FORM: &str = WITHDRAWAL_FORM;

    let locale = use_locale();
    let (refusal, query) = (changing.refusal::<WithdrawPrice>(), changing.query);
    let chosen = typed(query, refusal, FORM, "valid_from");
    let days: Vec<String> = model.scheduled.iter().map(|price| iso_day(price.valid_from)).collect();
    let days = days.into_iter().map(|day| {
        let is_chosen = chosen.as_deref() == Some(&day);
        view! {
            <option value=day.clone() selected=is_chosen>
                {day.clone()}
            </option>
        }
    });
    let days = days.collect_view();
    let lines = model.scheduled.into_iter().map(|ScheduledPrice { valid_from, prices: amounts, .. }| {
        let amounts = prices(locale, &amounts);
        view! { <li class="figures">{td_string!(locale, models.price_from, day = iso_day(valid_from), prices = amounts)}</li> }
    });
    let lines = lines.collect_view();
    let reason = Input::new(FORM, "reason", td_string!(locale, models.reason), Kind::Reason);
    view! {
        <section class="stack tight" data-testid="scheduled-prices">
            <h3>{td_string!(locale, models.scheduled)}</h3>
            <ul class="model-history">{lines}</ul>
            <form method="post" action=WithdrawPrice::url() class="form">
                <Refused refusal/>
                <input type="hidden" name="model" value=model.name/>
                <div class="field">
                    <label class="field-label" for="withdraw-valid_from">
                        {td_string!(locale, models.withdrawn_day)}
                    </label>
                    <select class="select" id="withdraw-valid_from" name="valid_from">
                        {days}
                    </select>
                </div>
                <Field input=reason.typed(query, refusal) refusal/>
                <button class="button" type="submit">
                    {td_string!(locale, models.withdraw)}
                </button>
            </form>
        </section>
    }
}
