//! Nano Banana's edit endpoints: pictures and words become pictures.

use crate::draw::{PictureFormat, StillWish};
use crate::fal::{Input, Output, Source, Task, Work};
use crate::price::{self, Charge};

/// `auto` and the ten of every model; the last four are only the newer ones'.
const RATIOS: [&str; 15] =
    ["auto", "21:9", "16:9", "3:2", "4:3", "5:4", "1:1", "4:5", "3:4", "2:3", "9:16", "4:1", "1:4", "8:1", "1:8"];
const USUAL_RATIOS: usize = 11;
const MOST_PICTURES: usize = 14;

/// Tokens of one picture by Nano Banana 2.1, as its prices at 1K and 4K imply.
fn tokens_2_1(size: &str) -> u32 {
    match size {
        "2K" => 1680,
        "4K" => 3800,
        _ => 1120,
    }
}

/// `fal-ai/nano-banana/edit`.
pub(super) fn read_first(input: &mut Input<'_>) -> Work {
    let common = Common::read(input, &RATIOS[..USUAL_RATIOS]);
    let charge = price::nano_banana(common.count);
    common.into_work("1K", charge)
}

/// `fal-ai/nano-banana-pro/edit`.
pub(super) fn read_pro(input: &mut Input<'_>) -> Work {
    let common = Common::read(input, &RATIOS[..USUAL_RATIOS]);
    let size = input.choice("resolution", &["1K", "2K", "4K"], "1K");
    input.flag("enable_web_search", false);
    let charge = price::nano_banana_pro(size == "4K", common.count);
    common.into_work(size, charge)
}

/// `fal-ai/nano-banana-2/edit`.
pub(super) fn read_2(input: &mut Input<'_>) -> Work {
    let common = Common::read(input, &RATIOS);
    let size = input.choice("resolution", &["0.5K", "1K", "2K", "4K"], "1K");
    let searches = input.flag("enable_web_search", false);
    let thinks_hard = input.optional_choice("thinking_level", &["minimal", "high"]) == Some("high");
    let charge = price::nano_banana_2(size, common.count, searches, thinks_hard);
    common.into_work(size, charge)
}

/// `google/nano-banana-2.1/edit`, billed by tokens.
pub(super) fn read_2_1(input: &mut Input<'_>) -> Work {
    let common = Common::read(input, &RATIOS);
    let size = input.choice("resolution", &["1K", "2K", "4K"], "1K");
    input.optional_choice("thinking_level", &["minimal", "medium", "high"]);
    input.optional_text("system_prompt");
    let charge = price::nano_banana_2_1(common.count * tokens_2_1(size));
    common.into_work(size, charge)
}

/// What all of them are asked.
struct Common {
    pictures: Vec<Source>,
    prompt: String,
    ratio: &'static str,
    count: u32,
    format: PictureFormat,
    inline: bool,
    seed: Option<u64>,
}

impl Common {
    fn read(input: &mut Input<'_>, ratios: &[&'static str]) -> Self {
        let prompt = input.text("prompt");
        let pictures = input.pictures("image_urls", 1..=MOST_PICTURES);
        let ratio = input.choice("aspect_ratio", ratios, "auto");
        let count = input.integer("num_images", 1..=4, 1);
        let format = match input.choice("output_format", &["jpeg", "png", "webp"], "png") {
            "jpeg" => PictureFormat::Jpeg,
            "webp" => PictureFormat::Webp,
            _ => PictureFormat::Png,
        };
        input.choice("safety_tolerance", &["1", "2", "3", "4", "5", "6"], "4");
        input.flag("limit_generations", false);
        let inline = input.flag("sync_mode", false);
        let seed = input.seed();
        Self { pictures, prompt, ratio, count, format, inline, seed }
    }

    fn into_work(self, size: &str, charge: Charge) -> Work {
        let ratio = (self.ratio != "auto").then(|| self.ratio.to_owned());
        let wish = StillWish { prompt: self.prompt, aspect_ratio: ratio, size: size.to_owned(), keeps_ratio: true };
        Work {
            task: Task::Edit { pictures: self.pictures, wish, count: self.count, format: self.format },
            charge,
            seed: self.seed,
            output: Output::DescribedImages { inline: self.inline },
        }
    }
}
