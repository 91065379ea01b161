//! `/admin/videos/{id}`: one video, its poster, its colours, its exports.

use domain::{
    VideoId,
    export::{ExportOptions, ExportState, ExportView, Fit, Focus, Shape},
    generation::Frame,
    product::VideoView,
    video::{ColourDistance, ColourVerdict, Pictured, VideoDesk},
};
use leptos::{prelude::*, server_fn::ServerFn as _};
use leptos_i18n::td_string;

use super::{
    PlainPage,
    document::{Content, Form},
    form::{NumberField, refused},
    size,
};
use crate::{
    AppError,
    api::videos::{ChoosePoster, EXPORT_FORM, RequestExport},
    clock::exact,
    components::{
        icon::{Icon, IconName},
        playback::Playback,
    },
    i18n::Locale,
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
                    {poster(&desk, form, locale)} {exports(&desk, form, facts)}
                    <Playback title=td_string!(locale, playback.title) playback=desk.playback cost/>
                </div>
                <aside class="stack">{player(&desk.video, title)} {colours(&desk.colours, locale)}</aside>
            </div>
        }
        .into_any(),
    }
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
                <form method="post" action=ChoosePoster::url()>
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

fn exports(desk: &VideoDesk, form: &Form, facts: &PageFacts) -> impl IntoView + use<> {
    let locale = facts.locale;
    let rows = desk.exports.iter().map(|export| row(export, facts)).collect_view();
    let waits = desk.exports.iter().any(|export| export.state == ExportState::Queued);
    let again = waits.then(|| view! { <div class="card-body">{look_again(locale)}</div> });
    let list = if desk.exports.is_empty() {
        view! { <p class="card-body muted">{td_string!(locale, video.none)}</p> }.into_any()
    } else {
        view! {
            <div class="card-body flush">
                <div class="table-box">
                    <table class="table">
                        <thead>
                            <tr>
                                <th scope="col">{td_string!(locale, video.column_shape)}</th>
                                <th scope="col">{td_string!(locale, video.column_state)}</th>
                                <th scope="col">{td_string!(locale, video.column_file)}</th>
                                <th scope="col">{td_string!(locale, video.column_by)}</th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            </div>
        }
        .into_any()
    };
    view! {
        <section class="card" data-testid="exports">
            <header class="card-head">
                <h2 class="card-title">{td_string!(locale, video.exports)}</h2>
            </header>
            <div class="card-body">{export_form(desk.video.id, form, locale)}</div>
            <div data-part="exports">{list} {again}</div>
        </section>
    }
}

fn export_form(video: VideoId, form: &Form, locale: Locale) -> impl IntoView + use<> {
    let refusal = form.refusal::<RequestExport>();
    let typed = |input| form.typed(EXPORT_FORM, input, refusal.as_ref());
    let shape = typed("shape").and_then(|text| Shape::parse(&text).ok()).unwrap_or(Shape::Square);
    let fit = typed("fit").and_then(|text| Fit::parse(&text).ok()).unwrap_or_default();
    let shapes = Shape::ALL.map(|choice| {
        view! { <Choice name="shape" value=choice.as_str() is_chosen=choice == shape word=choice.as_str()/> }
    });
    let fits = Fit::ALL.map(|choice| {
        view! { <Choice name="fit" value=choice.as_str() is_chosen=choice == fit word=fit_word(locale, choice)/> }
    });
    let percent = |name, label, usual: u8| {
        let field = NumberField { form: EXPORT_FORM, name, label, value: usual.to_string(), most: 100 };
        field.view(form, refusal.as_ref())
    };
    let usual = Focus::DEFAULT;
    view! {
        <form method="post" action=RequestExport::url() class="form">
            {refused(refusal.as_ref())}
            <p class="field-hint">{td_string!(locale, video.exports_note)}</p>
            <input type="hidden" name="video" value=video.to_string()/>
            <fieldset class="segmented">
                <legend class="field-label">{td_string!(locale, video.shape)}</legend>
                <div class="segmented-track">{shapes.into_iter().collect_view()}</div>
            </fieldset>
            <fieldset class="segmented">
                <legend class="field-label">{td_string!(locale, video.fit)}</legend>
                <div class="segmented-track">{fits.into_iter().collect_view()}</div>
            </fieldset>
            <fieldset class="focus-choice">
                <legend class="field-label">{td_string!(locale, video.focus)}</legend>
                <div class="field-row">
                    {percent("focus_x", td_string!(locale, video.focus_x), usual.x())}
                    {percent("focus_y", td_string!(locale, video.focus_y), usual.y())}
                </div>
                <p class="field-hint">{td_string!(locale, video.focus_note)}</p>
            </fieldset>
            <div class="row">
                <button class="button primary" type="submit">
                    {td_string!(locale, video.make)}
                </button>
            </div>
        </form>
    }
}

fn fit_word(locale: Locale, fit: Fit) -> &'static str {
    match fit {
        Fit::Crop => td_string!(locale, video.crop),
        Fit::Blur => td_string!(locale, video.blur),
    }
}

#[component]
fn Choice(name: &'static str, value: &'static str, is_chosen: bool, word: &'static str) -> impl IntoView {
    view! {
        <label class="segment">
            <input type="radio" name=name value=value checked=is_chosen/>
            <span>{word}</span>
        </label>
    }
}

fn row(export: &ExportView, facts: &PageFacts) -> impl IntoView + use<> {
    let locale = facts.locale;
    let ExportOptions { shape, fit, focus } = export.options;
    let how = match fit {
        Fit::Crop => format!("{} · {} / {} %", fit_word(locale, fit), focus.x(), focus.y()),
        Fit::Blur => fit_word(locale, fit).to_owned(),
    };
    let (state, icon, word) = match export.state {
        ExportState::Queued => ("running", IconName::Running, td_string!(locale, video.queued)),
        ExportState::Done => ("done", IconName::Done, td_string!(locale, video.done)),
        ExportState::Failed => ("failed", IconName::Failed, td_string!(locale, video.failed)),
    };
    let reason = export.failure.map(|code| {
        let again = td_string!(locale, video.try_again);
        view! { <span class="cell-sub">{format!("{} {again}", failure_what(locale, code))}</span> }
    });
    let file = export.file.clone().map(|file| {
        let said = td_string!(locale, video.file, width = file.width, height = file.height, size = size(file.bytes));
        let name = format!("{}.mp4", shape.as_str().replace(':', "x"));
        view! {
            <a class="button small" href=file.url download=name>
                {td_string!(locale, video.download)}
            </a>
            <span class="cell-sub figures">{said}</span>
        }
    });
    let by =
        td_string!(locale, video.by, name = export.requested_by.clone(), at = exact(export.requested_at, &facts.zone));
    view! {
        <tr>
            <td class="cell-lead">
                <span class="cell-text">
                    <span class="cell-name">{shape.as_str()}</span>
                    <span class="cell-sub">{how}</span>
                </span>
            </td>
            <td data-label=td_string!(locale, video.column_state)>
                <span class="state" data-state=state>
                    <Icon name=icon/>
                    <span class="state-word">{word}</span>
                </span>
                {reason}
            </td>
            <td data-label=td_string!(locale, video.column_file)>{file}</td>
            <td data-label=td_string!(locale, video.column_by)>
                <span class="cell-sub">{by}</span>
            </td>
        </tr>
    }
}
