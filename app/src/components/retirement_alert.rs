//! What every page says of models in use that will be gone soon.

use domain::models::{RetiringModel, RouteAfter};
use leptos::prelude::*;
use leptos_i18n::td_string;

use super::icon::{Icon, IconName};
use crate::{
    i18n::Locale,
    pages::admin::models::model_address,
    shell::{use_facts, use_locale},
    words::{day_name, recipe, stage_of},
};

/// Models that end soon, or have ended, each with its day; with the way to the first of them.
#[component]
pub fn RetirementAlert(
    /// Soonest first.
    models: Vec<RetiringModel>,
) -> impl IntoView {
    let locale = use_locale();
    let today = use_facts().today();
    let href = models.first().map(|model| model_address(&model.name));
    let sentences = models.into_iter().map(|RetiringModel { id, on, routes, .. }| {
        let day = day_name(on, locale);
        let text = if on > today {
            td_string!(locale, models.retires_soon, model = id, day = day)
        } else {
            td_string!(locale, models.gone, model = id, day = day)
        };
        let routes = routes.iter().map(|route| view! { <p class="alert-text muted">{route_after(locale, route)}</p> });
        view! {
            <p class="alert-text">{text}</p>
            {routes.collect_view()}
        }
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

/// What a stage is made with once the model is gone, and the setting that says so.
fn route_after(locale: Locale, route: &RouteAfter) -> String {
    let what = format!("{} · {}", recipe(locale, route.recipe), stage_of(locale, route.recipe, route.stage));
    let setting = route.setting();
    match &route.next {
        Some(next) => td_string!(locale, models.route_next, what = what, next = next.clone(), setting = setting),
        None => td_string!(locale, models.route_ends, what = what, setting = setting),
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use chrono::Days;
    use domain::{Recipe, Stage};

    use super::*;
    use crate::sample;

    #[test]
    fn it_names_each_model_with_its_day_and_says_when_one_is_gone_already() {
        let route =
            |recipe, next: Option<&str>| RouteAfter { recipe, stage: Stage::Clip, next: next.map(str::to_owned) };
        let model = |id: &str, days| RetiringModel {
            name: format!("fal/{id}"),
            id: id.to_owned(),
            routes: vec![route(Recipe::ProductVideo, Some("fal-ai/kling")), route(Recipe::TryonVideo, None)],
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
        let next = "Product video · Clip is made with fal-ai/kling without it (setting PRODUCT_CLIP_MODELS).";
        let none =
            "Try-on video · Clip cannot be made without it: name another model in the setting TRYON_CLIP_MODELS.";
        assert_eq!((html.matches(next).count(), html.matches(none).count()), (2, 2), "{html}");
        assert!(html.contains("href=\"/admin/models?model=fal%2Ffal-ai%2Fold\""), "{html}");
        assert!(alert(Locale::ko).contains("10월 24일"), "{html}");
    }
}
