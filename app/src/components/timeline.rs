//! What happened to a generation, line by line.

use chrono::SecondsFormat;
use domain::{
    FailureCode, Recipe, Stage,
    generation::{EventKind, TimelineEntry},
};
use leptos::prelude::*;
use leptos_i18n::td_string;

use super::icon::{Icon, IconName};
use crate::{
    clock::{exact, precise},
    shell::{use_facts, use_locale},
    words,
};

/// Oldest first.
#[component]
pub fn Timeline(
    /// What happened.
    entries: Vec<TimelineEntry>,
    /// What was made.
    recipe: Recipe,
) -> impl IntoView {
    let answered = repeated_doubts(&entries);
    view! {
        <ol class="timeline" data-testid="timeline">
            {told_once(entries)
                .into_iter()
                .enumerate()
                .map(|(at, entry)| view! { <Entry is_settled=answered.contains(&at) entry recipe/> })
                .collect_view()}
        </ol>
    }
}

/// Which entries tell of a lost answer that a repeated request of the same stage made up for: nobody has to act on them.
fn repeated_doubts(entries: &[TimelineEntry]) -> Vec<usize> {
    let mut repeated = Vec::new();
    for (at, entry) in entries.iter().enumerate().filter(|(_, entry)| entry.kind == EventKind::CallRepeated) {
        let is_doubt = |(before, doubt): &(usize, &TimelineEntry)| {
            doubt.kind == EventKind::CallInDoubt && doubt.stage == entry.stage && !repeated.contains(before)
        };
        repeated.extend(entries.iter().enumerate().take(at).find(is_doubt).map(|(before, _)| before));
    }
    repeated
}

/// Takes from each entry what an earlier one has told already: the id of a request, a provider's own words; and from what
/// follows a failure its reason.
fn told_once(mut entries: Vec<TimelineEntry>) -> Vec<TimelineEntry> {
    for at in 1..entries.len() {
        let (earlier, rest) = entries.split_at_mut(at);
        if let Some(entry) = rest.first_mut() {
            let reason = words::reason_of(entry);
            if reason.is_some() && earlier.iter().any(|told| words::reason_of(told) == reason) {
                entry.detail = words::without_reason(entry);
            }
            if follows_failure(entry.kind) && earlier.iter().any(|told| told.failure == entry.failure) {
                entry.failure = None;
            }
        }
    }
    entries
}

/// An end, or going on with another model: the failure behind it was told before.
const fn follows_failure(kind: EventKind) -> bool {
    matches!(kind, EventKind::Failed | EventKind::Cancelled | EventKind::RouteSwitched)
}

#[component]
fn Entry(entry: TimelineEntry, recipe: Recipe, is_settled: bool) -> impl IntoView {
    let facts = use_facts();
    let locale = facts.locale;
    let is_stopped = entry.failure == Some(FailureCode::Cancelled);
    let mut what = match entry.kind {
        EventKind::CallFailed if is_stopped => td_string!(locale, event.call_cancelled).to_owned(),
        kind => words::event(locale, kind).to_owned(),
    };
    if let Some(stage) = entry.stage {
        let word = match stage {
            Stage::Stills if is_of_one_call(entry.kind) => td_string!(locale, one_still.word),
            stage => words::stage_of(locale, recipe, stage),
        };
        what = format!("{what} · {word}");
    }
    if let Some(actor) = &entry.actor {
        what = format!("{what} · {actor}");
    }
    let why = entry.failure.map(|code| view! { <p class="timeline-detail">{words::failure_what(locale, code)}</p> });
    let form = match entry.kind {
        EventKind::RetriedFrom | EventKind::RetriedAs => DetailForm::Generation,
        kind if entry.failure.is_some() || follows_failure(kind) => DetailForm::Folded,
        _ => DetailForm::Plain,
    };
    let (told, rest) = entry.detail.map(|text| words::event_detail(locale, entry.kind, text)).unwrap_or_default();
    let told = told.map(|text| view! { <p class="timeline-detail">{text}</p> });
    let detail = rest.map(|text| view! { <EntryDetail text form/> });
    let hue = if is_stopped || is_settled { "none" } else { hue(entry.kind) };
    let amount = entry.amount.map(|amount| view! { <span class="timeline-amount figures">{amount.display()}</span> });
    view! {
        <li class="timeline-entry" data-state=hue>
            <time
                class="timeline-time figures"
                datetime=entry.at.to_rfc3339_opts(SecondsFormat::Millis, true)
                title=exact(entry.at, &facts.zone)
            >
                {precise(entry.at, &facts.zone)}
            </time>
            <span class="timeline-mark"></span>
            <div class="timeline-body">
                <p class="timeline-what">{what}</p>
                {told}
                {why}
                {detail}
            </div>
            {amount}
        </li>
    }
}

/// Each paid request is for one still.
const fn is_of_one_call(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::CallSubmitted
            | EventKind::CallDone
            | EventKind::CallFailed
            | EventKind::CallInDoubt
            | EventKind::CallRepeated
            | EventKind::BilledOtherwise
            | EventKind::StillReused
    )
}

/// How a detail is shown.
#[derive(Clone, Copy)]
enum DetailForm {
    /// An id as it is.
    Plain,
    /// A provider's own words, only for who asks.
    Folded,
    /// The id of another generation, which leads there.
    Generation,
}

#[component]
fn EntryDetail(text: String, form: DetailForm) -> impl IntoView {
    match form {
        DetailForm::Folded => view! {
            <details class="disclosure">
                <summary>
                    <Icon name=IconName::ChevronRight/>
                    {td_string!(use_locale(), failed.detail)}
                </summary>
                <div class="disclosure-body">
                    <code>{text}</code>
                </div>
            </details>
        }
        .into_any(),
        DetailForm::Plain => view! {
            <p class="timeline-detail">
                <code>{text}</code>
            </p>
        }
        .into_any(),
        DetailForm::Generation => view! {
            <p class="timeline-detail">
                <a href=format!("/admin/generations/{text}")>
                    <code>{text.clone()}</code>
                </a>
            </p>
        }
        .into_any(),
    }
}

/// The `data-state` of an entry.
const fn hue(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Requested | EventKind::RetriedFrom | EventKind::RetriedAs => "queued",
        EventKind::StageStarted | EventKind::CallSubmitted | EventKind::Resumed => "running",
        EventKind::StageDone
        | EventKind::StageReused
        | EventKind::StillReused
        | EventKind::CallDone
        | EventKind::Completed => "done",
        EventKind::CallFailed | EventKind::Failed => "failed",
        EventKind::CallInDoubt | EventKind::BilledOtherwise | EventKind::RouteSwitched | EventKind::RetryScheduled => {
            "attention"
        }
        EventKind::CallRepeated | EventKind::CancelRequested | EventKind::Cancelled => "none",
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use domain::event_detail::ScheduledTry;

    use super::*;
    use crate::{i18n::Locale, sample};

    fn entry(kind: EventKind, failure: Option<FailureCode>) -> TimelineEntry {
        let detail = Some("HTTP 422: flagged".to_owned());
        TimelineEntry { at: sample::now(), kind, stage: None, actor: None, failure, detail, amount: None }
    }

    #[test]
    fn a_providers_words_stand_there_once_and_folded() {
        let entries = vec![
            entry(EventKind::CallFailed, Some(FailureCode::ContentRefused)),
            entry(EventKind::Failed, Some(FailureCode::ContentRefused)),
        ];
        let html = sample::render(Locale::en, move || view! { <Timeline entries recipe=Recipe::ProductVideo/> });
        assert_eq!(html.matches("HTTP 422: flagged").count(), 1, "{html}");
        let (before, _) = html.split_once("HTTP 422: flagged").unwrap_or_default();
        assert!(before.contains("<details"), "{html}");
        let sentence = words::failure_what(Locale::en, FailureCode::ContentRefused);
        assert_eq!(html.matches(sentence).count(), 1, "{html}");
    }

    #[test]
    fn a_lost_answer_wants_attention_until_the_request_is_repeated() {
        let entries = [EventKind::CallInDoubt, EventKind::CallInDoubt, EventKind::CallRepeated];
        let entries: Vec<_> = entries.into_iter().map(|kind| entry(kind, None)).collect();
        assert_eq!(repeated_doubts(&entries), [0], "one of two was repeated");
        let html = sample::render(Locale::en, move || view! { <Timeline entries recipe=Recipe::ProductVideo/> });
        assert_eq!(html.matches("data-state=\"attention\"").count(), 1, "{html}");
    }

    #[test]
    fn another_model_and_another_bill_are_told_in_words() {
        let failed = entry(EventKind::CallFailed, Some(FailureCode::ProviderBusy));
        let detail = Some("fal/fal-ai/a/b → fal/fal-ai/c: HTTP 429: later".to_owned());
        let switched = TimelineEntry { detail, ..entry(EventKind::RouteSwitched, Some(FailureCode::ProviderBusy)) };
        let detail = Some("fal/fal-ai/c: $0.250000 billed, $0.200000 listed".to_owned());
        let billed = TimelineEntry { detail, ..entry(EventKind::BilledOtherwise, None) };
        let entries = vec![failed, switched, billed];
        let html = sample::render(Locale::ko, move || view! { <Timeline entries recipe=Recipe::ProductVideo/> });
        assert!(html.contains("fal-ai/a/b → fal-ai/c<") && html.contains("청구 $0.250000, 가격표 $0.200000"), "{html}");
        let (before, _) = html.split_once("HTTP 429: later").unwrap_or_default();
        assert_eq!(before.matches("<details").count(), 2, "the reason is folded: {html}");
        let sentence = words::failure_what(Locale::ko, FailureCode::ProviderBusy);
        assert_eq!(html.matches(sentence).count(), 1, "{html}");
    }

    #[test]
    fn another_try_names_its_stage_its_number_and_its_time() {
        let retry = |number| {
            let reason = "HTTP 503: overloaded".to_owned();
            let next = ScheduledTry { number, of: 3, wait_ms: 12_000, reason };
            let kind = EventKind::RetryScheduled;
            let detail = Some(next.to_string());
            TimelineEntry { stage: Some(Stage::Stills), detail, ..entry(kind, Some(FailureCode::ProviderUnavailable)) }
        };
        let entries = vec![retry(2), retry(3)];
        let html = sample::render(Locale::en, move || view! { <Timeline entries recipe=Recipe::ProductVideo/> });
        assert!(html.contains("Another try scheduled · Stills"), "{html}");
        assert!(html.contains("Try 2 of 3, 12 s later") && html.contains("Try 3 of 3, 12 s later"), "{html}");
        assert_eq!(html.matches("HTTP 503: overloaded").count(), 1, "{html}");
        assert!(html.contains("answered with an error") && !html.contains("could not be reached"), "{html}");
    }

    #[test]
    fn one_still_is_still() {
        let of = |kind, recipe| {
            let entries = vec![TimelineEntry { stage: Some(Stage::Stills), ..entry(kind, None) }];
            sample::render(Locale::en, move || view! { <Timeline entries recipe/> })
        };
        let html = of(EventKind::StageDone, Recipe::TryonVideo);
        assert!(html.contains("Stage finished · Still<"), "{html}");
        assert!(of(EventKind::StageDone, Recipe::ProductVideo).contains("Stage finished · Stills<"));
        assert!(of(EventKind::CallDone, Recipe::ProductVideo).contains("Paid request finished · Still<"));
    }

    #[test]
    fn what_was_stopped_is_no_failure() {
        let entries = vec![
            entry(EventKind::CallFailed, Some(FailureCode::Cancelled)),
            entry(EventKind::Cancelled, Some(FailureCode::Cancelled)),
        ];
        let html = sample::render(Locale::en, move || view! { <Timeline entries recipe=Recipe::ProductVideo/> });
        assert!(!html.contains("data-state=\"failed\"") && html.contains("Paid request cancelled"), "{html}");
    }
}
