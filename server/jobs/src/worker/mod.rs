//! The process that runs jobs.

mod attempt;
mod claim;
mod finish;
mod leader;
mod pulse;
mod roster;
mod settings;
mod settle;
mod store;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt;
use sqlx::PgConnection;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Semaphore, broadcast};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

pub use settings::WorkerSettings;

use crate::limits::HalfRates;
use crate::{Error, Failure, Handler, Job, Queue, Schedule};
use attempt::{Stop, describe_panic};
use finish::Finish;
use pulse::Pulse;
use roster::Roster;

/// Interruptions without progress after which a job is taken for the cause of the crashes.
const MAX_INTERRUPTIONS: u16 = 3;
/// How long a claim may take, with Redis and Postgres at their slowest.
const CLAIM_TIMEOUT: Duration = Duration::from_secs(15);
/// While there is more to do than fits, a claim waits so long for half of the seats: one claim for many costs little more
/// than one for few.
const GATHER: Duration = Duration::from_millis(2);
/// How long giving running jobs back may take once the grace is over.
const GIVE_BACK: Duration = Duration::from_secs(10);

/// Runs jobs until told to stop. Its id is random per start: a restarted process is a new worker.
///
/// ```no_run
/// # async fn example(queue: jobs::Queue, welcome: impl jobs::Handler + 'static) -> Result<(), jobs::Error> {
/// let stop = tokio_util::sync::CancellationToken::new();
/// let worker = jobs::Worker::new(queue, jobs::WorkerSettings::default()).with_handler("welcome", welcome);
/// worker.run(stop).await
/// # }
/// ```
pub struct Worker {
    core: Core,
    pulse: Mutex<Option<DropGuard>>,
}

pub(crate) struct Core {
    pub(crate) id: Uuid,
    pub(crate) queue: Queue,
    pub(crate) handlers: HashMap<&'static str, Arc<dyn Handler>>,
    pub(crate) kinds: Vec<String>,
    pub(crate) settings: WorkerSettings,
    /// [`crate::Limits`] in the words of the claim script.
    pub(crate) limits_json: String,
    /// The ticket of a claim whose answer never came.
    pub(crate) unanswered: Mutex<Option<Uuid>>,
    pub(crate) half_rates: Mutex<HalfRates>,
    pub(crate) started: Instant,
    pub(crate) finish: Finish,
    pub(crate) schedules: Vec<Schedule>,
    /// How far the leader is with jobs that must end.
    pub(crate) doomed_after: Mutex<Uuid>,
    pub(crate) roster: Arc<Roster>,
}

impl Core {
    /// Lets the domain write down the end of a job. A handler that panics here must not take the leader with it.
    pub(crate) async fn give_up(
        &self,
        tx: &mut PgConnection,
        job: &Job,
        failure: &Failure,
    ) -> Result<Vec<Uuid>, Error> {
        let Some(handler) = self.handlers.get(job.kind.as_str()) else { return Ok(Vec::new()) };
        let given_up = AssertUnwindSafe(handler.give_up(tx, job, failure)).catch_unwind().await;
        given_up.unwrap_or_else(|panic| Err(Error::handler(describe_panic(panic.as_ref()))))
    }
}

impl Worker {
    /// A worker that knows no kind of job yet; nothing starts before [`Worker::run`] or [`Worker::step`].
    pub fn new(queue: Queue, settings: WorkerSettings) -> Self {
        let core = Core {
            id: Uuid::new_v4(),
            queue,
            handlers: HashMap::new(),
            kinds: Vec::new(),
            limits_json: settings.limits.to_json(),
            unanswered: Mutex::default(),
            half_rates: Mutex::default(),
            started: Instant::now(),
            finish: Finish::default(),
            schedules: Vec::new(),
            doomed_after: Mutex::default(),
            settings,
            roster: Arc::new(Roster::default()),
        };
        Self { core, pulse: Mutex::new(None) }
    }

    /// The same worker for one more kind of job. Kinds that no worker knows wait for one that does.
    pub fn with_handler(self, kind: &'static str, handler: impl Handler + 'static) -> Self {
        self.with_handlers([(kind, Arc::new(handler) as Arc<dyn Handler>)])
    }

    /// The same worker for more kinds of jobs; of two handlers for one kind the later one counts.
    pub fn with_handlers(mut self, handlers: impl IntoIterator<Item = (&'static str, Arc<dyn Handler>)>) -> Self {
        self.core.handlers.extend(handlers);
        self.core.kinds = self.core.handlers.keys().map(|kind| (*kind).to_owned()).collect();
        self
    }

    /// The same worker with more jobs that come by the clock, made by whichever process leads.
    pub fn with_schedules(mut self, schedules: impl IntoIterator<Item = Schedule>) -> Self {
        self.core.schedules.extend(schedules);
        self
    }

    /// The id under which this process holds leases.
    pub fn id(&self) -> Uuid {
        self.core.id
    }

    /// Claims and runs jobs until `stop` fires; then lets running jobs finish within the grace time and gives the rest
    /// back. Also takes part in leading the queue. Postgres or Redis going away does not end it.
    ///
    /// # Errors
    /// [`Error::Database`] when the heartbeat cannot be started.
    pub async fn run(self, stop: CancellationToken) -> Result<(), Error> {
        self.start_pulse()?;
        // The heart beats until everything has ended.
        let Self { core, pulse: _pulse } = self;
        let core = Arc::new(core);
        let end = CancellationToken::new();
        let leader = tokio::spawn(leader::lead(core.clone(), end.clone()));
        let _end_on_drop = end.clone().drop_guard();
        let jobs_stop = Stop::default();
        let _abort_on_drop = jobs_stop.now.clone().drop_guard();
        let mut jobs = JoinSet::new();
        claim_until(&core, &stop, &jobs_stop, &mut jobs).await;

        jobs_stop.soon.cancel();
        tracing::info!(jobs = jobs.len(), "worker {} stops with {} jobs running", core.id, jobs.len());
        let grace = Duration::from_secs(core.settings.grace_secs);
        if timeout(grace, drain(&mut jobs)).await.is_err() {
            jobs_stop.now.cancel();
            if timeout(GIVE_BACK, drain(&mut jobs)).await.is_err() {
                tracing::error!("{} jobs could not be given back; their leases run out", jobs.len());
            }
        }
        end.cancel();
        if let Err(error) = leader.await {
            tracing::error!(%error, "the leader task ended badly");
        }
        Ok(())
    }

    /// One round for tests: upkeep, one claim, and everything claimed run to its outcome. Returns how many jobs ran.
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::Redis`].
    pub async fn step(&self) -> Result<usize, Error> {
        self.start_pulse()?;
        self.core.maintain(true).await?;
        let claims = self.core.claim(self.core.settings.concurrency).await?;
        let stop = Stop::default();
        let runs: Vec<_> = claims.jobs.into_iter().map(|claimed| self.core.run(claimed, &stop, None)).collect();
        Ok(futures::future::join_all(runs).await.len())
    }

    fn start_pulse(&self) -> Result<(), Error> {
        let mut pulse = self.pulse.lock().unwrap_or_else(PoisonError::into_inner);
        if pulse.is_none() {
            let core = &self.core;
            let options = core.queue.pg().connect_options().as_ref().clone();
            let redis = core.queue.redis().settings().clone();
            let beat = Pulse::new(core.id, core.roster.clone(), options, redis, &core.settings);
            *pulse = Some(beat.start().map_err(sqlx::Error::Io)?);
        }
        Ok(())
    }
}

async fn claim_until(core: &Arc<Core>, stop: &CancellationToken, jobs_stop: &Stop, jobs: &mut JoinSet<()>) {
    let mut wakes = core.queue.redis().wakes();
    let poll = Duration::from_millis(core.settings.poll_ms.max(10));
    let concurrency = core.settings.concurrency.max(1);
    // A job leaves its seat when its handler returns: the next one starts while the end of the last is written.
    let seats = Arc::new(Semaphore::new(concurrency));
    let mut more = false;
    while !stop.is_cancelled() {
        if more {
            gather(&seats, concurrency).await;
        }
        let free = seats.available_permits().min((2 * concurrency).saturating_sub(jobs.len()));
        let mut wait = poll;
        more = false;
        if free > 0 {
            // A claim that is cut off may have taken jobs: their leases run out.
            let claims = timeout(CLAIM_TIMEOUT, core.claim(free)).await;
            match claims.unwrap_or(Err(Error::TimedOut)) {
                Ok(claims) => {
                    more = !claims.jobs.is_empty();
                    for claimed in claims.jobs {
                        let (core, jobs_stop) = (core.clone(), jobs_stop.clone());
                        let seat = seats.clone().try_acquire_owned().ok();
                        jobs.spawn(async move { core.run(claimed, &jobs_stop, seat).await });
                    }
                    if more {
                        while jobs.try_join_next().is_some() {}
                        continue;
                    }
                    wait = claims.next.map_or(poll, |next| next.max(Duration::from_millis(1)).min(poll));
                }
                Err(error) => tracing::warn!(%error, "claiming jobs failed: {error}"),
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            Some(_) = jobs.join_next() => while jobs.try_join_next().is_some() {},
            _ = seats.acquire(), if free == 0 && jobs.len() < 2 * concurrency => {}
            () = wait_for_wake(&mut wakes, core), if free > 0 => {}
            () = tokio::time::sleep(wait), if free > 0 => {}
        }
    }
}

async fn drain(jobs: &mut JoinSet<()>) {
    while jobs.join_next().await.is_some() {}
}

async fn gather(seats: &Semaphore, concurrency: usize) {
    let half = u32::try_from(concurrency.div_ceil(2)).unwrap_or(u32::MAX);
    // Taken only to see that they are there.
    drop(timeout(GATHER, seats.acquire_many(half)).await);
}

/// Returns after a wake; several that are already here count as one.
async fn wait_for_wake(wakes: &mut broadcast::Receiver<String>, core: &Core) {
    if matches!(wakes.recv().await, Err(RecvError::Closed)) {
        *wakes = core.queue.redis().wakes();
    }
    while wakes.try_recv().is_ok() {}
}
