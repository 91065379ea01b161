//! Whether a clip may be shown, by what is seen in it: not black, not a still picture, no dangerous flashes.

use std::fmt;

/// Side of the small pictures that are looked at, in pixels.
pub(crate) const SIDE: u32 = 32;
const CELLS: usize = (SIDE * SIDE) as usize;
const FRAME_BYTES: usize = CELLS * 3;
/// More frames than the longest clip has are not kept.
const MAX_FRAMES: usize = 60 * 60;
/// Brightness (0 to 255) below which all of a black frame is.
const BLACK: u8 = 24;
/// How long it may be black, in milliseconds.
const BLACK_MS: u64 = 500;
/// A frame shows the same picture as another when no channel of a cell differs by more, and all together by no more than
/// this on average: what encoders make of a picture that stands still. Frames are held against the first of a run, not the
/// one before: slow motion adds up, noise does not.
const SAME: u8 = 6;
const SAME_ON_AVERAGE: usize = 1;
/// How long it may stand still, in milliseconds, and at least which part of the whole, in percent, counts as standing still.
const STILL_MS: u64 = 1000;
const STILL_PERCENT: u64 = 50;
/// A change of so much of the greatest relative luminance, whose darker side is below the other, may be part of a flash
/// (WCAG 2.2, general flash and red flash thresholds).
const FLASH_STEP: f32 = 0.1;
const FLASH_DARK: f32 = 0.8;
/// On so much of the picture, in percent.
const FLASH_PERCENT: usize = 25;
/// Changes up and down within a second: three flashes are six.
const FLASH_CHANGES: usize = 6;

/// Why a clip is not shown to anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unshowable {
    /// Half a second of it or more is black.
    Black,
    /// Half of it or more is one picture.
    Frozen,
    /// It flashes more than three times within a second on a quarter of the picture or more.
    Flashing,
}

impl fmt::Display for Unshowable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Black => "half a second of it or more is black",
            Self::Frozen => "half of it or more is one picture",
            Self::Flashing => "it flashes more than three times within a second",
        })
    }
}

/// Small pictures of a clip, as they come out of a decoder.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    bytes: Vec<u8>,
}

impl Frames {
    /// Takes the next piece of the decoder's output.
    pub fn take(&mut self, piece: &[u8]) {
        let room = (MAX_FRAMES * FRAME_BYTES).saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(piece.get(..piece.len().min(room)).unwrap_or_default());
    }

    fn each(&self) -> impl Iterator<Item = &[u8; FRAME_BYTES]> {
        self.bytes.as_chunks::<FRAME_BYTES>().0.iter()
    }

    /// Looks at all of them.
    ///
    /// # Errors
    /// The first reason that is found.
    pub fn judge(&self, fps: u32) -> Result<(), Unshowable> {
        let ms = |frames: usize| u64::try_from(frames).unwrap_or(u64::MAX) * 1000 / u64::from(fps.max(1));
        if ms(longest(self.each().map(is_black))) >= BLACK_MS {
            return Err(Unshowable::Black);
        }
        let still_ms = ms(self.longest_still());
        if still_ms >= STILL_MS && still_ms * 100 >= ms(self.each().count()) * STILL_PERCENT {
            return Err(Unshowable::Frozen);
        }
        if self.flashes(usize::try_from(fps).unwrap_or(usize::MAX)) { Err(Unshowable::Flashing) } else { Ok(()) }
    }

    /// The longest run of frames that show what the first of them shows.
    fn longest_still(&self) -> usize {
        let (mut first, mut run, mut most) = (None, 0, 0);
        for frame in self.each() {
            if first.is_some_and(|first| is_same(first, frame)) {
                run += 1;
            } else {
                (first, run) = (Some(frame), 0);
            }
            most = most.max(run);
        }
        most
    }

    /// Whether more than three flashes, each a change and its opposite, fall within one second.
    fn flashes(&self, fps: usize) -> bool {
        let mut cells: Vec<Cell> = Vec::new();
        let mut changes: Vec<usize> = Vec::new();
        let mut last = None;
        for (number, frame) in self.each().enumerate() {
            let luminances = frame.as_chunks::<3>().0.iter().map(luminance);
            if cells.is_empty() {
                cells = luminances.map(Cell::new).collect();
                continue;
            }
            let (mut up, mut down) = (0, 0);
            for (cell, luminance) in cells.iter_mut().zip(luminances) {
                match cell.step(luminance) {
                    Some(true) => up += 1,
                    Some(false) => down += 1,
                    None => {}
                }
            }
            let is_up = up >= down;
            if up.max(down) * 100 >= CELLS * FLASH_PERCENT && last != Some(is_up) {
                last = Some(is_up);
                changes.push(number);
            }
        }
        let window = |from: &usize| changes.iter().filter(|at| (*from..from.saturating_add(fps)).contains(at)).count();
        changes.iter().any(|from| window(from) > FLASH_CHANGES)
    }
}

/// One place of the picture: where its luminance turned last.
struct Cell {
    low: f32,
    high: f32,
}

impl Cell {
    fn new(luminance: f32) -> Self {
        Self { low: luminance, high: luminance }
    }

    /// Whether this is a change of the threshold from the last turn, and in which direction.
    fn step(&mut self, luminance: f32) -> Option<bool> {
        self.low = self.low.min(luminance);
        self.high = self.high.max(luminance);
        if luminance - self.low >= FLASH_STEP && self.low < FLASH_DARK {
            self.low = luminance;
            self.high = luminance;
            return Some(true);
        }
        if self.high - luminance >= FLASH_STEP && luminance < FLASH_DARK {
            self.low = luminance;
            self.high = luminance;
            return Some(false);
        }
        None
    }
}

/// Relative luminance of an sRGB colour (WCAG 2.2).
fn luminance([red, green, blue]: &[u8; 3]) -> f32 {
    let linear = |channel: u8| {
        let value = f32::from(channel) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(*red) + 0.7152 * linear(*green) + 0.0722 * linear(*blue)
}

fn is_black(frame: &[u8; FRAME_BYTES]) -> bool {
    frame.iter().all(|channel| *channel < BLACK)
}

fn is_same(one: &[u8; FRAME_BYTES], other: &[u8; FRAME_BYTES]) -> bool {
    let differences = || one.iter().zip(other).map(|(one, other)| one.abs_diff(*other));
    let sum: usize = differences().map(usize::from).sum();
    sum <= SAME_ON_AVERAGE * one.len() && differences().all(|difference| difference <= SAME)
}

/// The longest run of trues.
fn longest(these: impl Iterator<Item = bool>) -> usize {
    let mut run = 0;
    these
        .map(|is| {
            if is {
                run += 1;
                run
            } else {
                run = 0;
                0
            }
        })
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FPS: usize = 24;

    /// A clip of frames whose cells are all of one grey, told by the frame's number; `part` percent of the cells follow, the
    /// others drift.
    fn clip(seconds: usize, part: usize, grey: impl Fn(usize) -> u8) -> Frames {
        let mut frames = Frames::default();
        for number in 0..seconds * FPS {
            let mut frame = vec![100_u8.saturating_add(u8::try_from(number % 50).unwrap_or(0)); FRAME_BYTES];
            let seen = FRAME_BYTES * part / 100;
            frame.iter_mut().take(seen).for_each(|channel| *channel = grey(number));
            // In odd pieces, as a pipe gives them.
            frame.chunks(1000).for_each(|piece| frames.take(piece));
        }
        frames
    }

    fn judge(frames: &Frames) -> Result<(), Unshowable> {
        frames.judge(24)
    }

    #[test]
    fn a_moving_picture_is_shown() {
        assert_eq!(judge(&clip(4, 100, |number| 60 + u8::try_from(number % 90).unwrap_or(0))), Ok(()));
    }

    #[test]
    fn half_a_second_of_black_is_not() {
        let from = |frames: usize| {
            move |number: usize| if number < frames { 10 } else { 60 + u8::try_from(number).unwrap_or(0) }
        };
        assert_eq!(judge(&clip(4, 100, from(12))), Err(Unshowable::Black));
        assert_eq!(judge(&clip(4, 100, from(11))), Ok(()), "a cut from black is no fault");
    }

    #[test]
    fn half_of_it_standing_still_is_not() {
        let until = |frames: usize| move |number: usize| 60 + u8::try_from(number.min(frames) * 2 % 190).unwrap_or(0);
        assert_eq!(judge(&clip(4, 100, until(40))), Err(Unshowable::Frozen));
        assert_eq!(judge(&clip(4, 100, until(60))), Ok(()), "an end that holds is no fault");
        assert_eq!(judge(&clip(4, 40, |_| 90)), Ok(()), "something moves");
        assert_eq!(
            judge(&clip(4, 100, |number| 90 + u8::from(number.is_multiple_of(2)))),
            Err(Unshowable::Frozen),
            "noise"
        );
        let slow = |number: usize| 90 + u8::try_from(number / 4).unwrap_or(0);
        assert_eq!(judge(&clip(4, 100, slow)), Ok(()), "slow motion");
    }

    #[test]
    fn more_than_three_flashes_a_second_on_a_quarter_are_not() {
        let every = |frames: usize| move |number: usize| if (number / frames).is_multiple_of(2) { 40 } else { 220 };
        assert_eq!(judge(&clip(3, 100, every(3))), Err(Unshowable::Flashing), "four flashes a second");
        assert_eq!(judge(&clip(3, 26, every(3))), Err(Unshowable::Flashing));
        assert_eq!(judge(&clip(3, 20, every(3))), Ok(()), "too small to matter");
        assert_eq!(judge(&clip(3, 100, every(6))), Ok(()), "two flashes a second");
        assert_eq!(
            judge(&clip(3, 100, |number| if number % 4 < 2 { 150 } else { 165 })),
            Ok(()),
            "too faint to matter"
        );
    }

    #[test]
    fn nothing_is_no_fault() {
        assert_eq!(judge(&Frames::default()), Ok(()));
    }
}
