//! Small objects as they were last read: the clips of a shop's pages are asked for again and again, and never change under
//! their key. Memory is bounded, what is asked for most stays, and every object is looked for again after some minutes.

use std::{sync::Arc, time::Duration};

use axum::{body::Bytes, http::HeaderMap};
use moka::future::Cache;
use storage::{Key, ObjectInfo, Store};
use tokio::sync::Semaphore;

/// A larger object is streamed and not kept. A clip of five seconds at the ceiling of the largest rung is smaller.
const OBJECT_MAX_BYTES: u64 = 4 * 1024 * 1024;
/// So many are read at the same time in order to be kept; who comes when all are busy is streamed to.
const READS: usize = 8;
/// What retention removed is gone from memory after this long.
const KEPT_FOR: Duration = Duration::from_secs(600);
/// What a kept object weighs besides its bytes: its key, what is known of it and its headers.
const OVERHEAD_BYTES: u32 = 3 * 1024;

/// An object in memory.
pub struct Kept {
    pub info: ObjectInfo,
    /// What is said of it to everybody, written once.
    pub headers: HeaderMap,
    pub bytes: Bytes,
}

/// Objects in memory. Cheap to clone.
#[derive(Clone)]
pub struct Hot {
    objects: Cache<Key, Arc<Kept>>,
    reads: Arc<Semaphore>,
    is_on: bool,
}

impl Hot {
    /// Keeps at most so many bytes; none at all with 0.
    pub fn new(max_bytes: u64) -> Self {
        let weigh = |_: &Key, kept: &Arc<Kept>| {
            u32::try_from(kept.bytes.len()).unwrap_or(u32::MAX).saturating_add(OVERHEAD_BYTES)
        };
        let objects = Cache::builder().max_capacity(max_bytes).weigher(weigh).time_to_live(KEPT_FOR).build();
        Self { objects, reads: Arc::new(Semaphore::new(READS)), is_on: max_bytes > 0 }
    }

    /// The object, where it is in memory.
    pub async fn get(&self, key: &Key) -> Option<Arc<Kept>> {
        if self.is_on { self.objects.get(key).await } else { None }
    }

    /// Reads an object to keep it; who asks for the same meanwhile waits for that read. None for one that is not kept, and
    /// where it cannot be read now: the caller streams it, and sees the error itself.
    pub async fn read(
        &self,
        store: &Store,
        key: &Key,
        info: &ObjectInfo,
        headers_of: impl Fn(&ObjectInfo) -> HeaderMap,
    ) -> Option<Arc<Kept>> {
        if !self.is_on || info.total_bytes > OBJECT_MAX_BYTES {
            return None;
        }
        let read = async {
            let _permit = self.reads.try_acquire().map_err(|_| storage::Error::Unavailable("busy".to_owned()))?;
            let bytes = store.get_bytes(key, OBJECT_MAX_BYTES).await?;
            Ok::<_, storage::Error>(Arc::new(Kept { info: info.clone(), headers: headers_of(info), bytes }))
        };
        self.objects.try_get_with_by_ref(key, read).await.ok()
    }
}
