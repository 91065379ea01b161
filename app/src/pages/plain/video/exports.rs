//! The exports of a video: asked for, made, downloaded, stopped.

use domain::{
    FailureCode, VideoId,
    export::{ExportOptions, ExportState, ExportView, Fit, Focus, Shape},
    video::VideoDesk,
};
use leptos::{prelude::*, server_fn::ServerFn as _};
use leptos_i18n::td_string;

use super::{
    super::{
        document::Form,
        form::{NumberField, refused},
        size,
    },
    address, look_again,
};
use crate::{
    api::videos::{CancelExport, EXPORT_FORM, RequestExport},
    clock::exact,
    components::icon::{Icon, IconName},
    i18n::Locale,
    query::form_address,
    shell::PageFacts,
    words::failure_what,
};

/// The card of exports: the form, and what was asked for so far.
pub(super) fn view(desk: &VideoDesk, form: &Form, facts: &PageFacts) -> impl IntoView + use<> {
    let locale = facts.locale;
    let rows = desk.exports.iter().map(|export| row(export, desk.video.id, facts)).collect_view();
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
            {refused(form.refusal::<CancelExport>().as_ref()).map(|why| view! { <div class="card-body">{why}</div> })}
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
        <form method="post" action=form_address(RequestExport::url(), &address(video)) class="form">
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

fn row(export: &ExportView, video: VideoId, facts: &PageFacts) -> impl IntoView + use<> {
    let locale = facts.locale;
    let ExportOptions { shape, fit, focus } = export.options;
    let how = match fit {
        Fit::Crop => format!("{} · {} / {} %", fit_word(locale, fit), focus.x(), focus.y()),
        Fit::Blur => fit_word(locale, fit).to_owned(),
    };
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
    let stop = (export.state == ExportState::Queued).then(|| cancel_form(export, video, locale));
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
            <td data-label=td_string!(locale, video.column_state)>{state(export, locale)}</td>
            <td data-label=td_string!(locale, video.column_file)>{file} {stop}</td>
            <td data-label=td_string!(locale, video.column_by)>
                <span class="cell-sub">{by}</span>
            </td>
        </tr>
    }
}

/// Where it is, how far, and why it is not there.
fn state(export: &ExportView, locale: Locale) -> impl IntoView + use<> {
    let is_cancelled = export.failure == Some(FailureCode::Cancelled);
    let (state, icon, word) = match (export.state, export.percent) {
        (ExportState::Queued, None) => ("queued", IconName::Waiting, td_string!(locale, video.waiting)),
        (ExportState::Queued, Some(_)) => ("running", IconName::Running, td_string!(locale, video.queued)),
        (ExportState::Done, _) => ("done", IconName::Done, td_string!(locale, video.done)),
        (ExportState::Failed, _) if is_cancelled => {
            ("cancelled", IconName::Cancelled, td_string!(locale, video.cancelled))
        }
        (ExportState::Failed, _) => ("failed", IconName::Failed, td_string!(locale, video.failed)),
    };
    let percent = export.percent.map(|percent| {
        let said = td_string!(locale, video.percent, percent = percent);
        view! { <span class="state-percent figures">{said}</span> }
    });
    let bar = export.percent.map(|percent| {
        let label = td_string!(locale, video.queued);
        view! { <progress class="progress export-progress" max="100" value=percent.to_string() aria-label=label></progress> }
    });
    let reason = export.failure.map(|code| {
        let again = td_string!(locale, video.try_again);
        let why = if is_cancelled { td_string!(locale, video.cancelled_note) } else { failure_what(locale, code) };
        view! { <span class="cell-sub">{format!("{why} {again}")}</span> }
    });
    view! {
        <span class="state" data-state=state>
            <Icon name=icon/>
            <span class="state-word">{word}</span>
            {percent}
        </span>
        {bar}
        {reason}
    }
}

/// The way to stop it, until that was asked for.
fn cancel_form(export: &ExportView, video: VideoId, locale: Locale) -> impl IntoView + use<> {
    let is_asked = export.is_cancelling;
    let word = if is_asked { td_string!(locale, video.cancelling) } else { td_string!(locale, video.cancel) };
    // Several buttons may say the same word: read out they say of what.
    let label = (!is_asked).then(|| td_string!(locale, video.cancel_label, shape = export.options.shape.as_str()));
    view! {
        <form method="post" action=form_address(CancelExport::url(), &address(video))>
            <input type="hidden" name="export" value=export.id.to_string()/>
            <button
                class="button small"
                type="submit"
                id=format!("cancel-{}", export.id)
                disabled=is_asked
                aria-label=label
                data-testid="cancel-export"
            >
                <Icon name=IconName::Stop/>
                {word}
            </button>
        </form>
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use domain::ExportId;
    use uuid::Uuid;

    use super::*;
    use crate::sample;

    fn shown(locale: Locale, change: impl FnOnce(&mut ExportView)) -> String {
        let mut export = ExportView {
            id: ExportId::from_uuid(Uuid::from_u128(5)),
            options: ExportOptions { shape: Shape::Story, fit: Fit::Crop, focus: Focus::DEFAULT },
            state: ExportState::Queued,
            percent: None,
            is_cancelling: false,
            failure: None,
            file: None,
            requested_by: "Mina".to_owned(),
            requested_at: sample::now(),
        };
        change(&mut export);
        sample::render(locale, || row(&export, VideoId::from_uuid(Uuid::from_u128(9)), &crate::shell::use_facts()))
    }

    #[test]
    fn what_is_made_says_how_far_it_is_and_can_be_stopped() {
        let waiting = shown(Locale::en, |_| {});
        assert!(waiting.contains("Waiting") && waiting.contains("data-testid=\"cancel-export\""), "{waiting}");
        assert!(!waiting.contains("<progress"), "nothing was measured yet: {waiting}");
        for (locale, percent, cancel) in
            [(Locale::en, "42 %", "Cancel the export 9:16"), (Locale::ko, "42%", "9:16 내보내기 취소")]
        {
            let html = shown(locale, |export| export.percent = Some(42));
            assert!(html.contains(percent) && html.contains("value=\"42\"") && html.contains(cancel), "{html}");
            assert!(html.contains("page=%2Fadmin%2Fvideos%2F"), "{html}");
        }
        let stopping = shown(Locale::ko, |export| export.is_cancelling = true);
        assert!(stopping.contains(" disabled") && stopping.contains("취소하는 중"), "{stopping}");
    }

    #[test]
    fn what_was_stopped_says_so_and_offers_no_second_click() {
        for (locale, word) in [(Locale::en, "A person stopped it"), (Locale::ko, "직접 취소했습니다")] {
            let html = shown(locale, |export| {
                (export.state, export.failure) = (ExportState::Failed, Some(FailureCode::Cancelled));
            });
            assert!(html.contains(word) && html.contains("data-state=\"cancelled\""), "{html}");
            assert!(!html.contains("cancel-export"), "{html}");
        }
    }
}
