//! The choices of the form, from the recipe to what is made besides.

use domain::{ClipSeconds, FramesPerSecond, ModelType, Options, Recipe, Resolution, options::VideoFormat};
use leptos::prelude::*;
use leptos_i18n::td_string;

use crate::{shell::use_locale, words};

/// Everything that can be chosen; nothing of it needs scripts.
#[component]
pub(super) fn Choices(
    /// What is chosen at first.
    start: Options,
) -> impl IntoView {
    let locale = use_locale();
    view! {
        <RecipeChoice chosen=start.recipe/>
        <Segments
            name="model_type"
            legend=td_string!(locale, options.model_type)
            choices=ModelType::ALL
                .map(|choice| (choice.as_str().to_owned(), words::model_type(locale, choice).to_owned()))
                .to_vec()
            chosen=start.model_type.as_str().to_owned()
        />
        <Segments
            name="duration"
            legend=td_string!(locale, options.duration)
            choices=(ClipSeconds::MIN..=ClipSeconds::MAX)
                .map(|count| (count.to_string(), td_string!(locale, options.seconds, count = count)))
                .collect()
            chosen=start.duration.get().to_string()
        />
        <Segments
            name="resolution"
            legend=td_string!(locale, options.resolution)
            choices=Resolution::ALL.map(|choice| (choice.as_str().to_owned(), choice.as_str().to_owned())).to_vec()
            chosen=start.resolution.as_str().to_owned()
        />
        <FrameRate chosen=start.fps/>
        <Segments
            name="format"
            legend=td_string!(locale, options.format)
            choices=VideoFormat::ALL
                .map(|choice| (choice.as_str().to_owned(), words::format(locale, choice).to_owned()))
                .to_vec()
            chosen=start.format.as_str().to_owned()
        />
        <fieldset class="checks">
            <legend class="field-label">{td_string!(locale, options.also)}</legend>
            <Check
                name="hls"
                is_chosen=start.hls
                word=td_string!(locale, options.hls)
                hint=td_string!(locale, options.hls_hint)
            />
            <Check
                name="branding"
                is_chosen=start.branding
                word=td_string!(locale, options.branding)
                hint=td_string!(locale, options.branding_hint)
            />
        </fieldset>
    }
}

/// How the video is made. The style sheet shows the hint of the choice: without scripts as well.
#[component]
fn RecipeChoice(chosen: Recipe) -> impl IntoView {
    let locale = use_locale();
    let hints = [
        (Recipe::ProductVideo, td_string!(locale, options.product_video_hint)),
        (Recipe::TryonVideo, td_string!(locale, options.tryon_video_hint)),
    ];
    let hints = hints.map(|(recipe, hint)| {
        view! {
            <p class="field-hint" data-recipe=recipe.as_str()>
                {hint}
            </p>
        }
    });
    view! {
        <div class="recipe-choice">
            <Segments
                name="recipe"
                legend=td_string!(locale, options.recipe)
                choices=Recipe::ALL
                    .map(|choice| (choice.as_str().to_owned(), words::recipe(locale, choice).to_owned()))
                    .to_vec()
                chosen=chosen.as_str().to_owned()
            />
            {hints.into_iter().collect_view()}
        </div>
    }
}

/// A choice between few.
#[component]
fn Segments(name: &'static str, legend: &'static str, choices: Vec<(String, String)>, chosen: String) -> impl IntoView {
    view! {
        <fieldset class="segmented">
            <legend class="field-label">{legend}</legend>
            <div class="segmented-track">
                {choices
                    .into_iter()
                    .map(|(value, word)| {
                        let is_chosen = value == chosen;
                        view! {
                            <label class="segment">
                                <input type="radio" name=name value=value checked=is_chosen/>
                                <span>{word}</span>
                            </label>
                        }
                    })
                    .collect_view()}
            </div>
        </fieldset>
    }
}

/// Something that is made besides.
#[component]
fn Check(name: &'static str, is_chosen: bool, word: &'static str, hint: &'static str) -> impl IntoView {
    let hint_id = format!("{name}-hint");
    view! {
        <label class="check-field">
            <input type="checkbox" name=name value="true" checked=is_chosen aria-describedby=hint_id.clone()/>
            <span>{word}</span>
        </label>
        <p class="field-hint" id=hint_id>
            {hint}
        </p>
    }
}

#[component]
fn FrameRate(chosen: FramesPerSecond) -> impl IntoView {
    let locale = use_locale();
    view! {
        <div class="field">
            <label class="field-label" for="fps">
                {td_string!(locale, options.fps)}
            </label>
            <select class="select" id="fps" name="fps">
                {(FramesPerSecond::MIN..=FramesPerSecond::MAX)
                    .map(|count| {
                        view! {
                            <option value=count.to_string() selected=count == chosen.get()>
                                {td_string!(locale, options.fps_value, count = count)}
                            </option>
                        }
                    })
                    .collect_view()}
            </select>
        </div>
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::{i18n::Locale, sample};

    #[test]
    fn each_recipe_can_be_chosen_and_has_its_hint() {
        let html = sample::render(Locale::ko, || view! { <RecipeChoice chosen=Recipe::TryonVideo/> });
        for recipe in Recipe::ALL {
            let word = recipe.as_str();
            assert!(html.contains(&format!("value=\"{word}\"")), "{word} in {html}");
            assert!(html.contains(&format!("data-recipe=\"{word}\"")), "{word} in {html}");
        }
        let (_, tryon) = html.split_once("value=\"tryon_video\"").unwrap_or_default();
        assert_eq!((html.matches("checked").count(), tryon.matches("checked").count()), (1, 1), "{html}");
    }
}
