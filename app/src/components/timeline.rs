//! What happened to a generation, line by line.

use chrono::SecondsFormat;
use domain::generation::{EventKind, TimelineEntry};
use leptos::prelude::*;

use crate::{
    clock::{exact, precise},
    shell::use_facts,
    words,
};

/// Oldest first.
#[component]
pub fn Timeline(
    /// What happened.
    entries: Vec<TimelineEntry>,
) -> impl IntoView {
    view! {
        <ol class="timeline" data-testid="timeline">
            {entries.into_iter().map(|entry| view! { <Entry entry/> }).collect_view()}
        </ol>
    }
}

#[component]
fn Entry(entry: TimelineEntry) -> impl IntoView {
    let facts = use_facts();
    let locale = facts.locale;
    let mut what = words::event(locale, entry.kind).to_owned();
    if let Some(stage) = entry.stage {
        what = format!("{what} · {}", words::stage(locale, stage));
    }
    if let Some(actor) = &entry.actor {
        what = format!("{what} · {actor}");
    }
    let why = entry.failure.map(|code| view! { <p class="timeline-detail">{words::failure_what(locale, code)}</p> });
    let detail = entry.detail.map(|detail| {
        view! {
            <p class="timeline-detail">
                <code>{detail}</code>
            </p>
        }
    });
    let amount = entry.amount.map(|amount| view! { <span class="timeline-amount figures">{amount.display()}</span> });
    view! {
        <li class="timeline-entry" data-state=hue(entry.kind)>
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
                {why}
                {detail}
            </div>
            {amount}
        </li>
    }
}

/// The `data-state` of an entry.
const fn hue(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Requested => "queued",
        EventKind::StageStarted | EventKind::CallSubmitted | EventKind::Resumed => "running",
        EventKind::StageDone | EventKind::CallDone | EventKind::Completed => "done",
        EventKind::CallFailed | EventKind::Failed => "failed",
        EventKind::CallInDoubt | EventKind::CallRepeated | EventKind::RetryScheduled => "attention",
        EventKind::CancelRequested | EventKind::Cancelled => "none",
    }
}
