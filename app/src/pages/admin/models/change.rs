//! What is open below a model: its price, the forms that change it, its history.

use chrono::Days;
use domain::models::{ModelView, PriceAmount};
use leptos::{prelude::*, server_fn::ServerFn as _};
use leptos_i18n::td_string;

use super::{
    Changing, Refusal,
    field::{Field, Input, Kind, is_wrong, typed},
    history::History,
    withdrawal::Scheduled,
    words::{amount_name, unit},
};
use crate::{
    api::models::{AMOUNT_PREFIX, AddPrice, PRICE_FORM, RETIREMENT_FORM, RetireModel},
    components::error_block::ErrorBlock,
    shell::{use_facts, use_locale},
    words::iso_day,
};

/// Everything about a model that does not fit its line.
#[component]
pub(super) fn Panel(model: ModelView, changing: Changing) -> impl IntoView {
    let history = model.history.clone();
    let scheduled = (!model.scheduled.is_empty()).then(|| view! { <Scheduled model=model.clone() changing/> });
    view! {
        <div class="model-panel" data-testid="model-panel">
            <div class="stack">
                <Price model=model.clone()/>
                {scheduled}
            </div>
            <PriceForm model=model.clone() changing/>
            <RetirementForm model changing/>
            <History changes=history/>
        </div>
    }
}

/// The amounts of the price of today, since when and from where.
#[component]
fn Price(model: ModelView) -> impl IntoView {
    let locale = use_locale();
    let lines = model.prices.into_iter().map(move |PriceAmount { key, amount }| {
        view! {
            <div class="fact">
                <dt>{amount_name(locale, &key)}</dt>
                <dd class="figures">{format!("${}", amount.dollars())}</dd>
            </div>
        }
    });
    let since = td_string!(locale, models.since, day = iso_day(model.valid_from));
    view! {
        <section class="stack tight">
            <h3>{td_string!(locale, models.price_list)}</h3>
            <p class="field-hint">{format!("{} · {since}", unit(locale, model.unit))}</p>
            <dl class="facts sums">{lines.collect_view()}</dl>
            <p class="field-hint">{td_string!(locale, models.source, source = model.source)}</p>
        </section>
    }
}

#[component]
fn PriceForm(model: ModelView, changing: Changing) -> impl IntoView {
    const FORM: &str = PRICE_FORM;

    let (refusal, query) = (changing.refusal::<AddPrice>(), changing.query);
    let facts = use_facts();
    let (locale, today) = (facts.locale, facts.today());
    let tomorrow = today.checked_add_days(Days::new(1)).unwrap_or(today);
    let amounts = model.prices.into_iter().map(move |PriceAmount { key, amount }| {
        let input = Input::new(FORM, &key, &amount_name(locale, &key), Kind::Dollars);
        let input = Input { name: amount_input(&key), placeholder: Some(amount.dollars()), ..input };
        view! { <Field input=input.typed(query, refusal) refusal/> }
    });
    let nothing = move || refusal.with(|refusal| is_wrong(refusal.as_ref(), "amounts"));
    let day = Input {
        value: iso_day(tomorrow),
        first: Some(iso_day(today)),
        ..Input::new(FORM, "valid_from", td_string!(locale, models.valid_from), Kind::Day)
    };
    let reason = Input::new(FORM, "reason", td_string!(locale, models.reason), Kind::Reason);
    view! {
        <section class="stack tight">
            <h3>{td_string!(locale, models.add_price)}</h3>
            <p class="field-hint">
                {td_string!(locale, models.add_note, unit = unit(locale, model.unit), zone = facts.zone.name)}
            </p>
            <form method="post" action=AddPrice::url() class="form">
                <Refused refusal/>
                <input type="hidden" name="model" value=model.name/>
                <div class="field-row">{amounts.collect_view()}</div>
                {move || {
                    nothing().then(|| view! { <p class="field-error">{td_string!(locale, models.no_amount)}</p> })
                }}
                <Field input=day.typed(query, refusal) refusal/>
                <Field input=reason.typed(query, refusal) refusal/>
                <button class="button" type="submit">
                    {td_string!(locale, models.save_price)}
                </button>
            </form>
        </section>
    }
}

#[component]
fn RetirementForm(model: ModelView, changing: Changing) -> impl IntoView {
    const FORM: &str = RETIREMENT_FORM;

    let (refusal, query) = (changing.refusal::<RetireModel>(), changing.query);
    let locale = use_locale();
    let day = Input {
        value: model.retires_on.map(iso_day).unwrap_or_default(),
        ..Input::new(FORM, "retires_on", td_string!(locale, models.last_day), Kind::Day)
    };
    let reason = Input::new(FORM, "reason", td_string!(locale, models.reason), Kind::Reason);
    // Without it there is nothing to take back.
    let take_back = model.retires_on.map(|_| {
        let was_checked = typed(query, refusal, FORM, "take_back").is_some_and(|word| !word.is_empty());
        view! {
            <label class="check-field">
                <input type="checkbox" name="take_back" value="true" checked=was_checked/>
                <span>{td_string!(locale, models.take_back)}</span>
            </label>
        }
    });
    view! {
        <section class="stack tight">
            <h3>{td_string!(locale, models.retirement)}</h3>
            <p class="field-hint">{td_string!(locale, models.retire_note)}</p>
            <form method="post" action=RetireModel::url() class="form">
                <Refused refusal/>
                <input type="hidden" name="model" value=model.name/>
                <Field input=day.typed(query, refusal) refusal/>
                {take_back}
                <Field input=reason.typed(query, refusal) refusal/>
                <button class="button" type="submit">
                    {td_string!(locale, models.save_retirement)}
                </button>
            </form>
        </section>
    }
}

/// That nothing was changed, and why.
#[component]
pub(super) fn Refused(refusal: Refusal) -> impl IntoView {
    move || refusal.get().map(|error| view! { <ErrorBlock error/> })
}

/// What the input of an amount is called: the server reads all of them as one map.
fn amount_input(key: &str) -> String {
    format!("amounts[{AMOUNT_PREFIX}{key}]")
}
