//! What stands where nothing is yet: one sentence, what will be here, one action.

use leptos::prelude::*;

/// An empty place.
#[component]
pub fn Empty(
    /// What is empty.
    title: &'static str,
    /// What will appear here, or what to do.
    text: &'static str,
    /// Address and words of the one action.
    #[prop(optional_no_strip)]
    action: Option<(String, &'static str)>,
) -> impl IntoView {
    view! {
        <div class="empty">
            <p class="empty-text">
                <b>{title}</b>
            </p>
            <p class="empty-text">{text}</p>
            {action.map(|(href, word)| view! { <a class="button" href=href>{word}</a> })}
        </div>
    }
}
