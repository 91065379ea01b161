//! The domain's words in the languages of the locales.

mod day;
mod error;
mod event_detail;
mod failure;
mod notice;
mod queue;
mod state;

pub use day::{day_name, iso_day};
pub use error::{error_sentence, expected_values};
pub use event_detail::{event_detail, reason_of, without_reason};
pub use failure::{RetryHelp, failure_next, failure_what, retry_help};
pub use notice::{notice_generation, notice_sentence, notice_state};
pub use queue::{pause_scope, provider};
pub use state::{
    call_state, event, format, generation_state, group, model_type, recipe, stage, stage_of, stage_state, video_status,
};

use domain::LocalText;

use crate::i18n::Locale;

/// A text of the catalogue in the language of the page.
pub fn local(text: &LocalText, locale: Locale) -> &str {
    text.get(match locale {
        Locale::ko => domain::Locale::Ko,
        Locale::en => domain::Locale::En,
    })
}
