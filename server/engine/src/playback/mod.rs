//! Playbacks: counted in memory as players tell them, added up by video and day in the database.

mod store;

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::{Mutex, PoisonError},
};

use chrono::NaiveDate;
use domain::{
    VideoId,
    playback::{PlaybackCounts, PlaybackEvent},
};

use crate::{Engine, Error};

pub(crate) use store::counts;

/// Videos counted between two writes; anybody may tell of a video that does not exist.
const VIDEOS_MAX: usize = 4_096;

/// What was counted since the last write. In the order of the keys: processes that write at once do not wait for each
/// other in a circle.
#[derive(Default)]
pub(crate) struct Counted(Mutex<BTreeMap<(VideoId, NaiveDate), PlaybackCounts>>);

impl Counted {
    /// Counts are dropped where there is no room for one more video.
    fn add(&self, key: (VideoId, NaiveDate), counts: &PlaybackCounts) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = counted.len() >= VIDEOS_MAX;
        match counted.entry(key) {
            Entry::Occupied(mut entry) => entry.get_mut().add(counts),
            Entry::Vacant(entry) if !is_full => _ = entry.insert(*counts),
            Entry::Vacant(_) => {}
        }
    }

    fn take(&self) -> BTreeMap<(VideoId, NaiveDate), PlaybackCounts> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Engine {
    /// Counts what a player tells, in memory until [`Engine::write_playbacks`]. Of more than 4096 videos between two
    /// writes the rest is not counted.
    pub fn count_playback(&self, video: VideoId, event: PlaybackEvent) {
        let mut counts = PlaybackCounts::default();
        counts.count(event);
        self.playbacks().add((video, self.today()), &counts);
    }

    /// Adds to the database what was counted since the last time; videos there are not are forgotten.
    ///
    /// # Errors
    /// Only when the database does not answer; everything is then written the next time.
    pub async fn write_playbacks(&self) -> Result<(), Error> {
        let counted = self.playbacks().take();
        if counted.is_empty() {
            return Ok(());
        }
        let written = async {
            let mut tx = self.pg().begin().await?;
            for ((video, day), counts) in &counted {
                store::add(&mut tx, *video, *day, counts).await?;
            }
            tx.commit().await
        };
        if let Err(error) = written.await {
            for (key, counts) in &counted {
                self.playbacks().add(*key, counts);
            }
            return Err(error.into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use uuid::Uuid;

    use super::*;

    #[test]
    fn no_more_videos_are_counted_than_there_is_room_for() {
        let counted = Counted::default();
        let day = NaiveDate::from_ymd_opt(2026, 11, 1).unwrap();
        let one = PlaybackCounts { starts: 1, ..PlaybackCounts::default() };
        let video = |number: usize| VideoId::from_uuid(Uuid::from_u128(number as u128));
        for number in 0..VIDEOS_MAX + 10 {
            counted.add((video(number), day), &one);
        }
        counted.add((video(0), day), &one);
        let taken = counted.take();
        assert_eq!(taken.len(), VIDEOS_MAX);
        assert_eq!(taken[&(video(0), day)].starts, 2, "those that are known go on");
        assert!(counted.take().is_empty());
    }
}
