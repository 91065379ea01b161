//! Who changed a model, when, what and why.

use domain::models::ModelChange;
use leptos::prelude::*;
use leptos_i18n::td_string;

use super::words::change;
use crate::{components::moment::Moment, shell::use_locale};

/// Changes by people, newest first.
#[component]
pub(super) fn History(changes: Vec<ModelChange>) -> impl IntoView {
    let locale = use_locale();
    let lines = changes.into_iter().map(|one| {
        let what = change(locale, &one);
        view! {
            <li>
                <p class="figures">{what}</p>
                <p>{one.reason}</p>
                <p class="cell-sub">{one.by} " · " <Moment at=one.at/></p>
            </li>
        }
    });
    let lines = lines.collect_view();
    let body = if lines.is_empty() {
        view! { <p class="field-hint">{td_string!(locale, models.no_history)}</p> }.into_any()
    } else {
        view! {
            <ul class="model-history" data-testid="model-history">
                {lines}
            </ul>
        }
        .into_any()
    };
    view! {
        <section class="stack tight">
            <h3>{td_string!(locale, models.history)}</h3>
            {body}
        </section>
    }
}
