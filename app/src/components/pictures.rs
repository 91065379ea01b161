//! The pictures of a generation in one row at one height: photo, the recipe's stills, clip. A wrong colour or shape shows
//! at a glance.

use domain::{
    GenerationState, LocalText, Stage, StageState,
    generation::{Frame, GenerationView},
    product::{Picture, VideoView},
};
use leptos::prelude::*;
use leptos_i18n::td_string;

use super::{
    icon::{Icon, IconName},
    moment::Moment,
    player::Player,
    story::is_stopped,
};
use crate::{shell::use_locale, words};

/// The pictures as far as they exist.
#[component]
pub fn Pictures(
    /// The generation, as new as it is known.
    #[prop(into)]
    generation: Signal<GenerationView>,
) -> impl IntoView {
    let locale = use_locale();
    // The row is built anew when a picture arrives or a stage turns, not with every percent: a playing clip plays on.
    let row = Memo::new(move |_| generation.with(PictureRow::of));
    view! {
        <div class="pictures" data-testid="pictures">
            {move || {
                let row = row.get();
                let name = words::local(&row.name, locale).to_owned();
                let start = if row.is_single {
                    td_string!(locale, one_still.word)
                } else {
                    td_string!(locale, story.still_start)
                };
                let end = td_string!(locale, story.still_end);
                view! {
                    <Shot
                        caption=td_string!(locale, story.photo)
                        alt=td_string!(locale, product.photo_alt, name = name.clone())
                        picture=row.photo
                        state="done"
                    />
                    <Shot
                        caption=start
                        alt=format!("{start} · {name}")
                        picture=row.start
                        state=row.stills_state
                    />
                    {(!row.is_single)
                        .then(|| {
                            let alt = format!("{end} · {name}");
                            view! { <Shot caption=end alt picture=row.end state=row.stills_state/> }
                        })}
                    <Clip video=row.video name state=row.clip_state/>
                }
            }}
        </div>
    }
}

/// The clip, once it is published.
#[component]
fn Clip(video: Option<VideoView>, name: String, state: &'static str) -> impl IntoView {
    let locale = use_locale();
    let caption = td_string!(locale, story.clip);
    let Some(video) = video else {
        return view! { <Shot caption alt=String::new() picture=None state icon=IconName::Video/> }.into_any();
    };
    let published_at = video.published_at;
    let page = format!("/admin/videos/{}", video.id);
    view! {
        <figure class="picture">
            <div class="picture-box" data-state="done" data-testid="published">
                <Player video label=td_string!(locale, product.video_label, name = name)/>
            </div>
            <figcaption class="picture-caption">
                <b>{caption}</b>
                <Moment at=published_at/>
                <a href=page rel="external">
                    {td_string!(locale, video.link)}
                </a>
            </figcaption>
        </figure>
    }
    .into_any()
}

#[component]
fn Shot(
    caption: &'static str,
    alt: String,
    picture: Option<Picture>,
    state: &'static str,
    #[prop(default = IconName::Image)] icon: IconName,
) -> impl IntoView {
    let locale = use_locale();
    let body = match picture {
        Some(picture) => view! {
            <a class="picture-box" data-state="done" href=picture.url.clone() target="_blank" rel="external noopener">
                <img src=picture.url.clone() width=picture.width height=picture.height alt=alt decoding="async"/>
            </a>
        }
        .into_any(),
        None => {
            let word = match state {
                "running" => td_string!(locale, stage_state.running),
                "failed" => td_string!(locale, stage_state.failed),
                "cancelled" => td_string!(locale, stage_state.cancelled),
                _ => td_string!(locale, story.not_yet),
            };
            view! {
                <div class="picture-box" data-state=state>
                    <Icon name=icon size=20/>
                    <span>{word}</span>
                </div>
            }
            .into_any()
        }
    };
    view! {
        <figure class="picture">
            {body} <figcaption class="picture-caption">
                <b>{caption}</b>
            </figcaption>
        </figure>
    }
}

/// What the row shows of a generation.
#[derive(Debug, Clone, PartialEq)]
struct PictureRow {
    name: LocalText,
    photo: Option<Picture>,
    start: Option<Picture>,
    end: Option<Picture>,
    /// The recipe has no second still.
    is_single: bool,
    video: Option<VideoView>,
    stills_state: &'static str,
    clip_state: &'static str,
}

impl PictureRow {
    fn of(generation: &GenerationView) -> Self {
        let still =
            |frame| generation.stills.iter().find(|still| still.frame == frame).map(|still| still.picture.clone());
        // The clip is shown once it is published: the boxes before it wait for every stage after the stills.
        let is_clip = |stage| matches!(stage, Stage::Clip | Stage::Encode | Stage::Publish);
        Self {
            name: generation.product_name.clone(),
            photo: generation.product_photo.clone(),
            start: still(Frame::Start),
            end: still(Frame::End),
            is_single: !generation.options.recipe.frames().contains(&Frame::End),
            video: generation.video.clone(),
            stills_state: box_state(generation, |stage| stage == Stage::Stills),
            clip_state: box_state(generation, is_clip),
        }
    }
}

/// The state of a box that waits for the result of some stages.
fn box_state(generation: &GenerationView, is_meant: impl Fn(Stage) -> bool) -> &'static str {
    let mut stages = generation.stages.iter().filter(|stage| is_meant(stage.stage));
    if stages.clone().any(|stage| is_stopped(stage, generation)) {
        "cancelled"
    } else if stages.clone().any(|stage| stage.state == StageState::Failed) {
        "failed"
    } else if generation.state == GenerationState::Failed || generation.state == GenerationState::Cancelled {
        "waiting"
    } else if stages.any(|stage| matches!(stage.state, StageState::Running | StageState::Done)) {
        "running"
    } else {
        "waiting"
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use domain::Recipe;

    use super::*;
    use crate::{i18n::Locale, sample};

    #[test]
    fn a_recipe_with_one_still_has_no_place_for_a_second() {
        let row = |recipe| {
            let mut generation = sample::generation(GenerationState::Queued);
            generation.options.recipe = recipe;
            sample::render(
                Locale::en,
                move || view! { <Pictures generation=Signal::derive(move || generation.clone())/> },
            )
        };
        let html = row(Recipe::TryonVideo);
        assert_eq!(html.matches("<figure").count(), 3, "{html}");
        assert!(html.contains("<b>Still<") && !html.contains("Still B"), "{html}");
        let html = row(Recipe::ProductVideo);
        assert_eq!(html.matches("<figure").count(), 4, "{html}");
        assert!(html.contains("<b>Still A<") && html.contains("<b>Still B<"), "{html}");
    }

    #[test]
    fn a_clip_nobody_wants_any_more_did_not_fail() {
        let state = |state| PictureRow::of(&sample::generation(state)).clip_state;
        assert_eq!(state(GenerationState::Failed), "failed");
        assert_eq!(state(GenerationState::Cancelled), "cancelled");
        assert_eq!(state(GenerationState::GeneratingVideo), "running");
    }
}
