#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;
use crate::price;

const PIKAFRAMES: &str = "fal-ai/pika/v2.2/pikaframes";
const KLING: &str = "fal-ai/kling-video/v3/standard/image-to-video";
const VEO: &str = "fal-ai/veo3.1/fast/first-last-frame-to-video";

fn parse(endpoint: &str, input: Value) -> Result<Work, Vec<Detail>> {
    Model::find(endpoint).unwrap().parse(&input)
}

/// Kind and place of everything that is wrong.
fn wrong(endpoint: &str, input: Value) -> Vec<(String, String)> {
    let body = crate::fal::detail_body(&parse(endpoint, input).unwrap_err());
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let place =
        |detail: &Value| detail["loc"].as_array().unwrap().iter().skip(1).map(text).collect::<Vec<_>>().join(".");
    body["detail"].as_array().unwrap().iter().map(|detail| (text(&detail["type"]), place(detail))).collect()
}

fn one(kind: &str, place: &str) -> Vec<(String, String)> {
    vec![(kind.to_owned(), place.to_owned())]
}

fn cost(endpoint: &str, input: Value) -> (f64, i64) {
    let charge = parse(endpoint, input).unwrap().charge;
    (charge.units, charge.amount_micro_usd)
}

#[test]
fn addresses_use_the_app_without_the_sub_path() {
    assert_eq!(app_of(PIKAFRAMES), "fal-ai/pika");
    assert_eq!(app_of("workflows/me/thing/x"), "workflows/me/thing");
}

#[test]
fn every_endpoint_is_on_the_price_list_in_the_unit_it_is_billed_in() {
    let pictures = json!({
        "prompt": "p", "image_url": "a", "image_urls": ["a", "b"], "first_frame_url": "a", "last_frame_url": "b",
        "start_image_url": "a", "end_image_url": "b", "model_image": "a", "garment_image": "b",
        "human_image_url": "a", "garment_image_url": "b",
    });
    for model in MODELS {
        let charge = model.parse(&pictures).unwrap().charge;
        let line = price::LIST.iter().find(|line| line.0 == model.endpoint).unwrap();
        assert_eq!(charge.unit, line.1, "{}", model.endpoint);
        assert!(charge.amount_micro_usd > 0 && charge.units > 0.0, "{}", model.endpoint);
    }
    assert_eq!(price::LIST.len(), MODELS.len());
}

#[test]
fn prompts_are_found_wherever_they_stand() {
    let input = json!({"prompt": "one", "transitions": [{"prompt": "two"}, {"duration": 3}], "image_urls": ["x"]});
    assert_eq!(prompt_of(&input).as_deref(), Some("one\ntwo"));
    assert_eq!(prompt_of(&json!({"image_url": "x"})), None);
}

#[test]
fn pikaframes_is_read_and_refused_as_documented() {
    assert_eq!(cost(PIKAFRAMES, json!({"image_urls": ["a", "b", "c"]})), (10.0, 400_000));
    assert_eq!(wrong(PIKAFRAMES, json!({})), one("missing", "image_urls"));
    assert_eq!(wrong(PIKAFRAMES, json!({"image_urls": ["a"]})), one("sequence_too_short", "image_urls"));
    let two = |more: Value| {
        let mut input = json!({"image_urls": ["a", "b"]});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        wrong(PIKAFRAMES, input)
    };
    assert_eq!(two(json!({"resolution": "480p"})), one("literal_error", "resolution"));
    assert_eq!(two(json!({"transitions": [{"duration": 4}, {}]})), one("value_error", "transitions"));
    assert_eq!(two(json!({"transitions": [{"duration": "4"}]})), one("int_type", "transitions.0.duration"));
    assert_eq!(two(json!({"transitions": [{"duration": 0}]})), one("greater_than_equal", "transitions.0.duration"));
    let long = json!({"image_urls": ["a", "b", "c"], "transitions": [{"duration": 20}, {"duration": 6}]});
    assert_eq!(wrong(PIKAFRAMES, long), one("less_than_equal", "transitions"));
    assert_eq!(wrong(PIKAFRAMES, json!({"image_urls": ["a", 2]})), one("string_type", "image_urls.1"));
}

#[test]
fn each_model_spells_a_duration_its_own_way() {
    let kling = |duration: Value| json!({"start_image_url": "a", "prompt": "p", "duration": duration});
    assert_eq!(cost(KLING, kling(json!("7"))), (7.0, 882_000));
    for foreign in [json!(5), json!("5s"), json!("2"), json!("auto")] {
        assert_eq!(wrong(KLING, kling(foreign)), one("literal_error", "duration"));
    }
    let veo =
        |duration: Value| json!({"first_frame_url": "a", "last_frame_url": "b", "prompt": "p", "duration": duration});
    assert_eq!(cost(VEO, veo(json!("4s"))), (4.0, 600_000));
    for foreign in [json!(8), json!("8"), json!("5s")] {
        assert_eq!(wrong(VEO, veo(foreign)), one("literal_error", "duration"));
    }
    let pika = |duration: Value| json!({"image_url": "a", "prompt": "p", "duration": duration});
    assert_eq!(cost("fal-ai/pika/v2.2/image-to-video", pika(json!(10))), (10.0, 400_000));
    for foreign in [json!("5"), json!("5s"), json!(7)] {
        assert_eq!(wrong("fal-ai/pika/v2.2/image-to-video", pika(foreign)), one("literal_error", "duration"));
    }
    let wan = |more: Value| {
        let mut input = json!({"start_image_url": "a", "end_image_url": "b", "prompt": "p"});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    assert_eq!(cost("fal-ai/wan-flf2v", wan(json!({"num_frames": 100}))), (1.25, 500_000));
    assert_eq!(wrong("fal-ai/wan-flf2v", wan(json!({"num_frames": 101}))), one("less_than_equal", "num_frames"));
    let slow = wan(json!({"frames_per_second": 4}));
    assert_eq!(wrong("fal-ai/wan-flf2v", slow), one("greater_than_equal", "frames_per_second"));
}

#[test]
fn kling_wants_one_prompt_or_several_shots() {
    let ask = |more: Value| {
        let mut input = json!({"start_image_url": "a"});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    assert_eq!(wrong(KLING, ask(json!({}))), one("value_error", "prompt"));
    let shots = json!([{"prompt": "a", "duration": "3"}, {"prompt": "b", "duration": "4"}]);
    assert_eq!(cost(KLING, ask(json!({"multi_prompt": shots, "generate_audio": false}))), (7.0, 588_000));
    assert_eq!(wrong(KLING, ask(json!({"multi_prompt": shots, "prompt": "c"}))), one("value_error", "prompt"));
}

#[test]
fn stable_video_keeps_its_numbers_within_limits() {
    let ask = |field: &str, value: Value| json!({"image_url": "a", field: value});
    let endpoint = "fal-ai/stable-video";
    assert_eq!(cost(endpoint, json!({"image_url": "a", "fps": 10, "motion_bucket_id": 255})), (1.0, 75_000));
    assert_eq!(wrong(endpoint, ask("motion_bucket_id", json!(0))), one("greater_than_equal", "motion_bucket_id"));
    assert_eq!(wrong(endpoint, ask("motion_bucket_id", json!(256))), one("less_than_equal", "motion_bucket_id"));
    assert_eq!(wrong(endpoint, ask("fps", json!(7))), one("greater_than_equal", "fps"));
    assert_eq!(wrong(endpoint, ask("fps", json!(24.5))), one("int_type", "fps"));
    assert_eq!(wrong(endpoint, ask("cond_aug", json!(11))), one("less_than_equal", "cond_aug"));
    assert_eq!(wrong(endpoint, ask("seed", json!("x"))), one("int_type", "seed"));
}

#[test]
fn nano_bananas_differ_in_sizes_and_ratios() {
    let ask = |more: Value| {
        let mut input = json!({"prompt": "p", "image_urls": ["a"]});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let half = ask(json!({"resolution": "0.5K"}));
    assert_eq!(cost("fal-ai/nano-banana-2/edit", half.clone()), (0.75, 60_000));
    assert_eq!(wrong("fal-ai/nano-banana-pro/edit", half.clone()), one("literal_error", "resolution"));
    assert_eq!(wrong("google/nano-banana-2.1/edit", half), one("literal_error", "resolution"));
    let tall = ask(json!({"aspect_ratio": "1:8", "num_images": 2}));
    assert_eq!(wrong("fal-ai/nano-banana/edit", tall.clone()), one("literal_error", "aspect_ratio"));
    assert_eq!(cost("google/nano-banana-2.1/edit", tall), (2240.0, 79_059));
    assert_eq!(cost("google/nano-banana-2.1/edit", ask(json!({"resolution": "4K"}))), (3800.0, 134_117));
    let many = ask(json!({"num_images": 5}));
    assert_eq!(wrong("fal-ai/nano-banana/edit", many), one("less_than_equal", "num_images"));
    assert_eq!(
        cost("fal-ai/nano-banana/edit", ask(json!({"resolution": "8K"}))),
        (1.0, 39_800),
        "it has no such field"
    );
}

#[test]
fn try_on_wants_a_person_and_a_garment() {
    let fashn = "fal-ai/fashn/tryon/v1.6";
    let ask = json!({"model_image": "a", "garment_image": "b", "num_samples": 2, "category": "tops"});
    assert_eq!(cost(fashn, ask), (2.0, 150_000));
    assert_eq!(wrong(fashn, json!({"model_image": "a"})), one("missing", "garment_image"));
    let dress = json!({"model_image": "a", "garment_image": "b", "category": "dresses"});
    assert_eq!(wrong(fashn, dress), one("literal_error", "category"));
    let kolors = "fal-ai/kling/v1-5/kolors-virtual-try-on";
    assert_eq!(wrong(kolors, json!({"garment_image_url": "b"})), one("missing", "human_image_url"));
    assert_eq!(cost(kolors, json!({"human_image_url": "a", "garment_image_url": "b"})), (1.0, 70_000));
}
