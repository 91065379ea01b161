//! Writing clicks: one, or many in one transaction. However many there are, the same few statements are sent, so that the
//! day's row, which every click needs, is held for as short as can be.

mod store;

use std::collections::HashMap;

use domain::{CallId, GenerationId};
use futures::future::join_all;
use jobs::NewJob;
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{click::Click, retry};
use crate::{
    Conflict, Engine, Error,
    calls::{self, NewCall},
    ledger, limits, notices,
    stages::JobPayload,
};

/// What became of a click.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placed {
    /// It made this generation.
    New(GenerationId),
    /// The same click had made this one before.
    Earlier(GenerationId),
}

impl Placed {
    pub(crate) const fn id(self) -> GenerationId {
        match self {
            Self::New(id) | Self::Earlier(id) => id,
        }
    }
}

impl Engine {
    /// Writes clicks with their calls, their money and their jobs; answers what became of each, in their order. Those
    /// beyond the day's limits, and those whose key was used for something else, write nothing. Tell of them after the
    /// commit.
    ///
    /// # Errors
    /// When nothing may be committed: the database, or the same click of another day at the same moment.
    pub(crate) async fn write_clicks(
        &self,
        tx: &mut PgConnection,
        clicks: &[Click],
    ) -> Result<Vec<Result<Placed, Error>>, Error> {
        let Some(first) = clicks.first() else { return Ok(Vec::new()) };
        // Before the rows are written: everybody who clicks takes it first, so nobody waits for the other's rows with it.
        let mut day = limits::Day::lock(tx, first.new.day).await?;
        let earlier = store::earlier(tx, clicks).await?;
        let mut admitted: Vec<&Click> = Vec::with_capacity(clicks.len());
        let mut placed = Vec::with_capacity(clicks.len());
        for click in clicks {
            if let Some(earlier) = earlier.get(&(click.new.by, click.new.name.key)) {
                placed.push(earlier.told_to(&click.new.name).map(Placed::Earlier));
                continue;
            }
            placed.push(day.admit(self.settings(), click.plan.total()).map(|()| {
                admitted.push(click);
                Placed::New(click.new.id)
            }));
        }
        if admitted.is_empty() {
            return Ok(placed);
        }
        if let Some(near) = day.write(tx, self.settings()).await? {
            notices::store::insert_limit_near(tx, near.percent(), near.resets_at).await?;
        }
        self.write_admitted(tx, &admitted).await?;
        Ok(placed)
    }

    async fn write_admitted(&self, tx: &mut PgConnection, clicks: &[&Click]) -> Result<(), Error> {
        if store::insert(tx, clicks).await? != clicks.len() {
            // Only where two days meet: the same click, a moment earlier, counted against the day before.
            return Err(Error::Conflict(Conflict::Busy));
        }
        let calls: Vec<NewCall> = clicks.iter().flat_map(|click| planned_calls(click)).collect();
        if let Some(click) = clicks.first().filter(|_| !calls.is_empty()) {
            calls::store::insert_all(tx, &calls).await?;
            ledger::hold_all(tx, &calls, click.new.day).await?;
        }
        store::insert_requested(tx, clicks).await?;
        store::insert_given_stills(tx, clicks).await?;
        for Click { new, .. } in clicks {
            if let Some(takeover) = &new.takeover {
                retry::store::take_over(tx, new.id, takeover, new.options.recipe, new.by).await?;
            }
        }
        let jobs: Vec<NewJob> = clicks.iter().map(|click| self.first_job(click)).collect();
        jobs::enqueue_all(tx, &jobs).await?;
        Ok(())
    }

    fn first_job(&self, Click { new, plan }: &Click) -> NewJob {
        let begin = plan.begin();
        let mut job = NewJob::new(begin.kind, begin.group, json!(JobPayload { generation_id: new.id }));
        job.id = new.job_id;
        job.owner = Some(new.by.uuid());
        job.label = Some(new.options.recipe.as_str().to_owned());
        job.max_attempts = self.settings().max_attempts;
        job.run_timeout = self.settings().job_timeout;
        job
    }

    /// Tells workers and viewers of clicks that were written and committed.
    pub(crate) async fn tell_of_clicks(&self, clicks: &[Click], placed: &[Placed]) {
        let jobs: HashMap<GenerationId, Uuid> = clicks.iter().map(|click| (click.new.id, click.new.job_id)).collect();
        let new: Vec<GenerationId> = placed
            .iter()
            .filter_map(|placed| match placed {
                Placed::New(id) => Some(*id),
                Placed::Earlier(_) => None,
            })
            .collect();
        let waiting: Vec<Uuid> = new.iter().filter_map(|id| jobs.get(id).copied()).collect();
        self.queue().dispatch(&waiting).await;
        for Click { new: one, .. } in clicks.iter().filter(|click| new.contains(&click.new.id)) {
            tracing::info!(
                generation.id = %one.id, product.id = %one.product, user.id = %one.by,
                "generation {} of product {} was clicked by user {}", one.id, one.product, one.by
            );
        }
        join_all(new.iter().map(|id| self.announce(*id))).await;
    }
}

fn planned_calls(click: &Click) -> impl Iterator<Item = NewCall> {
    click.plan.calls.iter().map(|call| NewCall {
        id: CallId::from_uuid(Uuid::now_v7()),
        generation_id: click.new.id,
        slot: call.slot,
        ordinal: 1,
        model: call.model.clone(),
        price_version: call.price_version.clone(),
        ordered: Some(call.order),
        estimate: call.estimate,
    })
}
