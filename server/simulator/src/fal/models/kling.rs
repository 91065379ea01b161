//! Kling 3 from an image, with or without an end, standard and pro.

use crate::draw::{ClipPlan, Frame};
use crate::fal::{Input, Output, Task, Work};
use crate::price;

const FPS: u32 = 24;
const MOST_SECONDS: u32 = 15;
const SECONDS: [&str; 15] = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15"];

/// `fal-ai/kling-video/v3/{standard,pro}/image-to-video`. The duration is a
/// string. Shots of a `multi_prompt` add up.
pub(super) fn read(input: &mut Input<'_>, pro: bool) -> Work {
    let mut keyframes = vec![input.picture("start_image_url")];
    keyframes.extend(input.optional_picture("end_image_url"));
    let prompt = input.optional_text("prompt");
    let shots = input.objects("multi_prompt", |shot| {
        shot.text("prompt");
        seconds_of(shot.choice("duration", &SECONDS, "5"))
    });
    if prompt.is_some() == shots.is_some() {
        let message = "Value error, Either prompt or multi_prompt must be provided, but not both";
        input.refuse("prompt", "value_error", message);
    }
    let alone = seconds_of(input.choice("duration", &SECONDS[2..], "5"));
    let seconds = shots.map_or(alone, |shots| shots.iter().sum());
    if seconds > MOST_SECONDS {
        input.refuse_above("multi_prompt", MOST_SECONDS, "The shots are too long together");
    }
    let audio = input.flag("generate_audio", true);
    input.optional_text("negative_prompt");
    input.decimal("cfg_scale", 0.0..=1.0, 0.5);
    input.choice("shot_type", &["customize", "intelligent"], "customize");
    let frames = vec![seconds * FPS];
    let frame = Frame::ShortSide(if pro { 1080 } else { 720 });
    let plan = ClipPlan { frames, fps: FPS, frame, has_sound: audio, motion: 1.0 };
    Work {
        task: Task::Clip { keyframes, plan },
        charge: price::kling_v3(pro, audio, seconds),
        seed: None,
        output: Output::Video,
    }
}

fn seconds_of(text: &str) -> u32 {
    text.parse().unwrap_or(5)
}
