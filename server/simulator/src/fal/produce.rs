//! Making what a checked input asks for, and handing it over by URL.

use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::models::Model;
use super::outcome::broken;
use super::{Detail, Output, Source, Task, TryOnSize, Work, fetch_picture};
use crate::desk::{FalRequest, Fault, LogLine, MediaFile, Origin, Outcome};
use crate::draw::{ClipOrder, DrawError, Drawn, StillOrder, TryOnOrder};
use crate::world::World;

/// What a file is instead when a fault says so.
const PLAYLIST: &[u8] = b"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:4.0,\nfile:///etc/hostname\n";
const DESCRIPTION: &str = "Here is the product, worn.";

/// Why there is no result.
enum Failure {
    /// The caller's fault.
    Input(Vec<Detail>),
    /// Ours.
    Studio(String),
}

/// Makes the result of a request.
pub(super) async fn produce(
    world: &Arc<World>,
    request: &FalRequest,
    fault: Option<&Fault>,
) -> Result<Outcome, Vec<Detail>> {
    match try_produce(world, request, fault).await {
        Ok(body) => Ok(Outcome { status: 200, body, error: None, error_type: None }),
        Err(Failure::Input(details)) => Err(details),
        Err(Failure::Studio(cause)) => {
            tracing::error!(request.id = %request.id, "no result for {}: {cause}", request.id);
            Ok(broken(500, None))
        }
    }
}

async fn try_produce(world: &Arc<World>, request: &FalRequest, fault: Option<&Fault>) -> Result<Value, Failure> {
    let input = world.requests.input(request.id).await.map_err(studio)?.unwrap_or(Value::Null);
    let model = Model::find(&request.endpoint).ok_or_else(|| studio("the model is gone"))?;
    let Work { task, seed, output, .. } = model.parse(&input).map_err(Failure::Input)?;
    let chosen = seed.unwrap_or_else(|| draw_seed(world.settings.seed, &input));
    let made = make(world, request, task, seed.unwrap_or_default()).await?;
    let mut files = Vec::new();
    for (index, one) in made.into_iter().enumerate() {
        files.push(hand_over(world, request, index, spoil(one, fault), output).await.map_err(studio)?);
    }
    let first = || files.first().cloned().unwrap_or_default();
    Ok(match output {
        Output::DescribedImages { .. } => json!({"images": files, "description": DESCRIPTION}),
        Output::Images { .. } => json!({"images": files}),
        Output::Image { .. } => json!({"image": first()}),
        Output::Video => json!({"video": first()}),
        Output::VideoAndSeed => json!({"video": first(), "seed": chosen}),
    })
}

/// The seed of a request that names none: the same for the same input.
fn draw_seed(seed: u64, input: &Value) -> u64 {
    let hash = Sha256::digest(format!("{seed} {input}"));
    hash.iter().take(4).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

async fn make(world: &Arc<World>, request: &FalRequest, task: Task, seed: u64) -> Result<Vec<Drawn>, Failure> {
    match task {
        Task::Edit { pictures, wish, count, format } => {
            let photos = fetch_all(world, request, &pictures).await?;
            let mut made = Vec::new();
            for number in 0..u64::from(count) {
                let (photos, wish) = (photos.clone(), wish.clone());
                let order = StillOrder { photos, wish, variant: variant(seed, number), format };
                made.push(world.draw(order).await.map_err(|error| blame(error, &pictures))?);
            }
            Ok(made)
        }
        Task::TryOn { person, garment, category, size, count, format } => {
            let sources = [person, garment];
            let fetched = fetch_all(world, request, &sources).await?;
            let [person, garment] = <[Bytes; 2]>::try_from(fetched).map_err(|_| studio("two pictures are not two"))?;
            let size = match size {
                TryOnSize::Fixed(width, height) => Some((width, height)),
                TryOnSize::AsPerson => None,
            };
            let mut made = Vec::new();
            for number in 0..u64::from(count) {
                let (person, garment, variant) = (person.clone(), garment.clone(), variant(seed, number));
                let order = TryOnOrder { person, garment, category, size, variant, format };
                made.push(world.try_on(order).await.map_err(|error| blame(error, &sources))?);
            }
            Ok(made)
        }
        Task::Clip { keyframes, plan } => {
            let stills = fetch_all(world, request, &keyframes).await?;
            let order = ClipOrder { stills, plan, seed };
            Ok(vec![world.film(order).await.map_err(|error| blame(error, &keyframes))?])
        }
    }
}

/// Which of several takes: the first one without a seed is take 0.
fn variant(seed: u64, number: u64) -> u64 {
    seed.wrapping_mul(0x9e37_79b9).wrapping_add(number)
}

async fn fetch_all(world: &Arc<World>, request: &FalRequest, sources: &[Source]) -> Result<Vec<Bytes>, Failure> {
    let mut pictures = Vec::new();
    for source in sources {
        pictures.push(fetch_picture(world, source).await.map_err(|detail| Failure::Input(vec![detail]))?);
    }
    let (count, now) = (pictures.len(), world.clock.now());
    let line = LogLine::new(format!("Loaded {count} of {count} pictures"), now);
    world.requests.change(request.id, |one| one.logs.push(line)).await.map_err(studio)?;
    Ok(pictures)
}

/// A picture that can be loaded but not drawn from is the caller's fault.
fn blame(error: DrawError, sources: &[Source]) -> Failure {
    match sources.first() {
        Some(source) if error.is_input() => {
            let kind = if error.is_too_small() { "image_too_small" } else { "image_load_error" };
            let mut detail = Detail::about(&source.place, kind, error.to_string());
            if error.is_too_small() {
                let least = crate::draw::LEAST_SIDE;
                detail = detail.with_context(json!({"min_height": least, "min_width": least}));
            }
            Failure::Input(vec![detail])
        }
        _ => studio(error),
    }
}

fn studio(cause: impl std::fmt::Display) -> Failure {
    Failure::Studio(cause.to_string())
}

/// Damages a file as a fault asks for.
pub(crate) fn spoil(mut made: Drawn, fault: Option<&Fault>) -> Drawn {
    match fault {
        Some(Fault::CorruptClip | Fault::TruncatedMedia) => made.bytes = made.bytes.slice(..made.bytes.len() * 2 / 5),
        Some(Fault::WrongTypeClip | Fault::WrongTypeMedia) => made.bytes = Bytes::from_static(PLAYLIST),
        _ => {}
    }
    made
}

/// Stores a file and says where it is, or puts it into the answer itself.
async fn hand_over(
    world: &Arc<World>,
    request: &FalRequest,
    index: usize,
    made: Drawn,
    output: Output,
) -> io::Result<Value> {
    let (name, content_type, size) = (made.file_name(index), made.content_type(), made.bytes.len());
    let inline = matches!(
        output,
        Output::DescribedImages { inline: true } | Output::Images { inline: true } | Output::Image { inline: true }
    );
    let url = if inline {
        format!("data:{content_type};base64,{}", STANDARD.encode(&made.bytes))
    } else {
        let key = Uuid::new_v5(&request.id, name.as_bytes());
        let expires_at = world.media.expiry(world.clock.now(), request.media_ttl_secs);
        let mut file = MediaFile::new(key, &name, content_type, expires_at);
        file.origin =
            Some(Origin { endpoint: request.endpoint.clone(), request_id: request.id, prompt: request.prompt.clone() });
        world.link(&world.media.put(file, made.bytes).await?.url_path())
    };
    let mut file = json!({"url": url, "content_type": content_type, "file_name": name, "file_size": size});
    if matches!(output, Output::DescribedImages { .. } | Output::Image { .. }) {
        file["width"] = json!(made.width);
        file["height"] = json!(made.height);
    }
    Ok(file)
}
