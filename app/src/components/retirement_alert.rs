//! What every page says of models in use that will be gone soon.

use domain::models::RetiringModel;
use leptos::prelude::*;
use leptos_i18n::td_string;

use super::icon::{Icon, IconName};
use crate::{
    pages::admin::models::model_address,
    shell::{use_facts, use_locale},
    words::day_name,
};

/// Models that end soon, or have ended, each with its day; with the way to the first of them.
#[component]
pub fn RetirementAlert(
    /// Soonest first.
    models: Vec<RetiringModel>,
) -> impl IntoView {
    let locale = use_locale();
    let today = use_facts().rendered_at.date_naive();
    let href = models.first().map(|model| model_address(&model.name));
    let sentences = models.into_iter().map(|RetiringModel { id, on, .. }| {
        let day = day_name(on, locale);
        let text = if on > today {
            td_string!(locale, bell.model_retires, model = id, day = day)
        } else {
            td_string!(locale, models.gone, model = id, day = day)
        };
        view! { <p class="alert-text">{text}</p> }
    });
    view! {
        <div class="alert" data-state="attention" data-testid="retirement-alert">
            <Icon name=IconName::Attention size=20/>
            <div class="alert-body">{sentences.collect_view()}</div>
            <div class="alert-actions">
                <a class="button small" href=href>
                    {td_string!(locale, nav.models)}
                </a>
            </div>
        </div>
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use chrono::Days;

    use super::*;
    use crate::{i18n::Locale, sample};

    #[test]
    fn it_names_each_model_with_its_day_and_says_when_one_is_gone_already() {
        let model = |id: &str, days| RetiringModel {
            name: format!("fal/{id}"),
            id: id.to_owned(),
            on: sample::now().date_naive() - Days::new(1) + Days::new(days),
        };
        let models = vec![model("fal-ai/old", 0), model("fal-ai/pika", 21)];
        let alert = |locale| {
            let models = models.clone();
            sample::render(locale, || view! { <RetirementAlert models/> })
        };
        let html = alert(Locale::en);
        assert!(html.contains("fal-ai/old is not bought any more since Oct 3."), "{html}");
        assert!(html.contains("fal-ai/pika retires on Oct 24."), "{html}");
        assert!(html.contains("href=\"/admin/models?model=fal%2Ffal-ai%2Fold\""), "{html}");
        assert!(alert(Locale::ko).contains("10월 24일"), "{html}");
    }
}
