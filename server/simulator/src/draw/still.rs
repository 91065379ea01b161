//! Stills: a product, worn.

use std::fs;

use bytes::Bytes;
use image::RgbImage;

use super::artist::{Artist, EDITION, Recipe, digest};
use super::picture::{PictureFormat, picture_of, read_picture};
use super::scene::Drift;
use super::words::Wishes;
use super::{DrawError, Drawn, StillOrder, StillWish};
use crate::desk::replace_file;

/// Ratios a still can have, and its pixels at 1K.
const SIZES: [(&str, (u32, u32)); 14] = [
    ("3:4", (864, 1152)),
    ("1:1", (1024, 1024)),
    ("2:3", (832, 1248)),
    ("3:2", (1248, 832)),
    ("4:3", (1152, 864)),
    ("4:5", (896, 1120)),
    ("5:4", (1120, 896)),
    ("9:16", (768, 1344)),
    ("16:9", (1344, 768)),
    ("21:9", (1536, 672)),
    ("1:4", (512, 2048)),
    ("4:1", (2048, 512)),
    ("1:8", (352, 2816)),
    ("8:1", (2816, 352)),
];

impl Artist {
    /// Draws the product worn. Blocks for as long as that takes.
    pub(crate) fn draw_still(&self, order: &StillOrder) -> Result<Drawn, DrawError> {
        let recipe = self.plan_still(order)?;
        self.draw_recipe(recipe, order.format)
    }

    /// Draws what a recipe says, or finds it among what was drawn before.
    pub(super) fn draw_recipe(&self, recipe: Recipe, format: PictureFormat) -> Result<Drawn, DrawError> {
        let (width, height) = (recipe.width, recipe.height);
        let name = digest(&serde_json::to_vec(&recipe).map_err(DrawError::studio)?);
        let path = self.folder.join("stills").join(format!("{name}.{}", format.extension()));
        if let Ok(bytes) = fs::read(&path) {
            return Ok(format.finished(Bytes::from(bytes), width, height));
        }
        let scene = self.set_scene(&recipe, width, height)?;
        let picture = picture_of(&scene.draw(recipe.pose(scene.kind()), Drift::default())?)?;
        let bytes = format.encode(&picture)?;
        self.remember(&bytes, &picture, recipe)?;
        replace_file(&path, &bytes).map_err(DrawError::studio)?;
        Ok(format.finished(Bytes::from(bytes), width, height))
    }

    /// Finds the product among the pictures: the first that is not a still of
    /// ours, else the product of the first still.
    fn plan_still(&self, order: &StillOrder) -> Result<Recipe, DrawError> {
        let wishes = Wishes::read(&order.wish.prompt);
        let (width, height) = still_size(&order.wish, &order.photos)?;
        let mut earlier = None;
        for photo in &order.photos {
            if let Some(recipe) = self.recipe(&digest(photo)) {
                earlier = earlier.or(Some(recipe));
                continue;
            }
            return Ok(Recipe {
                edition: EDITION,
                seed: self.seed,
                product: self.keep_product(photo)?,
                pose: wishes.pose,
                person: earlier.map_or(wishes.person, |recipe: Recipe| recipe.person),
                kind: wishes.kind,
                width,
                height,
                variant: order.variant,
                wearer: None,
            });
        }
        let earlier = earlier.ok_or_else(|| DrawError::input("no picture to work from"))?;
        Ok(Recipe { pose: wishes.pose, variant: order.variant, width, height, ..earlier })
    }
}

/// Pixels of a still, by ratio and size name.
fn still_size(wish: &StillWish, photos: &[Bytes]) -> Result<(u32, u32), DrawError> {
    let named = wish.aspect_ratio.as_deref().and_then(|ratio| SIZES.iter().find(|(name, _)| *name == ratio));
    let (width, height) = match (named, photos.first()) {
        (Some((_, size)), _) => *size,
        (None, Some(photo)) if wish.keeps_ratio => nearest_size(&read_picture(photo)?),
        _ => SIZES[0].1,
    };
    Ok(match wish.size.as_str() {
        "0.5K" => (width / 2, height / 2),
        "2K" => (width * 2, height * 2),
        "4K" => (width * 4, height * 4),
        _ => (width, height),
    })
}

fn nearest_size(photo: &RgbImage) -> (u32, u32) {
    let ratio = |(width, height): (u32, u32)| (width as f32 / height.max(1) as f32).ln();
    let own = ratio(photo.dimensions());
    let apart = |size: (u32, u32)| (ratio(size) - own).abs();
    SIZES.iter().map(|(_, size)| *size).min_by(|a, b| apart(*a).total_cmp(&apart(*b))).unwrap_or(SIZES[0].1)
}
