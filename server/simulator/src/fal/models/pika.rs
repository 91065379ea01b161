//! Pika 2.2: a clip through two to five pictures, or from one.

use crate::draw::{ClipPlan, Frame};
use crate::fal::{Input, Output, Task, Work};
use crate::price;

const FPS: u32 = 24;
const USUAL_SECONDS: u32 = 5;
const MOST_SECONDS: u32 = 25;

/// `fal-ai/pika/v2.2/pikaframes`.
pub(super) fn read_pikaframes(input: &mut Input<'_>) -> Work {
    let keyframes = input.pictures("image_urls", 2..=5);
    let full_hd = read_resolution(input);
    input.optional_text("prompt");
    input.optional_text("negative_prompt");
    let seed = input.seed();
    let moves = keyframes.len().saturating_sub(1);
    let transitions = input.objects("transitions", |one| {
        one.optional_text("prompt");
        one.integer("duration", 1..=MOST_SECONDS, USUAL_SECONDS)
    });
    if let Some(transitions) = &transitions
        && transitions.len() != moves
    {
        let message = format!("Expected {moves} transitions for {} images, got {}", keyframes.len(), transitions.len());
        input.refuse("transitions", "value_error", message);
    }
    let seconds = transitions.unwrap_or_else(|| vec![USUAL_SECONDS; moves]);
    let total = seconds.iter().sum();
    if total > MOST_SECONDS {
        input.refuse_above("transitions", MOST_SECONDS, "The sum of durations is too long");
    }
    let frames = seconds.iter().map(|seconds| seconds * FPS).collect();
    let plan = ClipPlan { frames, fps: FPS, frame: frame(full_hd), has_sound: false, motion: 1.0 };
    Work {
        task: Task::Clip { keyframes, plan },
        charge: price::pikaframes(full_hd, total),
        seed,
        output: Output::Video,
    }
}

/// `fal-ai/pika/v2.2/image-to-video`. The duration is a number: it was
/// written as a string until the summer of 2026.
pub(super) fn read_image_to_video(input: &mut Input<'_>) -> Work {
    let picture = input.picture("image_url");
    input.text("prompt");
    input.optional_text("negative_prompt");
    let full_hd = read_resolution(input);
    let seconds = input.number_of("duration", &[5, 10], USUAL_SECONDS);
    let seed = input.seed();
    let plan = ClipPlan { frames: vec![seconds * FPS], fps: FPS, frame: frame(full_hd), has_sound: false, motion: 1.0 };
    Work {
        task: Task::Clip { keyframes: vec![picture], plan },
        charge: price::pika_image_to_video(full_hd, seconds),
        seed,
        output: Output::Video,
    }
}

fn read_resolution(input: &mut Input<'_>) -> bool {
    input.choice("resolution", &["720p", "1080p"], "720p") == "1080p"
}

fn frame(full_hd: bool) -> Frame {
    Frame::ShortSide(if full_hd { 1080 } else { 720 })
}
