//! Veo 3.1 between a first and a last frame, usual and fast.

use crate::draw::{ClipPlan, Frame};
use crate::fal::{Input, Output, Task, Work};
use crate::price;

const FPS: u32 = 24;

/// `fal-ai/veo3.1[/fast]/first-last-frame-to-video`.
pub(super) fn read(input: &mut Input<'_>, fast: bool) -> Work {
    let keyframes = vec![input.picture("first_frame_url"), input.picture("last_frame_url")];
    input.text("prompt");
    input.optional_text("negative_prompt");
    let seconds = match input.choice("duration", &["4s", "6s", "8s"], "8s") {
        "4s" => 4,
        "6s" => 6,
        _ => 8,
    };
    let aspect = input.choice("aspect_ratio", &["auto", "16:9", "9:16"], "auto");
    let resolution = input.choice("resolution", &["720p", "1080p", "4k"], "720p");
    let audio = input.flag("generate_audio", true);
    input.choice("safety_tolerance", &["1", "2", "3", "4", "5", "6"], "4");
    input.flag("auto_fix", false);
    let seed = input.seed();
    let short = match resolution {
        "1080p" => 1080,
        "4k" => 2160,
        _ => 720,
    };
    let frame = match aspect {
        "16:9" => Frame::Exactly(short * 16 / 9, short),
        "9:16" => Frame::Exactly(short, short * 16 / 9),
        // It only makes these two: another picture is cut to the nearer one.
        _ => Frame::Widescreen(short),
    };
    let plan = ClipPlan { frames: vec![seconds * FPS], fps: FPS, frame, has_sound: audio, motion: 1.0 };
    Work {
        task: Task::Clip { keyframes, plan },
        charge: price::veo(fast, resolution == "4k", audio, seconds),
        seed,
        output: Output::Video,
    }
}
