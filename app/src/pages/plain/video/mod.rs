//! `/admin/videos/{id}`: one video, its poster, its colours, its exports.

mod exports;

use domain::{
    VideoId,
    export::ExportState,
    generation::Frame,
    product::VideoView,
    video::{ColourDistance, ColourVerdict, Pictured, VideoDesk},
};
use leptos::{prelude::*, server_fn::ServerFn as _};
use leptos_i18n::td_string;

use super::{
    PlainPage,
    document::{Content, Form},
    form::refused,
};
use crate::{
    AppError,
    api::videos::ChoosePoster,
    components::{
        icon::{Icon, IconName},
        playback::Playback,
    },
    i18n::Locale,
    query::form_address,
    shell::PageFacts,
    words::{failure_what, local},
};

/// The page of one video.
///
/// # Errors
/// [`AppError::NotFound`] for one that does not exist.
pub async fn video_page(engine: &engine::Engine, page: &PlainPage<'_>, id: VideoId) -> Result<String, AppError> {
    page.write(engine.video_desk(id).await.map_err(AppError::from), content)
}

fn content(desk: VideoDesk, form: &Form, facts: &PageFacts) -> Content {
    let locale = facts.locale;
    let name = local(&desk.product_name, locale).to_owned();
    let title = td_string!(locale, video.title, name = name.clone());
    let is_waiting = desk.is_poster_coming || desk.exports.iter().any(|export| export.state == ExportState::Queued);
    let published =
        if desk.is_published { td_string!(locale, video.published) } else { td_string!(locale, video.not_published) };
    let cost = desk.video.cost;
    Content {
        title: title.clone(),
        is_waiting,
        body: view! {
            <header class="page-head">
                <a class="page-back" href=format!("/admin/products/{}", desk.product_id)>
                    <Icon name=IconName::ArrowLeft/>
                    {td_string!(locale, video.back, name = name)}
                </a>
                <div class="page-head-row">
                    <div class="page-head-text">
                        <h1 class="page-title">{title.clone()}</h1>
                        <p class="page-sub">{format!("{published} · {}", cost.display())}</p>
                    </div>
                    <div class="page-actions">
                        <a class="button" href=format!("/admin/generations/{}", desk.generation_id)>
                            {td_string!(locale, video.generation)}
                        </a>
                    </div>
                </div>
            </header>
            <div class="split">
                <div class="stack">
                    {poster(&desk, form, locale)} {exports::view(&desk, form, facts)}
                    <Playback title=td_string!(locale, playback.title) playback=desk.playback cost/>
                </div>
                <aside class="stack">{player(&desk.video, title)} {colours(&desk.colours, locale)}</aside>
            </div>
        }
        .into_any(),
    }
}

/// The address of the page of a video.
fn address(video: VideoId) -> String {
    format!("/admin/videos/{video}")
}

fn player(video: &VideoView, label: String) -> impl IntoView + use<> {
    let poster = video.lightest_poster().clone();
    let sources =
        video.sources.clone().into_iter().map(|source| view! { <source src=source.url type=source.content_type/> });
    view! {
        <div class="video-stage">
            <video
                controls
                muted
                loop
                playsinline
                preload="none"
                width=poster.width
                height=poster.height
                poster=poster.url
                aria-label=label
            >
                {sources.collect_view()}
            </video>
        </div>
    }
}

/// Seconds with tenths, rounded.
fn seconds(ms: u32) -> String {
    let tenths = (ms + 50) / 100;
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn poster(desk: &VideoDesk, form: &Form, locale: Locale) -> impl IntoView + use<> {
    let refusal = form.refusal::<ChoosePoster>();
    let (video, chosen) = (desk.video.id, desk.poster_at_ms);
    let now = match (desk.is_poster_coming, desk.poster_failure, chosen) {
        (true, ..) => td_string!(locale, video.poster_coming).to_owned(),
        (false, Some(code), _) => td_string!(locale, video.poster_failed, reason = failure_what(locale, code)),
        (false, None, Some(at)) => td_string!(locale, video.poster_at, time = seconds(at)),
        (false, None, None) => td_string!(locale, video.poster_ours).to_owned(),
    };
    let moments = moments(desk, locale);
    let picture = desk.video.lightest_poster().clone();
    view! {
        <section class="card">
            <header class="card-head">
                <h2 class="card-title">{td_string!(locale, video.poster)}</h2>
            </header>
            <div class="card-body stack tight">
                {refused(refusal.as_ref())}
                <p class="field-hint">{td_string!(locale, video.poster_note)}</p>
                <div class="poster-now" data-part="poster">
                    <img
                        src=picture.url
                        width=picture.width
                        height=picture.height
                        alt=td_string!(locale, video.poster)
                        data-testid="poster"
                    />
                    <p role="status">{now}</p>
                    {desk.is_poster_coming.then(|| look_again(locale))}
                </div>
                <form method="post" action=form_address(ChoosePoster::url(), &address(video))>
                    <input type="hidden" name="video" value=video.to_string()/>
                    <ul class="moments" data-part="moments">
                        {moments}
                    </ul>
                </form>
            </div>
        </section>
    }
}

/// The way to see what has become of it, for who has no scripts.
fn look_again(locale: Locale) -> impl IntoView + use<> {
    view! {
        <noscript>
            <a class="button small" href="">
                {td_string!(locale, video.look_again)}
            </a>
        </noscript>
    }
}

/// The pictures of the strip, each a button that makes its moment the poster.
fn moments(desk: &VideoDesk, locale: Locale) -> impl IntoView + use<> {
    let (moments, chosen) = (desk.moments_ms.clone(), desk.poster_at_ms);
    desk.video.strip.clone().map(|strip| {
        let moment = |(number, at): (usize, u32)| {
            let pressed = if chosen == Some(at) { "true" } else { "false" };
            view! {
                <li>
                    <button
                        class="moment"
                        type="submit"
                        name="at_ms"
                        value=at.to_string()
                        aria-label=td_string!(locale, video.moment, time = seconds(at))
                        aria-pressed=pressed
                    >
                        <span class="moment-shot" data-shot=number.to_string()>
                            <img src=strip.url.clone() width=strip.width height=strip.height alt=""/>
                        </span>
                        <span class="figures">{td_string!(locale, video.moment_short, time = seconds(at))}</span>
                    </button>
                </li>
            }
        };
        moments.into_iter().enumerate().map(moment).collect_view()
    })
}

fn colours(distances: &[ColourDistance], locale: Locale) -> impl IntoView + use<> {
    let lines = distances.iter().map(|distance| {
        let of = match distance.of {
            Pictured::Still(Frame::Start) => td_string!(locale, video.still_start),
            Pictured::Still(Frame::End) => td_string!(locale, video.still_end),
            Pictured::Clip => td_string!(locale, video.clip),
        };
        let (state, icon, word) = match distance.verdict() {
            ColourVerdict::Same => ("done", IconName::Done, td_string!(locale, video.same)),
            ColourVerdict::Near => ("queued", IconName::Attention, td_string!(locale, video.near)),
            ColourVerdict::Other => ("attention", IconName::Attention, td_string!(locale, video.other)),
        };
        let number = format!("{}.{}", distance.hundredths / 100, distance.hundredths % 100 / 10);
        view! {
            <div class="fact">
                <dt>{of}</dt>
                <dd>
                    <span class="state" data-state=state>
                        <Icon name=icon/>
                        <span class="state-word">{word}</span>
                        <span class="state-percent figures">{number}</span>
                    </span>
                </dd>
            </div>
        }
    });
    let body = if distances.is_empty() {
        view! { <p class="muted">{td_string!(locale, video.colours_none)}</p> }.into_any()
    } else {
        view! { <dl class="facts">{lines.collect_view()}</dl> }.into_any()
    };
    view! {
        <section class="card" data-testid="colours">
            <header class="card-head">
                <h2 class="card-title">{td_string!(locale, video.colours)}</h2>
            </header>
            <div class="card-body stack tight">
                <p class="field-hint">{td_string!(locale, video.colours_note)}</p>
                {body}
            </div>
        </section>
    }
}
