//! Try-on images: stills that a shop uploads instead of having them made. A generation of one buys its clip only; price,
//! limits, hold and key are those of every click.

mod removal;
pub(crate) mod store;

use std::collections::HashMap;

use domain::{GenerationId, Options, ProductId, Recipe, RequestKey, StillId, TryonImageId, UserId, generation::Frame};
use uuid::Uuid;

use crate::{
    Conflict, Engine, Error,
    answers::{self, AnswerClaim, Claimed, KeptAnswer},
    generations::{
        self,
        click::{Click, ClickName, Given},
        clicks::Placed,
    },
};

/// A try-on image that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TryonImage {
    /// Its id.
    pub id: TryonImageId,
    /// The product that is worn.
    pub product: ProductId,
    /// `image/jpeg`, `image/png` or `image/webp`, by what the bytes are.
    pub content_type: &'static str,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Its size.
    pub bytes: u64,
    /// Of its bytes, in hex.
    pub sha256: String,
}

/// A click for a video of a try-on image.
#[derive(Debug, Clone)]
pub struct ImageClick {
    /// Who clicks.
    pub by: UserId,
    /// What of.
    pub image: TryonImageId,
    /// What is chosen; the recipe is `tryon_video` whatever is said.
    pub options: Options,
    /// Names the click.
    pub key: RequestKey,
    /// Whose request it is and under which key it is answered again.
    pub claim: AnswerClaim,
    /// What is told of the generation; kept with it.
    pub answer: fn(GenerationId) -> KeptAnswer,
}

/// What a click for a video of a try-on image is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The answer.
    pub answer: KeptAnswer,
    /// Whether the same request was told so before.
    pub is_repeated: bool,
}

/// What is kept under keys.
type KnownAnswers = HashMap<(Uuid, [u8; 32]), answers::Found>;

/// What a click comes to before its answer is known.
enum Found {
    /// It is to be written.
    Click(usize),
    /// The same request stands before it.
    Twin(usize),
    Known(Result<Answered, Error>),
}

/// What clicks that came together are told.
struct Round {
    answers: Vec<Result<Answered, Error>>,
    /// Written in the same transaction.
    kept: Vec<(AnswerClaim, KeptAnswer)>,
    /// Told after it.
    told: Vec<Placed>,
}

impl Round {
    fn keep(&mut self, click: &ImageClick, placed: Placed) -> Answered {
        let answer = (click.answer)(placed.id());
        self.kept.push((click.claim, answer.clone()));
        self.told.push(placed);
        Answered { answer, is_repeated: matches!(placed, Placed::Earlier(_)) }
    }
}

impl Engine {
    /// Stores a picture of somebody wearing a product.
    ///
    /// # Errors
    /// [`Error::NotFound`] without the product, [`Error::Invalid`] for bytes that are no picture within limits,
    /// [`Error::Unavailable`] when the object store is away.
    pub async fn add_tryon_image(
        &self,
        by: UserId,
        product: ProductId,
        bytes: bytes::Bytes,
    ) -> Result<TryonImage, Error> {
        let info = crate::products::sniff("image", &bytes)?;
        let mut conn = self.pg().acquire().await?;
        if !store::has_product(&mut conn, product).await? {
            return Err(Error::NotFound("product"));
        }
        drop(conn);
        let extension = storage::Extension::parse(info.extension).map_err(Error::internal)?;
        let id = Uuid::now_v7();
        // Where stills of the product are: nobody but the desk sees it.
        let key = storage::Key::still(product, StillId::from_uuid(id), extension);
        let stored = self.store().put_bytes(&key, bytes, info.content_type).await?;
        let image = TryonImage {
            id: TryonImageId::from_uuid(id),
            product,
            content_type: info.content_type,
            width: info.width,
            height: info.height,
            bytes: stored.bytes,
            sha256: stored.sha256,
        };
        let mut conn = self.pg().acquire().await?;
        store::insert(&mut conn, &image, key.as_str(), by).await?;
        tracing::info!(tryon_image.id = %image.id, product.id = %product, "try-on image {} was stored", image.id);
        Ok(image)
    }

    /// Clicks for videos of try-on images, in one transaction; answers each in its order. The same request under the same
    /// key is told the same, and makes nothing.
    ///
    /// Each may come to: [`Error::NotFound`] without the image, [`Error::Conflict`] when its product has no photo,
    /// [`Error::KeyReused`] when the key was used for something else, [`Error::LimitReached`], [`Error::NoPrice`], or what
    /// the database says.
    pub async fn generate_from_images(&self, clicks: &[ImageClick]) -> Vec<Result<Answered, Error>> {
        match self.place_images(clicks).await {
            Ok(answers) => answers,
            Err(error) if clicks.len() == 1 => vec![Err(error)],
            Err(error) => {
                tracing::warn!(%error, "{} clicks could not be written together, each alone now", clicks.len());
                let mut answers = Vec::with_capacity(clicks.len());
                for click in clicks {
                    let alone = self.place_images(std::slice::from_ref(click)).await;
                    let none = || Err(Error::internal("a click was not answered"));
                    answers.push(alone.and_then(|mut alone| alone.pop().unwrap_or_else(none)));
                }
                answers
            }
        }
    }

    async fn place_images(&self, asked: &[ImageClick]) -> Result<Vec<Result<Answered, Error>>, Error> {
        let mut tx = self.pg().begin().await?;
        let claims: Vec<AnswerClaim> = asked.iter().map(|click| click.claim).collect();
        let mut known = answers::store::find(&mut tx, &claims).await?;
        let images: Vec<TryonImageId> = asked.iter().map(|click| click.image).collect();
        let images = store::images(&mut tx, &images).await?;
        let (clicks, found) = self.look(asked, &mut known, &images);
        let placed = self.write_clicks(&mut tx, &clicks).await?;
        if placed.iter().flatten().any(|placed| matches!(placed, Placed::Earlier(_))) {
            // Another process was told of the same key since.
            known = answers::store::find(&mut tx, &claims).await?;
        }
        let mut round = Round { answers: Vec::with_capacity(asked.len()), kept: Vec::new(), told: Vec::new() };
        let mut placed: Vec<Option<Result<Placed, Error>>> = placed.into_iter().map(Some).collect();
        for (found, click) in found.into_iter().zip(asked) {
            let answer = match found {
                Found::Known(Err(error)) if !matches!(error, Error::KeyReused) => {
                    // The same request may have made one long ago, when what it is made of was still there.
                    match generations::store::by_request_key(&mut tx, click.by, click.key).await? {
                        Some(earlier) => earlier.told_to(&name(click)).map(|id| round.keep(click, Placed::Earlier(id))),
                        None => Err(error),
                    }
                }
                Found::Known(answer) => answer,
                Found::Twin(at) => twin(asked.get(at), round.answers.get(at), click),
                Found::Click(at) => match placed.get_mut(at).and_then(Option::take) {
                    Some(Ok(Placed::Earlier(_))) if is_other(&mut known, &click.claim) => Err(Error::KeyReused),
                    Some(Ok(placed)) => Ok(round.keep(click, placed)),
                    Some(Err(error)) => Err(error),
                    None => Err(Error::internal("nothing was clicked")),
                },
            };
            round.answers.push(answer);
        }
        if !round.kept.is_empty() {
            answers::store::insert(&mut tx, &round.kept).await?;
        }
        tx.commit().await?;
        self.tell_of_clicks(&clicks, &round.told).await;
        Ok(round.answers)
    }

    /// What is known of each without writing anything, and the clicks that are to be written.
    fn look(
        &self,
        asked: &[ImageClick],
        known: &mut KnownAnswers,
        images: &HashMap<TryonImageId, store::ImageRecord>,
    ) -> (Vec<Click>, Vec<Found>) {
        let mut clicks = Vec::with_capacity(asked.len());
        let mut first: HashMap<(Uuid, [u8; 32]), usize> = HashMap::with_capacity(asked.len());
        let mut found = Vec::with_capacity(asked.len());
        for (at, click) in asked.iter().enumerate() {
            let key = (click.claim.caller, click.claim.key_sha256);
            if let Some(before) = first.get(&key) {
                found.push(Found::Twin(*before));
                continue;
            }
            first.insert(key, at);
            found.push(match known.remove(&key) {
                Some(kept) => Found::Known(repeated(kept.claimed_by(&click.claim))),
                None => match self.image_click(click, images.get(&click.image)) {
                    Ok(click) => {
                        clicks.push(click);
                        Found::Click(clicks.len() - 1)
                    }
                    Err(error) => Found::Known(Err(error)),
                },
            });
        }
        (clicks, found)
    }

    fn image_click(&self, click: &ImageClick, image: Option<&store::ImageRecord>) -> Result<Click, Error> {
        let image = image.ok_or(Error::NotFound("try-on image"))?;
        let photo = image.photo.ok_or(Error::Conflict(Conflict::NoPhoto))?;
        let options = Options { recipe: Recipe::TryonVideo, ..click.options };
        let given = Given { frames: vec![Frame::Start], clip: false };
        let plan = self.plan(&options, &given)?;
        let mut new = self.new_generation(click.by, image.product, photo, options, name(click));
        new.tryon_image = Some(click.image);
        Ok(Click { new, plan })
    }
}

fn name(click: &ImageClick) -> ClickName {
    ClickName { key: click.key, request_sha256: Some(click.claim.request_sha256) }
}

/// Whether the key is known for another request.
fn is_other(known: &mut KnownAnswers, claim: &AnswerClaim) -> bool {
    let found = known.remove(&(claim.caller, claim.key_sha256));
    found.is_some_and(|found| found.claimed_by(claim) == Claimed::Other)
}

fn repeated(claimed: Claimed) -> Result<Answered, Error> {
    match claimed {
        Claimed::Known(answer) => Ok(Answered { answer, is_repeated: true }),
        Claimed::Other => Err(Error::KeyReused),
        Claimed::AtWork | Claimed::Work(_) => Err(Error::Conflict(Conflict::Busy)),
    }
}

/// The same key twice in one batch: the same request is told the same, whatever that is, another is refused.
fn twin(
    first: Option<&ImageClick>,
    answer: Option<&Result<Answered, Error>>,
    click: &ImageClick,
) -> Result<Answered, Error> {
    if first.is_none_or(|first| first.claim.request_sha256 != click.claim.request_sha256) {
        return Err(Error::KeyReused);
    }
    match answer {
        Some(Ok(answered)) => Ok(Answered { answer: answered.answer.clone(), is_repeated: true }),
        Some(Err(error)) => Err(error.again()),
        None => Err(Error::internal("nothing was clicked")),
    }
}
