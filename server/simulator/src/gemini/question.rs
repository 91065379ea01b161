use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use bytes::Bytes;
use serde_json::{Map, Value};

use super::model::SIZES;

/// What a caller asks an image model.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// All text parts, in order, one per line.
    pub text: String,
    pub images: Vec<Bytes>,
    pub aspect_ratio: Option<String>,
    /// One of 1K, 2K, 4K.
    pub image_size: String,
    /// Lower case; the model's own choice when absent.
    pub thinking_level: Option<String>,
    /// 0 when none is given.
    pub seed: u64,
}

const RATIOS: [&str; 14] =
    ["1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9", "1:4", "4:1", "1:8", "8:1"];
const MOST_IMAGES: usize = 14;
const CHARACTERS_PER_TOKEN: usize = 4;

impl Question {
    /// Reads a body in either spelling; the error is Google's message for 400.
    pub(crate) fn read(body: Value) -> Result<Self, String> {
        let body = camel_case(body);
        let contents = body["contents"]
            .as_array()
            .filter(|contents| !contents.is_empty())
            .ok_or("* GenerateContentRequest.contents: contents is not specified")?;
        let config = &body["generationConfig"];
        let mut question = Self {
            text: String::new(),
            images: Vec::new(),
            aspect_ratio: config["imageConfig"]["aspectRatio"].as_str().map(str::to_owned),
            image_size: config["imageConfig"]["imageSize"].as_str().unwrap_or("1K").to_owned(),
            thinking_level: config["thinkingConfig"]["thinkingLevel"].as_str().map(str::to_lowercase),
            seed: config["seed"].as_u64().unwrap_or_default(),
        };
        let parts = contents.iter().filter_map(|content| content["parts"].as_array()).flatten();
        for part in parts {
            question.read_part(part)?;
        }
        question.check()?;
        Ok(question)
    }

    /// Prompt tokens of the text.
    pub(crate) fn text_tokens(&self) -> i64 {
        count_tokens(&self.text)
    }

    fn read_part(&mut self, part: &Value) -> Result<(), String> {
        if let Some(text) = part["text"].as_str() {
            if !self.text.is_empty() {
                self.text.push('\n');
            }
            self.text.push_str(text);
        } else if let Some(data) = part["inlineData"]["data"].as_str() {
            let bytes = decode(data).ok_or(
                "Invalid value at 'contents[0].parts[0].inline_data.data' (TYPE_BYTES), Base64 decoding failed",
            )?;
            self.images.push(Bytes::from(bytes));
        } else {
            return Err("* GenerateContentRequest.contents.parts: contents.parts must not be empty.".into());
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        if self.text.is_empty() && self.images.is_empty() {
            return Err("* GenerateContentRequest.contents: contents is not specified".into());
        }
        if self.images.len() > MOST_IMAGES {
            return Err(format!("At most {MOST_IMAGES} images are supported."));
        }
        if self.images.iter().any(|image| image::guess_format(image).is_err()) {
            return Err("Unable to process input image. Please retry or report in https://developers.generativeai.google/guide/troubleshooting".into());
        }
        if !SIZES.contains(&self.image_size.as_str()) {
            return Err(format!("Invalid value at 'generation_config.image_config.image_size': {:?}", self.image_size));
        }
        match &self.aspect_ratio {
            Some(ratio) if !RATIOS.contains(&ratio.as_str()) => {
                Err(format!("Invalid value at 'generation_config.image_config.aspect_ratio': {ratio:?}"))
            }
            _ => Ok(()),
        }
    }
}

/// Bytes in base64 of either alphabet: Google's Python client writes the one
/// for URLs, its JavaScript client the usual one.
fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()
}

/// Tokens of a text, about: a quarter of its characters, rounded up.
pub(crate) fn count_tokens(text: &str) -> i64 {
    i64::try_from(text.chars().count().div_ceil(CHARACTERS_PER_TOKEN)).unwrap_or(i64::MAX)
}

/// Renames every key from snake to camel case: Google takes both.
fn camel_case(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields.into_iter().map(|(key, value)| (camel_key(&key), camel_case(value))).collect::<Map<_, _>>(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(camel_case).collect()),
        other => other,
    }
}

fn camel_key(key: &str) -> String {
    let mut words = key.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        if let Some(first) = letters.next() {
            camel.extend(first.to_uppercase());
            camel.push_str(letters.as_str());
        }
    }
    camel
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn both_spellings_are_read() {
        let png = STANDARD.encode(b"\x89PNG\r\n\x1a\n");
        let camel = json!({"contents": [{"parts": [{"text": "hi"},
            {"inlineData": {"mimeType": "image/png", "data": png}}]}],
            "generationConfig": {"imageConfig": {"aspectRatio": "9:16", "imageSize": "2K"}}});
        let snake = json!({"contents": [{"parts": [{"text": "hi"},
            {"inline_data": {"mime_type": "image/png", "data": png}}]}],
            "generation_config": {"image_config": {"aspect_ratio": "9:16", "image_size": "2K"}}});
        for body in [camel, snake] {
            let read = Question::read(body).unwrap();
            assert_eq!(read.text, "hi");
            assert_eq!(read.images.len(), 1);
            assert_eq!(read.aspect_ratio.as_deref(), Some("9:16"));
            assert_eq!(read.image_size, "2K");
        }
    }

    #[test]
    fn both_alphabets_of_base64_are_read() {
        assert_eq!(decode("+/8="), decode("-_8="));
        assert_eq!(decode("+/8=").unwrap(), [0xfb, 0xff]);
        assert_eq!(decode("not base64!"), None);
    }

    #[test]
    fn what_the_model_cannot_do_is_refused() {
        let with = |config: Value| json!({"contents": [{"parts": [{"text": "hi"}]}], "generationConfig": {"imageConfig": config}});
        assert!(Question::read(with(json!({"imageSize": "512"}))).is_err());
        assert!(Question::read(with(json!({"aspectRatio": "7:5"}))).is_err());
        assert!(Question::read(json!({"contents": []})).is_err());
        assert!(Question::read(with(json!({}))).is_ok());
    }
}
