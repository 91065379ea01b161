//! Every way in which a provider misbehaves, at every step of every protocol: what the generation comes to, what it cost,
//! and what follows. After each of them the ledger says what the invoice says.

mod at_once;
mod clips;
mod queue;
mod queued_stills;
mod slow;

use domain::{
    FailureCode, GenerationId, GenerationState, MicroUsd, Stage,
    cost::Reused,
    generation::{EventKind as E, GenerationDetail},
};
use serde_json::{Value, json};

use crate::shop::{Shop, count, options};

/// More often than anybody asks.
const ALWAYS: u64 = 99;

/// What a generation comes to.
#[derive(Debug, Clone, Copy)]
enum End {
    /// Its stage is done in the end, without anybody's help.
    GoesOn,
    /// It has failed in this stage; a retry is offered that does not buy again what is named here.
    Fails(FailureCode, Stage, &'static [Reused]),
}

/// What the timeline tells, and how often.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Told {
    failed: usize,
    doubted: usize,
    repeated: usize,
    tried_again: usize,
}

impl Told {
    fn of(detail: &GenerationDetail) -> Self {
        Self {
            failed: count(detail, E::CallFailed),
            doubted: count(detail, E::CallInDoubt),
            repeated: count(detail, E::CallRepeated),
            tried_again: count(detail, E::RetryScheduled),
        }
    }
}

/// A fault and what must come of it.
#[derive(Debug)]
struct Case {
    fault: &'static str,
    rules: Value,
    end: End,
    /// Stills and clips that stand on the bill.
    bought: (usize, usize),
    /// Charges that were taken back.
    voided: usize,
    told: Told,
}

impl Case {
    /// A fault that is met once and leads to nothing worth telling, with what is bought all the same.
    fn new(fault: &'static str, rule: Value, bought: (usize, usize)) -> Self {
        Self { fault, rules: json!([rule]), end: End::GoesOn, bought, voided: 0, told: Told::default() }
    }

    /// The fault is met again and again.
    fn always(mut self) -> Self {
        self.rules[0]["times"] = json!(ALWAYS);
        self
    }

    /// The fault is met by both stills.
    fn twice(mut self) -> Self {
        self.rules[0]["times"] = json!(2);
        self
    }

    /// Another fault beside it.
    fn and(mut self, rule: Value) -> Self {
        self.rules.as_array_mut().unwrap().push(rule);
        self
    }

    fn fails(self, code: FailureCode, stage: Stage, reused: &'static [Reused]) -> Self {
        Self { end: End::Fails(code, stage, reused), ..self }
    }

    fn voided(self, voided: usize) -> Self {
        Self { voided, ..self }
    }

    fn tried_again(mut self, times: usize) -> Self {
        self.told.tried_again = times;
        self
    }

    fn failed(mut self, calls: usize) -> Self {
        self.told.failed = calls;
        self
    }

    fn doubted(mut self, calls: usize) -> Self {
        self.told.doubted = calls;
        self
    }

    fn repeated(mut self, calls: usize) -> Self {
        self.told.repeated = calls;
        self
    }
}

/// Plays the cases one after the other in one shop; what failed last is retried by a person and gives a video.
async fn play(shop: &Shop, stage: Stage, cases: Vec<Case>) {
    let mut failed = None;
    for case in &cases {
        let id = play_one(shop, stage, case).await;
        failed = matches!(case.end, End::Fails(..)).then_some(id).or(failed);
    }
    shop.faults(json!([])).await;
    if let Some(id) = failed {
        let retry = shop.retry(id).await.unwrap();
        assert_eq!(shop.finish(retry).await.view.state, GenerationState::Completed);
        shop.assert_books_closed().await;
    }
}

async fn play_one(shop: &Shop, stage: Stage, case: &Case) -> GenerationId {
    let name = case.fault;
    let before = shop.invoice().await;
    shop.faults(case.rules.clone()).await;
    let id = shop.click().await;
    let detail = match case.end {
        End::GoesOn => stop_after(shop, id, stage).await,
        End::Fails(..) => shop.finish(id).await,
    };
    let timeline = format!("{name}: {:#?}", detail.timeline);
    assert!(shop.times_left().await.iter().all(|left| (2..ALWAYS).contains(left)), "{name} never happened");
    let invoice = shop.assert_books_closed().await;
    assert_eq!(detail.view.paid.micros(), invoice.total - before.total, "{timeline}");
    let bought = (invoice.stills() - before.stills(), invoice.clips() - before.clips());
    assert_eq!((bought, invoice.voided - before.voided), (case.bought, case.voided), "{timeline}");
    assert_eq!(Told::of(&detail), case.told, "{timeline}");
    if let End::Fails(code, stage, reused) = case.end {
        let failure = detail.view.failure.as_ref().unwrap_or_else(|| panic!("{timeline}"));
        assert_eq!((failure.code, failure.stage), (code, Some(stage)), "{timeline}");
        assert!(detail.view.state == GenerationState::Failed && detail.view.is_retryable(), "{name}");
        assert_offer(shop, id, reused, name).await;
    }
    id
}

/// Works until the stage is done. There is nothing to see in what follows, so it is stopped there by a person.
async fn stop_after(shop: &Shop, id: GenerationId, stage: Stage) -> GenerationDetail {
    let next = if stage == Stage::Stills { GenerationState::GeneratingVideo } else { GenerationState::Encoding };
    let worker = shop.worker();
    let is_there = async || {
        let state = shop.view(id).await.state;
        state == next || state.is_final()
    };
    shop.work_until(&worker, "the stage to be done", is_there).await;
    let detail = shop.engine.generation(id).await.unwrap();
    assert_eq!(detail.view.state, next, "{:#?}", detail.timeline);
    shop.engine.cancel(shop.person, id).await.unwrap();
    shop.finish(id).await
}

/// A person is offered a retry that costs what is missing.
async fn assert_offer(shop: &Shop, id: GenerationId, reused: &[Reused], name: &str) {
    let offer = shop.engine.retry_offer(id).await.unwrap();
    let full = shop.engine.quote(shop.product, &options()).await.unwrap();
    let clip = full.lines.last().unwrap().amount.micros();
    let stills = full.total.micros() - clip;
    let price = match reused {
        [] => stills + clip,
        [Reused::OneStill] => stills / 2 + clip,
        _ => clip,
    };
    assert_eq!((offer.quote.total, offer.reused.as_slice()), (MicroUsd::new(price), reused), "{name}");
}
