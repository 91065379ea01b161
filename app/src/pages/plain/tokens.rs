//! `/admin/tokens`: tokens of the API, made and revoked by plain forms.

use chrono::{DateTime, Utc};
use domain::Scope;
use engine::ListedToken;
use leptos::prelude::*;
use leptos_i18n::td_string;

use super::{PlainPage, document::Content};
use crate::{
    AppError,
    clock::exact,
    components::icon::{Icon, IconName},
    i18n::Locale,
    shell::PageFacts,
};

/// Where the page is, and where its form is sent.
pub const TOKENS_PATH: &str = "/admin/tokens";
/// After how many days a token may end by itself.
pub const TOKEN_DAYS: [u16; 3] = [30, 90, 365];

/// What the page shows.
#[derive(Debug, Default)]
pub struct TokensView {
    /// Every token, newest first.
    pub tokens: Vec<ListedToken>,
    /// The secret of the one that was just made.
    pub secret: Option<String>,
    /// Whether the one that was wanted could not be made.
    pub is_refused: bool,
}

/// The page of API tokens.
///
/// # Errors
/// When they could not be loaded.
pub fn tokens_page(page: &PlainPage<'_>, tokens: Result<TokensView, AppError>) -> Result<String, AppError> {
    page.write(tokens, |tokens, _, facts| content(tokens, facts))
}

fn content(tokens: TokensView, facts: &PageFacts) -> Content {
    let locale = facts.locale;
    Content {
        title: td_string!(locale, tokens.title).to_owned(),
        is_waiting: false,
        body: view! {
            <header class="page-head">
                <a class="page-back" href="/admin/products">
                    <Icon name=IconName::ArrowLeft/>
                    {td_string!(locale, tokens.back)}
                </a>
                <div class="page-head-text">
                    <h1 class="page-title">{td_string!(locale, tokens.title)}</h1>
                    <p class="page-sub">
                        {td_string!(locale, tokens.sub)} " "
                        <a href="/api/docs">{td_string!(locale, tokens.reference)}</a>
                    </p>
                </div>
            </header>
            <div class="stack">
                {tokens.secret.map(|secret| made(locale, secret))} {tokens.is_refused.then(|| refused(locale))}
                {form(locale)} {list(facts, tokens.tokens)}
            </div>
        }
        .into_any(),
    }
}

fn made(locale: Locale, secret: String) -> impl IntoView {
    view! {
        <div class="alert" role="status" data-state="done" data-testid="made-token">
            <div class="alert-body">
                <p class="alert-text">{td_string!(locale, tokens.made)}</p>
                <label class="field">
                    <span class="field-label">{td_string!(locale, tokens.secret)}</span>
                    <input class="input" readonly=true value=secret data-testid="secret"/>
                </label>
            </div>
        </div>
    }
}

fn refused(locale: Locale) -> impl IntoView {
    view! {
        <div class="alert" role="alert" data-state="attention">
            <div class="alert-body">
                <p class="alert-text">{td_string!(locale, tokens.refused)}</p>
            </div>
        </div>
    }
}

fn form(locale: Locale) -> impl IntoView {
    let scopes = Scope::ALL.map(|scope| {
        view! {
            <label>
                <input type="checkbox" name="scope" value=scope.as_str() checked=true/>
                " "
                <code>{scope.as_str()}</code>
            </label>
        }
    });
    let ends = TOKEN_DAYS.map(|days| {
        view! { <option value=days.to_string()>{td_string!(locale, tokens.days, days = days)}</option> }
    });
    view! {
        <form class="form card" method="post" action=TOKENS_PATH>
            <div class="card-body stack">
                <div class="field">
                    <label class="field-label" for="token-name">
                        {td_string!(locale, tokens.name)}
                    </label>
                    <input class="input" id="token-name" name="name" required=true maxlength="100" autocomplete="off"/>
                    <p class="field-hint">{td_string!(locale, tokens.name_hint)}</p>
                </div>
                <fieldset class="field">
                    <legend class="field-label">{td_string!(locale, tokens.scopes)}</legend>
                    {scopes.into_iter().collect_view()}
                </fieldset>
                <div class="field">
                    <label class="field-label" for="token-days">
                        {td_string!(locale, tokens.expires)}
                    </label>
                    <select class="select" id="token-days" name="days">
                        {ends.into_iter().collect_view()}
                        <option value="">{td_string!(locale, tokens.never)}</option>
                    </select>
                </div>
                <button class="button primary" type="submit">
                    {td_string!(locale, tokens.make)}
                </button>
            </div>
        </form>
    }
}

fn list(facts: &PageFacts, tokens: Vec<ListedToken>) -> impl IntoView + use<> {
    let locale = facts.locale;
    if tokens.is_empty() {
        return view! { <p class="field-hint">{td_string!(locale, tokens.none)}</p> }.into_any();
    }
    let rows = tokens.into_iter().map(|token| row(facts, token)).collect_view();
    view! {
        <section class="card" aria-labelledby="token-list">
            <header class="card-head">
                <h2 class="card-title" id="token-list">
                    {td_string!(locale, tokens.list)}
                </h2>
            </header>
            <div class="card-body flush">
                <div class="table-box">
                    <table class="table">
                        <thead>
                            <tr>
                                <th scope="col">{td_string!(locale, tokens.name)}</th>
                                <th scope="col">{td_string!(locale, tokens.scopes)}</th>
                                <th scope="col">{td_string!(locale, tokens.owner)}</th>
                                <th scope="col">{td_string!(locale, tokens.created)}</th>
                                <th scope="col">{td_string!(locale, tokens.used)}</th>
                                <th scope="col">{td_string!(locale, tokens.ends)}</th>
                                <td></td>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            </div>
        </section>
    }
    .into_any()
}

fn row(facts: &PageFacts, token: ListedToken) -> impl IntoView + use<> {
    let locale = facts.locale;
    let moment = |at: Option<DateTime<Utc>>, otherwise: &'static str| match at {
        Some(at) => exact(at, &facts.zone),
        None => otherwise.to_owned(),
    };
    let scopes: Vec<&str> = token.scopes.iter().map(|scope| scope.as_str()).collect();
    let is_expired = token.expires_at.is_some_and(|end| end <= facts.rendered_at);
    let ends = td_string!(locale, tokens.ends);
    let end = if token.revoked_at.is_some() {
        view! { <td data-label=ends>{td_string!(locale, tokens.revoked)}</td> <td></td> }.into_any()
    } else if is_expired {
        view! { <td data-label=ends>{td_string!(locale, tokens.expired)}</td> <td></td> }.into_any()
    } else {
        let label = td_string!(locale, tokens.revoke_label, name = token.name.clone());
        view! {
            <td class="figures" data-label=ends>{moment(token.expires_at, td_string!(locale, tokens.never))}</td>
            <td>
                <form method="post" action=format!("{TOKENS_PATH}/{}/revoke", token.id)>
                    <button class="button small danger" type="submit" aria-label=label>
                        {td_string!(locale, tokens.revoke)}
                    </button>
                </form>
            </td>
        }
        .into_any()
    };
    view! {
        <tr data-testid="token">
            <th scope="row" class="cell-lead">
                {token.name} <p class="cell-sub">{td_string!(locale, tokens.hint)} " …" {token.hint}</p>
            </th>
            <td data-label=td_string!(locale, tokens.scopes)>
                <code>{scopes.join(" ")}</code>
            </td>
            <td data-label=td_string!(locale, tokens.owner)>{token.owner}</td>
            <td class="figures" data-label=td_string!(locale, tokens.created)>
                {moment(Some(token.created_at), "")}
            </td>
            <td class="figures" data-label=td_string!(locale, tokens.used)>
                {moment(token.last_used_at, td_string!(locale, tokens.unused))}
            </td>
            {end}
        </tr>
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use domain::TokenId;

    use super::*;
    use crate::shell::ShopZone;

    fn page(tokens: TokensView) -> String {
        let facts =
            PageFacts { locale: Locale::en, theme: None, zone: ShopZone::default(), rendered_at: DateTime::UNIX_EPOCH };
        Owner::new().with(|| content(tokens, &facts).body.to_html())
    }

    #[test]
    fn a_secret_is_shown_once_and_a_token_can_be_revoked() {
        let token = ListedToken {
            id: TokenId::from_uuid(uuid::Uuid::nil()),
            name: "web <shop>".to_owned(),
            hint: "abcd".to_owned(),
            scopes: vec![Scope::VideoRead],
            owner: "Mina".to_owned(),
            created_at: DateTime::UNIX_EPOCH,
            expires_at: None,
            last_used_at: None,
            revoked_at: None,
        };
        let view = TokensView { tokens: vec![token], secret: Some("lkr_secret".to_owned()), is_refused: false };
        let html = page(view);
        assert!(html.contains("value=\"lkr_secret\"") && html.contains("web &lt;shop&gt;"), "{html}");
        assert!(html.contains(&format!("action=\"{TOKENS_PATH}/{}/revoke\"", uuid::Uuid::nil())), "{html}");
        assert!(html.contains("video:read") && !html.contains("<script"), "{html}");
        assert!(!page(TokensView::default()).contains("lkr_"), "nothing is shown again");
    }
}
