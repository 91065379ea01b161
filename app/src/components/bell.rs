//! The bell: what this person is told, kept until it is read.

use domain::{
    MicroUsd,
    notice::{Bell, Fact, Notice, NoticeBody},
};
use leptos::prelude::*;
use leptos_i18n::td_string;

use super::{
    icon::{Icon, IconName},
    limits_line::Reset,
    moment::Moment,
    post_form::PostForm,
};
use crate::{
    api::notices::ReadNotices,
    clock::use_clock,
    i18n::Locale,
    live::use_live,
    shell::{use_facts, use_locale},
    words::{notice_generation, notice_sentence, notice_state},
};

/// The bell with its list.
#[component]
pub fn BellMenu(
    /// What it keeps.
    #[prop(into)]
    bell: Signal<Bell>,
) -> impl IntoView {
    let locale = use_locale();
    let live = use_live();
    let read = ServerAction::<ReadNotices>::new();
    Effect::new(move || {
        if matches!(read.value().get(), Some(Ok(()))) {
            let read = read_all(bell.get_untracked());
            live.bell.set(Some(read));
            live.fresh.update(Vec::clear);
        }
    });
    let unread = Memo::new(move |_| bell.with(|bell| bell.unread));
    let label = move || match unread.get() {
        0 => td_string!(locale, bell.label).to_owned(),
        count => td_string!(locale, bell.unread, count = count),
    };
    view! {
        <details class="popover" name="topbar">
            <summary class="button quiet icon-only" aria-label=label data-testid="bell">
                <Icon name=IconName::Bell size=20/>
                {move || {
                    (unread.get() > 0)
                        .then(|| view! { <span class="badge figures">{unread.get().min(99)}</span> })
                }}
            </summary>
            <div class="popover-panel">
                <BellHead unread read/>
                {move || view! { <Notices notices=bell.get().notices/> }}
            </div>
        </details>
    }
}

#[component]
fn BellHead(unread: Memo<u32>, read: ServerAction<ReadNotices>) -> impl IntoView {
    let locale = use_locale();
    let mark_read = move || {
        view! {
            <PostForm action=read read=|_| Some(ReadNotices {})>
                <button class="button quiet small" type="submit">
                    {td_string!(locale, bell.mark_read)}
                </button>
            </PostForm>
        }
    };
    view! {
        <div class="popover-head">
            <h2>{td_string!(locale, bell.label)}</h2>
            {move || (unread.get() > 0).then(mark_read)}
        </div>
    }
}

#[component]
fn Notices(notices: Vec<Notice>) -> impl IntoView {
    if notices.is_empty() {
        return view! { <p class="notices-empty">{td_string!(use_locale(), bell.empty)}</p> }.into_any();
    }
    let lines = notices.into_iter().map(|notice| view! { <NoticeLine notice/> }).collect_view();
    view! { <ul class="notices">{lines}</ul> }.into_any()
}

#[component]
fn NoticeLine(notice: Notice) -> impl IntoView {
    let facts = use_facts();
    let sentence = notice_sentence(facts.locale, &notice.body);
    let text = match notice_generation(&notice.body) {
        Some(id) => view! { <a href=format!("/admin/generations/{id}")>{sentence}</a> }.into_any(),
        None => sentence.into_any(),
    };
    let now = use_clock().now_once();
    let more = match &notice.body {
        NoticeBody::VideoReady { cost, .. } | NoticeBody::GenerationFailed { cost, .. } => {
            Some(cost_note(facts.locale, *cost).into_any())
        }
        NoticeBody::LimitNear { resets_at, .. } if *resets_at > now => {
            Some(view! { <Reset at=*resets_at/> }.into_any())
        }
        NoticeBody::Fact(Fact::DailyReport { paid, .. }) => Some(cost_note(facts.locale, *paid).into_any()),
        NoticeBody::LimitNear { .. } | NoticeBody::Fact(_) => None,
    };
    view! {
        <li class="notice" data-state=notice_state(&notice.body) data-unread=(!notice.read).then_some("")>
            <Icon name=notice_icon(&notice.body)/>
            <div class="notice-body">
                <p class="notice-text">{text}</p>
                <p class="notice-time">
                    <Moment at=notice.at/>
                    {more.map(|more| view! { " · " {more} })}
                </p>
            </div>
        </li>
    }
}

fn cost_note(locale: Locale, cost: MicroUsd) -> String {
    td_string!(locale, bell.cost, cost = cost.display())
}

/// The drawing of a notice.
pub const fn notice_icon(body: &NoticeBody) -> IconName {
    match body {
        NoticeBody::VideoReady { .. } => IconName::Done,
        NoticeBody::GenerationFailed { .. } => IconName::Failed,
        NoticeBody::Fact(Fact::DailyReport { .. }) => IconName::Done,
        NoticeBody::LimitNear { .. } | NoticeBody::Fact(_) => IconName::Attention,
    }
}

fn read_all(mut bell: Bell) -> Bell {
    bell.unread = 0;
    for notice in &mut bell.notices {
        notice.read = true;
    }
    bell
}
