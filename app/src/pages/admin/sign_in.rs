//! Signing in.

use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_router::hooks::use_query_map;

use crate::{
    api::people::SignIn,
    components::{
        error_block::ErrorBlock,
        person_menu::LanguageLine,
        post_form::{Fields, PostForm},
        title::PageTitle,
    },
    shell::use_locale,
};

/// The page of sign-in. It works before and without scripts.
#[component]
pub fn SignInPage() -> impl IntoView {
    let locale = use_locale();
    view! {
        <PageTitle text=td_string!(locale, sign_in.title).to_owned()/>
        <main class="sign-in" id="main">
            <div class="sign-in-card">
                <div class="wordmark">
                    <img src="/favicon.svg" alt="" width="32" height="32"/>
                    "Lookreel"
                </div>
                <div>
                    <h1 class="sign-in-title">{td_string!(locale, sign_in.title)}</h1>
                    <p class="sign-in-note">{td_string!(locale, sign_in.lead)}</p>
                </div>
                <SignInForm/>
            </div>
            <LanguageLine current=locale/>
        </main>
    }
    .into_any()
}

#[component]
fn SignInForm() -> impl IntoView {
    let locale = use_locale();
    let sign_in = ServerAction::<SignIn>::new();
    let pending = sign_in.pending();
    let next = use_query_map().with_untracked(|query| query.get("next")).unwrap_or_default();
    let error = Signal::derive(move || sign_in.value().get().and_then(Result::err));
    let is_refused = Signal::derive(move || error.with(Option::is_some));
    let word =
        move || if pending.get() { td_string!(locale, sign_in.pending) } else { td_string!(locale, sign_in.submit) };
    view! {
        {move || error.get().map(|error| view! { <div id="sign-in-error"><ErrorBlock error/></div> })}
        <PostForm action=sign_in read=read_sign_in class="form">
            <input type="hidden" name="next" value=next/>
            <Credential
                name="email"
                label=td_string!(locale, sign_in.email)
                autocomplete="username"
                maxlength="254"
                is_first=true
                is_refused
            />
            <Credential
                name="password"
                label=td_string!(locale, sign_in.password)
                autocomplete="current-password"
                maxlength="200"
                is_first=false
                is_refused
            />
            <button
                class="button primary wide"
                type="submit"
                disabled=move || pending.get()
                aria-busy=move || pending.get().then_some("true")
            >
                {word}
            </button>
        </PostForm>
    }
}

#[component]
fn Credential(
    /// Name and id of the input, and its type: both words are types of HTML.
    name: &'static str,
    label: &'static str,
    autocomplete: &'static str,
    maxlength: &'static str,
    is_first: bool,
    is_refused: Signal<bool>,
) -> impl IntoView {
    view! {
        <div class="field">
            <label class="field-label" for=name>
                {label}
            </label>
            <input
                class="input"
                id=name
                name=name
                type=name
                autocomplete=autocomplete
                maxlength=maxlength
                required
                autofocus=is_first
                aria-invalid=move || is_refused.get().then_some("true")
                aria-describedby=move || is_refused.get().then_some("sign-in-error")
            />
        </div>
    }
}

fn read_sign_in(form: &Fields) -> Option<SignIn> {
    Some(SignIn { email: form.word("email")?, password: form.word("password")?, next: form.word("next")? })
}
