//! The click: price → hold → generation, first job and event, all in one transaction.

use domain::{
    CallId, GenerationId, MicroUsd, Options, PhotoId, ProductId, RequestKey, Stage, UserId, VideoId,
    cost::{Quote, QuoteLine},
    generation::mark,
};
use providers::{ClipOrder, ModelRef, NoPrice, Order, StillOrder, StillSize};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    retry::{self, Takeover},
    store,
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
    provider: String,
    model: String,
    price_version: String,
    estimate: MicroUsd,
}

impl Engine {
    /// The price of a click with these options, and the limits of the day.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NoPrice`].
    pub async fn quote(&self, product: ProductId, options: &Options) -> Result<Quote, Error> {
        let mut conn = self.pg().acquire().await?;
        store::product_photo(&mut conn, product).await?.ok_or(Error::NotFound("product"))?;
        let plan = self.plan(options, &[])?;
        self.quote_of(&mut conn, &plan).await
    }

    /// What a plan costs, line by line, and the limits of the day.
    pub(super) async fn quote_of(&self, conn: &mut PgConnection, plan: &[PlannedCall]) -> Result<Quote, Error> {
        let limits = limits::load(conn, self.settings(), self.today()).await?;
        let mut lines: Vec<QuoteLine> = Vec::new();
        for call in plan {
            match lines.iter_mut().find(|line| line.stage == call.slot.stage() && line.model == call.model) {
                Some(line) => {
                    line.count += 1;
                    line.amount += call.estimate;
                }
                None => lines.push(QuoteLine {
                    stage: call.slot.stage(),
                    model: call.model.clone(),
                    count: 1,
                    amount: call.estimate,
                }),
            }
        }
        Ok(Quote { total: plan.iter().map(|call| call.estimate).sum(), lines, limits })
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
        let plan = self.plan(&options, &[])?;
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
        plan: &[PlannedCall],
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
            prompt_version: stages::PROMPT_VERSION.as_str(),
            job_id: Uuid::now_v7(),
            video_id: VideoId::from_uuid(Uuid::now_v7()),
            max_attempts: self.settings().max_attempts,
            day: self.today(),
            takeover: None,
        }
    }

    async fn write_click(
        &self,
        tx: &mut PgConnection,
        new: &NewGeneration,
        plan: &[PlannedCall],
    ) -> Result<Uuid, Error> {
        let total: MicroUsd = plan.iter().map(|call| call.estimate).sum();
        let reserved = limits::reserve(tx, self.settings(), new.day, total).await?;
        for call in plan {
            let id = CallId::from_uuid(Uuid::now_v7());
            let row = NewCall {
                id,
                generation_id: new.id,
                slot: call.slot,
                ordinal: 1,
                provider: call.provider.clone(),
                model: call.model.clone(),
                price_version: call.price_version.clone(),
                estimate: call.estimate,
            };
            calls::store::insert(tx, &row).await?;
            ledger::hold(tx, id, new.id, call.estimate, new.day).await?;
        }
        store::insert_requested(tx, new, total).await?;
        if let Some(takeover) = &new.takeover {
            retry::store::take_over(tx, new.id, takeover, new.by).await?;
        }
        if reserved.warn {
            let percent = reserved.status.percent();
            notices::store::insert_limit_near(tx, percent, reserved.status.resets_at).await?;
        }
        let begin = self.begin_of(new.reused());
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

    /// Where a generation begins that need not run these stages.
    fn begin_of(&self, reused: &[Stage]) -> Begin {
        let (kind, group, progress) = match reused.last() {
            None => (stages::kind::STILLS, self.still_maker().model().to_string(), 0),
            Some(Stage::Stills) => (stages::kind::CLIP, self.clip_maker().model().to_string(), mark::STILLS),
            Some(_) => (stages::kind::ENCODE, stages::kind::LOCAL_GROUP.to_owned(), mark::CLIP),
        };
        Begin { kind, group, progress }
    }

    /// The calls a click pays for, with their prices; stages whose results are there already are not paid for. No price,
    /// no call.
    pub(super) fn plan(&self, options: &Options, reused: &[Stage]) -> Result<Vec<PlannedCall>, Error> {
        let now = self.now();
        let catalogue = self.catalogue();
        let call = |slot, model: &ModelRef, order: Order| -> Result<PlannedCall, NoPrice> {
            Ok(PlannedCall {
                slot,
                provider: model.provider.as_str().to_owned(),
                model: model.id.clone(),
                price_version: catalogue.row(model, now)?.price_version.clone(),
                estimate: catalogue.quote(model, &order, now)?,
            })
        };
        let still = self.still_maker().model();
        let clip = self.clip_maker().model();
        let mut plan = Vec::with_capacity(3);
        for slot in Slot::STILLS.into_iter().filter(|slot| !reused.contains(&slot.stage())) {
            let order = StillOrder { size: StillSize::K1, pictures: 1 };
            plan.push(call(slot, still, order.into()).map_err(|_| Error::NoPrice(still.id.clone()))?);
        }
        if !reused.contains(&Stage::Clip) {
            let order = ClipOrder { duration: options.duration, resolution: options.resolution, fps: None };
            plan.push(call(Slot::Clip, clip, order.into()).map_err(|_| Error::NoPrice(clip.id.clone()))?);
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

impl NewGeneration {
    fn reused(&self) -> &'static [Stage] {
        self.takeover.as_ref().map_or(&[], |takeover| takeover.stages)
    }
}
