use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};
use uuid::{Builder, Uuid};

use crate::desk::{read_json, replace_json};

/// Gives ids: UUIDs of version 7 that grow with every one, drawn from the
/// seed, so that the same script at the same time meets the same ids.
pub(crate) struct Ids {
    seed: u64,
    /// How often this state folder was opened: a restart must not repeat ids.
    start: u64,
    last: Mutex<Last>,
}

#[derive(Default)]
struct Last {
    millis: u64,
    count: u64,
}

impl Ids {
    /// Opens the count of starts in `folder`. `newest` is the newest id that
    /// is known; every id given is later.
    pub(crate) fn open(folder: &Path, seed: u64, newest: Option<Uuid>) -> io::Result<Self> {
        let path = folder.join("starts.json");
        let start = read_json::<u64>(&path)?.unwrap_or_default() + 1;
        replace_json(&path, &start)?;
        let millis = newest.and_then(|id| id.get_timestamp()).map_or(0, |time| {
            let (seconds, nanos) = time.to_unix();
            seconds * 1_000 + u64::from(nanos) / 1_000_000
        });
        Ok(Self { seed, start, last: Mutex::new(Last { millis, count: 0 }) })
    }

    /// The next id.
    pub(crate) fn next(&self, now: DateTime<Utc>) -> Uuid {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.millis = u64::try_from(now.timestamp_millis()).unwrap_or_default().max(last.millis + 1);
        last.count += 1;
        let drawn: [u8; 32] = Sha256::digest(format!("id {} {} {}", self.seed, self.start, last.count)).into();
        let chance: [u8; 10] = std::array::from_fn(|place| drawn[place]);
        Builder::from_unix_timestamp_millis(last.millis, &chance).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ids_grow_repeat_by_seed_and_not_by_restart() {
        let now: DateTime<Utc> = "2026-11-26T09:00:00Z".parse().unwrap();
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let three = |ids: &Ids| [ids.next(now), ids.next(now), ids.next(now)];
        let first = three(&Ids::open(one.path(), 1, None).unwrap());
        assert!(first.is_sorted() && first[0] != first[1]);
        assert_eq!(first, three(&Ids::open(other.path(), 1, None).unwrap()));
        let again = three(&Ids::open(one.path(), 1, Some(first[2])).unwrap());
        assert!(again[0] > first[2]);
    }
}
