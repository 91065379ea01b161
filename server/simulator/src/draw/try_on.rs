//! Try-on: a given person in a given garment.

use bytes::Bytes;
use image::RgbImage;

use super::artist::{Artist, EDITION, Recipe};
use super::body::{Body, Build};
use super::garment::{Fit, Garment, Layers};
use super::picture::{canvas_of, fill_frame, picture_of, read_picture};
use super::pose::Pose;
use super::shape::Kind;
use super::silhouette::Silhouette;
use super::words::{Person, PoseName};
use super::{DrawError, Drawn, TryOnOrder};

/// A picture is not made larger than this.
const MOST_SIDE: u32 = 1536;

impl Artist {
    /// Draws the person wearing the garment: a figure of ours is drawn anew
    /// in its own studio and pose, anybody else is dressed as they stand.
    pub(crate) fn draw_try_on(&self, order: &TryOnOrder) -> Result<Drawn, DrawError> {
        let kind = match order.category {
            "tops" | "one-pieces" => Some(Kind::Upper),
            // Trousers show by themselves.
            "bottoms" => Some(Kind::Skirt),
            _ => None,
        };
        let product = self.keep_product(&order.garment)?;
        let person = read_picture(&order.person)?;
        let (width, height) = order.size.unwrap_or_else(|| within(person.dimensions(), MOST_SIDE));
        if let Some(worn) = self.recall(&order.person) {
            let wearer = worn.wearer.clone().or(Some((worn.product.clone(), worn.kind)));
            let (edition, variant) = (EDITION, worn.variant.wrapping_add(order.variant));
            return self
                .draw_recipe(Recipe { edition, product, kind, width, height, variant, wearer, ..worn }, order.format);
        }
        let garment = self.garment(&product, kind)?;
        let dressed = dress(&fill_frame(&person, width, height), &garment)?;
        let bytes = order.format.encode(&dressed)?;
        Ok(order.format.finished(Bytes::from(bytes), width, height))
    }
}

/// The same size, or smaller so that no side is longer; even, for clips.
fn within((width, height): (u32, u32), most: u32) -> (u32, u32) {
    let factor = (most as f32 / width.max(height).max(1) as f32).min(1.0);
    let sized = |side: u32| ((side as f32 * factor / 2.0).round() as u32 * 2).max(2);
    (sized(width), sized(height))
}

/// Lays a garment over the person in a picture.
fn dress(picture: &RgbImage, garment: &Garment) -> Result<RgbImage, DrawError> {
    let silhouette = Silhouette::of(picture);
    let build = Build::of(Person::Female);
    let fit = Fit::new(&garment.shape, &build);
    let pose = Pose { arms: Pose::of(PoseName::Start, fit.kind).arms, ..Pose::default() };
    let body = Body { build, pose, arms: fit.arms };
    let layers = Layers::cut(garment, &fit, silhouette.unit);
    let mut canvas = canvas_of(picture)?;
    layers.draw_trunk(&mut canvas, &fit, &body, |place| silhouette.pixel(place));
    layers.draw_sleeves(&mut canvas, &fit, &body, |place| silhouette.pixel(place));
    picture_of(&canvas)
}
