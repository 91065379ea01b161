use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use image::RgbImage;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::DrawError;
use super::body::Build;
use super::garment::{Fit, Garment};
use super::likeness::Likeness;
use super::picture::read_picture;
use super::pose::Pose;
use super::scene::{Scene, Setting};
use super::shape::Kind;
use super::words::{Person, PoseName};
use crate::desk::{read_json, replace_file, replace_json};

/// Goes up when drawings change, so that nothing old comes from the cache.
pub(super) const EDITION: u32 = 4;
const KEPT_GARMENTS: usize = 6;

/// Everything that decides a still, kept beside it so that a clip can move
/// its figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Recipe {
    pub edition: u32,
    pub seed: u64,
    /// SHA-256 of the product photo.
    pub product: String,
    pub pose: PoseName,
    pub person: Person,
    pub kind: Option<Kind>,
    pub width: u32,
    pub height: u32,
    /// Which take.
    pub variant: u64,
    /// The product whose figure and studio this is, when it is another.
    pub wearer: Option<(String, Option<Kind>)>,
}

impl Recipe {
    pub(super) fn same_scene(&self, other: &Self) -> bool {
        Self { pose: self.pose, variant: self.variant, ..other.clone() } == *self
    }

    /// Who wears it and where: one lot per product, whatever the pose.
    fn lot(&self) -> u64 {
        let product = self.wearer.as_ref().map_or(&self.product, |(product, _)| product);
        let hash = Sha256::digest(format!("{}{product}", self.seed));
        hash.iter().take(8).fold(0, |lot, byte| lot << 8 | u64::from(*byte))
    }

    /// The pose of this take.
    pub(super) fn pose(&self, kind: Kind) -> Pose {
        Pose::of(self.pose, kind).varied(self.variant)
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
    pub(super) folder: PathBuf,
    pub(super) ffmpeg: PathBuf,
    pub(super) seed: u64,
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

    pub(super) fn set_scene(&self, recipe: &Recipe, width: u32, height: u32) -> Result<Scene, DrawError> {
        let garment = self.garment(&recipe.product, recipe.kind)?;
        let (person, lot) = (recipe.person, recipe.lot());
        let mut setting = Setting { person, lot, colour: garment.colour, framing: None };
        if let Some((product, kind)) = &recipe.wearer {
            let worn = self.garment(product, *kind)?;
            let fit = Fit::new(&worn.shape, &Build::of(person));
            setting.colour = worn.colour;
            setting.framing = Some((fit.kind, fit.hem_y()));
        }
        Scene::set(&garment, &setting, width, height)
    }

    /// Keeps a product photo, and answers its name.
    pub(super) fn keep_product(&self, photo: &[u8]) -> Result<String, DrawError> {
        let name = digest(photo);
        let path = self.folder.join("products").join(&name);
        if !path.exists() {
            replace_file(&path, photo).map_err(DrawError::studio)?;
        }
        Ok(name)
    }

    /// A kept product, lifted off its photo.
    pub(super) fn garment(&self, product: &str, kind: Option<Kind>) -> Result<Arc<Garment>, DrawError> {
        let key = format!("{product} {kind:?}");
        let lock = || self.garments.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = lock().iter().find(|(name, _)| *name == key).map(|(_, one)| one.clone());
        if let Some(garment) = kept {
            return Ok(garment);
        }
        let photo = fs::read(self.folder.join("products").join(product)).map_err(DrawError::studio)?;
        let garment = Arc::new(Garment::from_photo(&photo, kind)?);
        let mut garments = lock();
        if garments.len() >= KEPT_GARMENTS {
            garments.remove(0);
        }
        garments.push((key, garment.clone()));
        Ok(garment)
    }

    /// Remembers how a still was made, by its bytes and by its looks.
    pub(super) fn remember(&self, still: &[u8], picture: &RgbImage, recipe: Recipe) -> Result<(), DrawError> {
        let remembered = Remembered { recipe, likeness: Likeness::of(picture) };
        replace_json(&self.recipe_path(&digest(still)), &remembered).map_err(DrawError::studio)
    }

    /// How a still of ours was made, byte for byte or encoded again.
    pub(super) fn recall(&self, still: &Bytes) -> Option<Recipe> {
        self.recipe(&digest(still)).or_else(|| self.recognise(still))
    }

    /// How exactly these bytes were made.
    pub(super) fn recipe(&self, still: &str) -> Option<Recipe> {
        self.remembered(&self.recipe_path(still)).map(|one| one.recipe)
    }

    /// Somebody may have encoded it again, or made it smaller.
    fn recognise(&self, still: &[u8]) -> Option<Recipe> {
        let picture = read_picture(still).ok()?;
        let ratio = picture.width() as f32 / picture.height().max(1) as f32;
        let known = fs::read_dir(self.folder.join("recipes")).ok()?;
        let known = known.filter_map(|entry| self.remembered(&entry.ok()?.path()));
        let alike = known.filter(|one| {
            let theirs = one.recipe.width as f32 / one.recipe.height.max(1) as f32;
            (theirs / ratio - 1.0).abs() < 0.01
        });
        Likeness::of(&picture).nearest(alike.map(|one| (one.likeness, one.recipe)))
    }

    fn remembered(&self, path: &Path) -> Option<Remembered> {
        let remembered: Option<Remembered> = read_json(path).ok().flatten();
        remembered.filter(|one| one.recipe.edition == EDITION)
    }

    fn recipe_path(&self, still: &str) -> PathBuf {
        self.folder.join("recipes").join(format!("{still}.json"))
    }
}

pub(super) fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
