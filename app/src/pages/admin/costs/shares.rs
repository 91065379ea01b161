//! The month in parts: by model and by stage.

use domain::{MicroUsd, cost::CostShare};
use leptos::prelude::*;
use leptos_i18n::td_string;

use super::words::whole_percent;
use crate::{components::model_name::ModelName, i18n::Locale, words::provider};

/// Parts of the month with their sum.
#[component]
pub(super) fn Shares(title: &'static str, what: &'static str, rows: Vec<CostShare>, locale: Locale) -> impl IntoView {
    let total = rows.iter().map(|row| row.amount).sum::<MicroUsd>();
    let calls = rows.iter().map(|row| row.calls).sum::<u32>();
    if rows.is_empty() {
        let none = td_string!(locale, costs.none);
        return view! {
            <section class="card">
                <header class="card-head"><h2 class="card-title">{title}</h2></header>
                <div class="card-body"><p class="muted">{none}</p></div>
            </section>
        }
        .into_any();
    }
    let lines = rows.into_iter().map(|row| {
        let percent = whole_percent(row.amount, total);
        view! {
            <tr>
                <th scope="row">{share_name(&row, locale)}</th>
                <td class="number">{row.calls}</td>
                <td class="number">{percent} "%"</td>
                <td class="number">{row.amount.display_exact()}</td>
            </tr>
        }
    });
    view! {
        <section class="card">
            <header class="card-head"><h2 class="card-title">{title}</h2></header>
            <div class="card-body flush">
                <div class="table-box">
                    <table class="table">
                        <thead>
                            <tr>
                                <th scope="col">{what}</th>
                                <th scope="col" class="number">{td_string!(locale, costs.calls)}</th>
                                <th scope="col" class="number">{td_string!(locale, costs.share)}</th>
                                <th scope="col" class="number">{td_string!(locale, costs.amount)}</th>
                            </tr>
                        </thead>
                        <tbody>{lines.collect_view()}</tbody>
                        <tfoot>
                            <tr>
                                <th scope="row">{td_string!(locale, costs.total)}</th>
                                <td class="number">{calls}</td>
                                <td></td>
                                <td class="number">{total.display_exact()}</td>
                            </tr>
                        </tfoot>
                    </table>
                </div>
            </div>
        </section>
    }
    .into_any()
}

/// Model and provider, or the stage.
fn share_name(row: &CostShare, locale: Locale) -> AnyView {
    if let Some(model) = &row.model {
        return view! {
            <span class="cell-name">
                <ModelName name=model.clone()/>
            </span>
            <span class="cell-sub">{provider(&row.key)}</span>
        }
        .into_any();
    }
    let stage = match row.key.as_str() {
        "stills" => td_string!(locale, stage.stills),
        "clip" => td_string!(locale, stage.clip),
        "encode" => td_string!(locale, stage.encode),
        "publish" => td_string!(locale, stage.publish),
        other => return other.to_owned().into_any(),
    };
    stage.into_any()
}
