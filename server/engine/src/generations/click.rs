//! The click: price → hold → generation, first job and event, all in one transaction.

use domain::{
    CallId, GenerationId, MicroUsd, Options, PhotoId, ProductId, RequestKey, Stage, UserId, VideoId,
    cost::{Quote, QuoteLine},
    generation::{EventKind, Frame, mark},
};
use providers::{ModelRef, Order};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    retry::{self, Takeover},
    store::{self, Event},
};
use crate::{
    Engine, Error,
    calls::{self, NewCall, Slot},
    ledger, limits, notices,
    stages::{self, JobPayload},
};

/// A call of the plan with its price.
pub(super) struct PlannedCall {
    slot: Slot,
    model: ModelRef,
    price_version: String,
    order: Order,
    estimate: MicroUsd,
}

/// The calls a click pays for.
pub(super) struct Plan {
    calls: Vec<PlannedCall>,
    /// What they cost when the dearest model of each route has to make them.
    most: MicroUsd,
    /// Stages whose first choice cannot be asked now: what is told of it.
    switched: Vec<(Stage, String)>,
}

impl Plan {
    /// The most it is expected to cost.
    pub(super) fn total(&self) -> MicroUsd {
        self.calls.iter().map(|call| call.estimate).sum()
    }

    /// Where a generation of this plan begins: its first job, and the progress it has then.
    fn begin(&self) -> Begin {
        match self.calls.first() {
            Some(PlannedCall { slot: Slot::Clip, model, .. }) => {
                Begin { kind: stages::kind::CLIP, group: model.to_string(), progress: mark::STILLS }
            }
            Some(PlannedCall { model, .. }) => {
                Begin { kind: stages::kind::STILLS, group: model.to_string(), progress: 0 }
            }
            None => {
                Begin { kind: stages::kind::ENCODE, group: stages::kind::LOCAL_GROUP.to_owned(), progress: mark::CLIP }
            }
        }
    }
}

impl Engine {
    /// The price of a click with these options, and the limits of the day.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NoPrice`].
    pub async fn quote(&self, product: ProductId, options: &Options) -> Result<Quote, Error> {
        let mut conn = self.pg().acquire().await?;
        store::product_photo(&mut conn, product).await?.ok_or(Error::NotFound("product"))?;
        let plan = self.plan(options, None)?;
        self.quote_of(&mut conn, &plan).await
    }

    /// What a plan costs, line by line, and the limits of the day.
    pub(super) async fn quote_of(&self, conn: &mut PgConnection, plan: &Plan) -> Result<Quote, Error> {
        let limits = limits::load(conn, self.settings(), self.today()).await?;
        let mut lines: Vec<QuoteLine> = Vec::new();
        for call in &plan.calls {
            match lines.iter_mut().find(|line| line.stage == call.slot.stage() && line.model == call.model.id) {
                Some(line) => {
                    line.count += 1;
                    line.amount += call.estimate;
                }
                None => lines.push(QuoteLine {
                    stage: call.slot.stage(),
                    model: call.model.id.clone(),
                    count: 1,
                    amount: call.estimate,
                }),
            }
        }
        let total = plan.total();
        Ok(Quote { total, most: Some(plan.most).filter(|most| *most > total), lines, limits })
    }

    /// The click. The same key of the same person always answers with the same generation, whatever else is asked.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a product that does not exist or has no photo, [`Error::LimitReached`],
    /// [`Error::NoPrice`].
    pub async fn generate(
        &self,
        by: UserId,
        product: ProductId,
        options: Options,
        key: RequestKey,
    ) -> Result<GenerationId, Error> {
        let plan = self.plan(&options, None)?;
        let mut tx = self.pg().begin().await?;
        if let Some(earlier) = store::by_request_key(&mut tx, by, key).await? {
            return Ok(earlier);
        }
        let photo = store::product_photo(&mut tx, product).await?.ok_or(Error::NotFound("product"))?;
        let new = self.new_generation(by, product, photo, options, key);
        self.place(tx, &new, &plan).await
    }

    /// Writes a new generation with its calls, its money and its job, commits, and tells whoever waits for it. Answers
    /// with an earlier one when the same click was written meanwhile.
    pub(super) async fn place(
        &self,
        mut tx: sqlx::Transaction<'static, sqlx::Postgres>,
        new: &NewGeneration,
        plan: &Plan,
    ) -> Result<GenerationId, Error> {
        if !store::insert(&mut tx, new).await? {
            // The same click, a moment earlier: it has committed by now.
            tx.rollback().await?;
            let mut conn = self.pg().acquire().await?;
            let earlier = store::by_request_key(&mut conn, new.by, new.key).await?;
            return earlier.ok_or(Error::Conflict("the click came twice"));
        }
        let job = self.write_click(&mut tx, new, plan).await?;
        tx.commit().await?;
        self.queue().dispatch(&[job]).await;
        tracing::info!(
            generation.id = %new.id, product.id = %new.product, user.id = %new.by,
            "generation {} of product {} was clicked by user {}", new.id, new.product, new.by
        );
        self.announce(new.id).await;
        Ok(new.id)
    }

    pub(super) fn new_generation(
        &self,
        by: UserId,
        product: ProductId,
        photo: PhotoId,
        options: Options,
        key: RequestKey,
    ) -> NewGeneration {
        NewGeneration {
            id: GenerationId::from_uuid(Uuid::now_v7()),
            product,
            photo,
            by,
            key,
            options,
            prompt_version: stages::prompt_version(options.recipe).as_str(),
            job_id: Uuid::now_v7(),
            video_id: VideoId::from_uuid(Uuid::now_v7()),
            max_attempts: self.settings().max_attempts,
            day: self.today(),
            takeover: None,
        }
    }

    async fn write_click(&self, tx: &mut PgConnection, new: &NewGeneration, plan: &Plan) -> Result<Uuid, Error> {
        let total = plan.total();
        let reserved = limits::reserve(tx, self.settings(), new.day, total).await?;
        for call in &plan.calls {
            let id = CallId::from_uuid(Uuid::now_v7());
            let row = NewCall {
                id,
                generation_id: new.id,
                slot: call.slot,
                ordinal: 1,
                model: call.model.clone(),
                price_version: call.price_version.clone(),
                ordered: Some(call.order),
                estimate: call.estimate,
            };
            calls::store::insert(tx, &row).await?;
            ledger::hold(tx, id, new.id, call.estimate, new.day).await?;
        }
        store::insert_requested(tx, new, total).await?;
        for (stage, detail) in &plan.switched {
            let event = Event { stage: Some(*stage), detail: Some(detail), ..Event::of(EventKind::RouteSwitched) };
            store::record(tx, new.id, &event).await?;
        }
        if let Some(takeover) = &new.takeover {
            retry::store::take_over(tx, new.id, takeover, new.options.recipe, new.by).await?;
        }
        if reserved.warn {
            let percent = reserved.status.percent();
            notices::store::insert_limit_near(tx, percent, reserved.status.resets_at).await?;
        }
        let begin = plan.begin();
        if begin.progress > 0 {
            store::set_progress(tx, new.id, begin.progress, None).await?;
        }
        let mut job = jobs::NewJob::new(begin.kind, begin.group, json!(JobPayload { generation_id: new.id }));
        job.id = new.job_id;
        job.owner = Some(new.by.uuid());
        job.label = Some(new.options.recipe.as_str().to_owned());
        job.max_attempts = self.settings().max_attempts;
        job.run_timeout = self.settings().job_timeout;
        Ok(jobs::enqueue(tx, &job).await?)
    }

    /// The calls a click pays for, with their prices; results that are taken over are not paid for. No price, no call.
    pub(super) fn plan(&self, options: &Options, takeover: Option<&Takeover>) -> Result<Plan, Error> {
        let mut plan = Plan { calls: Vec::with_capacity(3), most: MicroUsd::ZERO, switched: Vec::new() };
        if takeover.is_some_and(|takeover| takeover.clip.is_some()) {
            return Ok(plan);
        }
        let is_taken = |frame: &Frame| takeover.is_some_and(|takeover| takeover.frames.contains(frame));
        let stills = options.recipe.frames().iter().filter(|frame| !is_taken(frame));
        let slots =
            [(Stage::Stills, stills.map(|frame| Slot::still(*frame)).collect()), (Stage::Clip, vec![Slot::Clip])];
        for (stage, slots) in slots {
            let slots: Vec<Slot> = slots;
            if slots.is_empty() {
                continue;
            }
            let choice = self.choose(stage, options, &[])?;
            let most = self.dearest(stage, options).unwrap_or(choice.estimate);
            plan.most += slots.iter().map(|_| most).sum::<MicroUsd>();
            plan.switched.extend(
                choice
                    .passed_over
                    .iter()
                    .map(|(model, reason)| (stage, format!("{model} → {}: {reason}", choice.model))),
            );
            plan.calls.extend(slots.into_iter().map(|slot| PlannedCall {
                slot,
                model: choice.model.clone(),
                price_version: choice.price_version.clone(),
                order: choice.order,
                estimate: choice.estimate,
            }));
        }
        Ok(plan)
    }
}

/// The first job of a generation, and the progress it begins with.
struct Begin {
    kind: &'static str,
    group: String,
    progress: u8,
}

/// A generation about to be written.
pub(super) struct NewGeneration {
    pub(super) id: GenerationId,
    pub(super) product: ProductId,
    pub(super) photo: PhotoId,
    pub(super) by: UserId,
    pub(super) key: RequestKey,
    pub(super) options: Options,
    pub(super) prompt_version: &'static str,
    pub(super) job_id: Uuid,
    pub(super) video_id: VideoId,
    pub(super) max_attempts: u16,
    pub(super) day: chrono::NaiveDate,
    /// What it takes over, when it is a retry.
    pub(super) takeover: Option<Takeover>,
}
