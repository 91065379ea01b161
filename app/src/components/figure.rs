//! One number of a summary.

use leptos::prelude::*;

/// A number with its name and a note, inside `<dl class="stats">`.
#[component]
pub fn Figure(
    /// What it counts.
    label: &'static str,
    /// The number.
    value: String,
    /// What to make of it.
    note: String,
) -> impl IntoView {
    view! {
        <div class="stat">
            <dt class="stat-label">{label}</dt>
            <dd class="stat-value figures">{value}</dd>
            <dd class="stat-note figures">{note}</dd>
        </div>
    }
}
