//! Wan 2.1 between a first and a last frame: `fal-ai/wan-flf2v`.

use crate::draw::{ClipPlan, Frame};
use crate::fal::{Input, Output, Task, Work};
use crate::price;

/// Reads its input. Its length is counted in frames, not in seconds.
pub(super) fn read(input: &mut Input<'_>) -> Work {
    let keyframes = vec![input.picture("start_image_url"), input.picture("end_image_url")];
    input.text("prompt");
    input.optional_text("negative_prompt");
    let frames = input.integer("num_frames", 81..=100, 81);
    let fps = input.integer("frames_per_second", 5..=24, 16);
    let is_720p = input.choice("resolution", &["480p", "720p"], "720p") == "720p";
    let aspect = input.choice("aspect_ratio", &["auto", "16:9", "9:16", "1:1"], "auto");
    input.integer("num_inference_steps", 2..=40, 30);
    input.decimal("guide_scale", 1.0..=10.0, 5.0);
    input.decimal("shift", 0.0..=10.0, 5.0);
    input.choice("acceleration", &["none", "regular"], "regular");
    input.flag("enable_safety_checker", false);
    input.flag("enable_prompt_expansion", false);
    let seed = input.seed();
    let (short, long) = if is_720p { (720, 1280) } else { (480, 832) };
    let frame = match aspect {
        "16:9" => Frame::Exactly(long, short),
        "9:16" => Frame::Exactly(short, long),
        "1:1" => Frame::Exactly(short, short),
        _ => Frame::ShortSide(short),
    };
    let plan = ClipPlan { frames: vec![frames], fps, frame, has_sound: false, motion: 1.0 };
    Work {
        task: Task::Clip { keyframes, plan },
        charge: price::wan_flf2v(is_720p, frames),
        seed,
        output: Output::VideoAndSeed,
    }
}
