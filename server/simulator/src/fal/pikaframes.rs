//! `fal-ai/pika/v2.2/pikaframes`: a clip that moves through two to five pictures.

use serde_json::{Map, Value, json};

use super::Detail;
use crate::price;

/// A checked request for a clip.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Transition {
    pub image_urls: Vec<String>,
    /// Seconds of each move, one fewer than pictures.
    pub seconds: Vec<u64>,
    pub full_hd: bool,
}

const FEWEST_PICTURES: usize = 2;
const MOST_PICTURES: usize = 5;
const USUAL_SECONDS: u64 = 5;
const MOST_SECONDS: u64 = 25;

impl Transition {
    /// Reads the model input, or says everything that is wrong with it.
    pub(crate) fn parse(input: &Value) -> Result<Self, Vec<Detail>> {
        let Some(body) = input.as_object() else {
            return Err(vec![
                Detail::at("input", "model_attributes_type", "Input should be a valid dictionary").with_input(input),
            ]);
        };
        let mut wrong = Vec::new();
        let image_urls = read_pictures(body, &mut wrong);
        let full_hd = read_resolution(body, &mut wrong);
        for field in ["prompt", "negative_prompt"] {
            if let Some(value) = body.get(field)
                && !value.is_string()
                && !value.is_null()
            {
                wrong.push(Detail::at(field, "string_type", "Input should be a valid string").with_input(value));
            }
        }
        if let Some(seed) = body.get("seed")
            && !seed.is_null()
            && !seed.is_i64()
            && !seed.is_u64()
        {
            wrong.push(Detail::at("seed", "int_type", "Input should be a valid integer").with_input(seed));
        }
        let seconds = read_transitions(body, image_urls.len(), &mut wrong);
        if wrong.is_empty() { Ok(Self { image_urls, seconds, full_hd }) } else { Err(wrong) }
    }

    /// Seconds billed and micro-USD.
    pub(crate) fn price(&self) -> (u64, i64) {
        price::pikaframes(self.full_hd, self.seconds.iter().sum())
    }
}

fn read_pictures(body: &Map<String, Value>, wrong: &mut Vec<Detail>) -> Vec<String> {
    let Some(value) = body.get("image_urls") else {
        wrong.push(Detail::at("image_urls", "missing", "Field required"));
        return Vec::new();
    };
    let Some(list) = value.as_array() else {
        wrong.push(Detail::at("image_urls", "list_type", "Input should be a valid list").with_input(value));
        return Vec::new();
    };
    if list.len() < FEWEST_PICTURES {
        wrong.push(
            Detail::at("image_urls", "sequence_too_short", "Too few images")
                .with_context(json!({"min_length": FEWEST_PICTURES})),
        );
    }
    if list.len() > MOST_PICTURES {
        wrong.push(
            Detail::at("image_urls", "sequence_too_long", "Too many images")
                .with_context(json!({"max_length": MOST_PICTURES})),
        );
    }
    let mut urls = Vec::new();
    for (index, one) in list.iter().enumerate() {
        match one.as_str() {
            Some(url) => urls.push(url.to_owned()),
            None => wrong.push(
                Detail::at("image_urls", "string_type", "Input should be a valid string").inside(index).with_input(one),
            ),
        }
    }
    urls
}

fn read_resolution(body: &Map<String, Value>, wrong: &mut Vec<Detail>) -> bool {
    match body.get("resolution") {
        None => false,
        Some(Value::String(text)) if text == "720p" => false,
        Some(Value::String(text)) if text == "1080p" => true,
        Some(other) => {
            wrong.push(
                Detail::at("resolution", "literal_error", "Input should be '720p' or '1080p'")
                    .with_context(json!({"expected": "'720p' or '1080p'"}))
                    .with_input(other),
            );
            false
        }
    }
}

fn read_transitions(body: &Map<String, Value>, pictures: usize, wrong: &mut Vec<Detail>) -> Vec<u64> {
    let moves = pictures.saturating_sub(1);
    let value = match body.get("transitions") {
        None | Some(Value::Null) => return vec![USUAL_SECONDS; moves],
        Some(value) => value,
    };
    let Some(list) = value.as_array() else {
        wrong.push(Detail::at("transitions", "list_type", "Input should be a valid list").with_input(value));
        return Vec::new();
    };
    if list.len() != moves {
        wrong.push(Detail::at(
            "transitions",
            "value_error",
            format!("Expected {moves} transitions for {pictures} images, got {}", list.len()),
        ));
    }
    let mut seconds = Vec::new();
    for (index, one) in list.iter().enumerate() {
        let duration = match one.get("duration") {
            None if one.is_object() => Some(USUAL_SECONDS),
            None => None,
            Some(value) => value.as_u64().filter(|seconds| (1..=MOST_SECONDS).contains(seconds)),
        };
        match duration {
            Some(duration) => seconds.push(duration),
            None => wrong.push(
                Detail::at("transitions", "int_type", "Input should be an integer from 1 to 25")
                    .inside(index)
                    .inside("duration")
                    .with_input(one),
            ),
        }
    }
    if seconds.iter().sum::<u64>() > MOST_SECONDS {
        wrong.push(
            Detail::at("transitions", "less_than_equal", "The sum of durations is too long")
                .with_context(json!({"le": MOST_SECONDS})),
        );
    }
    seconds
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn kinds(input: Value) -> Vec<&'static str> {
        Transition::parse(&input).unwrap_err().iter().map(Detail::kind).collect()
    }

    #[test]
    fn what_is_left_out_has_its_usual_value() {
        let read = Transition::parse(&json!({"image_urls": ["a", "b", "c"]})).unwrap();
        assert_eq!(read.seconds, [5, 5]);
        assert!(!read.full_hd);
        assert_eq!(read.price(), (10, 400_000));
    }

    #[test]
    fn every_mistake_is_named() {
        assert_eq!(kinds(json!({})), ["missing"]);
        assert_eq!(kinds(json!({"image_urls": ["a"]})), ["sequence_too_short"]);
        assert_eq!(kinds(json!({"image_urls": ["a", "b"], "resolution": "480p"})), ["literal_error"]);
        assert_eq!(kinds(json!({"image_urls": ["a", "b"], "transitions": [{"duration": 4}, {}]})), ["value_error"]);
        assert_eq!(kinds(json!({"image_urls": ["a", "b"], "transitions": [{"duration": "4"}]})), ["int_type"]);
        assert_eq!(
            kinds(json!({"image_urls": ["a", "b", "c"],
                "transitions": [{"duration": 20}, {"duration": 6}]})),
            ["less_than_equal"]
        );
    }
}
