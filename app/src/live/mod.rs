//! Live changes: one stream per tab, opened by the frame; pages read from what it collected.

mod stream;

use std::collections::HashMap;

use domain::{
    GenerationId, NoticeId, ProductId,
    cost::LimitStatus,
    generation::{GenerationRow, GenerationView},
    notice::{Bell, Notice},
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::api::frame::FrameView;

/// Where the frame listens.
pub const STREAM: &str = "/events/generations";

/// Generations that are kept in a tab at most.
const KEPT: usize = 300;

/// One event of `/events/generations` and `/events/generations/{id}`, as JSON in the data of a `message` event.
///
/// `{"kind":"generation","data":{…}}`, `{"kind":"bell","data":{…}}` or `{"kind":"limits","data":{…}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data", rename_all = "snake_case")]
pub enum LiveEvent {
    /// The newest snapshot of a generation.
    Generation(Box<GenerationView>),
    /// What the bell of this person keeps.
    Bell(Bell),
    /// The limits of the day.
    Limits(LimitStatus),
}

/// What the stream told so far.
#[derive(Clone, Copy)]
pub struct Live {
    generations: RwSignal<HashMap<GenerationId, GenerationView>>,
    /// The bell, once the stream has told it.
    pub bell: RwSignal<Option<Bell>>,
    /// The limits, once the stream has told them.
    pub limits: RwSignal<Option<LimitStatus>>,
    /// Notices that came while this tab was open and were not dismissed, oldest first.
    pub fresh: RwSignal<Vec<Notice>>,
    /// Counts generations that began or ended: lists load anew when it changes.
    pub turns: RwSignal<u32>,
    /// Whether the stream was open and broke.
    pub lost: RwSignal<bool>,
    /// Counts how often the stream was opened again: what is loaded may be older than it.
    pub reopened: RwSignal<u32>,
    /// Counts what this tab changed of that about which every page alerts, like a pause: the frame loads anew with it.
    pub alerts: RwSignal<u32>,
    /// Whether the session has ended: the stream is not opened any more.
    pub signed_out: RwSignal<bool>,
}

impl Live {
    /// An empty collection, known to the tree below.
    pub fn provide() -> Self {
        let live = Self {
            generations: RwSignal::default(),
            bell: RwSignal::default(),
            limits: RwSignal::default(),
            fresh: RwSignal::default(),
            turns: RwSignal::default(),
            lost: RwSignal::default(),
            reopened: RwSignal::default(),
            alerts: RwSignal::default(),
            signed_out: RwSignal::default(),
        };
        provide_context(live);
        live
    }

    /// Opens the stream of this tab, and opens it again when it breaks, for as long as the frame is shown and somebody is
    /// signed in; on the server nothing happens.
    pub fn listen(self) {
        Effect::new(move || stream::begin(self));
    }

    /// What was missed while the stream was broken: what `frame` no longer knows as running has ended, and whatever is
    /// loaded loads anew.
    pub fn catch_up(self, frame: FrameView) {
        let running = frame.active;
        // With more than fit on a page, those beyond it are unknown.
        if running.total <= running.rows.len() as u64 {
            let is_running = |id| running.rows.iter().any(|row| row.id == id);
            self.generations.update(|all| all.retain(|id, view| view.state.is_final() || is_running(*id)));
        }
        self.limits.set(Some(frame.limits));
        self.receive_bell(frame.bell);
        self.reopened.update(|count| *count = count.wrapping_add(1));
        self.turns.update(|turns| *turns = turns.wrapping_add(1));
    }

    /// Takes one event; an older snapshot than the known one changes nothing.
    pub fn receive(self, event: LiveEvent) {
        match event {
            LiveEvent::Generation(view) => self.receive_generation(*view),
            LiveEvent::Bell(bell) => self.receive_bell(bell),
            LiveEvent::Limits(limits) => self.limits.set(Some(limits)),
        }
    }

    fn receive_generation(self, view: GenerationView) {
        let known = self
            .generations
            .with_untracked(|all| all.get(&view.id).map(|known| (known.version, known.state.is_final())));
        let is_turn = match known {
            Some((version, _)) if version >= view.version => return,
            Some((_, was_final)) => view.state.is_final() && !was_final,
            None => true,
        };
        self.generations.update(|all| {
            if all.len() >= KEPT {
                all.retain(|_, known| !known.state.is_final());
            }
            all.insert(view.id, view);
        });
        if is_turn {
            self.turns.update(|turns| *turns = turns.wrapping_add(1));
        }
    }

    fn receive_bell(self, bell: Bell) {
        let news = self.bell.with_untracked(|known| {
            // The first bell of a tab tells old news.
            known.as_ref().map(|known| fresh_notices(known, &bell)).unwrap_or_default()
        });
        if !news.is_empty() {
            self.fresh.update(|fresh| fresh.extend(news));
        }
        self.bell.set(Some(bell));
    }

    /// Takes a notice from the toasts; the bell keeps it.
    pub fn dismiss(self, id: NoticeId) {
        self.fresh.update(|fresh| fresh.retain(|notice| notice.id != id));
    }

    /// The newest snapshot of a generation: the stream's when it is newer than the page's.
    pub fn newest(self, page: GenerationView) -> GenerationView {
        self.generations
            .with(|all| all.get(&page.id).filter(|known| known.version > page.version).cloned())
            .unwrap_or(page)
    }

    /// What the stream knows of a generation.
    pub fn generation(self, id: GenerationId) -> Option<GenerationView> {
        self.generations.with(|all| all.get(&id).cloned())
    }

    /// The latest generation of a product the stream knows of.
    pub fn latest_of(self, product: ProductId) -> Option<GenerationView> {
        self.generations.with(|all| {
            all.values()
                .filter(|view| view.product_id == product)
                .max_by_key(|view| (view.created_at, view.id))
                .cloned()
        })
    }

    /// Changes when a generation of this product begins or ends, and when that may have been missed.
    pub fn turns_of(self, product: ProductId) -> (usize, usize, u32) {
        let reopened = self.reopened.get();
        self.generations.with(|all| {
            let of_product = all.values().filter(|view| view.product_id == product);
            of_product.fold((0, 0, reopened), |(known, ended, _), view| {
                (known + 1, ended + usize::from(view.state.is_final()), reopened)
            })
        })
    }

    /// How many generations are under way, given what the page knew (`rows` are the newest of `total`).
    pub fn active(self, rows: &[GenerationRow], total: u64) -> u64 {
        self.generations.with(|all| {
            let ended = rows.iter().filter(|row| all.get(&row.id).is_some_and(|view| view.state.is_final())).count();
            let begun =
                all.values().filter(|view| !view.state.is_final() && !rows.iter().any(|row| row.id == view.id)).count();
            // When the page did not see all of them, those it did not see may be among the begun.
            let unseen = total.saturating_sub(rows.len() as u64);
            (rows.len() - ended) as u64 + unseen.max(begun as u64)
        })
    }
}

/// What the stream told; an empty collection outside of the frame.
pub fn use_live() -> Live {
    use_context().unwrap_or_else(Live::provide)
}

/// Unread notices of `bell` that `known` did not have.
fn fresh_notices(known: &Bell, bell: &Bell) -> Vec<Notice> {
    let mut fresh: Vec<_> = bell
        .notices
        .iter()
        .filter(|notice| !notice.read && !known.notices.iter().any(|old| old.id == notice.id))
        .cloned()
        .collect();
    fresh.sort_by_key(|notice| notice.at);
    fresh
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use domain::{GenerationState, MicroUsd, notice::NoticeBody};

    use super::*;
    use crate::sample;

    fn view(version: i64, state: GenerationState) -> LiveEvent {
        LiveEvent::Generation(Box::new(GenerationView { version, ..sample::generation(state) }))
    }

    fn notice(number: u128) -> Notice {
        let body = NoticeBody::VideoReady {
            generation_id: sample::generation(GenerationState::Completed).id,
            product: domain::LocalText::default(),
            cost: MicroUsd::ZERO,
        };
        Notice { id: NoticeId::from_uuid(uuid::Uuid::from_u128(number)), body, at: sample::now(), read: false }
    }

    fn frame(rows: Vec<GenerationRow>) -> FrameView {
        let limits = LimitStatus {
            generations: 0,
            generations_limit: 1,
            spend: MicroUsd::ZERO,
            spend_limit: MicroUsd::ZERO,
            resets_at: sample::now(),
        };
        let person = domain::user::Person {
            id: domain::UserId::from_uuid(uuid::Uuid::nil()),
            email: String::new(),
            name: String::new(),
        };
        let total = rows.len() as u64;
        let queue = domain::queue::QueueNotice { redis_ok: true, paused: Vec::new() };
        FrameView {
            person,
            limits,
            bell: Bell::default(),
            active: domain::page::Page { rows, number: 1, total },
            queue,
            retiring: Vec::new(),
        }
    }

    #[test]
    fn an_older_snapshot_changes_nothing_and_the_end_is_a_turn() {
        Owner::new().with(|| {
            let live = Live::provide();
            let id = sample::generation(GenerationState::Queued).id;
            live.receive(view(5, GenerationState::Encoding));
            live.receive(view(4, GenerationState::Queued));
            assert_eq!(live.generation(id).map(|view| view.state), Some(GenerationState::Encoding));
            assert_eq!(live.turns.get_untracked(), 1);
            live.receive(view(6, GenerationState::Completed));
            live.receive(view(6, GenerationState::Completed));
            assert_eq!(live.turns.get_untracked(), 2);
            assert_eq!(live.turns_of(sample::generation(GenerationState::Queued).product_id), (1, 1, 0));
        });
    }

    #[test]
    fn what_ended_while_the_stream_was_broken_no_longer_runs_and_everything_loads_anew() {
        Owner::new().with(|| {
            let live = Live::provide();
            live.receive(view(5, GenerationState::Encoding));
            let generation = sample::generation(GenerationState::Encoding);
            let before = (live.turns.get_untracked(), live.turns_of(generation.product_id));
            live.catch_up(frame(vec![]));
            assert_eq!(live.active(&[], 0), 0);
            assert_ne!(live.turns.get_untracked(), before.0);
            assert_ne!(live.turns_of(generation.product_id), before.1);

            live.receive(view(6, GenerationState::Encoding));
            live.catch_up(frame(vec![crate::components::generation_table::row_of(&generation)]));
            assert_eq!(live.generation(generation.id).map(|view| view.version), Some(6));
        });
    }

    #[test]
    fn the_page_is_shown_until_the_stream_knows_better() {
        Owner::new().with(|| {
            let live = Live::provide();
            live.receive(view(5, GenerationState::Encoding));
            let page = |version, state| GenerationView { version, ..sample::generation(state) };
            assert_eq!(live.newest(page(7, GenerationState::Failed)).version, 7);
            assert_eq!(live.newest(page(3, GenerationState::Queued)).version, 5);
        });
    }

    #[test]
    fn only_news_of_this_tab_become_toasts() {
        Owner::new().with(|| {
            let live = Live::provide();
            live.receive(LiveEvent::Bell(Bell { unread: 1, notices: vec![notice(1)] }));
            assert!(live.fresh.get_untracked().is_empty(), "what was there before is no news");
            live.receive(LiveEvent::Bell(Bell { unread: 2, notices: vec![notice(2), notice(1)] }));
            assert_eq!(live.fresh.get_untracked().len(), 1);
            live.dismiss(notice(2).id);
            assert!(live.fresh.get_untracked().is_empty());
        });
    }

    #[test]
    fn the_count_of_running_generations_follows_the_stream() {
        Owner::new().with(|| {
            let live = Live::provide();
            let row = crate::components::generation_table::row_of(&sample::generation(GenerationState::Queued));
            assert_eq!(live.active(std::slice::from_ref(&row), 1), 1);
            live.receive(view(9, GenerationState::Completed));
            assert_eq!(live.active(&[row], 1), 0);
        });
    }

    #[test]
    fn events_have_the_documented_shape() {
        let event = LiveEvent::Bell(Bell::default());
        let text = serde_json::to_string(&event).unwrap_or_default();
        assert_eq!(text, r#"{"kind":"bell","data":{"unread":0,"notices":[]}}"#);
    }
}
