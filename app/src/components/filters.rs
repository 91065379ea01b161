//! Filters as chips: links, so that every one works without WASM and can be opened in a new tab.

use leptos::prelude::*;

/// One choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterChoice {
    /// The list with this choice.
    pub href: String,
    /// What it is called.
    pub word: &'static str,
    /// Whether the list is shown so now.
    pub is_current: bool,
}

/// A row of choices.
#[component]
pub fn Filters(
    /// What is chosen here.
    label: &'static str,
    /// The choices.
    choices: Vec<FilterChoice>,
) -> impl IntoView {
    view! {
        <nav class="filters" aria-label=label>
            {choices
                .into_iter()
                .map(|choice| {
                    view! {
                        <a class="filter" href=choice.href aria-current=choice.is_current.then_some("true")>
                            {choice.word}
                        </a>
                    }
                })
                .collect_view()}
        </nav>
    }
}
