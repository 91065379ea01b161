//! Signing in.

use leptos::{form::ActionForm, prelude::*};
use leptos_i18n::td_string;
use leptos_router::hooks::use_query_map;

use crate::{
    api::people::SignIn,
    components::{error_block::ErrorBlock, person_menu::LanguageMenu, title::PageTitle},
    shell::use_locale,
};

/// The form of sign-in. It works before and without scripts.
#[component]
pub fn SignInPage() -> impl IntoView {
    let locale = use_locale();
    let sign_in = ServerAction::<SignIn>::new();
    let pending = sign_in.pending();
    let next = use_query_map().with_untracked(|query| query.get("next")).unwrap_or_default();
    let error = move || match sign_in.value().get() {
        Some(Err(error)) => Some(error),
        _ => None,
    };
    let has_error = move || error().map(|_| "true");
    view! {
        <PageTitle text=td_string!(locale, sign_in.title).to_owned()/>
        <main class="sign-in" id="main">
            <div class="sign-in-card">
                <div class="wordmark">
                    <img src="/favicon.svg" alt="" width="32" height="32"/>
                    "Lookreel"
                </div>
                <h1 class="sign-in-title">{td_string!(locale, sign_in.title)}</h1>
                {move || error().map(|error| view! { <div id="sign-in-error"><ErrorBlock error/></div> })}
                <ActionForm action=sign_in attr:class="form">
                    <input type="hidden" name="next" value=next/>
                    <div class="field">
                        <label class="field-label" for="email">
                            {td_string!(locale, sign_in.email)}
                        </label>
                        <input
                            class="input"
                            id="email"
                            name="email"
                            type="email"
                            autocomplete="username"
                            inputmode="email"
                            maxlength="254"
                            required
                            autofocus
                            aria-invalid=has_error
                            aria-describedby=move || error().map(|_| "sign-in-error")
                        />
                    </div>
                    <div class="field">
                        <label class="field-label" for="password">
                            {td_string!(locale, sign_in.password)}
                        </label>
                        <input
                            class="input"
                            id="password"
                            name="password"
                            type="password"
                            autocomplete="current-password"
                            maxlength="200"
                            required
                            aria-invalid=has_error
                            aria-describedby=move || error().map(|_| "sign-in-error")
                        />
                    </div>
                    <button
                        class="button primary wide"
                        type="submit"
                        disabled=move || pending.get()
                        aria-busy=move || pending.get().then_some("true")
                    >
                        {move || {
                            if pending.get() {
                                td_string!(locale, sign_in.pending)
                            } else {
                                td_string!(locale, sign_in.submit)
                            }
                        }}
                    </button>
                </ActionForm>
                <p class="sign-in-note">{td_string!(locale, sign_in.lead)}</p>
                <LanguageMenu current=locale/>
            </div>
        </main>
    }
    .into_any()
}
