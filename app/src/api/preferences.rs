//! Choices of this browser: language and theme. They need no person, only a cookie.

use leptos::prelude::*;

use crate::{AppError, wire::LeanJson};

/// Chooses the language of pages: `ko` or `en`.
#[server(prefix = "/api/preferences", endpoint = "language", output = LeanJson)]
pub async fn choose_language(language: String) -> Result<(), AppError> {
    let known = language.parse::<crate::i18n::Locale>().is_ok();
    keep(crate::shell::LANGUAGE_COOKIE, known.then_some(language.as_str()))
}

/// Chooses the theme of pages: `light`, `dark`; any other word leaves it to the system.
#[server(prefix = "/api/preferences", endpoint = "theme", output = LeanJson)]
pub async fn choose_theme(theme: String) -> Result<(), AppError> {
    keep(crate::shell::THEME_COOKIE, crate::shell::Theme::parse(&theme).map(crate::shell::Theme::as_str))
}

/// Keeps a choice for a year, or forgets it, and leads back to the page it was made on.
#[cfg(feature = "ssr")]
fn keep(name: &str, value: Option<&str>) -> Result<(), AppError> {
    use http::{HeaderValue, header::SET_COOKIE};

    const YEAR_SECS: u32 = 365 * 24 * 60 * 60;
    let (value, age) = value.map_or(("", 0), |value| (value, YEAR_SECS));
    let cookie = format!("{name}={value}; Path=/; Max-Age={age}; SameSite=Lax; HttpOnly");
    let cookie = HeaderValue::try_from(cookie).map_err(|_| AppError::BadRequest)?;
    let response = use_context::<leptos_axum::ResponseOptions>().ok_or(AppError::Internal)?;
    response.append_header(SET_COOKIE, cookie);
    crate::api::back::lead_back();
    Ok(())
}
