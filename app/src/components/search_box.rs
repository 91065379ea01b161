//! Search by address: a plain GET form.

use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_router::components::Form;

use super::icon::{Icon, IconName};
use crate::shell::use_locale;

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
    let kept = kept
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| view! { <input type="hidden" name=name value=value/> })
        .collect_view();
    view! {
        <Form action=action attr:class="search" attr:role="search">
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
        </Form>
    }
}
