//! The click: price → hold → generation, first job and event, all in one transaction.

use domain::{
    GenerationId, MicroUsd, Options, PhotoId, ProductId, RequestKey, Stage, TryonImageId, UserId, VideoId,
    cost::{Quote, QuoteLine},
    generation::{Frame, mark},
};
use providers::{ModelRef, Order};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{retry::Takeover, store};
use crate::{Conflict, Engine, Error, calls::Slot, limits, stages};

/// A call of the plan with its price.
pub(super) struct PlannedCall {
    pub(super) slot: Slot,
    pub(super) model: ModelRef,
    pub(super) price_version: String,
    pub(super) order: Order,
    pub(super) estimate: MicroUsd,
}

/// The calls a click pays for.
pub(crate) struct Plan {
    pub(super) calls: Vec<PlannedCall>,
    /// What they cost when the dearest model of each route has to make them.
    most: MicroUsd,
    /// Stages whose first choice cannot be asked now: what is told of it.
    pub(super) switched: Vec<(Stage, String)>,
}

impl Plan {
    /// The most it is expected to cost.
    pub(super) fn total(&self) -> MicroUsd {
        self.calls.iter().map(|call| call.estimate).sum()
    }

    /// Where a generation of this plan begins: its first job, and the progress it has then.
    pub(super) fn begin(&self) -> Begin {
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
    /// [`Error::NotFound`], [`Error::Conflict`] for a product without a photo, [`Error::NoPrice`].
    pub async fn quote(&self, product: ProductId, options: &Options) -> Result<Quote, Error> {
        let mut conn = self.pg().acquire().await?;
        photo_of(&mut conn, product).await?;
        let plan = self.plan(options, &Given::default())?;
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

    /// The click. The same key of the same person always answers with the same generation, whatever else is asked; where
    /// the name says what was asked, another request with its key is refused.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a product that does not exist, [`Error::Conflict`] for one without a photo, [`Error::LimitReached`],
    /// [`Error::NoPrice`], [`Error::KeyReused`].
    pub async fn generate(
        &self,
        by: UserId,
        product: ProductId,
        options: Options,
        name: impl Into<ClickName>,
    ) -> Result<GenerationId, Error> {
        let name = name.into();
        let mut tx = self.pg().begin().await?;
        if let Some(earlier) = store::by_request_key(&mut tx, by, name.key).await? {
            return earlier.told_to(&name);
        }
        let plan = self.plan(&options, &Given::default())?;
        let photo = photo_of(&mut tx, product).await?;
        let new = self.new_generation(by, product, photo, options, name);
        self.place(tx, Click { new, plan }).await
    }

    /// Writes a new generation with its calls, its money and its job, commits, and tells whoever waits for it. Answers
    /// with an earlier one when the same click was written meanwhile.
    pub(super) async fn place(
        &self,
        mut tx: sqlx::Transaction<'static, sqlx::Postgres>,
        click: Click,
    ) -> Result<GenerationId, Error> {
        let clicks = [click];
        let mut written = self.write_clicks(&mut tx, &clicks).await?;
        let placed = written.pop().unwrap_or_else(|| Err(Error::internal("nothing was clicked")))?;
        tx.commit().await?;
        self.tell_of_clicks(&clicks, &[placed]).await;
        Ok(placed.id())
    }

    /// A generation that has nothing yet.
    pub(crate) fn new_generation(
        &self,
        by: UserId,
        product: ProductId,
        photo: PhotoId,
        options: Options,
        name: ClickName,
    ) -> NewGeneration {
        NewGeneration {
            id: GenerationId::from_uuid(Uuid::now_v7()),
            product,
            photo,
            by,
            name,
            options,
            prompt_version: stages::prompt_version(options.recipe).as_str(),
            job_id: Uuid::now_v7(),
            video_id: VideoId::from_uuid(Uuid::now_v7()),
            max_attempts: self.settings().max_attempts,
            day: self.today(),
            takeover: None,
            tryon_image: None,
        }
    }

    /// The calls a click pays for, with their prices; what is given is not paid for. No price, no call.
    pub(crate) fn plan(&self, options: &Options, given: &Given) -> Result<Plan, Error> {
        let mut plan = Plan { calls: Vec::with_capacity(3), most: MicroUsd::ZERO, switched: Vec::new() };
        if given.clip {
            return Ok(plan);
        }
        let stills = options.recipe.frames().iter().filter(|frame| !given.frames.contains(frame));
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

/// What names a click.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClickName {
    /// The same key is the same click.
    pub key: RequestKey,
    /// SHA-256 of everything that was asked, where whoever asks chooses the key; none where it was made for one click.
    pub request_sha256: Option<[u8; 32]>,
}

impl From<RequestKey> for ClickName {
    fn from(key: RequestKey) -> Self {
        Self { key, request_sha256: None }
    }
}

/// A generation that the same key made before.
pub(crate) struct EarlierClick {
    pub(crate) id: GenerationId,
    pub(crate) request_sha256: Option<Vec<u8>>,
}

impl EarlierClick {
    /// What a click of this name is told.
    ///
    /// # Errors
    /// [`Error::KeyReused`] when something else was asked under the key.
    pub(crate) fn told_to(&self, name: &ClickName) -> Result<GenerationId, Error> {
        match (&self.request_sha256, &name.request_sha256) {
            (Some(before), Some(now)) if before.as_slice() != now.as_slice() => Err(Error::KeyReused),
            _ => Ok(self.id),
        }
    }
}

async fn photo_of(conn: &mut PgConnection, product: ProductId) -> Result<PhotoId, Error> {
    let photo = store::product_photo(conn, product).await?.ok_or(Error::NotFound("product"))?;
    photo.ok_or(Error::Conflict(Conflict::NoPhoto))
}

/// What a generation need not buy.
#[derive(Debug, Clone, Default)]
pub(crate) struct Given {
    /// Stills it has.
    pub(crate) frames: Vec<Frame>,
    /// Whether it has its clip.
    pub(crate) clip: bool,
}

/// A click that is about to be written.
pub(crate) struct Click {
    pub(crate) new: NewGeneration,
    pub(crate) plan: Plan,
}

/// The first job of a generation, and the progress it begins with.
pub(super) struct Begin {
    pub(super) kind: &'static str,
    pub(super) group: String,
    pub(super) progress: u8,
}

/// A generation about to be written.
pub(crate) struct NewGeneration {
    pub(crate) id: GenerationId,
    pub(super) product: ProductId,
    pub(super) photo: PhotoId,
    pub(super) by: UserId,
    pub(super) name: ClickName,
    pub(super) options: Options,
    pub(super) prompt_version: &'static str,
    pub(super) job_id: Uuid,
    pub(super) video_id: VideoId,
    pub(super) max_attempts: u16,
    pub(super) day: chrono::NaiveDate,
    /// What it takes over, when it is a retry.
    pub(super) takeover: Option<Takeover>,
    /// The uploaded still it is made from.
    pub(crate) tryon_image: Option<TryonImageId>,
}
