//! Why a page did not get what it asked for.

use chrono::Duration;
use leptos_i18n::td_string;

use crate::{clock, error::AppError, shell::PageFacts};

/// What happened and what to do next.
pub fn error_sentence(error: &AppError, facts: &PageFacts) -> String {
    let locale = facts.locale;
    match error {
        AppError::TooManyTries { retry_after_secs } => {
            let wait = clock::lasting(locale, Duration::seconds(i64::from(*retry_after_secs)));
            td_string!(locale, error.too_many_tries, time = wait)
        }
        AppError::LimitReached { resets_at, .. } => {
            let at = clock::until(locale, *resets_at, facts.rendered_at, &facts.zone);
            td_string!(locale, error.limit_reached, at = at)
        }
        AppError::PriceChanged { price } => td_string!(locale, error.price_changed, price = price.display_cents()),
        AppError::NotFound => td_string!(locale, error.not_found).to_owned(),
        AppError::Forbidden => td_string!(locale, error.forbidden).to_owned(),
        AppError::SignedOut => td_string!(locale, error.signed_out).to_owned(),
        AppError::WrongCredentials => td_string!(locale, error.wrong_credentials).to_owned(),
        AppError::Conflict => td_string!(locale, error.conflict).to_owned(),
        AppError::NoPhoto => td_string!(locale, error.no_photo).to_owned(),
        AppError::Invalid { .. } => td_string!(locale, error.invalid).to_owned(),
        AppError::NoPrice => td_string!(locale, error.no_price).to_owned(),
        AppError::Unavailable => td_string!(locale, error.unavailable).to_owned(),
        AppError::Unreachable => td_string!(locale, error.unreachable).to_owned(),
        AppError::TooLarge => td_string!(locale, error.too_large).to_owned(),
        AppError::BadRequest => td_string!(locale, error.bad_request).to_owned(),
        AppError::Internal => td_string!(locale, error.internal).to_owned(),
    }
}

/// What a field takes: from the notation of the API documents to how people write it.
pub fn expected_values(expected: &str) -> String {
    expected.replace("..=", "–").replace('|', ", ")
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use domain::MicroUsd;

    use super::*;
    use crate::{i18n::Locale, shell::ShopZone};

    fn facts(locale: Locale) -> PageFacts {
        PageFacts { locale, theme: None, zone: ShopZone::default(), rendered_at: DateTime::UNIX_EPOCH }
    }

    #[test]
    fn a_reached_limit_says_how_soon_it_resets() {
        let error = AppError::LimitReached {
            spend: MicroUsd::new(5),
            spend_limit: MicroUsd::new(5),
            resets_at: DateTime::UNIX_EPOCH + Duration::hours(15),
        };
        assert!(error_sentence(&error, &facts(Locale::ko)).contains("15시간 뒤"));
        assert!(error_sentence(&error, &facts(Locale::en)).contains("in 15 h"));
    }

    #[test]
    fn too_many_tries_say_how_long_to_wait() {
        let error = AppError::TooManyTries { retry_after_secs: 90 };
        assert!(error_sentence(&error, &facts(Locale::ko)).contains("1분 30초"));
    }
}
