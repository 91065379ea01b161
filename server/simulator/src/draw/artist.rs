use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder as _, RgbImage, imageops};
use resvg::tiny_skia::{FilterQuality, Pixmap, PixmapPaint, Transform};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::film::{FPS, Reel, encode};
use super::garment::Garment;
use super::geometry::{mix, smooth};
use super::likeness::Likeness;
use super::motion::moment;
use super::pose::Pose;
use super::scene::{Drift, Scene, canvas_of, rgb_of};
use super::shape::Kind;
use super::words::{Person, PoseName, Wishes};
use super::{ClipOrder, DrawError, StillOrder};
use crate::desk::{read_json, replace_file, replace_json};

/// Goes up when drawings change, so that nothing old comes from the cache.
const EDITION: u32 = 2;
const JPEG_QUALITY: u8 = 92;
const KEPT_GARMENTS: usize = 4;

/// Everything that decides a still, kept beside it so that a clip can move
/// its figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Recipe {
    edition: u32,
    seed: u64,
    /// SHA-256 of the product photo.
    product: String,
    pose: PoseName,
    person: Person,
    kind: Option<Kind>,
    width: u32,
    height: u32,
}

impl Recipe {
    fn same_scene(&self, other: &Self) -> bool {
        Self { pose: self.pose, ..other.clone() } == *self
    }

    /// Who wears it and where: one lot per product, whatever the pose.
    fn lot(&self) -> u64 {
        let hash = Sha256::digest(format!("{}{}", self.seed, self.product));
        hash.iter().take(8).fold(0, |lot, byte| lot << 8 | u64::from(*byte))
    }
}

/// A still that was drawn, and how it looks: whoever keeps it may encode it again.
#[derive(Debug, Serialize, Deserialize)]
struct Remembered {
    recipe: Recipe,
    likeness: Likeness,
}

/// Draws stills and clips, and remembers both by what they were made from.
pub(crate) struct Artist {
    folder: PathBuf,
    ffmpeg: PathBuf,
    seed: u64,
    garments: Mutex<Vec<(String, Arc<Garment>)>>,
}

impl Artist {
    pub(crate) fn open(folder: &Path, ffmpeg: PathBuf, seed: u64) -> io::Result<Self> {
        let folder = folder.join("drawn");
        for part in ["stills", "recipes", "products", "clips"] {
            fs::create_dir_all(folder.join(part))?;
        }
        Ok(Self { folder, ffmpeg, seed, garments: Mutex::new(Vec::new()) })
    }

    /// Draws the product worn, as JPEG. Blocks for as long as that takes.
    pub(crate) fn draw_still(&self, order: &StillOrder) -> Result<Bytes, DrawError> {
        let recipe = self.plan_still(order)?;
        let name = digest(&serde_json::to_vec(&recipe).map_err(DrawError::studio)?);
        let path = self.folder.join("stills").join(format!("{name}.jpg"));
        if let Ok(bytes) = fs::read(&path) {
            return Ok(Bytes::from(bytes));
        }
        let scene = self.set_scene(&recipe, recipe.width, recipe.height)?;
        let canvas = scene.draw(Pose::of(recipe.pose, scene.kind()), Drift::default())?;
        let bytes = to_jpeg(&canvas)?;
        let known = self.recipe_path(&digest(&bytes));
        let picture = RgbImage::from_raw(canvas.width(), canvas.height(), rgb_of(&canvas))
            .ok_or_else(|| DrawError::studio("a canvas without pixels"))?;
        let remembered = Remembered { recipe, likeness: Likeness::of(&picture) };
        replace_json(&known, &remembered).and_then(|()| replace_file(&path, &bytes)).map_err(DrawError::studio)?;
        Ok(Bytes::from(bytes))
    }

    /// Films a clip through the stills, as MP4. Blocks for as long as that
    /// takes. Stills of one scene move; others fade into each other.
    pub(crate) fn film_clip(&self, order: &ClipOrder) -> Result<Bytes, DrawError> {
        let names: Vec<String> = order.stills.iter().map(|still| digest(still)).collect();
        let facts = format!("{EDITION} {} {names:?} {:?} {}", self.seed, order.seconds, order.full_hd);
        let name = digest(facts.as_bytes());
        let path = self.folder.join("clips").join(format!("{name}.mp4"));
        if let Ok(bytes) = fs::read(&path) {
            return Ok(Bytes::from(bytes));
        }
        let beside = self.folder.join("clips").join(format!(".{}.mp4", Uuid::now_v7()));
        let filmed = match self.recall(&order.stills) {
            Some(recipes) => self.film_moves(&recipes, order, &beside),
            None => self.film_fades(order, &beside),
        };
        let kept = filmed.and_then(|()| fs::rename(&beside, &path).map_err(DrawError::studio));
        if kept.is_err() {
            let _ = fs::remove_file(&beside);
        }
        kept?;
        fs::read(&path).map(Bytes::from).map_err(DrawError::studio)
    }

    /// Finds the product among the pictures: the first that is not a still of
    /// ours, else the product of the first still.
    fn plan_still(&self, order: &StillOrder) -> Result<Recipe, DrawError> {
        let wishes = Wishes::read(&order.prompt);
        let (width, height) = still_size(order);
        let mut earlier = None;
        for photo in &order.photos {
            let name = digest(photo);
            if let Some(recipe) = self.recipe(&name) {
                earlier = earlier.or(Some(recipe));
                continue;
            }
            let path = self.folder.join("products").join(&name);
            if !path.exists() {
                replace_file(&path, photo).map_err(DrawError::studio)?;
            }
            return Ok(Recipe {
                edition: EDITION,
                seed: self.seed,
                product: name,
                pose: wishes.pose,
                person: earlier.map_or(wishes.person, |recipe: Recipe| recipe.person),
                kind: wishes.kind,
                width,
                height,
            });
        }
        let earlier = earlier.ok_or_else(|| DrawError::input("no picture to work from"))?;
        Ok(Recipe { pose: wishes.pose, width, height, ..earlier })
    }

    fn set_scene(&self, recipe: &Recipe, width: u32, height: u32) -> Result<Scene, DrawError> {
        let garment = self.garment(recipe)?;
        Scene::set(&garment, recipe.person, recipe.lot(), width, height)
    }

    fn garment(&self, recipe: &Recipe) -> Result<Arc<Garment>, DrawError> {
        let key = format!("{} {:?}", recipe.product, recipe.kind);
        let lock = || self.garments.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = lock().iter().find(|(name, _)| *name == key).map(|(_, one)| one.clone());
        if let Some(garment) = kept {
            return Ok(garment);
        }
        let photo = fs::read(self.folder.join("products").join(&recipe.product)).map_err(DrawError::studio)?;
        let garment = Arc::new(Garment::from_photo(&photo, recipe.kind)?);
        let mut garments = lock();
        if garments.len() >= KEPT_GARMENTS {
            garments.remove(0);
        }
        garments.push((key, garment.clone()));
        Ok(garment)
    }

    fn film_moves(&self, recipes: &[Recipe], order: &ClipOrder, target: &Path) -> Result<(), DrawError> {
        let first = recipes.first().ok_or_else(|| DrawError::input("no stills"))?;
        let reel = reel_of(order, first.width, first.height);
        let scene = self.set_scene(first, reel.width, reel.height)?;
        let poses: Vec<Pose> = recipes.iter().map(|recipe| Pose::of(recipe.pose, scene.kind())).collect();
        let total: u64 = order.seconds.iter().sum();
        encode(&self.ffmpeg, reel, target, |number| {
            let share = number as f32 / (reel.frames - 1).max(1) as f32;
            let (pose, drift) = moment(&poses, &order.seconds, share * total as f32);
            scene.draw(pose, drift).map(|canvas| rgb_of(&canvas))
        })
    }

    fn film_fades(&self, order: &ClipOrder, target: &Path) -> Result<(), DrawError> {
        let mut pictures = Vec::new();
        for still in &order.stills {
            pictures.push(image::load_from_memory(still).map_err(DrawError::input)?.to_rgb8());
        }
        let (width, height) =
            pictures.first().map(RgbImage::dimensions).ok_or_else(|| DrawError::input("no stills"))?;
        let reel = reel_of(order, width, height);
        let canvases: Vec<Pixmap> = pictures
            .iter()
            .map(|picture| canvas_of(&fill_frame(picture, reel.width, reel.height)))
            .collect::<Result<_, _>>()?;
        encode(&self.ffmpeg, reel, target, |number| {
            fade(&canvases, &order.seconds, reel, number).map(|canvas| rgb_of(&canvas))
        })
    }

    /// The recipes of stills of one scene, when all of them are ours, byte for byte or encoded again.
    fn recall(&self, stills: &[Bytes]) -> Option<Vec<Recipe>> {
        let recipes: Vec<Recipe> = stills
            .iter()
            .map(|still| self.recipe(&digest(still)).or_else(|| self.recognise(still)))
            .collect::<Option<_>>()?;
        let first = recipes.first()?;
        recipes.iter().all(|recipe| recipe.same_scene(first)).then_some(recipes)
    }

    fn recognise(&self, still: &[u8]) -> Option<Recipe> {
        let picture = image::load_from_memory(still).ok()?.to_rgb8();
        let known = fs::read_dir(self.folder.join("recipes")).ok()?;
        let known = known.filter_map(|entry| self.remembered(&entry.ok()?.path()));
        let same_size = known.filter(|one| (one.recipe.width, one.recipe.height) == picture.dimensions());
        Likeness::of(&picture).nearest(same_size.map(|one| (one.likeness, one.recipe)))
    }

    fn recipe(&self, still: &str) -> Option<Recipe> {
        self.remembered(&self.recipe_path(still)).map(|one| one.recipe)
    }

    fn remembered(&self, path: &Path) -> Option<Remembered> {
        let remembered: Option<Remembered> = read_json(path).ok().flatten();
        remembered.filter(|one| one.recipe.edition == EDITION)
    }

    fn recipe_path(&self, still: &str) -> PathBuf {
        self.folder.join("recipes").join(format!("{still}.json"))
    }
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Pixels of a still, by ratio and size name.
fn still_size(order: &StillOrder) -> (u32, u32) {
    let (width, height) = match order.aspect_ratio.as_deref().unwrap_or("3:4") {
        "1:1" => (1024, 1024),
        "2:3" => (832, 1248),
        "3:2" => (1248, 832),
        "4:3" => (1152, 864),
        "4:5" => (896, 1120),
        "5:4" => (1120, 896),
        "9:16" => (768, 1344),
        "16:9" => (1344, 768),
        "21:9" => (1536, 672),
        "1:4" => (512, 2048),
        "4:1" => (2048, 512),
        "1:8" => (352, 2816),
        "8:1" => (2816, 352),
        _ => (864, 1152),
    };
    let factor = match order.size.as_str() {
        "2K" => 2,
        "4K" => 4,
        _ => 1,
    };
    (width * factor, height * factor)
}

/// A clip in the first still's ratio, its short side 720 or 1080 pixels.
fn reel_of(order: &ClipOrder, width: u32, height: u32) -> Reel {
    let short = if order.full_hd { 1080 } else { 720 };
    let even = |side: f32| (side / 2.0).round() as u32 * 2;
    let factor = f64::from(short) / f64::from(width.min(height).max(1));
    let sized = |side: u32| even((f64::from(side) * factor).min(4096.0) as f32);
    let seconds: u64 = order.seconds.iter().sum();
    let frames = u32::try_from(seconds).unwrap_or(u32::MAX).saturating_mul(FPS);
    Reel { width: sized(width), height: sized(height), frames }
}

fn to_jpeg(canvas: &Pixmap) -> Result<Vec<u8>, DrawError> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY)
        .write_image(&rgb_of(canvas), canvas.width(), canvas.height(), ExtendedColorType::Rgb8)
        .map_err(DrawError::studio)?;
    Ok(bytes)
}

/// Sizes a picture so that it fills the frame, cutting what hangs over.
fn fill_frame(picture: &RgbImage, width: u32, height: u32) -> RgbImage {
    let factor = (width as f32 / picture.width() as f32).max(height as f32 / picture.height() as f32);
    let sized = |side: u32, least: u32| ((side as f32 * factor).round() as u32).max(least);
    let (wide, high) = (sized(picture.width(), width), sized(picture.height(), height));
    let large = imageops::resize(picture, wide, high, imageops::FilterType::Triangle);
    imageops::crop_imm(&large, (wide - width) / 2, (high - height) / 2, width, height).to_image()
}

/// One frame of a fade with a slow push in.
fn fade(canvases: &[Pixmap], seconds: &[u64], reel: Reel, number: u32) -> Result<Pixmap, DrawError> {
    let time = number as f32 / (reel.frames - 1).max(1) as f32 * seconds.iter().map(|one| *one as f32).sum::<f32>();
    let (mut index, mut begun) = (0, 0.0);
    while index + 1 < seconds.len() && time > begun + seconds[index] as f32 {
        begun += seconds[index] as f32;
        index += 1;
    }
    let length = seconds.get(index).map_or(1.0, |one| *one as f32);
    let share = ((time - begun) / length).clamp(0.0, 1.0);
    let mut canvas = Pixmap::new(reel.width, reel.height).ok_or_else(|| DrawError::studio("no canvas of this size"))?;
    let weights = [(index, 1.0, share), (index + 1, smooth(0.3, 0.7, share), 1.0 - share)];
    for (picture, opacity, age) in weights {
        let Some(source) = canvases.get(picture).filter(|_| opacity > 0.0) else { continue };
        let zoom = mix(1.0, 1.06, age);
        let (x, y) = (reel.width as f32 / 2.0, reel.height as f32 / 2.0);
        let transform = Transform::from_translate(-x, -y).post_scale(zoom, zoom).post_translate(x, y);
        let paint = PixmapPaint { opacity, quality: FilterQuality::Bilinear, ..PixmapPaint::default() };
        canvas.draw_pixmap(0, 0, source.as_ref(), &paint, transform, None);
    }
    Ok(canvas)
}
