//! The title of the tab.

use leptos::prelude::*;
use leptos_meta::Title;

/// Names the page in the tab: `page · Lookreel`.
#[component]
pub fn PageTitle(
    /// What the page is called.
    #[prop(into)]
    text: Signal<String>,
) -> impl IntoView {
    view! { <Title text=move || format!("{} · Lookreel", text.get())/> }
}
