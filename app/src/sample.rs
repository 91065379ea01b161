//! Things to test with.

use chrono::{DateTime, Duration, Utc};
use domain::{
    FailureCode, GenerationId, GenerationState, LocalText, MicroUsd, Options, ProductId, Stage, StageState,
    cost::{LimitStatus, Quote, RetryOffer, Reused},
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
        GenerationState::Failed | GenerationState::Cancelled => StageState::Failed,
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
        failure: match state {
            GenerationState::Failed => {
                Some(failure(FailureCode::ProviderTimeout, Stage::Clip, Some("timeout after 300 s")))
            }
            GenerationState::Cancelled => Some(failure(FailureCode::Cancelled, Stage::Clip, None)),
            _ => None,
        },
        held: MicroUsd::ZERO,
        paid: MicroUsd::new(71_760),
        attempt: Attempts { number: 1, of: 3 },
        next_try_at: None,
        cancel_requested: state == GenerationState::Cancelled,
        requested_by: "Owner".into(),
        created_at: started_at,
        finished_at: state.is_final().then(now),
        retry_of: None,
        retried_as: None,
    }
}

/// Why a generation ended without a video.
pub fn failure(code: FailureCode, stage: Stage, detail: Option<&str>) -> FailureView {
    FailureView { code, stage: Some(stage), detail: detail.map(str::to_owned) }
}

/// What a retry would cost, with nine tenths of a dollar used of the day's limit.
pub fn offer(total: i64, spend_limit: i64, reused: &[Reused]) -> RetryOffer {
    let limits = LimitStatus {
        generations: 3,
        generations_limit: 100,
        spend: MicroUsd::new(900_000),
        spend_limit: MicroUsd::new(spend_limit),
        resets_at: now(),
    };
    let quote = Quote { total: MicroUsd::new(total), most: None, lines: Vec::new(), limits };
    RetryOffer { quote, reused: reused.to_vec() }
}
