//! Paid requests as a table that can be compared with an invoice.

use domain::{CallState, FailureCode, MicroUsd, Stage, generation::CallView};
use leptos::prelude::*;
use leptos_i18n::td_string;

use super::{
    icon::{Icon, IconName},
    model_name::ModelName,
};
use crate::{clock::lasting, i18n::Locale, shell::use_locale, words};

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
            <table class="table calls" data-testid="calls">
                <thead>
                    <tr>
                        <th scope="col">{td_string!(locale, generation.stage)}</th>
                        <th scope="col">{td_string!(locale, generation.state)}</th>
                        <th scope="col">{td_string!(locale, generation.model)}</th>
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
    let (hue, icon, word) = look(locale, &call);
    // Each request is for one still.
    let what = match call.stage {
        Stage::Stills => td_string!(locale, one_still.word),
        stage => words::stage(locale, stage),
    };
    // What was never asked for took no time.
    let finished_at = call.finished_at.filter(|_| call.state != CallState::Void);
    let took = finished_at.map(|finished_at| lasting(locale, finished_at - call.begun_at));
    view! {
        <tr>
            <td class="cell-lead">
                <span class="cell-name">{what}</span>
            </td>
            <td data-label=td_string!(locale, generation.state)>
                <span class="state" data-state=hue>
                    <Icon name=icon/>
                    <span class="state-word">{word}</span>
                </span>
            </td>
            <td data-label=td_string!(locale, generation.model)>
                <ModelName name=call.model/>
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
                {call.cost.map_or_else(|| "–".to_owned(), MicroUsd::display_exact)}
            </td>
        </tr>
    }
}

/// Hue, icon and word of a call. Where another took the place of one whose answer was lost nobody has to act any more,
/// and what a person stopped is no failure.
fn look(locale: Locale, call: &CallView) -> (&'static str, IconName, &'static str) {
    let (hue, icon) = match call.state {
        CallState::InDoubt if call.was_repeated => {
            return ("none", IconName::Retry, td_string!(locale, call_state.repeated));
        }
        CallState::Failed if call.failure == Some(FailureCode::Cancelled) => {
            return ("none", IconName::Cancelled, td_string!(locale, call_state.cancelled));
        }
        // Why it was not asked after all is kept of a model only that another took the place of.
        CallState::Void if call.was_repeated && call.failure.is_some() => {
            return ("none", IconName::Skipped, td_string!(locale, call_state.passed_over));
        }
        CallState::Planned | CallState::Intent => ("queued", IconName::Clock),
        CallState::Submitted => ("running", IconName::Running),
        CallState::Done => ("done", IconName::Done),
        CallState::Failed => ("failed", IconName::Failed),
        CallState::Void => ("none", IconName::Skipped),
        CallState::InDoubt => ("attention", IconName::Attention),
    };
    (hue, icon, words::call_state(locale, call.state))
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::sample;

    fn call(state: CallState, failure: Option<FailureCode>, was_repeated: bool) -> CallView {
        CallView {
            stage: Stage::Stills,
            provider: "gemini".to_owned(),
            model: "gemini-image".to_owned(),
            state,
            failure,
            was_repeated,
            request_id: None,
            estimate: MicroUsd::new(35_880),
            cost: None,
            begun_at: sample::now(),
            finished_at: None,
        }
    }

    #[test]
    fn only_an_open_doubt_wants_attention() {
        let table = |call: CallView| sample::render(Locale::en, move || view! { <Calls calls=vec![call]/> });
        let html = table(call(CallState::InDoubt, None, false));
        assert!(html.contains("data-state=\"attention\"") && html.contains("In doubt"), "{html}");
        let html = table(call(CallState::InDoubt, None, true));
        assert!(html.contains("data-state=\"none\"") && html.contains("No answer · asked again"), "{html}");
        let html = table(call(CallState::Failed, Some(FailureCode::Cancelled), false));
        assert!(html.contains("data-state=\"none\"") && html.contains("Cancelled"), "{html}");
        let html = table(call(CallState::Failed, Some(FailureCode::ContentRefused), false));
        assert!(html.contains("data-state=\"failed\""), "{html}");
        let html = table(call(CallState::Void, Some(FailureCode::ProviderUnavailable), true));
        assert!(html.contains("Another model asked instead") && !html.contains("Not requested"), "{html}");
        let html = table(call(CallState::Void, None, false));
        assert!(html.contains("Not requested") && html.contains(">Still<"), "{html}");
    }
}
