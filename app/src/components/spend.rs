//! Today's spend against its limit, in the top bar.

use domain::cost::LimitStatus;
use leptos::prelude::*;
use leptos_i18n::td_string;

use crate::shell::use_locale;

/// The share from which the bar asks for attention, in percent.
const NEAR_PERCENT: u8 = 80;

/// A thin bar with the amounts, leading to the costs.
#[component]
pub fn Spend(
    /// The limits of the day.
    #[prop(into)]
    limits: Signal<LimitStatus>,
) -> impl IntoView {
    let locale = use_locale();
    let is_near = Memo::new(move |_| limits.get().percent() >= NEAR_PERCENT);
    view! {
        <a class="spend" href="/admin/costs" data-state=move || is_near.get().then_some("attention")>
            <span class="spend-text">
                {td_string!(locale, spend.label)} " "
                <b class="figures">
                    {move || {
                        let limits = limits.get();
                        td_string!(
                            locale,
                            spend.of,
                            used = limits.spend.display_cents(),
                            limit = limits.spend_limit.display_cents()
                        )
                    }}
                </b>
            </span>
            <progress
                class="progress"
                max=move || limits.get().spend_limit.micros().max(1).to_string()
                value=move || limits.get().spend.micros().max(0).to_string()
                aria-label=td_string!(locale, spend.label)
            ></progress>
        </a>
    }
}
