//! Models line by line; an open one shows its prices, its forms and its history below its line.

use domain::models::{ModelView, RETIRES_SOON_DAYS, RoutePlace};
use leptos::prelude::*;
use leptos_i18n::td_string;

use super::{
    Changing, PAGE,
    change::Panel,
    model_address,
    words::{FigureWords, figures, place},
};
use crate::{
    components::{
        icon::{Icon, IconName},
        model_name::ModelName,
    },
    shell::{use_facts, use_locale},
    words::{iso_day, provider},
};

/// Models under a heading; nothing without models.
#[component]
pub(super) fn ModelTable(title: &'static str, models: Vec<ModelView>, changing: Changing) -> impl IntoView {
    let locale = use_locale();
    if models.is_empty() {
        return None;
    }
    let heads = [
        td_string!(locale, models.price),
        td_string!(locale, models.time),
        td_string!(locale, models.failed),
        td_string!(locale, models.published),
        td_string!(locale, models.average),
    ];
    let heads = heads.map(|word| view! { <th scope="col" class="number">{word}</th> });
    let lines = models.into_iter().map(|model| view! { <ModelLines model changing/> }).collect_view();
    Some(view! {
        <section class="card">
            <header class="card-head">
                <h2 class="card-title">{title}</h2>
            </header>
            <div class="card-body flush">
                <div class="table-box">
                    <table class="table models" data-testid="models">
                        <caption class="visually-hidden">{title}</caption>
                        <thead>
                            <tr>
                                <th scope="col">{td_string!(locale, models.name)}</th>
                                <th scope="col">{td_string!(locale, models.places)}</th>
                                {heads.into_iter().collect_view()}
                                <th scope="col">{td_string!(locale, models.retires)}</th>
                            </tr>
                        </thead>
                        <tbody>{lines}</tbody>
                    </table>
                </div>
            </div>
        </section>
    })
}

/// A model's line, and what is open below it.
#[component]
fn ModelLines(model: ModelView, changing: Changing) -> impl IntoView {
    let locale = use_locale();
    let today = use_facts().today();
    let name = model.name.clone();
    let is_open = Memo::new(move |_| changing.opened.with(|opened| opened.as_ref() == Some(&name)));
    let is_retired = model.retires_on.is_some_and(|day| day <= today);
    let figures = figures(locale, &model).map(|figure| view! { <FigureCell figure/> });
    view! {
        <tr data-retired=is_retired.then_some("")>
            <Name model=model.clone() is_open/>
            <Places places=model.places.clone()/>
            {figures.into_iter().collect_view()}
            <Retirement model=model.clone()/>
        </tr>
        {move || {
            let model = model.clone();
            is_open
                .get()
                .then(|| {
                    view! {
                        <tr class="model-open">
                            <td colspan="8">
                                <Panel model changing/>
                            </td>
                        </tr>
                    }
                })
        }}
    }
}

/// The name, which opens and closes what is below.
#[component]
fn Name(model: ModelView, is_open: Memo<bool>) -> impl IntoView {
    let href = model_address(&model.name);
    // Without a key the model is passed over: that matters where it is used.
    let no_key = (!model.has_key).then(|| {
        let hue = if model.places.is_empty() { "none" } else { "attention" };
        view! { <Chip hue icon=IconName::Attention word=td_string!(use_locale(), models.no_key).to_owned()/> }
    });
    view! {
        <td class="cell-lead">
            <div class="cell-state">
                <a
                    class="model-toggle"
                    href=move || if is_open.get() { PAGE.to_owned() } else { href.clone() }
                    aria-expanded=move || is_open.get().to_string()
                    data-noscroll=""
                >
                    <Icon name=IconName::ChevronRight/>
                    <span class="cell-text">
                        <span class="cell-name">
                            <ModelName name=model.id/>
                        </span>
                        <span class="cell-sub">{provider(&model.provider)}</span>
                    </span>
                </a>
                {no_key}
            </div>
        </td>
    }
}

/// Where the model stands in the routes.
#[component]
fn Places(places: Vec<RoutePlace>) -> impl IntoView {
    let locale = use_locale();
    let lines = places.into_iter().map(|one| {
        let (stage, choice) = place(locale, one);
        view! {
            <li>
                {stage} " " <span class="cell-sub">{choice}</span>
            </li>
        }
    });
    let lines = lines.collect_view();
    view! {
        <td data-label=td_string!(locale, models.places)>
            {(!lines.is_empty()).then(|| view! { <ul class="model-places">{lines}</ul> })}
        </td>
    }
}

#[component]
fn FigureCell(figure: FigureWords) -> impl IntoView {
    let FigureWords { label, value, note, later } = figure;
    let is_none = value.is_none();
    view! {
        <td class="number" data-label=label data-none=is_none.then_some("")>
            {value.unwrap_or_else(|| "–".to_owned())}
            {note.map(|note| view! { <span class="cell-sub">{note}</span> })}
            {later.into_iter().map(|line| view! { <span class="cell-sub later figures">{line}</span> }).collect_view()}
        </td>
    }
}

/// The first day without the model: soon, later or past.
#[component]
fn Retirement(model: ModelView) -> impl IntoView {
    let locale = use_locale();
    let today = use_facts().today();
    let chip = model.retires_on.map(|day| {
        let days = day.signed_duration_since(today).num_days();
        if days <= 0 {
            let word = td_string!(locale, models.retired).to_owned();
            let chip = view! { <Chip hue="none" icon=IconName::Skipped word/> };
            return view! {
                {chip}
                <span class="cell-sub figures">{iso_day(day)}</span>
            }
            .into_any();
        }
        let (hue, icon, word) = if days <= i64::from(RETIRES_SOON_DAYS) {
            ("attention", IconName::Attention, iso_day(day))
        } else {
            ("none", IconName::Clock, iso_day(day))
        };
        view! { <Chip hue icon word/> }.into_any()
    });
    view! { <td data-label=td_string!(locale, models.retires)>{chip}</td> }
}

#[component]
fn Chip(hue: &'static str, icon: IconName, word: String) -> impl IntoView {
    view! {
        <span class="state" data-state=hue>
            <Icon name=icon/>
            <span class="state-word figures">{word}</span>
        </span>
    }
}
