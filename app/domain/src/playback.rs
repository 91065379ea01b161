//! How often videos are played, and how well that goes.

use serde::{Deserialize, Serialize};

use crate::MicroUsd;

/// First frames are counted in groups: how many came within so many milliseconds. A last group took longer.
pub const FIRST_FRAME_BOUNDS_MS: [u32; 11] = [25, 50, 100, 150, 200, 300, 500, 800, 1_300, 2_500, 5_000];
/// The groups with the last one.
pub const FIRST_FRAME_GROUPS: usize = FIRST_FRAME_BOUNDS_MS.len() + 1;

/// What a player tells of one playback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaybackEvent {
    /// Playing was begun.
    Start,
    /// The first picture was seen so many milliseconds after that.
    FirstFrame {
        /// Milliseconds.
        after_ms: u32,
    },
    /// It stood still in the middle.
    Stall,
    /// It was seen to its end.
    Complete,
}

/// Playbacks added up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PlaybackCounts {
    /// Playbacks that were begun.
    pub starts: u64,
    /// Those that were seen to the end.
    pub completes: u64,
    /// Times one stood still.
    pub stalls: u64,
    /// Milliseconds from start to first frame, over all of them.
    pub first_frame_ms_sum: u64,
    /// First frames by [`FIRST_FRAME_BOUNDS_MS`].
    pub first_frames: [u64; FIRST_FRAME_GROUPS],
}

impl PlaybackCounts {
    /// Counts one event.
    pub fn count(&mut self, event: PlaybackEvent) {
        match event {
            PlaybackEvent::Start => self.starts += 1,
            PlaybackEvent::Stall => self.stalls += 1,
            PlaybackEvent::Complete => self.completes += 1,
            PlaybackEvent::FirstFrame { after_ms } => {
                let group = FIRST_FRAME_BOUNDS_MS.partition_point(|bound| *bound < after_ms);
                if let Some(frames) = self.first_frames.get_mut(group) {
                    *frames += 1;
                }
                self.first_frame_ms_sum = self.first_frame_ms_sum.saturating_add(u64::from(after_ms));
            }
        }
    }

    /// Adds what was counted elsewhere.
    pub fn add(&mut self, other: &Self) {
        self.starts = self.starts.saturating_add(other.starts);
        self.completes = self.completes.saturating_add(other.completes);
        self.stalls = self.stalls.saturating_add(other.stalls);
        self.first_frame_ms_sum = self.first_frame_ms_sum.saturating_add(other.first_frame_ms_sum);
        for (frames, more) in self.first_frames.iter_mut().zip(other.first_frames) {
            *frames = frames.saturating_add(more);
        }
    }

    /// The figures people read.
    pub fn summary(&self) -> PlaybackSummary {
        PlaybackSummary {
            starts: self.starts,
            completes: self.completes,
            stalls: self.stalls,
            first_frame_p50_ms: self.first_frame_ms(50),
            first_frame_p95_ms: self.first_frame_ms(95),
        }
    }

    /// Within how many milliseconds so many percent of the first frames came, as if those of a group came evenly.
    fn first_frame_ms(&self, percent: u64) -> Option<u32> {
        let total: u64 = self.first_frames.iter().sum();
        if total == 0 {
            return None;
        }
        let wanted = total.saturating_mul(percent).div_ceil(100);
        let (mut before, mut from) = (0, 0);
        for (frames, to) in self.first_frames.iter().zip(FIRST_FRAME_BOUNDS_MS) {
            if before + frames >= wanted {
                let part = u64::from(to - from).saturating_mul(wanted - before) / frames.max(&1);
                return Some(from + u32::try_from(part).unwrap_or(0));
            }
            (before, from) = (before + frames, to);
        }
        // Nothing more is known of the last group.
        Some(from)
    }
}

/// How a video is played, or many together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaybackSummary {
    /// Playbacks that were begun.
    pub starts: u64,
    /// Those that were seen to the end.
    pub completes: u64,
    /// Times one stood still.
    pub stalls: u64,
    /// Half of the first frames came within so many milliseconds.
    pub first_frame_p50_ms: Option<u32>,
    /// All but one in twenty did.
    pub first_frame_p95_ms: Option<u32>,
}

impl PlaybackSummary {
    /// How many were seen to the end, in whole percent, at most 100; zero where nothing was begun.
    pub fn completion_percent(&self) -> u8 {
        let percent = self.completes.saturating_mul(100).checked_div(self.starts).unwrap_or(0);
        u8::try_from(percent.min(100)).unwrap_or(100)
    }

    /// What a thousand playbacks cost when all of them together cost this much.
    pub fn cost_per_thousand(&self, cost: MicroUsd) -> Option<MicroUsd> {
        let starts = i64::try_from(self.starts).ok().filter(|starts| *starts > 0)?;
        Some(MicroUsd::new((cost.micros().saturating_mul(1_000).saturating_add(starts / 2)) / starts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(frames_ms: &[u32]) -> PlaybackCounts {
        let mut counts = PlaybackCounts::default();
        for after_ms in frames_ms {
            counts.count(PlaybackEvent::Start);
            counts.count(PlaybackEvent::FirstFrame { after_ms: *after_ms });
        }
        counts
    }

    #[test]
    fn first_frames_stand_in_the_group_they_came_within() {
        let counts = counted(&[0, 25, 26, 5_000, 5_001, 600_000]);
        assert_eq!((counts.first_frames[0], counts.first_frames[1]), (2, 1));
        assert_eq!((counts.first_frames[10], counts.first_frames[11]), (1, 2));
        assert_eq!((counts.starts, counts.first_frame_ms_sum), (6, 610_052));
    }

    #[test]
    fn halves_and_tails_lie_within_their_groups() {
        let summary = counted(&[60, 70, 80, 90, 95, 98, 99, 100, 100, 2_000]).summary();
        assert!((51..=100).contains(&summary.first_frame_p50_ms.unwrap_or(0)), "{summary:?}");
        assert!((1_301..=2_500).contains(&summary.first_frame_p95_ms.unwrap_or(0)), "{summary:?}");
        assert_eq!(counted(&[9_000]).summary().first_frame_p50_ms, Some(5_000), "at least");
        assert_eq!(PlaybackCounts::default().summary().first_frame_p50_ms, None);
    }

    #[test]
    fn sums_of_two_are_the_sum() {
        let mut both = counted(&[10, 10]);
        both.count(PlaybackEvent::Stall);
        both.add(&counted(&[10]));
        assert_eq!((both.starts, both.stalls, both.first_frames[0]), (3, 1, 3));
    }

    #[test]
    fn shares_and_prices_are_of_what_was_begun() {
        let summary = PlaybackSummary { starts: 400, completes: 300, ..PlaybackSummary::default() };
        assert_eq!(summary.completion_percent(), 75);
        assert_eq!(summary.cost_per_thousand(MicroUsd::new(271_760)), Some(MicroUsd::new(679_400)));
        let none = PlaybackSummary::default();
        assert_eq!((none.completion_percent(), none.cost_per_thousand(MicroUsd::new(1))), (0, None));
        let more = PlaybackSummary { starts: 1, completes: 2, ..none };
        assert_eq!(more.completion_percent(), 100, "a start that was lost");
    }
}
