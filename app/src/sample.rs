//! Things to test with.

use chrono::{DateTime, Duration, Utc};
use domain::{
    FailureCode, GenerationId, GenerationState, LocalText, MicroUsd, Options, ProductId, Stage, StageState,
    generation::{Attempts, FailureView, GenerationView, StageView},
};
use leptos::prelude::*;
use uuid::Uuid;

use crate::{
    i18n::Locale,
    shell::{PageFacts, ShopZone},
};

/// The moment of every test.
pub fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + Duration::days(20_000)
}

/// A view as the server sends it.
pub fn render<V: IntoView>(locale: Locale, view: impl FnOnce() -> V) -> String {
    Owner::new().with(|| {
        provide_context(PageFacts { locale, theme: None, zone: ShopZone::default(), rendered_at: now() });
        view().into_view().to_html()
    })
}

/// A generation in a state: its stills are made, its clip has run for 30 s.
pub fn generation(state: GenerationState) -> GenerationView {
    let started_at = now() - Duration::seconds(30);
    let stage = |stage, state, usual_seconds| StageView {
        stage,
        state,
        started_at: (state != StageState::Waiting).then_some(started_at),
        finished_at: matches!(state, StageState::Done | StageState::Failed).then(now),
        cost: MicroUsd::ZERO,
        usual_seconds,
        percent: None,
    };
    let clip = match state {
        GenerationState::Failed => StageState::Failed,
        GenerationState::Queued => StageState::Waiting,
        GenerationState::Completed => StageState::Done,
        _ => StageState::Running,
    };
    GenerationView {
        id: GenerationId::from_uuid(Uuid::from_u128(7)),
        version: 1,
        product_id: ProductId::from_uuid(Uuid::from_u128(3)),
        product_name: LocalText { ko: "니트".into(), en: "Knit".into() },
        product_photo: None,
        options: Options::default(),
        state,
        progress: 40,
        stages: vec![
            stage(Stage::Stills, StageState::Done, None),
            stage(Stage::Clip, clip, Some((40, 90))),
            stage(Stage::Encode, StageState::Waiting, Some((12, 20))),
            stage(Stage::Publish, StageState::Waiting, None),
        ],
        stills: Vec::new(),
        video: None,
        failure: (state == GenerationState::Failed).then(|| FailureView {
            code: FailureCode::ProviderTimeout,
            stage: Some(Stage::Clip),
            detail: Some("timeout after 300 s".into()),
        }),
        held: MicroUsd::ZERO,
        paid: MicroUsd::new(71_760),
        attempt: Attempts { number: 1, of: 3 },
        next_try_at: None,
        requested_by: "Owner".into(),
        created_at: started_at,
        finished_at: state.is_final().then(now),
        retry_of: None,
        retried_as: None,
    }
}
