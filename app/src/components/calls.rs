//! Paid requests as a table that can be compared with an invoice.

use domain::{CallState, generation::CallView};
use leptos::prelude::*;
use leptos_i18n::td_string;

use super::{
    icon::{Icon, IconName},
    model_name::ModelName,
};
use crate::{clock::lasting, shell::use_locale, words};

/// Every paid request of a generation.
#[component]
pub fn Calls(
    /// Oldest first.
    calls: Vec<CallView>,
) -> impl IntoView {
    let locale = use_locale();
    if calls.is_empty() {
        return view! { <p class="empty muted">{td_string!(locale, generation.no_calls)}</p> }.into_any();
    }
    view! {
        <div class="table-box">
            <table class="table" data-testid="calls">
                <thead>
                    <tr>
                        <th scope="col">{td_string!(locale, generation.stage)}</th>
                        <th scope="col">{td_string!(locale, generation.state)}</th>
                        <th scope="col">{td_string!(locale, generation.request_id)}</th>
                        <th scope="col" class="number">
                            {td_string!(locale, generation.took)}
                        </th>
                        <th scope="col" class="number">
                            {td_string!(locale, generation.estimate)}
                        </th>
                        <th scope="col" class="number">
                            {td_string!(locale, generation.cost)}
                        </th>
                    </tr>
                </thead>
                <tbody>{calls.into_iter().map(|call| view! { <Call call/> }).collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

#[component]
fn Call(call: CallView) -> impl IntoView {
    let locale = use_locale();
    let (hue, icon) = match call.state {
        CallState::Planned | CallState::Intent => ("queued", IconName::Clock),
        CallState::Submitted => ("running", IconName::Running),
        CallState::Done => ("done", IconName::Done),
        CallState::Failed => ("failed", IconName::Failed),
        CallState::Void => ("none", IconName::Skipped),
        CallState::InDoubt => ("attention", IconName::Attention),
    };
    // What was never asked for took no time.
    let finished_at = call.finished_at.filter(|_| call.state != CallState::Void);
    let took = finished_at.map(|finished_at| lasting(locale, finished_at - call.begun_at));
    view! {
        <tr>
            <td class="cell-lead">
                <span class="cell-text">
                    <span class="cell-name">{words::stage(locale, call.stage)}</span>
                    <span class="cell-sub">
                        <ModelName name=call.model/>
                    </span>
                </span>
            </td>
            <td data-label=td_string!(locale, generation.state)>
                <span class="state" data-state=hue>
                    <Icon name=icon/>
                    <span class="state-word">{words::call_state(locale, call.state)}</span>
                </span>
            </td>
            <td data-label=td_string!(locale, generation.request_id)>
                {call.request_id.map(|id| view! { <code class="request-id" title=id.clone()>{id.clone()}</code> })}
            </td>
            <td class="number" data-label=td_string!(locale, generation.took)>
                {took.unwrap_or_else(|| "–".to_owned())}
            </td>
            <td class="number" data-label=td_string!(locale, generation.estimate)>
                {call.estimate.display_exact()}
            </td>
            <td class="number" data-label=td_string!(locale, generation.cost)>
                {call.cost.map_or_else(|| "–".to_owned(), domain::MicroUsd::display_exact)}
            </td>
        </tr>
    }
}
