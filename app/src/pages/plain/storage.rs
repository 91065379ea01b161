//! `/admin/storage`: what is stored, what goes next, and the rules.

use domain::storage::{KEEP_DAYS_MAX, StorageDesk, StoredPart};
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
    api::storage::{RETENTION_FORM, SetRetention},
    clock::exact,
    i18n::Locale,
    query::form_address,
    shell::PageFacts,
};

/// Where it is.
const PAGE: &str = "/admin/storage";

/// The page of storage.
///
/// # Errors
/// When it cannot be loaded.
pub async fn storage_page(engine: &engine::Engine, page: &PlainPage<'_>) -> Result<String, AppError> {
    page.write(engine.storage_desk().await.map_err(AppError::from), content)
}

fn content(desk: StorageDesk, form: &Form, facts: &PageFacts) -> Content {
    let locale = facts.locale;
    let StorageDesk { parts, due, keep: _, set: _ } = &desk;
    let (there, due) = (
        table(locale, td_string!(locale, storage.there), parts, td_string!(locale, storage.nothing)),
        table(locale, td_string!(locale, storage.due), due, td_string!(locale, storage.nothing_due)),
    );
    Content {
        title: td_string!(locale, storage.title).to_owned(),
        is_waiting: false,
        body: view! {
            <header class="page-head">
                <div class="page-head-text">
                    <h1 class="page-title">{td_string!(locale, storage.title)}</h1>
                    <p class="page-sub">{td_string!(locale, storage.sub)}</p>
                </div>
            </header>
            <div class="split">
                <div class="stack">{there} {due}</div>
                <aside>{rules(&desk, form, facts)}</aside>
            </div>
        }
        .into_any(),
    }
}

fn part_name(locale: Locale, part: &str) -> &'static str {
    match part {
        "original" => td_string!(locale, storage.original),
        "hls" => td_string!(locale, storage.hls),
        "poster" => td_string!(locale, storage.poster),
        "export" => td_string!(locale, storage.export),
        "tryon_image" => td_string!(locale, storage.tryon_image),
        _ => td_string!(locale, storage.rendition),
    }
}

fn table(locale: Locale, title: &'static str, parts: &[StoredPart], nothing: &'static str) -> impl IntoView + use<> {
    let (objects, bytes) =
        parts.iter().fold((0, 0), |(objects, bytes), part| (objects + part.objects, bytes + part.bytes));
    let rows = parts.iter().map(|part| {
        view! {
            <tr>
                <th scope="row">{part_name(locale, &part.part)}</th>
                <td class="number" data-label=td_string!(locale, storage.objects)>
                    {part.objects}
                </td>
                <td class="number" data-label=td_string!(locale, storage.size)>
                    {size(part.bytes)}
                </td>
            </tr>
        }
    });
    let body = if parts.is_empty() {
        view! { <p class="card-body muted">{nothing}</p> }.into_any()
    } else {
        view! {
            <div class="card-body flush">
                <div class="table-box">
                    <table class="table dense">
                        <thead>
                            <tr>
                                <th scope="col">{td_string!(locale, storage.part)}</th>
                                <th scope="col" class="number">
                                    {td_string!(locale, storage.objects)}
                                </th>
                                <th scope="col" class="number">
                                    {td_string!(locale, storage.size)}
                                </th>
                            </tr>
                        </thead>
                        <tbody>{rows.collect_view()}</tbody>
                        <tfoot>
                            <tr>
                                <th scope="row">{td_string!(locale, storage.total)}</th>
                                <td class="number" data-label=td_string!(locale, storage.objects)>
                                    {objects}
                                </td>
                                <td class="number" data-label=td_string!(locale, storage.size)>
                                    {size(bytes)}
                                </td>
                            </tr>
                        </tfoot>
                    </table>
                </div>
            </div>
        }
        .into_any()
    };
    view! {
        <section class="card">
            <header class="card-head">
                <h2 class="card-title">{title}</h2>
            </header>
            {body}
        </section>
    }
}

fn rules(desk: &StorageDesk, form: &Form, facts: &PageFacts) -> impl IntoView + use<> {
    let locale = facts.locale;
    let refusal = form.refusal::<SetRetention>();
    let field = |name, label, days: u16| {
        let field =
            NumberField { form: RETENTION_FORM, name, label, value: days.to_string(), most: u32::from(KEEP_DAYS_MAX) };
        field.view(form, refusal.as_ref())
    };
    let keep = desk.keep;
    let origin = match &desk.set {
        Some((name, at)) => td_string!(locale, storage.set_by, name = name.clone(), at = exact(*at, &facts.zone)),
        None => td_string!(locale, storage.from_settings).to_owned(),
    };
    view! {
        <section class="card">
            <header class="card-head">
                <h2 class="card-title">{td_string!(locale, storage.rules)}</h2>
            </header>
            <form method="post" action=form_address(SetRetention::url(), PAGE) class="card-body form">
                {refused(refusal.as_ref())}
                <p class="field-hint">{td_string!(locale, storage.rules_note)}</p>
                {field("originals", td_string!(locale, storage.originals_days), keep.originals)}
                {field("videos", td_string!(locale, storage.videos_days), keep.videos)}
                {field("posters", td_string!(locale, storage.posters_days), keep.posters)}
                <p class="field-hint">{origin}</p>
                <button class="button primary" type="submit">
                    {td_string!(locale, storage.save)}
                </button>
            </form>
        </section>
    }
}
