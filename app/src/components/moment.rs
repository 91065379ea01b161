//! A moment: how long ago or how soon, with the exact time on hover.

use chrono::{DateTime, SecondsFormat, Utc};
use leptos::prelude::*;

use crate::{
    clock::{ago, exact, until, use_clock},
    shell::use_facts,
};

/// How long ago something was, or how soon it comes; it grows older by itself.
#[component]
pub fn Moment(
    /// When it is.
    at: DateTime<Utc>,
    /// Whether it is still to come.
    #[prop(optional)]
    comes: bool,
    /// Class of the element.
    #[prop(optional)]
    class: &'static str,
) -> impl IntoView {
    let facts = use_facts();
    let clock = use_clock();
    let exactly = exact(at, &facts.zone);
    let say = if comes { until } else { ago };
    // Once a second is too often for the page: the text changes with its words only.
    let text = Memo::new(move |_| say(facts.locale, at, clock.now(), &facts.zone));
    view! {
        <time class=class datetime=at.to_rfc3339_opts(SecondsFormat::Secs, true) title=exactly>
            {move || text.get()}
        </time>
    }
}
