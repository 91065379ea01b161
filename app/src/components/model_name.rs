//! The name of a provider's model.

use leptos::prelude::*;

/// A name that breaks after its slashes, not inside its words.
#[component]
pub fn ModelName(
    /// As the provider calls it, like `fal-ai/pika/v2.2/pikaframes`.
    name: String,
) -> impl IntoView {
    let parts = name.split_inclusive('/').map(|part| view! { <span>{part.to_owned()}</span> }).collect_view();
    view! { <span class="model-name">{parts}</span> }
}
