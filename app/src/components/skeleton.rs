//! What stands where something is loading: the shape of what comes.

use leptos::prelude::*;

/// A table that is on its way.
#[component]
pub fn TableSkeleton(
    /// What is loading, for those who do not see it.
    text: &'static str,
) -> impl IntoView {
    let rows = (0..8)
        .map(|_| {
            view! {
                <div class="row">
                    <span class="skeleton thumb"></span>
                    <span class="skeleton line"></span>
                    <span class="skeleton chip"></span>
                </div>
            }
        })
        .collect_view();
    view! {
        <div class="stack tight" aria-busy="true">
            <span class="visually-hidden" role="status">
                {text}
            </span>
            {rows}
        </div>
    }
}

/// A page with pictures that is on its way.
#[component]
pub fn PageSkeleton(
    /// What is loading, for those who do not see it.
    text: &'static str,
) -> impl IntoView {
    view! {
        <div class="stack" aria-busy="true">
            <span class="visually-hidden" role="status">
                {text}
            </span>
            <span class="skeleton line short"></span>
            <span class="skeleton line"></span>
            <div class="pictures">
                <span class="skeleton picture"></span>
                <span class="skeleton picture"></span>
                <span class="skeleton picture"></span>
                <span class="skeleton picture"></span>
            </div>
            <span class="skeleton block"></span>
        </div>
    }
}
