//! What a page knows before it renders: language, theme, time zone and the time. The server decides and writes it on
//! `<html>`; the browser reads it back from there, so that both render the same.

use chrono::{DateTime, Duration, NaiveDate, Utc};
use leptos::prelude::*;

use crate::i18n::Locale;

/// Name of the cookie that keeps the language.
pub const LANGUAGE_COOKIE: &str = "language";
/// Name of the cookie that keeps the theme.
pub const THEME_COOKIE: &str = "theme";
/// Name of the cookie by which the shop's script remembers that this browser has loaded the typeface.
#[cfg(feature = "ssr")]
const TYPEFACE_COOKIE: &str = "typeface";

/// The zone the shop's days are cut in. The server provides it as context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopZone {
    /// Name of the zone, like `Asia/Seoul`.
    pub name: String,
    /// Its distance from UTC today, in seconds to the east. In a zone with summer time, moments of the other half of
    /// the year are shown one hour off.
    pub offset_seconds: i32,
}

impl Default for ShopZone {
    fn default() -> Self {
        Self { name: "Asia/Seoul".to_owned(), offset_seconds: 9 * 3600 }
    }
}

/// A chosen appearance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// Dark text on light ground.
    Light,
    /// Light text on dark ground.
    Dark,
}

impl Theme {
    /// The word in the cookie and on `<html>`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// Reads the cookie; any other word leaves the choice to the system.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "light" => Some(Self::Light),
            "dark" => Some(Self::Dark),
            _ => None,
        }
    }
}

/// What a page knows before it renders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageFacts {
    /// Language of the page.
    pub locale: Locale,
    /// The chosen theme; none leaves it to the system.
    pub theme: Option<Theme>,
    /// The shop's zone.
    pub zone: ShopZone,
    /// When the server rendered the page.
    pub rendered_at: DateTime<Utc>,
}

impl PageFacts {
    /// The day it is in the shop's zone.
    pub fn today(&self) -> NaiveDate {
        (self.rendered_at + Duration::seconds(i64::from(self.zone.offset_seconds))).date_naive()
    }

    /// Reads the facts of this page: from the request on the server, from `<html>` in the browser.
    pub fn read() -> Self {
        #[cfg(feature = "ssr")]
        {
            Self::of_request()
        }
        #[cfg(not(feature = "ssr"))]
        {
            Self::of_document()
        }
    }

    #[cfg(feature = "ssr")]
    fn of_request() -> Self {
        let parts = use_context::<http::request::Parts>();
        let cookie = |name| parts.as_ref().and_then(|parts| cookie(&parts.headers, name));
        let chosen = cookie(LANGUAGE_COOKIE).and_then(|word| word.parse::<Locale>().ok());
        Self {
            locale: chosen.unwrap_or_else(accepted_locale),
            theme: cookie(THEME_COOKIE).as_deref().and_then(Theme::parse),
            zone: use_context().unwrap_or_default(),
            // The page carries milliseconds: more of them here would be another time there.
            rendered_at: DateTime::from_timestamp_millis(Utc::now().timestamp_millis()).unwrap_or_default(),
        }
    }

    #[cfg(not(feature = "ssr"))]
    fn of_document() -> Self {
        let html = document().document_element();
        let attribute = |name| html.as_ref().and_then(|html| html.get_attribute(name));
        let fallback = ShopZone::default();
        Self {
            locale: attribute("lang").and_then(|word| word.parse().ok()).unwrap_or_default(),
            theme: attribute("data-theme").as_deref().and_then(Theme::parse),
            zone: ShopZone {
                name: attribute("data-zone").unwrap_or(fallback.name),
                offset_seconds: attribute("data-offset")
                    .and_then(|text| text.parse().ok())
                    .unwrap_or(fallback.offset_seconds),
            },
            rendered_at: attribute("data-rendered-at")
                .and_then(|text| text.parse::<i64>().ok())
                .and_then(DateTime::from_timestamp_millis)
                .unwrap_or_else(Utc::now),
        }
    }
}

/// Whether the browser of a shopper has the typeface already.
#[cfg(feature = "ssr")]
pub(crate) fn has_typeface(request: &http::request::Parts) -> bool {
    cookie(&request.headers, TYPEFACE_COOKIE).is_some()
}

/// The language the browser asks for, Korean when it asks for none of ours.
#[cfg(feature = "ssr")]
fn accepted_locale() -> Locale {
    use leptos_i18n::{context::I18nContextOptions, locale::resolve_locale_with_options};

    if use_context::<http::request::Parts>().is_none() {
        return Locale::default();
    }
    resolve_locale_with_options(I18nContextOptions::default().enable_cookie(false))
}

/// The value of a cookie among the request's headers.
#[cfg(feature = "ssr")]
fn cookie(headers: &http::HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(http::header::COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then(|| value.to_owned()))
}

/// Makes the facts of this page known to the tree below.
pub fn provide_facts() -> PageFacts {
    let facts = use_context::<PageFacts>().unwrap_or_else(PageFacts::read);
    provide_context(facts.clone());
    facts
}

/// The facts of this page.
pub fn use_facts() -> PageFacts {
    use_context::<PageFacts>().unwrap_or_else(PageFacts::read)
}

/// The language of this page. It does not change without a new document.
pub fn use_locale() -> Locale {
    use_facts().locale
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn finds_one_cookie_among_many() {
        let mut headers = http::HeaderMap::new();
        headers.append(http::header::COOKIE, "a=1; theme=dark".parse().unwrap());
        headers.append(http::header::COOKIE, "language=en".parse().unwrap());
        assert_eq!(cookie(&headers, "theme").as_deref(), Some("dark"));
        assert_eq!(cookie(&headers, "language").as_deref(), Some("en"));
        assert_eq!(cookie(&headers, "lang"), None);
    }

    #[test]
    fn the_day_is_that_of_the_shops_zone() {
        let at = |text: &str| PageFacts {
            locale: Locale::ko,
            theme: None,
            zone: ShopZone::default(),
            rendered_at: text.parse().unwrap(),
        };
        assert_eq!(at("2026-11-30T14:59:59Z").today().to_string(), "2026-11-30");
        assert_eq!(at("2026-11-30T15:00:00Z").today().to_string(), "2026-12-01", "midnight in Seoul");
    }

    #[test]
    fn an_unknown_theme_is_the_systems() {
        assert_eq!(Theme::parse("dark"), Some(Theme::Dark));
        assert_eq!(Theme::parse("system"), None);
    }
}
