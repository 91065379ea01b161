//! What every page says of the queue when it does not run at full speed.

use domain::queue::QueueNotice;
use leptos::prelude::*;
use leptos_i18n::td_string;

use super::icon::{Icon, IconName};
use crate::{i18n::Locale, shell::use_locale, words::pause_scope};

/// Redis is away, or something is paused; with the way to the queue.
#[component]
pub fn QueueAlert(
    /// What there is to say.
    notice: QueueNotice,
) -> impl IntoView {
    let locale = use_locale();
    let sentences = sentences(locale, &notice).into_iter().map(|text| view! { <p class="alert-text">{text}</p> });
    view! {
        <div class="alert" data-state="attention" data-testid="queue-alert">
            <Icon name=IconName::Pause size=20/>
            <div class="alert-body">{sentences.collect_view()}</div>
            <div class="alert-actions">
                <a class="button small" href="/admin/queue">
                    {td_string!(locale, nav.queue)}
                </a>
            </div>
        </div>
    }
}

fn sentences(locale: Locale, notice: &QueueNotice) -> Vec<String> {
    let mut sentences = Vec::with_capacity(2);
    if !notice.redis_ok {
        sentences.push(td_string!(locale, queue.redis_away).to_owned());
    }
    if !notice.paused.is_empty() {
        let names: Vec<String> = notice.paused.iter().map(|scope| pause_scope(locale, scope)).collect();
        sentences.push(td_string!(locale, queue.paused_now, what = names.join(", ")));
    }
    sentences
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use domain::queue::PauseScope;

    use super::*;
    use crate::sample;

    #[test]
    fn it_says_what_is_paused_and_that_redis_is_away() {
        let notice = |redis_ok| QueueNotice {
            redis_ok,
            paused: vec![PauseScope::Everything, PauseScope::Provider("fal".into())],
        };
        let html = sample::render(Locale::en, || view! { <QueueAlert notice=notice(false)/> });
        assert!(html.contains("Paused: Everything, Provider fal.ai. What is paused starts no new jobs."), "{html}");
        assert!(html.contains("Redis cannot be reached") && html.contains("href=\"/admin/queue\""), "{html}");
        let html = sample::render(Locale::ko, || view! { <QueueAlert notice=notice(true)/> });
        assert!(html.contains("전체, 제공사 fal.ai") && !html.contains("Redis"), "{html}");
    }
}
