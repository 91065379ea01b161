//! What every endpoint of the catalogue is sent, field by field, as the vendors' pages write it.

use std::sync::Arc;

use domain::{ClipSeconds, FailureCode, ModelType, Resolution};
use providers::{
    Aspect, Catalogue, Certainty, ClipRequest, GarmentCategory, Making, ModelRef, Provider, ProviderError, Role,
    StillMaker, StillRequest, StillSize, Submitted,
};
use serde_json::{Value, json};

use crate::{
    fal::{self, accepting, makers, png},
    stub::{Reply, Stub},
};

fn model(id: &str) -> ModelRef {
    ModelRef::new(Provider::Fal, id)
}

fn accepted() -> Reply {
    Reply::json(200, &json!({"status": "IN_QUEUE", "request_id": "req-1", "queue_position": 0}))
}

fn still() -> StillRequest {
    StillRequest {
        photos: vec![png(1), png(2)],
        person: None,
        prompt: "start pose".into(),
        aspect: Aspect::Portrait3x4,
        size: StillSize::K1,
        model_type: ModelType::Male,
        category: Some(GarmentCategory::OnePiece),
        webhook_url: None,
        tags: Vec::new(),
    }
}

fn clip() -> ClipRequest {
    ClipRequest {
        duration: ClipSeconds::parse(3).unwrap(),
        resolution: Resolution::P720,
        webhook_url: None,
        tags: Vec::new(),
        ..fal::request()
    }
}

/// What reached the queue: path and body of the last request.
fn submitted(stub: &Stub) -> (String, Value) {
    let seen = stub.seen().pop().unwrap();
    assert_eq!(seen.method, "POST");
    (seen.path.clone(), seen.json())
}

async fn ask_still(id: &str, request: &StillRequest) -> (Result<Submitted, ProviderError>, Stub) {
    let stub = accepting(accepted()).await;
    let maker: Arc<dyn StillMaker> = makers(&stub.url).still(&model(id)).unwrap();
    assert!(maker.requests().is_some(), "there is a queue");
    let making = maker.make_still(request).await.map(|making| match making {
        Making::Accepted(submitted) => submitted,
        Making::Made(_) => panic!("fal has a queue"),
    });
    (making, stub)
}

async fn ask_clip(id: &str, request: &ClipRequest) -> (Result<Submitted, ProviderError>, Stub) {
    let stub = accepting(accepted()).await;
    let maker = makers(&stub.url).clip(&model(id)).unwrap();
    (maker.submit(request).await, stub)
}

const PHOTO: &str = "https://v3.fal.media/files/photo.png";
const PERSON: &str = "https://v3.fal.media/files/person.png";
const START: &str = "https://v3.fal.media/files/start.png";
const END: &str = "https://v3.fal.media/files/end.png";

#[tokio::test]
async fn stills() {
    let with_person = StillRequest { person: Some(png(9)), ..still() };
    let cases = [
        (
            "fal-ai/nano-banana/edit",
            still(),
            json!({"prompt": "start pose", "image_urls": [PHOTO, PHOTO], "aspect_ratio": "3:4", "num_images": 1,
                "output_format": "png"}),
        ),
        (
            "fal-ai/nano-banana/edit",
            StillRequest { photos: vec![png(1), png(2), png(3), png(4)], ..with_person.clone() },
            json!({"prompt": "start pose", "image_urls": [PHOTO, PHOTO, PERSON], "aspect_ratio": "3:4",
                "num_images": 1, "output_format": "png"}),
        ),
        (
            "fal-ai/nano-banana-pro/edit",
            still(),
            json!({"prompt": "start pose", "image_urls": [PHOTO, PHOTO], "aspect_ratio": "3:4", "num_images": 1,
                "output_format": "png", "resolution": "1K"}),
        ),
        (
            "fal-ai/nano-banana-2/edit",
            StillRequest { size: StillSize::K2, aspect: Aspect::Portrait9x16, ..still() },
            json!({"prompt": "start pose", "image_urls": [PHOTO, PHOTO], "aspect_ratio": "9:16", "num_images": 1,
                "output_format": "png", "resolution": "2K"}),
        ),
        (
            "google/nano-banana-2.1/edit",
            still(),
            json!({"prompt": "start pose", "image_urls": [PHOTO, PHOTO], "aspect_ratio": "3:4", "num_images": 1,
                "output_format": "png", "resolution": "1K"}),
        ),
        (
            "fal-ai/fashn/tryon/v1.6",
            with_person.clone(),
            json!({"model_image": PERSON, "garment_image": PHOTO, "category": "one-pieces", "mode": "quality",
                "garment_photo_type": "auto", "num_samples": 1, "output_format": "png"}),
        ),
        (
            "fal-ai/fashn/tryon/v1.6",
            StillRequest { category: None, ..with_person.clone() },
            json!({"model_image": PERSON, "garment_image": PHOTO, "category": "auto", "mode": "quality",
                "garment_photo_type": "auto", "num_samples": 1, "output_format": "png"}),
        ),
        (
            "fal-ai/kling/v1-5/kolors-virtual-try-on",
            with_person,
            json!({"human_image_url": PERSON, "garment_image_url": PHOTO}),
        ),
    ];
    for (id, request, expected) in &cases {
        let (making, stub) = ask_still(id, request).await;
        assert_eq!(making.unwrap().request_id, "req-1");
        assert_eq!(submitted(&stub), (format!("/{id}"), expected.clone()));
    }
    all_are_here(cases.iter().map(|(id, ..)| *id), Role::makes_stills);
}

#[tokio::test]
async fn clips() {
    let five = ClipRequest { duration: ClipSeconds::parse(5).unwrap(), ..clip() };
    let moving = ClipRequest { end: None, ..five.clone() };
    let cases = [
        (
            "fal-ai/pika/v2.2/pikaframes",
            clip(),
            json!({"image_urls": [START, END], "prompt": "from start to end", "resolution": "720p",
                "transitions": [{"duration": 3, "prompt": "from start to end"}]}),
        ),
        (
            "fal-ai/veo3.1/fast/first-last-frame-to-video",
            clip(),
            json!({"first_frame_url": START, "last_frame_url": END, "prompt": "from start to end",
                "resolution": "720p", "duration": "4s", "generate_audio": false, "aspect_ratio": "auto"}),
        ),
        (
            "fal-ai/kling-video/v3/standard/image-to-video",
            clip(),
            json!({"start_image_url": START, "end_image_url": END, "prompt": "from start to end", "duration": "3",
                "generate_audio": false}),
        ),
        (
            "fal-ai/kling-video/v3/standard/image-to-video",
            moving.clone(),
            json!({"start_image_url": START, "prompt": "from start to end", "duration": "5", "generate_audio": false}),
        ),
        (
            "fal-ai/wan-flf2v",
            five.clone(),
            json!({"start_image_url": START, "end_image_url": END, "prompt": "from start to end",
                "resolution": "720p", "num_frames": 81, "frames_per_second": 16}),
        ),
        (
            "fal-ai/stable-video",
            ClipRequest { motion: Some(90), fps: Some(12), ..moving.clone() },
            json!({"image_url": START, "motion_bucket_id": 90, "cond_aug": 0.02, "fps": 12}),
        ),
        (
            "fal-ai/stable-video",
            five.clone(),
            json!({"image_url": START, "motion_bucket_id": 127, "cond_aug": 0.02, "fps": 10}),
        ),
        (
            "fal-ai/pika/v2.2/image-to-video",
            ClipRequest { resolution: Resolution::P1080, ..moving },
            json!({"image_url": START, "prompt": "from start to end", "resolution": "1080p", "duration": 5}),
        ),
    ];
    for (id, request, expected) in &cases {
        let (answer, stub) = ask_clip(id, request).await;
        let answer = answer.unwrap();
        assert_eq!(submitted(&stub), (format!("/{id}"), expected.clone()));
        let app = id.splitn(3, '/').take(2).collect::<Vec<_>>().join("/");
        assert_eq!(answer.status_url.path(), format!("/{app}/requests/req-1/status"));
    }
    all_are_here(cases.iter().map(|(id, ..)| *id), |role| !role.makes_stills());
}

fn all_are_here<'a>(ids: impl Iterator<Item = &'a str>, of: impl Fn(Role) -> bool) {
    let asked: std::collections::BTreeSet<&str> = ids.collect();
    let catalogue = Catalogue::embedded().unwrap();
    let rows = catalogue.rows().iter().filter(|row| row.provider == Provider::Fal);
    for row in rows.filter(|row| row.roles.iter().any(|&role| of(role))) {
        assert!(asked.contains(row.id.as_str()), "{} has no case", row.id);
    }
}

#[tokio::test]
async fn what_a_model_needs_is_missed_before_anything_is_sent() {
    let (making, stub) = ask_still("fal-ai/fashn/tryon/v1.6", &still()).await;
    let error = making.unwrap_err();
    assert_eq!((error.code, error.certainty), (FailureCode::ProviderRejected, Certainty::NotSent));
    assert!(error.detail.contains("person") && stub.seen().is_empty());

    for id in ["fal-ai/pika/v2.2/pikaframes", "fal-ai/wan-flf2v"] {
        let (answer, stub) = ask_clip(id, &ClipRequest { end: None, ..clip() }).await;
        let error = answer.unwrap_err();
        assert!(error.certainty == Certainty::NotSent && error.detail.contains("last picture"), "{error}");
        assert!(stub.seen().is_empty());
    }

    let large = ClipRequest { resolution: Resolution::P1080, ..clip() };
    let (answer, stub) = ask_clip("fal-ai/kling-video/v3/standard/image-to-video", &large).await;
    let error = answer.unwrap_err();
    assert_eq!((error.code, error.certainty), (FailureCode::NoPrice, Certainty::NotSent));
    assert!(stub.seen().is_empty());
}
