//! Search by address: a plain GET form.

use leptos::{ev::SubmitEvent, prelude::*, wasm_bindgen::JsCast};
use leptos_i18n::td_string;
use leptos_router::hooks::use_navigate;

use super::{
    icon::{Icon, IconName},
    post_form::Fields,
};
use crate::{query::address, shell::use_locale};

/// A search over a list.
#[component]
pub fn SearchBox(
    /// The list's address.
    action: &'static str,
    /// What is searched.
    label: &'static str,
    /// What can be typed.
    placeholder: &'static str,
    /// What is searched for now.
    #[prop(into)]
    value: Signal<String>,
    /// Filters that stay as they are, by name.
    #[prop(optional)]
    kept: Vec<(&'static str, &'static str)>,
    /// The key that leads here.
    #[prop(optional)]
    key: Option<&'static str>,
) -> impl IntoView {
    let navigate = use_navigate();
    let names: Vec<_> = std::iter::once("q").chain(kept.iter().map(|(name, _)| *name)).collect();
    let submit = move |event: SubmitEvent| {
        if let Some(words) = read(&event, &names) {
            event.prevent_default();
            let words: Vec<_> = words.iter().map(|(name, word)| (*name, word.trim())).collect();
            navigate(&address(action, &words), Default::default());
        }
    };
    let kept = kept
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| view! { <input type="hidden" name=name value=value/> })
        .collect_view();
    view! {
        <form method="get" action=action class="search" role="search" aria-label=label on:submit=submit>
            <Icon name=IconName::Search/>
            <input
                class="search-input"
                type="search"
                name="q"
                maxlength="100"
                autocomplete="off"
                aria-label=label
                placeholder=placeholder
                value=move || value.get()
                prop:value=move || value.get()
                data-search=key
            />
            {kept}
            {key.map(|key| view! { <kbd class="search-key" aria-hidden="true">{key}</kbd> })}
            <button class="visually-hidden" type="submit">
                {td_string!(use_locale(), search.submit)}
            </button>
        </form>
    }
}

/// What the form of a submit says under these names; none when it cannot be read.
fn read(event: &SubmitEvent, names: &[&'static str]) -> Option<Vec<(&'static str, String)>> {
    let form = event.target()?.dyn_into().ok()?;
    let fields = Fields::of(&form)?;
    Some(names.iter().map(|name| (*name, fields.word(name).unwrap_or_default())).collect())
}
