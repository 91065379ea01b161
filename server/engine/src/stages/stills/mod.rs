//! The stills stage: the wearing stills of a recipe, each one paid call, made side by side. Some models answer with the
//! picture, others take the request into a queue; both end in the same place.

mod direct;
mod keep;

use async_trait::async_trait;
use domain::{
    CallState, FailureCode, GenerationState, Stage,
    generation::{EventKind, Frame, mark},
};
use futures::future::join_all;
use jobs::{Attempt, Failure, FailureClass, Handler, Job, Outcome};
use providers::{
    Aspect, FileAnswer, GarmentCategory, Making, Order, Picture, StillMaker, StillOrder, StillRequest, StillSize,
    people, prompts::Part,
};
use sqlx::PgConnection;
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::{
    Stop, begin, ending, generation_of, kind, next_job, no_maker, park, prompt_of,
    queued::{Look, Queued, Withdrawal},
    route,
    spool::Spool,
    stored_failure, stored_order, tags,
    workplace::Workplace,
};
use crate::{
    Engine, assets,
    calls::{self, Call, Slot},
    generations::{
        self,
        store::{self, Event, Generation},
    },
    webhooks,
};

/// A call is looked at this often in one run: made, in doubt, made again.
const CALL_STEPS: u32 = 4;
/// Largest product photo that is sent to a model, in bytes.
const PHOTO_MAX_BYTES: u64 = 20_000_000;

pub(super) struct Stills {
    pub(super) engine: Engine,
}

#[async_trait]
impl Handler for Stills {
    async fn run(&self, attempt: &Attempt) -> Result<Outcome, Failure> {
        match self.make(attempt).await {
            Ok(outcome) => Ok(outcome),
            Err(stop) => route::switch_or_report(&self.engine, attempt, Stage::Stills, stop).await,
        }
    }

    async fn give_up(&self, tx: &mut PgConnection, job: &Job, failure: &Failure) -> Result<Vec<Uuid>, jobs::Error> {
        ending::give_up(&self.engine, tx, job, failure).await
    }
}

/// One run of the stage: what every still of it needs.
struct Run<'a> {
    attempt: &'a Attempt,
    generation: &'a Generation,
    /// The product photo, fetched when the first still asks for it.
    photo: OnceCell<bytes::Bytes>,
}

/// How far a still is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// It is stored.
    Done,
    /// A provider has it in its queue.
    Waiting,
}

impl Stills {
    async fn make(&self, attempt: &Attempt) -> Result<Outcome, Stop> {
        let generation = generation_of(&self.engine, attempt).await?;
        let mut tx = self.engine.pg().begin().await?;
        begin(&mut tx, attempt, &generation, Stage::Stills).await?;
        generations::advance(&mut tx, generation.id, GenerationState::GeneratingImages, 0).await?;
        tx.commit().await?;
        self.engine.announce(generation.id).await;
        let run = Run { attempt, generation: &generation, photo: OnceCell::new() };
        let frames = generation.options.recipe.frames();
        // All run to their end even when one fails: what is paid must be kept.
        let reached = join_all(frames.iter().map(|frame| self.bring(&run, *frame))).await;
        match decide(reached)? {
            Progress::Waiting => park(&self.engine, attempt, &generation).await,
            Progress::Done => self.hand_over(attempt, &generation).await,
        }
    }

    /// Brings one still to where it is stored or waited for, from wherever an earlier run left it.
    async fn bring(&self, run: &Run<'_>, frame: Frame) -> Result<Progress, Stop> {
        let slot = Slot::still(frame);
        for _ in 0..CALL_STEPS {
            let mut conn = self.engine.pg().acquire().await?;
            // A retry may have taken it over.
            if assets::store::still(&mut conn, run.generation.id, frame).await?.is_some() {
                return Ok(Progress::Done);
            }
            let call = calls::store::latest(&mut conn, run.generation.id, slot)
                .await?
                .ok_or_else(|| Failure::permanent(FailureCode::Internal.as_str(), "the call was never planned"))?;
            drop(conn);
            let maker = self.engine.makers().still(&call.model).map_err(no_maker)?;
            match self.step(run, slot, &call, maker.as_ref()).await? {
                Step::Look => {}
                Step::Reached(progress) => return Ok(progress),
            }
        }
        Err(Failure::permanent(FailureCode::CallInDoubt.as_str(), "no answer came to a paid request").into())
    }

    async fn step(&self, run: &Run<'_>, slot: Slot, call: &Call, maker: &dyn StillMaker) -> Result<Step, Stop> {
        let queued = maker.requests().map(|requests| Queued {
            engine: &self.engine,
            attempt: run.attempt,
            generation: run.generation,
            slot,
            call,
            requests,
        });
        match (call.state, queued) {
            (CallState::Done, _) => Ok(Step::Reached(Progress::Done)),
            (CallState::Planned, _) if run.generation.cancel_requested || run.attempt.cancel.is_cancelled() => {
                Err(Failure::cancelled().into())
            }
            (CallState::Planned, queued) => self.ask(run, slot, call, maker, queued).await,
            (CallState::Intent | CallState::InDoubt, Some(queued)) => {
                let look = queued.look_up().await?;
                self.after(&queued, look).await
            }
            (CallState::Intent, None) => self.answer_of(run, slot, call).await,
            (CallState::InDoubt, None) => self.repeat(run, slot, call).await,
            (CallState::Submitted, Some(queued)) if run.generation.cancel_requested => self.withdraw(&queued).await,
            (CallState::Submitted, Some(queued)) => {
                let look = queued.look().await?;
                self.after(&queued, look).await
            }
            (CallState::Failed, _) => Err(stored_failure(call).into()),
            (CallState::Submitted, None) | (CallState::Void, _) => {
                Err(Failure::permanent(FailureCode::Internal.as_str(), "the call has ended").into())
            }
        }
    }

    /// Writes the intent, asks the provider, keeps what it answers.
    async fn ask(
        &self,
        run: &Run<'_>,
        slot: Slot,
        call: &Call,
        maker: &dyn StillMaker,
        queued: Option<Queued<'_>>,
    ) -> Result<Step, Stop> {
        let generation = run.generation;
        let request = self.request(run, slot, call).await?;
        let mut tx = self.engine.pg().begin().await?;
        run.attempt.lease.guard(&mut tx).await?;
        if !calls::store::intend(&mut tx, call.id).await? {
            // A person stopped it, or a webhook named it: the next look sees which.
            return Ok(Step::Look);
        }
        tx.commit().await?;
        tracing::info!(
            generation.id = %generation.id, call.id = %call.id, model = %call.model,
            "asking {} for {} of generation {}", call.model, slot.as_str(), generation.id
        );
        match (maker.make_still(&request).await, queued) {
            (Ok(Making::Made(answer)), _) => self.made(run, slot, call, answer).await,
            (Ok(Making::Accepted(submitted)), Some(queued)) => {
                let look = queued.answered(Ok(submitted)).await?;
                self.after(&queued, look).await
            }
            (Err(error), Some(queued)) => {
                let look = queued.answered(Err(error)).await?;
                self.after(&queued, look).await
            }
            (Err(error), None) => self.refused(run, slot, call, &error).await,
            (Ok(Making::Accepted(_)), None) => {
                Err(Failure::permanent(FailureCode::Internal.as_str(), "a queue nobody can look into").into())
            }
        }
    }

    async fn request(&self, run: &Run<'_>, slot: Slot, call: &Call) -> Result<StillRequest, Stop> {
        let generation = run.generation;
        let photo = run.photo.get_or_try_init(|| self.photo(generation)).await?;
        let ordered = match stored_order(generation, call, slot) {
            Order::Still(order) => order,
            Order::Clip(_) => StillOrder { size: StillSize::K1, pictures: 1 },
        };
        let model_type = generation.options.model_type;
        Ok(StillRequest {
            photos: vec![Picture { bytes: photo.to_vec(), content_type: generation.photo_content_type.clone() }],
            // The order was priced with the person's picture where the model needs one.
            person: (ordered.pictures > 1).then(|| people::picture(model_type)),
            prompt: prompt_of(generation, if slot == Slot::StillEnd { Part::End } else { Part::Start }),
            aspect: Aspect::Portrait3x4,
            size: ordered.size,
            model_type,
            category: GarmentCategory::of_word(&generation.category),
            webhook_url: webhooks::callback_url(self.engine.settings(), call),
            tags: tags(generation, call),
        })
    }

    async fn photo(&self, generation: &Generation) -> Result<bytes::Bytes, Stop> {
        let key = storage::Key::parse(&generation.photo_key)
            .map_err(|error| Failure::permanent(FailureCode::ProductGone.as_str(), error.to_string()))?;
        match self.engine.store().get_bytes(&key, PHOTO_MAX_BYTES).await {
            Ok(bytes) => Ok(bytes),
            Err(storage::Error::NotFound { .. }) => {
                Err(Failure::permanent(FailureCode::ProductGone.as_str(), "the product photo is gone").into())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn after(&self, queued: &Queued<'_>, look: Look) -> Result<Step, Stop> {
        match look {
            Look::Waiting => Ok(Step::Reached(Progress::Waiting)),
            Look::Finished(answer) => self.fetch(queued, &answer).await,
        }
    }

    /// Copies a finished picture from the provider before it is deleted there, and keeps it.
    async fn fetch(&self, queued: &Queued<'_>, answer: &FileAnswer) -> Result<Step, Stop> {
        let folder = Workplace::open(&self.engine.settings().work_dir, "still-")?;
        let path = folder.path().join("still");
        let rules = self.engine.makers().still_files(queued.call.model.provider).map_err(no_maker)?;
        queued.fetch(answer, rules, &path).await?;
        let image = tokio::fs::read(&path).await?;
        self.keep_fetched(queued, answer, image).await
    }

    /// A person wants it to end while the provider works.
    async fn withdraw(&self, queued: &Queued<'_>) -> Result<Step, Stop> {
        match queued.withdraw().await? {
            Withdrawal::Waiting => Ok(Step::Reached(Progress::Waiting)),
            // It is paid: a retry need not buy it again.
            Withdrawal::Finished(answer) => self.fetch(queued, &answer).await.and(Err(Failure::cancelled().into())),
            Withdrawal::Over => Err(Failure::cancelled().into()),
        }
    }

    /// All stills are there: the clip's job takes over in the same transaction.
    async fn hand_over(&self, attempt: &Attempt, generation: &Generation) -> Result<Outcome, Stop> {
        let mut tx = self.engine.pg().begin().await?;
        attempt.lease.succeed(&mut tx).await?;
        let clip = calls::store::latest(&mut tx, generation.id, Slot::Clip)
            .await?
            .ok_or_else(|| Failure::permanent(FailureCode::Internal.as_str(), "the clip was never planned"))?;
        let job = next_job(&self.engine, attempt, kind::CLIP, clip.model.to_string());
        let next = jobs::enqueue(&mut tx, &job).await?;
        store::finish_stage(&mut tx, generation.id, Stage::Stills).await?;
        store::set_job(&mut tx, generation.id, next).await?;
        generations::advance(&mut tx, generation.id, GenerationState::GeneratingVideo, mark::STILLS).await?;
        let event = Event { stage: Some(Stage::Stills), ..Event::of(EventKind::StageDone) };
        store::record(&mut tx, generation.id, &event).await?;
        tx.commit().await?;
        self.engine.announce(generation.id).await;
        Ok(Outcome::Committed { dispatch: vec![next] })
    }

    fn spool(&self) -> Spool {
        Spool::new(&self.engine.settings().work_dir)
    }
}

/// What one step came to.
enum Step {
    /// The call has moved: look at it again.
    Look,
    /// Nothing more to do in this run.
    Reached(Progress),
}

/// What the stage does next. What may work next time is tried before anything else; a still that can never be made
/// decides, but only once no other is waited for: that one is paid.
fn decide(reached: Vec<Result<Progress, Stop>>) -> Result<Progress, Stop> {
    let is_waited_for = reached.iter().any(|one| matches!(one, Ok(Progress::Waiting)));
    match reached.into_iter().filter_map(Result::err).max_by_key(|stop| finality(stop, is_waited_for)) {
        Some(Stop::Failure(failure)) if is_waited_for && is_final(&failure) => Ok(Progress::Waiting),
        Some(stop) => Err(stop),
        None if is_waited_for => Ok(Progress::Waiting),
        None => Ok(Progress::Done),
    }
}

fn is_final(failure: &Failure) -> bool {
    matches!(failure.class, FailureClass::Permanent | FailureClass::Cancelled)
}

/// Which of two reasons to stop decides: a lost lease always; then, unless something is waited for, the one that is for
/// good.
fn finality(stop: &Stop, is_waited_for: bool) -> u8 {
    match stop {
        Stop::LeaseLost => 2,
        Stop::Failure(failure) => u8::from(is_final(failure) != is_waited_for),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn stop(class: FailureClass) -> Result<Progress, Stop> {
        let failure = match class {
            FailureClass::Permanent => Failure::permanent("a", "for good"),
            FailureClass::Cancelled => Failure::cancelled(),
            _ => Failure::transient("b", "for now"),
        };
        Err(failure.into())
    }

    fn class_of(decided: Result<Progress, Stop>) -> FailureClass {
        match decided.unwrap_err() {
            Stop::Failure(failure) => failure.class,
            Stop::LeaseLost => FailureClass::Outage,
        }
    }

    #[test]
    fn a_still_that_is_waited_for_is_waited_for_whatever_became_of_the_other() {
        let (done, waiting) = (|| Ok(Progress::Done), || Ok(Progress::Waiting));
        assert_eq!(decide(vec![done(), done()]).unwrap(), Progress::Done);
        assert_eq!(decide(vec![done(), waiting()]).unwrap(), Progress::Waiting);
        for class in [FailureClass::Permanent, FailureClass::Cancelled] {
            assert_eq!(decide(vec![stop(class), waiting()]).unwrap(), Progress::Waiting);
            assert_eq!(class_of(decide(vec![done(), stop(class)])), class);
        }
        assert_eq!(class_of(decide(vec![stop(FailureClass::Transient), waiting()])), FailureClass::Transient);
    }

    #[test]
    fn a_still_that_can_never_be_made_decides_before_one_that_may_work_next_time() {
        let both = || vec![stop(FailureClass::Transient), stop(FailureClass::Permanent)];
        assert_eq!(class_of(decide(both())), FailureClass::Permanent);
        assert_eq!(class_of(decide(both().into_iter().rev().collect())), FailureClass::Permanent);
        assert_eq!(class_of(decide(vec![stop(FailureClass::Permanent), Err(Stop::LeaseLost)])), FailureClass::Outage);
    }
}
