//! One run of one job, from the claim to the moment its end is in Postgres.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::time::{Duration, Instant};

use futures::FutureExt;
use metrics::{counter, gauge, histogram};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

use super::claim::Claimed;
use super::roster::{Cause, Signal};
use super::{Core, settle::Verdict};
use crate::redis::Place;
use crate::{Attempt, Failure, Handler, Outcome, trace};

type Ran = Result<Result<Outcome, Failure>, Box<dyn Any + Send>>;

/// How the process wants its running jobs to end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop {
    /// Finish, park or give back soon.
    pub(crate) soon: CancellationToken,
    /// The grace is over: whatever still runs is given back.
    pub(crate) now: CancellationToken,
}

impl Core {
    /// Runs a claimed job to its outcome, as a span of the trace it came with. The seat is free when the handler has
    /// returned.
    pub(crate) async fn run(&self, claimed: Claimed, stop: &Stop, seat: Option<OwnedSemaphorePermit>) {
        let job = &claimed.job;
        let span = tracing::info_span!(
            "job", otel.name = %job.kind, otel.kind = "consumer", job.id = %job.id, job.group = %job.group,
            job.attempt = job.attempt, job.outcome = tracing::field::Empty
        );
        if let Some(parent) = &job.trace_parent {
            trace::follow(&span, parent);
        }
        self.run_in_span(claimed, stop, seat).instrument(span).await;
    }

    async fn run_in_span(&self, claimed: Claimed, stop: &Stop, seat: Option<OwnedSemaphorePermit>) {
        let Claimed { job, lease, signal, remaining, waited, cancel_requested, claimed_at } = claimed;
        let id = job.id;
        tracing::info!(job.id = %id, job.kind = %job.kind, job.attempt = job.attempt, job.epoch = lease.epoch, "job {id} starts");
        let backoff = self.settings.backoff(job.attempt);
        let attempt = Attempt { job, lease, cancel: signal.token.clone(), stopping: stop.soon.clone(), backoff };
        let labels = [("kind", attempt.job.kind.clone()), ("group", attempt.job.group.clone())];
        counter!("jobs_started_total", &labels).increment(1);
        histogram!("jobs_wait_seconds", &labels).record(waited.as_secs_f64());
        gauge!("jobs_slots_used", &labels).increment(1);
        let verdict = match self.handlers.get(attempt.job.kind.as_str()) {
            _ if cancel_requested => Verdict::Fail(Failure::cancelled()),
            _ if remaining.is_zero() => Verdict::Fail(timed_out()),
            Some(handler) => self.drive(handler.as_ref(), &attempt, &signal, remaining, stop).await,
            // Claims name the kinds they want.
            None => Verdict::Release { interrupted: true },
        };
        drop(seat);
        Span::current().record("job.outcome", verdict.name());
        tracing::info!(job.id = %id, elapsed_ms = claimed_at.elapsed().as_millis() as u64, "job {id} ran: {}", verdict.name());
        histogram!("jobs_run_seconds", &labels).record(claimed_at.elapsed().as_secs_f64());
        gauge!("jobs_slots_used", &labels).decrement(1);
        let [kind, group] = labels;
        counter!("jobs_ended_total", &[kind, group, ("outcome", verdict.name().to_owned())]).increment(1);
        let frees_itself = matches!(verdict, Verdict::Succeed);
        let next = self.settle(&attempt, verdict, claimed_at + remaining).await;
        self.roster.remove(&lease);
        if frees_itself {
            return;
        }
        self.queue.dispatch(&next).await;
        // Unless it parked and is here again already: then the places are the new run's.
        if !self.roster.contains(id) {
            self.free(vec![Place { id, group: attempt.job.group, owner: attempt.job.owner }]).await;
        }
    }

    async fn drive(
        &self,
        handler: &dyn Handler,
        attempt: &Attempt,
        signal: &Signal,
        remaining: Duration,
        stop: &Stop,
    ) -> Verdict {
        let mut run = pin!(AssertUnwindSafe(handler.run(attempt)).catch_unwind());
        tokio::select! {
            biased;
            ran = &mut run => return judge(ran, signal.cause(), stop),
            () = signal.token.cancelled() => {}
            () = tokio::time::sleep(remaining) => signal.fire(Cause::TimedOut),
            () = stop.now.cancelled() => return Verdict::Release { interrupted: false },
        }
        let ran = self.await_end(run.as_mut(), stop).await;
        match ran {
            Some(ran) => judge(ran, signal.cause(), stop),
            None => {
                judge(Ok(Err(Failure::transient("unresponsive", "did not stop when told to"))), signal.cause(), stop)
            }
        }
    }

    /// Gives a handler that was told to stop a moment to clean up.
    async fn await_end(&self, run: Pin<&mut impl Future<Output = Ran>>, stop: &Stop) -> Option<Ran> {
        let patience = Duration::from_secs(self.settings.cancel_grace_secs);
        tokio::select! {
            ran = timeout(patience, run) => ran.ok(),
            () = stop.now.cancelled() => None,
        }
    }
}

/// What the handler's answer means, given why it was told to stop, if it was.
fn judge(ran: Ran, cause: Option<Cause>, stop: &Stop) -> Verdict {
    let answer = ran.unwrap_or_else(|panic| Err(Failure::transient(Failure::PANICKED, describe_panic(panic.as_ref()))));
    match (answer, cause) {
        // What is committed, is committed.
        (Ok(Outcome::Committed { dispatch }), _) => Verdict::Committed { dispatch },
        (_, Some(Cause::LeaseLost)) => Verdict::Lost,
        (Ok(Outcome::Done), _) => Verdict::Succeed,
        (_, Some(Cause::Asked)) => Verdict::Fail(Failure::cancelled()),
        (_, Some(Cause::TimedOut)) => Verdict::Fail(timed_out()),
        (Ok(Outcome::Park { until }), None) => Verdict::Park { until },
        (Ok(Outcome::Release), None) => Verdict::Release { interrupted: !stop.soon.is_cancelled() },
        (Err(failure), None) => Verdict::Fail(failure),
    }
}

fn timed_out() -> Failure {
    Failure::permanent(Failure::TIMED_OUT, "took longer than it may")
}

pub(crate) fn describe_panic(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<&str>().map(|words| (*words).to_owned());
    let words = words.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("the handler panicked: {}", words.unwrap_or_else(|| "no message".into()))
}

/// Time left until an instant, zero when it has passed.
pub(crate) fn time_left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}
