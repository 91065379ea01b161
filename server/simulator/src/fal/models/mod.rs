//! The endpoints that can be called: one file per family, one line each.

mod kling;
mod nano_banana;
mod pika;
mod stable_video;
mod try_on;
mod veo;
mod wan;

use serde_json::Value;

use super::{Detail, Input, Work};

/// An endpoint: its id, sub-path included, and how its input is read.
#[derive(Clone, Copy)]
pub(crate) struct Model {
    pub endpoint: &'static str,
    read: fn(&mut Input<'_>) -> Work,
}

/// A new endpoint is a line here, a line in the price list and, unless its
/// family is known, a file.
const MODELS: [Model; 14] = [
    Model { endpoint: "fal-ai/nano-banana/edit", read: nano_banana::read_first },
    Model { endpoint: "fal-ai/nano-banana-pro/edit", read: nano_banana::read_pro },
    Model { endpoint: "fal-ai/nano-banana-2/edit", read: nano_banana::read_2 },
    Model { endpoint: "google/nano-banana-2.1/edit", read: nano_banana::read_2_1 },
    Model { endpoint: "fal-ai/fashn/tryon/v1.6", read: try_on::read_fashn },
    Model { endpoint: "fal-ai/kling/v1-5/kolors-virtual-try-on", read: try_on::read_kolors },
    Model { endpoint: "fal-ai/pika/v2.2/pikaframes", read: pika::read_pikaframes },
    Model { endpoint: "fal-ai/pika/v2.2/image-to-video", read: pika::read_image_to_video },
    Model { endpoint: "fal-ai/veo3.1/first-last-frame-to-video", read: |input| veo::read(input, false) },
    Model { endpoint: "fal-ai/veo3.1/fast/first-last-frame-to-video", read: |input| veo::read(input, true) },
    Model { endpoint: "fal-ai/kling-video/v3/standard/image-to-video", read: |input| kling::read(input, false) },
    Model { endpoint: "fal-ai/kling-video/v3/pro/image-to-video", read: |input| kling::read(input, true) },
    Model { endpoint: "fal-ai/wan-flf2v", read: wan::read },
    Model { endpoint: "fal-ai/stable-video", read: stable_video::read },
];

impl Model {
    /// The model behind an endpoint id.
    pub(crate) fn find(endpoint: &str) -> Option<Self> {
        MODELS.iter().find(|model| model.endpoint == endpoint).copied()
    }

    /// Checks the input as the model would.
    pub(crate) fn parse(self, input: &Value) -> Result<Work, Vec<Detail>> {
        Input::read(input, self.read)
    }
}

/// The id of every endpoint.
pub(crate) fn endpoints() -> impl Iterator<Item = &'static str> {
    MODELS.iter().map(|model| model.endpoint)
}

/// The part of an endpoint id that status and result addresses use:
/// `owner/app`, one segment more under the two shared namespaces.
pub(crate) fn app_of(endpoint: &str) -> String {
    let kept = match endpoint.split('/').next() {
        Some("workflows" | "comfy") => 3,
        _ => 2,
    };
    endpoint.split('/').take(kept).collect::<Vec<_>>().join("/")
}

/// What an input asks for in words: every prompt in it, the inner ones too.
pub(crate) fn prompt_of(input: &Value) -> Option<String> {
    fn gather<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("prompt").and_then(Value::as_str));
                fields.values().filter(|value| value.is_array()).for_each(|value| gather(value, found));
            }
            Value::Array(items) => items.iter().for_each(|item| gather(item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    gather(input, &mut found);
    (!found.is_empty()).then(|| found.join("\n"))
}

#[cfg(test)]
mod tests;
