//! The publish stage: everything is stored, then one transaction writes the video, points the product to it and ends the
//! generation.

use domain::{
    GenerationState, Stage, VideoId,
    generation::{EventKind, mark},
};
use jobs::{Attempt, Failure, Outcome};
use media::EncodeResult;
use storage::{InvalidKey, Key};

use super::Stop;
use crate::{
    Engine,
    assets::{self, Colours, NewObject, NewVideo, Part},
    generations::{
        self,
        store::{self, Event, Generation},
    },
    notices,
    outgoing::{self, WebhookEvent},
};

/// Stores what was made and shows it.
pub(super) async fn publish(
    engine: &Engine,
    attempt: &Attempt,
    generation: &Generation,
    made: &EncodeResult,
    colours: Option<&Colours>,
) -> Result<Outcome, Stop> {
    let (id, video_id) = (generation.id, generation.video_id);
    let mut tx = engine.pg().begin().await?;
    attempt.lease.guard(&mut tx).await?;
    store::finish_stage(&mut tx, id, Stage::Encode).await?;
    store::start_stage(&mut tx, id, Stage::Publish).await?;
    generations::advance(&mut tx, id, GenerationState::Uploading, mark::ENCODED).await?;
    store::record(&mut tx, id, &Event { stage: Some(Stage::Encode), ..Event::of(EventKind::StageDone) }).await?;
    tx.commit().await?;
    engine.announce(id).await;
    let stored = upload(engine.store(), video_id, made).await?;
    let mut tx = engine.pg().begin().await?;
    attempt.lease.succeed(&mut tx).await?;
    assets::store::insert_video(&mut tx, generation, &stored.video(made, colours)).await?;
    assets::store::insert_objects(&mut tx, video_id, &stored.objects).await?;
    assets::store::publish(&mut tx, generation.product_id, video_id).await?;
    store::finish_stage(&mut tx, id, Stage::Publish).await?;
    generations::advance(&mut tx, id, GenerationState::Completed, mark::PUBLISHED).await?;
    outgoing::tell(&mut tx, id, WebhookEvent::VideoPublished).await?;
    store::record(&mut tx, id, &Event { stage: Some(Stage::Publish), ..Event::of(EventKind::Completed) }).await?;
    store::audit(&mut tx, None, "video.published", video_id.uuid()).await?;
    notices::store::insert_ended(&mut tx, id, "video_ready").await?;
    tx.commit().await?;
    tracing::info!(generation.id = %id, video.id = %video_id, "generation {id} is completed");
    engine.announce(id).await;
    Ok(Outcome::Committed { dispatch: Vec::new() })
}

/// What the store has of a video.
struct Stored {
    /// Renditions first, in the order of the encode.
    objects: Vec<NewObject>,
    poster: Key,
    poster_webp: Key,
    strip: Key,
    hls: Option<Key>,
}

impl Stored {
    fn video<'a>(&'a self, made: &'a EncodeResult, colours: Option<&'a Colours>) -> NewVideo<'a> {
        NewVideo {
            made,
            renditions: self.objects.iter().map(|object| &object.stored).zip(&made.renditions).collect(),
            poster: &self.poster,
            poster_webp: &self.poster_webp,
            strip: &self.strip,
            hls: self.hls.as_ref(),
            colours,
        }
    }
}

/// Stores every file; a master playlist after what it names.
async fn upload(store: &storage::Store, video: VideoId, made: &EncodeResult) -> Result<Stored, Stop> {
    let mut objects = Vec::new();
    let mut put = async |part: Part, key: Key, path: &std::path::Path, content_type: &'static str| {
        let stored = store.put_file(&key, path, content_type).await?;
        objects.push(NewObject { part, content_type, stored });
        Ok::<_, Stop>(key)
    };
    for rendition in &made.renditions {
        let key = Key::rendition(video, name_of(&rendition.path)).map_err(no_key)?;
        put(Part::Rendition, key, &rendition.path, rendition.codec.container()).await?;
    }
    let mut pictures = Vec::with_capacity(3);
    for (picture, content_type) in
        [(&made.poster, "image/jpeg"), (&made.poster_webp, "image/webp"), (&made.strip, "image/jpeg")]
    {
        let key = Key::thumbnail(video, name_of(&picture.path)).map_err(no_key)?;
        pictures.push(put(Part::Poster, key, &picture.path, content_type).await?);
    }
    let mut hls = None;
    for file in made.hls.iter().flat_map(|package| &package.files) {
        let key = Key::hls(video, &file.name).map_err(no_key)?;
        hls = Some(put(Part::Hls, key, &file.path, file.content_type).await?);
    }
    match <[Key; 3]>::try_from(pictures) {
        Ok([poster, poster_webp, strip]) => Ok(Stored { objects, poster, poster_webp, strip, hls }),
        Err(_) => Err(no_key(InvalidKey).into()),
    }
}

fn name_of(path: &std::path::Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// A fault of ours: names are made of rungs and codecs.
fn no_key(error: InvalidKey) -> Failure {
    Failure::permanent(domain::FailureCode::Internal.as_str(), error.to_string())
}
