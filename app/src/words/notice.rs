//! What the bell says.

use domain::{GenerationId, notice::NoticeBody};
use leptos_i18n::td_string;

use super::local;
use crate::i18n::Locale;

/// The notice in one line.
pub fn notice_sentence(locale: Locale, body: &NoticeBody) -> String {
    match body {
        NoticeBody::VideoReady { product, .. } => {
            td_string!(locale, bell.video_ready, product = local(product, locale))
        }
        NoticeBody::GenerationFailed { product, .. } => {
            td_string!(locale, bell.failed, product = local(product, locale))
        }
        NoticeBody::LimitNear { percent, .. } => td_string!(locale, bell.limit_near, percent = percent),
    }
}

/// The generation a notice is about.
pub fn notice_generation(body: &NoticeBody) -> Option<GenerationId> {
    match body {
        NoticeBody::VideoReady { generation_id, .. } | NoticeBody::GenerationFailed { generation_id, .. } => {
            Some(*generation_id)
        }
        NoticeBody::LimitNear { .. } => None,
    }
}

/// The `data-state` of a notice.
pub const fn notice_state(body: &NoticeBody) -> &'static str {
    match body {
        NoticeBody::VideoReady { .. } => "done",
        NoticeBody::GenerationFailed { .. } => "failed",
        NoticeBody::LimitNear { .. } => "attention",
    }
}
