//! `/admin/queue`: what waits, what is paused, pausing and resuming.

use chrono::Duration;
use domain::queue::{PauseScope, PauseView, QueueDepth, QueueView, REASON_MAX_CHARS};
use leptos::{html, prelude::*};
use leptos_i18n::td_string;

use crate::{
    api::queue::{PauseQueue, ResumeQueue, load_queue},
    clock::lasting,
    components::{
        error_block::ErrorBlock, figure::Figure, lasting::Lasting, moment::Moment, post_form::PostForm,
        skeleton::PageSkeleton, title::PageTitle,
    },
    i18n::Locale,
    live::use_live,
    shell::use_locale,
    words::pause_scope,
};

/// The queue page.
#[component]
pub fn QueuePage() -> impl IntoView {
    let locale = use_locale();
    let live = use_live();
    let pause = ServerAction::<PauseQueue>::new();
    let resume = ServerAction::<ResumeQueue>::new();
    let changes = Memo::new(move |_| pause.version().get() + resume.version().get());
    // The frame of this tab says it as well.
    Effect::new(move |before: Option<usize>| {
        let now = changes.get();
        if before.is_some() {
            live.alerts.update(|count| *count = count.wrapping_add(1));
        }
        now
    });
    let queue = crate::wire::resource(move || (changes.get(), live.turns.get(), live.reopened.get()), |_| load_queue());
    let lasting = Lasting::here();
    view! {
        <PageTitle text=td_string!(locale, queue.title).to_owned()/>
        <Transition fallback=move || view! { <PageSkeleton text=td_string!(locale, queue.loading)/> }>
            {move || {
                let lasting = lasting.clone();
                Suspend::new(async move {
                    match queue.await {
                        Ok(queue) => lasting.view(|| view! { <Desk queue pause resume/> }.into_any()),
                        Err(error) => view! { <ErrorBlock error/> }.into_any(),
                    }
                })
            }}
        </Transition>
    }
    .into_any()
}

#[component]
fn Desk(queue: QueueView, pause: ServerAction<PauseQueue>, resume: ServerAction<ResumeQueue>) -> impl IntoView {
    let locale = use_locale();
    let parts = if queue.redis_ok { td_string!(locale, queue.redis_ok) } else { td_string!(locale, queue.redis_away) };
    view! {
        <header class="page-head">
            <div class="page-head-text">
                <h1 class="page-title">{td_string!(locale, queue.title)}</h1>
                <p class="page-sub">{parts}</p>
            </div>
        </header>
        <div class="stack">
            {move || pause.value().get().and_then(Result::err).map(|error| view! { <ErrorBlock error/> })}
            {move || resume.value().get().and_then(Result::err).map(|error| view! { <ErrorBlock error/> })}
            <Depth depth=queue.depth oldest_secs=queue.oldest_waiting_secs locale/>
            <Pauses pauses=queue.pauses resume locale/>
            <PauseForm choices=queue.choices pause locale/>
        </div>
    }
}

#[component]
fn Depth(depth: QueueDepth, oldest_secs: u32, locale: Locale) -> impl IntoView {
    let oldest = if depth.waiting == 0 {
        td_string!(locale, queue.none_waiting).to_owned()
    } else {
        td_string!(locale, queue.oldest, time = lasting(locale, Duration::seconds(i64::from(oldest_secs))))
    };
    let figures = [
        (td_string!(locale, queue.waiting), depth.waiting, oldest),
        (td_string!(locale, queue.delayed), depth.delayed, td_string!(locale, queue.delayed_note).to_owned()),
        (td_string!(locale, queue.running), depth.running, td_string!(locale, queue.running_note).to_owned()),
        (td_string!(locale, queue.parked), depth.parked, td_string!(locale, queue.parked_note).to_owned()),
    ];
    let figures = figures.map(|(label, count, note)| view! { <Figure label value=count.to_string() note/> });
    view! {
        <section class="card">
            <dl class="stats four">{figures.into_iter().collect_view()}</dl>
        </section>
    }
}

/// What is paused, with the way on.
#[component]
fn Pauses(pauses: Vec<PauseView>, resume: ServerAction<ResumeQueue>, locale: Locale) -> impl IntoView {
    let body = if pauses.is_empty() {
        view! { <p class="muted">{td_string!(locale, queue.nothing_paused)}</p> }.into_any()
    } else {
        let lines = pauses.into_iter().map(|pause| view! { <PauseLine pause resume locale/> }).collect_view();
        view! { <ul class="pauses">{lines}</ul> }.into_any()
    };
    view! {
        <section class="card">
            <header class="card-head">
                <h2 class="card-title">{td_string!(locale, queue.paused)}</h2>
            </header>
            <div class="card-body">{body}</div>
        </section>
    }
}

#[component]
fn PauseLine(pause: PauseView, resume: ServerAction<ResumeQueue>, locale: Locale) -> impl IntoView {
    let PauseView { scope, reason, by, since } = pause;
    let by = by.unwrap_or_else(|| td_string!(locale, queue.by_command).to_owned());
    let name = pause_scope(locale, &scope);
    let pending = resume.pending();
    view! {
        <li class="pause">
            <div class="pause-text">
                <p class="pause-name">{name.clone()}</p>
                {(!reason.is_empty()).then(|| view! { <p>{reason}</p> })}
                <p class="cell-sub">{by} " · " <Moment at=since/></p>
            </div>
            <PostForm action=resume read=|form| Some(ResumeQueue { scope: form.word("scope")? })>
                <input type="hidden" name="scope" value=scope.to_string()/>
                <button class="button" type="submit" disabled=move || pending.get()>
                    {td_string!(locale, queue.resume)}
                    <span class="visually-hidden">" " {name}</span>
                </button>
            </PostForm>
        </li>
    }
}

#[component]
fn PauseForm(choices: Vec<PauseScope>, pause: ServerAction<PauseQueue>, locale: Locale) -> impl IntoView {
    let pending = pause.pending();
    let form = NodeRef::<html::Form>::new();
    // The page is not loaded anew by a pause, and the reason belongs to that one.
    Effect::new(move || {
        if let (Some(Ok(())), Some(form)) = (pause.value().get(), form.get_untracked()) {
            form.reset();
        }
    });
    let options = choices.into_iter().map(move |scope| {
        view! { <option value=scope.to_string()>{pause_scope(locale, &scope)}</option> }
    });
    view! {
        <section class="card">
            <header class="card-head">
                <h2 class="card-title">{td_string!(locale, queue.pause_title)}</h2>
            </header>
            <div class="card-body stack tight">
                <p class="muted">{td_string!(locale, queue.pause_note)}</p>
                <PostForm
                    action=pause
                    class="pause-form"
                    node_ref=form
                    read=|form| Some(PauseQueue { scope: form.word("scope")?, reason: form.word("reason")? })
                >
                    <div class="field">
                        <label class="field-label" for="scope">
                            {td_string!(locale, queue.what)}
                        </label>
                        <select class="select" id="scope" name="scope">
                            {options.collect_view()}
                        </select>
                    </div>
                    <div class="field">
                        <label class="field-label" for="reason">
                            {td_string!(locale, queue.reason)}
                        </label>
                        <input class="input" id="reason" name="reason" maxlength=REASON_MAX_CHARS autocomplete="off"/>
                    </div>
                    <button class="button" type="submit" disabled=move || pending.get()>
                        {td_string!(locale, queue.pause)}
                    </button>
                </PostForm>
            </div>
        </section>
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::sample;

    fn desk(locale: Locale, redis_ok: bool, pauses: Vec<PauseView>) -> String {
        let queue = QueueView {
            depth: QueueDepth { waiting: 12, delayed: 3, running: 4, parked: 5 },
            oldest_waiting_secs: 90,
            redis_ok,
            pauses,
            choices: vec![PauseScope::Everything, PauseScope::Model("fal/fal-ai/pika".into())],
        };
        sample::render(locale, || {
            view! { <Desk queue pause=ServerAction::new() resume=ServerAction::new()/> }.into_any()
        })
    }

    #[test]
    fn it_says_who_paused_what_why_and_since_when() {
        let pause = PauseView {
            scope: PauseScope::Provider("fal".into()),
            reason: "Invoice <unclear>".into(),
            by: Some("Mina".into()),
            since: sample::now() - Duration::minutes(5),
        };
        let html = desk(Locale::en, true, vec![pause]);
        for text in ["Provider fal.ai", "Invoice &lt;unclear&gt;", "Mina", "5", "value=\"provider:fal\"", "1 min"] {
            assert!(html.contains(text), "{text} in {html}");
        }
        assert!(html.contains("action=\"/api/admin/queue/resume\"") && html.contains("method=\"post\""), "{html}");
        assert!(html.contains("value=\"model:fal/fal-ai/pika\"") && !html.contains("style="), "{html}");
    }

    #[test]
    fn an_idle_page_says_so_and_names_a_missing_redis_with_what_it_means() {
        let html = desk(Locale::ko, false, Vec::new());
        assert!(html.contains("Redis에 연결할 수 없어") && html.contains("일시중지한 작업이 없습니다"), "{html}");
        assert!(html.contains("action=\"/api/admin/queue/pause\"") && !html.contains("queue/resume"), "{html}");
    }
}
