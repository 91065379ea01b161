//! What the bell says.

use domain::{
    GenerationId,
    notice::{Fact, NoticeBody},
};
use leptos_i18n::td_string;

use super::{day_name, failure_what, local, provider};
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
        Fact::ModelPrice { provider: of, model } => {
            td_string!(locale, bell.model_price, provider = provider(of), model = model)
        }
        Fact::ModelMissing { provider: of, model } => {
            td_string!(locale, bell.model_missing, provider = provider(of), model = model)
        }
        Fact::KeyRefused { provider: of, code } => {
            td_string!(locale, bell.key_refused, provider = provider(of), why = failure_what(locale, *code))
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
