//! What a click costs when dearer models have to step in.

use domain::MicroUsd;
use leptos::prelude::*;
use leptos_i18n::td_string;

use crate::shell::use_locale;

/// That another model than the ones of the price may cost more, and how much; nothing where none does.
#[component]
pub fn AtMost(
    /// What it costs at most.
    most: Option<MicroUsd>,
) -> impl IntoView {
    most.map(|most| {
        let sentence = td_string!(use_locale(), generate.at_most, price = most.display_cents_up());
        view! { <p class="field-hint figures" data-testid="at-most">{sentence}</p> }
    })
}
