//! Every model of the catalogue against the simulator: it makes what it is asked for, and costs what the bill says.

use chrono::{TimeDelta, Utc};
use domain::{FailureCode, MicroUsd, ModelType};
use providers::{
    Certainty, ClipRequest, Making, MediaKind, ModelRef, ModelRow, Order, Picture, Provider, Requests, Role,
    StillMaker, check::KeyCheck, check_providers, fetch_result, people, prompts::Part,
};
use serde_json::json;

use crate::bench::{Bench, clip_request, end, photo, still_request};

/// The models of a provider that make one of these.
fn rows(bench: &Bench, provider: Provider, roles: &[Role]) -> Vec<ModelRow> {
    let catalogue = bench.makers.catalogue();
    let of_roles = |row: &&ModelRow| row.provider == provider && roles.iter().any(|&role| row.makes(role));
    catalogue.models(Utc::now()).filter(of_roles).cloned().collect()
}

/// Asks for a still of an endpoint of fal, and waits for its file.
async fn queued_still(bench: &Bench, row: &ModelRow) -> (Picture, MicroUsd) {
    let maker: std::sync::Arc<dyn StillMaker> = bench.makers.still(&row.model()).unwrap();
    let mut request = still_request(Part::Start);
    request.person = row.needs_person.then(|| people::picture(ModelType::Female));
    let Making::Accepted(submitted) = maker.make_still(&request).await.unwrap() else { panic!("{} queues", row.id) };
    let requests: &dyn Requests = maker.requests().unwrap();
    let file = end(requests, &submitted, &request.order().into()).await.unwrap();
    assert_eq!(file.cost, file.cost_expected, "{}", row.id);
    let to = bench.folder.path().join("still");
    let fetched = fetch_result(&file.url, bench.makers.still_files(Provider::Fal).unwrap(), &to).await.unwrap();
    assert!(fetched.kind.is_picture(), "{}", row.id);
    let picture = Picture::sniffed(std::fs::read(&to).unwrap()).unwrap();
    let drawn = image::load_from_memory(&picture.bytes).unwrap();
    assert!(drawn.width() >= 500 && drawn.height() > drawn.width(), "{}", row.id);
    (picture, file.cost)
}

async fn clip(bench: &Bench, row: &ModelRow, request: &ClipRequest) -> MicroUsd {
    let maker = bench.makers.clip(&row.model()).unwrap();
    let order: Order = request.order().into();
    let submitted = maker.submit(request).await.unwrap();
    let file = end(&*maker, &submitted, &order).await.unwrap();
    assert_eq!(file.cost, file.cost_expected, "{}", row.id);
    let fetched = bench.fetch(&file.url).await.unwrap();
    assert!(fetched.kind == MediaKind::Mp4 && fetched.bytes > 10_000, "{}", row.id);
    file.cost
}

#[tokio::test]
async fn every_model_of_gemini_makes_a_still() {
    let bench = Bench::start(|_| {}).await;
    let mut costs = Vec::new();
    for row in rows(&bench, Provider::Gemini, &[Role::Still]) {
        let request = still_request(Part::End);
        let maker = bench.makers.still(&row.model()).unwrap();
        let Making::Made(still) = maker.make_still(&request).await.unwrap() else { panic!("{} answers", row.id) };
        assert!(image::load_from_memory(&still.image).is_ok(), "{}", row.id);
        let quote = bench.makers.catalogue().quote(&row.model(), &request.order().into(), Utc::now()).unwrap();
        assert!(still.cost > MicroUsd::ZERO && still.cost <= quote, "{}", row.id);
        costs.push(still.cost);
    }
    assert_eq!(costs.len(), 2);
    assert_eq!(bench.bill().await, costs);
}

#[tokio::test]
async fn every_edit_endpoint_makes_a_still() {
    let bench = Bench::start(|_| {}).await;
    let mut costs = Vec::new();
    for row in rows(&bench, Provider::Fal, &[Role::Still]) {
        costs.push(queued_still(&bench, &row).await.1);
    }
    assert_eq!(costs.len(), 4);
    assert_eq!(bench.bill().await, costs);
}

#[tokio::test]
async fn every_try_on_endpoint_dresses_the_person() {
    let bench = Bench::start(|_| {}).await;
    let mut costs = Vec::new();
    for row in rows(&bench, Provider::Fal, &[Role::TryOn]) {
        let (picture, cost) = queued_still(&bench, &row).await;
        assert_ne!(picture, people::picture(ModelType::Female), "{}", row.id);
        costs.push(cost);
    }
    assert_eq!(costs.len(), 2);
    assert_eq!(bench.bill().await, costs);
}

#[tokio::test]
async fn every_transition_is_made_and_billed_as_priced() {
    let bench = Bench::start(|_| {}).await;
    let mut costs = Vec::new();
    for row in rows(&bench, Provider::Fal, &[Role::Transition]) {
        costs.push(clip(&bench, &row, &clip_request(photo(), Some(photo()))).await);
    }
    assert_eq!(costs.len(), 4);
    assert_eq!(bench.bill().await, costs);
}

#[tokio::test]
async fn every_motion_is_made_and_billed_as_priced() {
    let bench = Bench::start(|_| {}).await;
    let mut costs = Vec::new();
    for row in rows(&bench, Provider::Fal, &[Role::Motion]) {
        let request = ClipRequest { motion: Some(90), ..clip_request(photo(), None) };
        costs.push(clip(&bench, &row, &request).await);
    }
    assert_eq!(costs.len(), 3);
    assert_eq!(bench.bill().await, costs);
}

#[tokio::test]
async fn a_lost_answer_of_a_queued_still_is_found_and_bought_once() {
    let bench = Bench::start(|_| {}).await;
    let model = ModelRef::new(Provider::Fal, "fal-ai/fashn/tryon/v1.6");
    let maker = bench.makers.still(&model).unwrap();
    let mut request = still_request(Part::Start);
    request.person = Some(people::picture(ModelType::Male));
    let since = Utc::now() - TimeDelta::seconds(1);
    bench.set_fault(json!({"fault": "drop_answer", "model": model.id})).await;
    let error = maker.make_still(&request).await.unwrap_err();
    assert_eq!(error.certainty, Certainty::Unknown);

    let requests = maker.requests().unwrap();
    let found = requests.accepted_since(since).await.unwrap();
    assert_eq!(found.len(), 1);
    let submitted = requests.locate(&found[0].request_id).unwrap();
    let file = end(requests, &submitted, &request.order().into()).await.unwrap();
    assert_eq!(bench.bill().await, [file.cost]);
}

#[tokio::test]
async fn a_refused_still_of_the_queue_costs_nothing() {
    let bench = Bench::start(|_| {}).await;
    let model = ModelRef::new(Provider::Fal, "fal-ai/nano-banana-2/edit");
    bench.set_fault(json!({"fault": "moderation", "model": model.id})).await;
    let maker = bench.makers.still(&model).unwrap();
    let request = still_request(Part::Start);
    let Making::Accepted(submitted) = maker.make_still(&request).await.unwrap() else { panic!("it queues") };
    let error = end(maker.requests().unwrap(), &submitted, &request.order().into()).await.unwrap_err();
    assert_eq!((error.code, error.certainty), (FailureCode::ContentRefused, Certainty::Ended));
    assert_eq!(error.charged, Some(MicroUsd::ZERO));
    assert_eq!(bench.bill().await, []);
}

#[tokio::test]
async fn keys_and_prices_are_checked_without_a_bill() {
    let bench = Bench::start(|_| {}).await;
    let report = check_providers(&bench.makers).await;
    assert!(report.providers.iter().all(|one| one.key == KeyCheck::Valid), "{report:?}");
    assert!(report.is_clean(), "two lists written apart from each other agree: {report:?}");
    assert_eq!(bench.bill().await, []);
}
