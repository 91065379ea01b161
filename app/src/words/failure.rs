//! Why a generation gave no video.

use domain::{FailureCode, Stage, generation::FailureView};
use leptos_i18n::td_string;

use crate::i18n::Locale;

/// What happened, as one sentence.
pub fn failure_what(locale: Locale, code: FailureCode) -> &'static str {
    match code {
        FailureCode::Cancelled => td_string!(locale, failure.cancelled.what),
        FailureCode::ContentRefused => td_string!(locale, failure.content_refused.what),
        FailureCode::PhotoRefused => td_string!(locale, failure.photo_refused.what),
        FailureCode::PhotoTooSmall => td_string!(locale, failure.photo_too_small.what),
        FailureCode::PhotoTooLarge => td_string!(locale, failure.photo_too_large.what),
        FailureCode::PhotoUnreadable => td_string!(locale, failure.photo_unreadable.what),
        FailureCode::NoPersonFound => td_string!(locale, failure.no_person_found.what),
        FailureCode::InputUnsupported => td_string!(locale, failure.input_unsupported.what),
        FailureCode::NoPicture => td_string!(locale, failure.no_picture.what),
        FailureCode::ProviderKey => td_string!(locale, failure.provider_key.what),
        FailureCode::ProviderCredit => td_string!(locale, failure.provider_credit.what),
        FailureCode::ProviderAccount => td_string!(locale, failure.provider_account.what),
        FailureCode::ModelGone => td_string!(locale, failure.model_gone.what),
        FailureCode::ProviderBusy => td_string!(locale, failure.provider_busy.what),
        FailureCode::ProviderUnavailable => td_string!(locale, failure.provider_unavailable.what),
        FailureCode::ProviderUnreachable => td_string!(locale, failure.provider_unreachable.what),
        FailureCode::ProviderGarbage => td_string!(locale, failure.provider_garbage.what),
        FailureCode::ProviderTimeout => td_string!(locale, failure.provider_timeout.what),
        FailureCode::ProviderRejected => td_string!(locale, failure.provider_rejected.what),
        FailureCode::CallInDoubt => td_string!(locale, failure.call_in_doubt.what),
        FailureCode::ResultMissing => td_string!(locale, failure.result_missing.what),
        FailureCode::ClipCorrupt => td_string!(locale, failure.clip_corrupt.what),
        FailureCode::ClipBlack => td_string!(locale, failure.clip_black.what),
        FailureCode::ClipFrozen => td_string!(locale, failure.clip_frozen.what),
        FailureCode::ClipFlashing => td_string!(locale, failure.clip_flashing.what),
        FailureCode::EncodeFailed => td_string!(locale, failure.encode_failed.what),
        FailureCode::StorageUnavailable => td_string!(locale, failure.storage_unavailable.what),
        FailureCode::TimedOut => td_string!(locale, failure.timed_out.what),
        FailureCode::WorkerCrashed => td_string!(locale, failure.worker_crashed.what),
        FailureCode::ProductGone => td_string!(locale, failure.product_gone.what),
        FailureCode::NoPrice => td_string!(locale, failure.no_price.what),
        FailureCode::LimitReached => td_string!(locale, failure.limit_reached.what),
        FailureCode::Internal => td_string!(locale, failure.internal.what),
    }
}

/// Whether a retry is what helps: it repeats the same with the same photo, and takes over what was paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryHelp {
    /// It may well succeed.
    Helps,
    /// Something else has to change first, or the same is likely to come of it.
    Doubtful,
    /// It cannot begin.
    Never,
}

/// What a retry is good for after a failure. The sentences of [`failure_next`] say the same.
pub const fn retry_help(code: FailureCode) -> RetryHelp {
    match code {
        FailureCode::ContentRefused
        | FailureCode::PhotoRefused
        | FailureCode::ProviderAccount
        | FailureCode::ProviderRejected
        | FailureCode::CallInDoubt
        | FailureCode::WorkerCrashed
        | FailureCode::NoPrice => RetryHelp::Doubtful,
        FailureCode::ProductGone => RetryHelp::Never,
        _ => RetryHelp::Helps,
    }
}

/// What to do next, in a sentence or two.
pub fn failure_next(locale: Locale, failure: &FailureView) -> &'static str {
    // What was refused is what the stage was given: the photo, or the stills.
    if failure.code == FailureCode::ContentRefused && failure.stage == Some(Stage::Clip) {
        return td_string!(locale, failure.content_refused.next_stills);
    }
    match failure.code {
        FailureCode::Cancelled => td_string!(locale, failure.cancelled.next),
        FailureCode::ContentRefused => td_string!(locale, failure.content_refused.next),
        FailureCode::PhotoRefused => td_string!(locale, failure.photo_refused.next),
        FailureCode::PhotoTooSmall => td_string!(locale, failure.photo_too_small.next),
        FailureCode::PhotoTooLarge => td_string!(locale, failure.photo_too_large.next),
        FailureCode::PhotoUnreadable => td_string!(locale, failure.photo_unreadable.next),
        FailureCode::NoPersonFound => td_string!(locale, failure.no_person_found.next),
        FailureCode::InputUnsupported => td_string!(locale, failure.input_unsupported.next),
        FailureCode::NoPicture => td_string!(locale, failure.no_picture.next),
        FailureCode::ProviderKey => td_string!(locale, failure.provider_key.next),
        FailureCode::ProviderCredit => td_string!(locale, failure.provider_credit.next),
        FailureCode::ProviderAccount => td_string!(locale, failure.provider_account.next),
        FailureCode::ModelGone => td_string!(locale, failure.model_gone.next),
        FailureCode::ProviderBusy => td_string!(locale, failure.provider_busy.next),
        FailureCode::ProviderUnavailable | FailureCode::ProviderUnreachable => {
            td_string!(locale, failure.provider_unavailable.next)
        }
        FailureCode::ProviderGarbage => td_string!(locale, failure.provider_garbage.next),
        FailureCode::ProviderTimeout => td_string!(locale, failure.provider_timeout.next),
        FailureCode::ProviderRejected => td_string!(locale, failure.provider_rejected.next),
        FailureCode::CallInDoubt => td_string!(locale, failure.call_in_doubt.next),
        FailureCode::ResultMissing => td_string!(locale, failure.result_missing.next),
        FailureCode::ClipCorrupt => td_string!(locale, failure.clip_corrupt.next),
        FailureCode::ClipBlack => td_string!(locale, failure.clip_black.next),
        FailureCode::ClipFrozen => td_string!(locale, failure.clip_frozen.next),
        FailureCode::ClipFlashing => td_string!(locale, failure.clip_flashing.next),
        FailureCode::EncodeFailed => td_string!(locale, failure.encode_failed.next),
        FailureCode::StorageUnavailable => td_string!(locale, failure.storage_unavailable.next),
        FailureCode::TimedOut => td_string!(locale, failure.timed_out.next),
        FailureCode::WorkerCrashed => td_string!(locale, failure.worker_crashed.next),
        FailureCode::ProductGone => td_string!(locale, failure.product_gone.next),
        FailureCode::NoPrice => td_string!(locale, failure.no_price.next),
        FailureCode::LimitReached => td_string!(locale, failure.limit_reached.next),
        FailureCode::Internal => td_string!(locale, failure.internal.next),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_says_what_happened_and_what_to_do_in_both_languages() {
        for code in FailureCode::ALL {
            let next = |locale, stage| failure_next(locale, &FailureView { code: *code, stage, detail: None });
            for (ko, en) in [
                (failure_what(Locale::ko, *code), failure_what(Locale::en, *code)),
                (next(Locale::ko, None), next(Locale::en, None)),
                (next(Locale::ko, Some(Stage::Clip)), next(Locale::en, Some(Stage::Clip))),
            ] {
                assert!(ko.chars().any(|letter| ('가'..='힣').contains(&letter)), "{code:?}: {ko}");
                assert!(en.is_ascii() && en.ends_with('.') && ko.ends_with('.'), "{code:?}: {en} / {ko}");
            }
        }
    }
}
