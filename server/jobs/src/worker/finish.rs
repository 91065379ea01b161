//! Jobs that ended well, many per statement: while one statement is under way, the next ones gather.

use std::sync::OnceLock;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use uuid::Uuid;

use super::Core;
use super::store;
use crate::queue::QUERY_TIMEOUT;
use crate::redis::Place;
use crate::{Attempt, Error, Lease, Queue};

/// Jobs per statement.
const BATCH: usize = 512;

struct Ended {
    lease: Lease,
    place: Place,
    /// Whether the lease still held; nothing when nobody knows.
    held: oneshot::Sender<Result<bool, Error>>,
}

/// Where jobs that ended well are brought; the task behind it ends with the worker.
#[derive(Default)]
pub(crate) struct Finish {
    sender: OnceLock<mpsc::Sender<Ended>>,
}

impl Core {
    /// Marks a job succeeded and frees its places.
    pub(crate) async fn succeed(&self, attempt: &Attempt) -> Result<(), Error> {
        let id = attempt.job.id;
        let place = Place { id, group: attempt.job.group.clone(), owner: attempt.job.owner };
        let (held, answer) = oneshot::channel();
        let ended = Ended { lease: attempt.lease, place, held };
        let sender = self.finish.sender.get_or_init(|| {
            let (sender, receiver) = mpsc::channel(BATCH);
            tokio::spawn(write_all(self.queue.clone(), self.id, receiver));
            sender
        });
        sender.send(ended).await.map_err(|_| Error::TimedOut)?;
        match answer.await.unwrap_or(Err(Error::TimedOut))? {
            true => Ok(()),
            false => Err(Error::LeaseLost { job_id: id }),
        }
    }
}

async fn write_all(queue: Queue, worker: Uuid, mut receiver: mpsc::Receiver<Ended>) {
    let mut batch = Vec::with_capacity(BATCH);
    while receiver.recv_many(&mut batch, BATCH).await > 0 {
        write(&queue, worker, std::mem::take(&mut batch)).await;
    }
}

async fn write(queue: &Queue, worker: Uuid, batch: Vec<Ended>) {
    let (ids, epochs): (Vec<Uuid>, Vec<i64>) =
        batch.iter().map(|ended| (ended.lease.job_id, ended.lease.epoch)).unzip();
    let written = timeout(QUERY_TIMEOUT, store::succeed_all(queue.pg(), worker, &ids, &epochs)).await;
    let held = match written {
        Ok(Ok(held)) => held,
        failed => {
            if let Ok(Err(error)) = failed {
                tracing::warn!(%error, jobs = batch.len(), "the end of {} jobs could not be written", batch.len());
            }
            // Whoever asked tries again; its lease is still being renewed.
            batch.into_iter().for_each(|ended| drop(ended.held.send(Err(Error::TimedOut))));
            return;
        }
    };
    let places: Vec<Place> = batch.iter().map(|ended| ended.place.clone()).collect();
    if let Err(error) = queue.redis().release(worker, &places).await {
        tracing::debug!(%error, "{} places are left to expire", places.len());
    }
    for Ended { lease, held: answer, .. } in batch {
        // Nobody waits for the answer any more when the worker was told to stop at once.
        answer.send(Ok(held.contains(&(lease.job_id, lease.epoch)))).ok();
    }
}
