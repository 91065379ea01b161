//! Generations as rows.

use chrono::{DateTime, Utc};
use domain::{
    MicroUsd,
    generation::{GenerationRow, GenerationView},
};
use leptos::prelude::*;
use leptos_i18n::td_string;

use super::{chip::StateChip, moment::Moment, product_cell::ProductCell};
use crate::{
    clock::{lasting, stopwatch, use_clock},
    live::use_live,
    shell::use_locale,
    words,
};

/// A table of generations; rows under way follow the live stream.
#[component]
pub fn GenerationTable(
    /// The rows.
    rows: Vec<GenerationRow>,
) -> impl IntoView {
    let locale = use_locale();
    view! {
        <div class="table-box">
            <table class="table" data-testid="generations">
                <thead>
                    <tr>
                        <th scope="col">{td_string!(locale, generations.product)}</th>
                        <th scope="col">{td_string!(locale, generations.state)}</th>
                        <th scope="col">{td_string!(locale, generations.who)}</th>
                        <th scope="col">{td_string!(locale, generations.when)}</th>
                        <th scope="col" class="number">
                            {td_string!(locale, generations.duration)}
                        </th>
                        <th scope="col" class="number">
                            {td_string!(locale, generations.cost)}
                        </th>
                    </tr>
                </thead>
                <tbody>{rows.into_iter().map(|row| view! { <GenerationLine row/> }).collect_view()}</tbody>
            </table>
        </div>
    }
}

#[component]
fn GenerationLine(row: GenerationRow) -> impl IntoView {
    let locale = use_locale();
    let live = use_live();
    let href = format!("/admin/generations/{}", row.id);
    // Ids begin with the time; their end is what tells two of them apart.
    let short_id: String = row.id.to_string().chars().skip(28).collect();
    let known = row.clone();
    let now = Memo::new(move |_| live.generation(known.id).map_or_else(|| known.clone(), |view| row_of(&view)));
    view! {
        <tr>
            <ProductCell href=href photo=row.product_photo name=row.product_name sub=short_id/>
            <td data-label=td_string!(locale, generations.state)>
                {move || {
                    let row = now.get();
                    let why = row.failure.map(|code| view! { <span class="muted">{words::failure_what(locale, code)}</span> });
                    view! {
                        <span class="cell-state">
                            <StateChip state=row.state progress=row.progress is_cancelling=row.is_cancelling()/>
                            {why}
                        </span>
                    }
                }}
            </td>
            <td class="cell-line" data-label=td_string!(locale, generations.who)>{row.requested_by}</td>
            <td data-label=td_string!(locale, generations.when)>
                <Moment at=row.created_at/>
            </td>
            <td class="number" data-label=td_string!(locale, generations.duration)>
                <Took created_at=row.created_at finished_at=Signal::derive(move || now.with(|row| row.finished_at))/>
            </td>
            <td class="number" data-label=td_string!(locale, generations.cost)>
                {move || now.with(|row| cost(row).display())}
            </td>
        </tr>
    }
}

/// What a generation took, or has taken so far.
#[component]
fn Took(created_at: DateTime<Utc>, finished_at: Signal<Option<DateTime<Utc>>>) -> impl IntoView {
    let locale = use_locale();
    let clock = use_clock();
    move || match finished_at.get() {
        Some(finished_at) => lasting(locale, finished_at - created_at),
        None => stopwatch(clock.now() - created_at),
    }
}

/// What was paid and what is still held.
fn cost(row: &GenerationRow) -> MicroUsd {
    row.paid + row.held
}

/// A snapshot as a row.
pub fn row_of(view: &GenerationView) -> GenerationRow {
    GenerationRow {
        id: view.id,
        product_id: view.product_id,
        product_name: view.product_name.clone(),
        product_photo: view.product_photo.clone(),
        state: view.state,
        progress: view.progress,
        failure: view.failure.as_ref().map(|failure| failure.code),
        cancel_requested: view.cancel_requested,
        requested_by: view.requested_by.clone(),
        created_at: view.created_at,
        finished_at: view.finished_at,
        held: view.held,
        paid: view.paid,
    }
}
