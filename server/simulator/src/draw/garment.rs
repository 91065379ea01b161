use image::RgbaImage;
use resvg::tiny_skia::Pixmap;

use super::DrawError;
use super::body::{Body, Build, RestArm, SHOULDER_Y, WAIST_Y, sign_of};
use super::cutout::cut_out;
use super::figure::Cover;
use super::geometry::{Point, at, mix, smooth};
use super::mesh::{Texture, draw_bent};
use super::shape::{Kind, Shape, measure};

/// A product lifted off its photo and measured.
pub(crate) struct Garment {
    picture: RgbaImage,
    pub shape: Shape,
    /// Mean colour of the product, 0 to 255.
    pub colour: [f32; 3],
}

impl Garment {
    pub(crate) fn from_photo(photo: &[u8], hint: Option<Kind>) -> Result<Self, DrawError> {
        let picture = cut_out(photo)?.picture;
        let shape = measure(&picture, hint);
        let (mut sum, mut count) = ([0.0_f64; 3], 1.0_f64);
        for pixel in picture.pixels().filter(|pixel| pixel.0[3] == 255) {
            for (total, value) in sum.iter_mut().zip(pixel.0) {
                *total += f64::from(value);
            }
            count += 1.0;
        }
        Ok(Self { picture, shape, colour: sum.map(|total| (total / count) as f32) })
    }
}

const TIP_Y: f32 = SHOULDER_Y - 9.0;
const STRAP_TOP_Y: f32 = SHOULDER_Y - 20.0;
const STRAPS_CHEST: f32 = 80.0;
const WAISTBAND: f32 = 72.0;
const TROUSER_HEM_Y: f32 = 944.0;
const BAG_WIDTH: f32 = 196.0;

/// A product's size and place on a resting figure, shape kept exactly.
#[derive(Clone, Debug)]
pub(crate) struct Fit {
    pub kind: Kind,
    /// Figure units per cut-out pixel.
    scale: f32,
    /// The figure's middle in cut-out pixels.
    middle: f32,
    /// Where the cut-out's first row is, in figure units.
    top: f32,
    shape: Shape,
    pub arms: [RestArm; 2],
}

impl Fit {
    pub(crate) fn new(shape: &Shape, build: &Build) -> Self {
        let span = (shape.right - shape.left).max(1.0);
        let (scale, top) = match shape.kind {
            Kind::Upper => {
                let scale = 2.0 * build.seam / span;
                (scale, TIP_Y - shape.tip_y * scale)
            }
            Kind::Straps => (2.0 * STRAPS_CHEST / span, STRAP_TOP_Y),
            Kind::Skirt => (2.0 * WAISTBAND / span, WAIST_Y - 12.0),
            Kind::Trousers => {
                let by_waist = 2.0 * WAISTBAND / span;
                let by_length = (TROUSER_HEM_Y - WAIST_Y + 12.0) / shape.height;
                (by_length.clamp(by_waist, by_waist * 1.15), WAIST_Y - 12.0)
            }
            Kind::Bag => (BAG_WIDTH / shape.width, 0.0),
        };
        let middle = if shape.kind == Kind::Bag { shape.width / 2.0 } else { (shape.left + shape.right) / 2.0 };
        let mut fit = Self {
            kind: shape.kind,
            scale,
            middle,
            top,
            shape: shape.clone(),
            arms: [RestArm::hanging(build, -1.0), RestArm::hanging(build, 1.0)],
        };
        if let Some(sleeves) = shape.sleeves {
            fit.arms = sleeves
                .map(|(shoulder, end)| RestArm::along_sleeve(fit.rest_of_pixel(shoulder), fit.rest_of_pixel(end)));
        } else if shape.kind == Kind::Upper {
            fit.arms = [-1.0, 1.0].map(|side| RestArm::hanging_clear(build, side));
        }
        fit
    }

    /// The lowest point of the product on the resting figure.
    pub(crate) fn hem_y(&self) -> f32 {
        self.top + self.shape.height * self.scale
    }

    /// How far down the neck is seen in the product's opening.
    pub(crate) fn neck_bottom_y(&self) -> f32 {
        let has_hood = self.shape.tip_y * self.scale > 62.0;
        match self.kind {
            Kind::Upper if has_hood => TIP_Y + 4.0,
            Kind::Upper => (self.top + 46.0).min(TIP_Y + 14.0),
            _ => TIP_Y + 12.0,
        }
    }

    /// What the product leaves to be seen of the figure.
    pub(crate) fn cover(&self) -> Cover {
        Cover { kind: self.kind, hem_y: self.hem_y(), bare_arm_from: self.bare_arm_from() }
    }

    /// From which share of its length an arm is bare.
    pub(crate) fn bare_arm_from(&self) -> f32 {
        let Some(sleeves) = self.shape.sleeves else { return -0.02 };
        let [arm, _] = self.arms;
        let (shoulder, end) = sleeves[0];
        let sleeve = end.minus(shoulder).length() * self.scale;
        let length = arm.wrist.minus(arm.shoulder).length();
        (sleeve / length.max(1.0) - 0.22).clamp(0.1, 0.8)
    }

    pub(crate) fn has_sleeves(&self) -> bool {
        self.shape.sleeves.is_some()
    }

    fn rest_of_pixel(&self, pixel: Point) -> Point {
        at((pixel.x - self.middle) * self.scale, self.top + pixel.y * self.scale)
    }

    fn rest(&self, u: f32, v: f32) -> Point {
        self.rest_of_pixel(at(u * self.shape.width, v * self.shape.height))
    }

    /// Bends a place of the product's trunk part.
    fn bend_trunk(&self, body: &Body, place: Point) -> Point {
        match self.kind {
            Kind::Trousers => {
                let crotch = self.top + self.shape.crotch_y * self.scale;
                let band = mix(44.0, 2.0, smooth(crotch - 130.0, crotch - 4.0, place.y));
                let right = smooth(-band, band, place.x);
                body.leg(0, place).toward(body.leg(1, place), right)
            }
            Kind::Bag => {
                let from_handle = at(place.x, place.y - 12.0);
                body.grip(0).plus(from_handle.turned(body.pose.swing))
            }
            _ => body.trunk(place),
        }
    }

    /// Bends a place of a sleeve: at the shoulder it stays sewn on, from the
    /// armpit down it is loose.
    fn bend_sleeve(&self, body: &Body, side: usize, place: Point) -> Point {
        let shoulder = self.arms[side].shoulder;
        let armpit = self.top + self.shape.armpit_y * self.scale;
        let loose = smooth(shoulder.y - 4.0, armpit, place.y);
        let seam = sign_of(side) * (self.seam(side, place.y) - self.middle) * self.scale;
        let outward = sign_of(side) * place.x - seam;
        let share = mix(smooth(0.0, 30.0, outward), 1.0, loose);
        body.trunk(place).toward(body.arm(side, place), share)
    }

    /// The seam's column in cut-out pixels at a height of the resting figure.
    fn seam(&self, side: usize, y: f32) -> f32 {
        let row = ((y - self.top) / self.scale).max(0.0) as usize;
        let columns = &self.shape.seams[side];
        columns.get(row).or(columns.last()).copied().unwrap_or(self.middle)
    }
}

/// The product's pictures, sized for one canvas.
pub(crate) struct Layers {
    trunk: Texture,
    shadow: Texture,
    sleeves: Vec<Texture>,
}

impl Layers {
    /// Cuts the product into the parts that move on their own.
    /// `pixels_per_unit` is the canvas' scale.
    pub(crate) fn cut(garment: &Garment, fit: &Fit, pixels_per_unit: f32) -> Self {
        let whole = Texture::new(&garment.picture, (fit.scale * pixels_per_unit).min(2.0));
        let radius = (4.0 * pixels_per_unit) as usize + 1;
        if !fit.has_sleeves() {
            let shadow = whole.shadow(radius, 0.22);
            return Self { trunk: whole, shadow, sleeves: Vec::new() };
        }
        let shape = &fit.shape;
        let end = shape
            .sleeves
            .map_or(1.0, |sleeves| sleeves.iter().map(|(_, end)| end.y).fold(0.0, f32::max) / shape.height);
        let (lap, soft) = (0.012, 0.002);
        let seam = |side: usize, v: f32| {
            let row = (v * shape.height) as usize;
            let columns = &shape.seams[side];
            columns.get(row).or(columns.last()).map_or(0.0, |x| x / shape.width)
        };
        let is_sleeve = |u: f32, v: f32, lap: f32| {
            if v > end + 0.006 {
                return 0.0;
            }
            let left = smooth(-soft, soft, seam(0, v) - lap - u);
            left.max(smooth(-soft, soft, u - seam(1, v) - lap))
        };
        // Above the armpit the trunk reaches under the sleeve, so that the
        // seam does not shine through.
        let armpit = shape.armpit_y / shape.height;
        let trunk = whole.masked(|u, v| 1.0 - is_sleeve(u, v, lap * (1.0 - smooth(armpit - 0.08, armpit, v))));
        let sleeve = |side: usize| {
            whole.masked(|u, v| {
                let is_here = (u < 0.5) == (side == 0);
                if is_here { is_sleeve(u, v, 0.0) } else { 0.0 }
            })
        };
        let shadow = trunk.shadow(radius, 0.22);
        Self { trunk, shadow, sleeves: vec![sleeve(0), sleeve(1)] }
    }

    /// Draws the trunk part with its soft shadow on the figure.
    pub(crate) fn draw_trunk(&self, canvas: &mut Pixmap, fit: &Fit, body: &Body, to_pixel: impl Fn(Point) -> Point) {
        let drop = at(1.5, 5.0);
        draw_bent(canvas, &self.shadow, |u, v| to_pixel(fit.bend_trunk(body, fit.rest(u, v)).plus(drop)));
        draw_bent(canvas, &self.trunk, |u, v| to_pixel(fit.bend_trunk(body, fit.rest(u, v))));
    }

    /// Draws the sleeves, if there are any.
    pub(crate) fn draw_sleeves(&self, canvas: &mut Pixmap, fit: &Fit, body: &Body, to_pixel: impl Fn(Point) -> Point) {
        for (side, sleeve) in self.sleeves.iter().enumerate() {
            draw_bent(canvas, sleeve, |u, v| to_pixel(fit.bend_sleeve(body, side, fit.rest(u, v))));
        }
    }
}
