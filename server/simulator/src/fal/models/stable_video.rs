//! Stable Video Diffusion 1.1: `fal-ai/stable-video`.

use crate::draw::{ClipPlan, Frame};
use crate::fal::{Input, Output, Task, Work};
use crate::price;

/// The model always makes so many frames.
const FRAMES: u32 = 25;
const USUAL_MOTION: u32 = 127;

/// Reads its input: no words, only how much shall move and how fast it plays.
pub(super) fn read(input: &mut Input<'_>) -> Work {
    let picture = input.picture("image_url");
    let motion = input.integer("motion_bucket_id", 1..=255, USUAL_MOTION);
    input.decimal("cond_aug", 0.0..=10.0, 0.02);
    let fps = input.integer("fps", 10..=100, 25);
    let seed = input.seed();
    let motion = motion as f32 / USUAL_MOTION as f32;
    let plan = ClipPlan { frames: vec![FRAMES], fps, frame: Frame::ShortSide(576), has_sound: false, motion };
    Work {
        task: Task::Clip { keyframes: vec![picture], plan },
        charge: price::stable_video(),
        seed,
        output: Output::VideoAndSeed,
    }
}
