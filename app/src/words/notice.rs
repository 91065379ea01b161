//! What the bell says.

use domain::{
    GenerationId,
    notice::{Fact, NoticeBody},
};
use leptos_i18n::td_string;

use super::{day_name, local};
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
        NoticeBody::Fact(fact) => fact_sentence(locale, fact),
    }
}

fn fact_sentence(locale: Locale, fact: &Fact) -> String {
    match fact {
        Fact::DailyReport { day, videos, failed, .. } => {
            td_string!(locale, bell.daily_report, day = day_name(*day, locale), videos = videos, failed = failed)
        }
        Fact::QueueStuck { minutes } => td_string!(locale, bell.queue_stuck, minutes = minutes),
        Fact::ManyFailures { failed, ended } => {
            td_string!(locale, bell.many_failures, failed = failed, ended = ended)
        }
        Fact::ModelRetires { model, on } => {
            td_string!(locale, bell.model_retires, model = model, day = day_name(*on, locale))
        }
    }
}

/// The generation a notice is about.
pub fn notice_generation(body: &NoticeBody) -> Option<GenerationId> {
    match body {
        NoticeBody::VideoReady { generation_id, .. } | NoticeBody::GenerationFailed { generation_id, .. } => {
            Some(*generation_id)
        }
        NoticeBody::LimitNear { .. } | NoticeBody::Fact(_) => None,
    }
}

/// The `data-state` of a notice.
pub const fn notice_state(body: &NoticeBody) -> &'static str {
    match body {
        NoticeBody::VideoReady { .. } => "done",
        NoticeBody::GenerationFailed { .. } => "failed",
        NoticeBody::Fact(Fact::DailyReport { .. }) => "done",
        NoticeBody::LimitNear { .. } | NoticeBody::Fact(_) => "attention",
    }
}
