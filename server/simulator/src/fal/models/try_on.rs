//! Virtual try-on: a person's picture and a garment's.

use crate::draw::PictureFormat;
use crate::fal::{Input, Output, Task, TryOnSize, Work};
use crate::price;

/// `fal-ai/fashn/tryon/v1.6`.
pub(super) fn read_fashn(input: &mut Input<'_>) -> Work {
    let person = input.picture("model_image");
    let garment = input.picture("garment_image");
    let category = input.choice("category", &["tops", "bottoms", "one-pieces", "auto"], "auto");
    input.choice("mode", &["performance", "balanced", "quality"], "balanced");
    input.choice("garment_photo_type", &["auto", "model", "flat-lay"], "auto");
    input.choice("moderation_level", &["none", "permissive", "conservative"], "permissive");
    let count = input.integer("num_samples", 1..=4, 1);
    input.flag("segmentation_free", true);
    let format = match input.choice("output_format", &["png", "jpeg"], "png") {
        "jpeg" => PictureFormat::Jpeg,
        _ => PictureFormat::Png,
    };
    let inline = input.flag("sync_mode", false);
    let seed = input.seed();
    Work {
        task: Task::TryOn { person, garment, category, size: TryOnSize::Fixed(864, 1296), count, format },
        charge: price::fashn_tryon(count),
        seed,
        output: Output::Images { inline },
    }
}

/// `fal-ai/kling/v1-5/kolors-virtual-try-on`.
pub(super) fn read_kolors(input: &mut Input<'_>) -> Work {
    let person = input.picture("human_image_url");
    let garment = input.picture("garment_image_url");
    let inline = input.flag("sync_mode", false);
    let (size, format) = (TryOnSize::AsPerson, PictureFormat::Png);
    Work {
        task: Task::TryOn { person, garment, category: "auto", size, count: 1, format },
        charge: price::kolors_tryon(),
        seed: None,
        output: Output::Image { inline },
    }
}
