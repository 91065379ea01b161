use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg;

use super::DrawError;
use super::body::{Body, Build};
use super::figure;
use super::garment::{Fit, Garment, Layers};
use super::geometry::{Point, at};
use super::head;
use super::look::Look;
use super::pose::Pose;
use super::shape::Kind;
use super::words::Person;

/// What part of the studio the picture shows.
#[derive(Clone, Copy, Debug)]
struct Camera {
    /// Pixels per figure unit.
    scale: f32,
    /// The figure unit in the middle of the picture.
    middle: Point,
    width: f32,
    height: f32,
}

impl Camera {
    /// Shows as much of the figure as the product needs.
    fn framing(kind: Kind, hem_y: f32, width: u32, height: u32) -> Self {
        const CROWN_Y: f32 = -52.0;
        const FULL_Y: f32 = 1046.0;
        const LEAST_WIDTH: f32 = 500.0;
        let bottom = match kind {
            Kind::Upper if hem_y < 690.0 => (hem_y + 105.0).max(640.0),
            _ => FULL_Y,
        };
        let (width, height) = (width as f32, height as f32);
        let shown = (bottom - CROWN_Y).max(LEAST_WIDTH * height / width);
        // Room left over goes above the head, up to a point, then below.
        let spare = shown - (bottom - CROWN_Y);
        Self { scale: height / shown, middle: at(4.0, CROWN_Y - spare * 0.35 + shown / 2.0), width, height }
    }

    fn pixel(&self, place: Point) -> Point {
        place.minus(self.middle).times(self.scale).plus(at(self.width / 2.0, self.height / 2.0))
    }

    fn transform(&self) -> Transform {
        let origin = self.pixel(at(-MARGIN, -MARGIN));
        Transform::from_row(self.scale, 0.0, 0.0, self.scale, origin.x, origin.y)
    }

    /// A little nearer and aside: zoom in percent of 1, way in figure units.
    fn drifted(&self, drift: Drift) -> Self {
        Self { scale: self.scale * (1.0 + drift.zoom), middle: self.middle.plus(drift.way), ..*self }
    }
}

/// How far the camera has moved.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Drift {
    pub zoom: f32,
    pub way: Point,
}

/// SVG drawings reach this far beyond the figure's origin.
const MARGIN: f32 = 2_000.0;
/// The backdrop moves less than the figure, being farther away.
const DEPTH: f32 = 0.55;
/// The backdrop is drawn this much larger, to have something to move.
const SPARE: f32 = 1.08;

/// Who wears a product, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub person: Person,
    /// Decides the figure's looks and the studio's.
    pub lot: u64,
    /// The colour they shall go with, 0 to 255.
    pub colour: [f32; 3],
    /// What the camera is set for, when that is not the product itself: its
    /// kind and how far down it reaches.
    pub framing: Option<(Kind, f32)>,
}

/// One product on one figure in one studio, ready to be shown in any pose.
pub(crate) struct Scene {
    look: Look,
    person: Person,
    fit: Fit,
    layers: Layers,
    camera: Camera,
    backdrop: Pixmap,
}

impl Scene {
    /// Sets the scene for pictures of this size in pixels.
    pub(crate) fn set(garment: &Garment, setting: &Setting, width: u32, height: u32) -> Result<Self, DrawError> {
        let person = setting.person;
        let look = Look::choose(setting.lot, person, setting.colour);
        let fit = Fit::new(&garment.shape, &Build::of(person));
        let (kind, hem_y) = setting.framing.unwrap_or((fit.kind, fit.hem_y()));
        let camera = Camera::framing(kind, hem_y, width, height);
        let layers = Layers::cut(garment, &fit, camera.scale);
        let backdrop = paint_backdrop(&look, &camera)?;
        Ok(Self { look, person, fit, layers, camera, backdrop })
    }

    /// What is worn, as the scene sees it.
    pub(crate) fn kind(&self) -> Kind {
        self.fit.kind
    }

    /// Draws one picture.
    pub(crate) fn draw(&self, pose: Pose, drift: Drift) -> Result<Pixmap, DrawError> {
        let camera = self.camera.drifted(drift);
        let body = Body { build: Build::of(self.person), pose, arms: self.fit.arms };
        let mut canvas = Pixmap::new(camera.width as u32, camera.height as u32)
            .ok_or_else(|| DrawError::studio("no canvas of this size"))?;
        self.draw_backdrop(&mut canvas, drift);
        let behind = floor_shadow(&body) + &figure::behind(&body, &self.look, self.person, self.fit.cover());
        self.render(&mut canvas, &camera, &behind)?;
        let to_pixel = |place: Point| camera.pixel(place);
        self.layers.draw_trunk(&mut canvas, &self.fit, &body, to_pixel);
        let from = self.fit.bare_arm_from().max(0.5);
        self.render(&mut canvas, &camera, &figure::hands(&body, &self.look, from))?;
        self.layers.draw_sleeves(&mut canvas, &self.fit, &body, to_pixel);
        let front =
            figure::neck(&body, &self.look, self.fit.neck_bottom_y()) + &head::head(&body, &self.look, self.person);
        self.render(&mut canvas, &camera, &front)?;
        Ok(canvas)
    }

    fn render(&self, canvas: &mut Pixmap, camera: &Camera, inner: &str) -> Result<(), DrawError> {
        let tree = parse(&(figure::paints(&self.look) + inner))?;
        resvg::render(&tree, camera.transform(), &mut canvas.as_mut());
        Ok(())
    }

    /// Copies the backdrop, moved and zoomed less than the figure. Our own
    /// loop: a scale without a turn needs no general sampler, and this is
    /// every pixel of every frame.
    fn draw_backdrop(&self, canvas: &mut Pixmap, drift: Drift) {
        let zoom = 1.0 + drift.zoom * DEPTH;
        let way = drift.way.times(self.camera.scale * DEPTH);
        let (source_width, source_height) = (self.backdrop.width(), self.backdrop.height());
        let columns = taps(canvas.width(), source_width, zoom, way.x);
        let rows = taps(canvas.height(), source_height, zoom, way.y);
        let source = self.backdrop.data();
        let stride = source_width as usize * 4;
        let width = canvas.width() as usize * 4;
        for (line, (row, down)) in canvas.data_mut().chunks_exact_mut(width).zip(rows) {
            let upper = &source[row * stride..];
            let lower = &source[(row + 1) * stride..];
            for (pixel, (column, right)) in line.as_chunks_mut::<4>().0.iter_mut().zip(&columns) {
                let start = column * 4;
                for (channel, value) in pixel.iter_mut().enumerate() {
                    let mixed = |from: &[u8]| {
                        let (left, next) = (from[start + channel], from[start + 4 + channel]);
                        u32::from(left) * (256 - right) + u32::from(next) * right
                    };
                    let sum = mixed(upper) * (256 - down) + mixed(lower) * down;
                    *value = u8::try_from((sum + 32_768) >> 16).unwrap_or(255);
                }
            }
        }
    }
}

/// For every pixel of a line: which source pixel it comes from, and how much
/// of the next one it takes, of 256.
fn taps(length: u32, source: u32, zoom: f32, way: f32) -> Vec<(usize, u32)> {
    let (middle, centre) = (length as f32 / 2.0, source as f32 / 2.0);
    (0..length)
        .map(|i| {
            let place = (i as f32 + 0.5 - middle) / zoom + centre + way - 0.5;
            let place = place.clamp(0.0, source as f32 - 2.001);
            let whole = place.floor();
            (whole as usize, ((place - whole) * 256.0) as u32)
        })
        .collect()
}

fn parse(inner: &str) -> Result<usvg::Tree, DrawError> {
    let side = MARGIN * 2.0;
    let svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' width='{side}' height='{side}' viewBox='-{MARGIN} -{MARGIN} {side} {side}'>{inner}</svg>"
    );
    usvg::Tree::from_str(&svg, &usvg::Options::default()).map_err(DrawError::studio)
}

fn floor_shadow(body: &Body) -> String {
    let middle = body.pose.hips_x * 0.4;
    let feet = [0, 1].map(|side| {
        let foot = body.leg(side, at(Body::leg_middle(side, 948.0), 948.0));
        format!("<ellipse cx='{:.1}' cy='{:.1}' rx='46' ry='9' fill='#1b1612' opacity='.22'/>", foot.x, foot.y + 39.0)
    });
    format!(
        "<defs><radialGradient id='ground'><stop offset='0' stop-color='#1b1612' stop-opacity='.34'/>\
         <stop offset='1' stop-color='#1b1612' stop-opacity='0'/></radialGradient></defs>\
         <ellipse cx='{:.1}' cy='992' rx='215' ry='34' fill='url(#ground)'/>{}{}",
        middle + 18.0,
        feet[0],
        feet[1]
    )
}

/// Wall, arch and floor, in figure units, a little larger than the picture.
fn paint_backdrop(look: &Look, camera: &Camera) -> Result<Pixmap, DrawError> {
    let [light, dark, floor, floor_dark] = look.studio;
    let svg = format!(
        "<defs>\
         <radialGradient id='wall' gradientUnits='userSpaceOnUse' cx='-130' cy='260' r='900'>\
         <stop offset='0' stop-color='{light}'/><stop offset='1' stop-color='{dark}'/></radialGradient>\
         <linearGradient id='floor' gradientUnits='userSpaceOnUse' x1='0' y1='872' x2='0' y2='1120'>\
         <stop offset='0' stop-color='{floor}' stop-opacity='0'/><stop offset='.22' stop-color='{floor}'/>\
         <stop offset='1' stop-color='{floor_dark}'/></linearGradient>\
         <linearGradient id='arch' gradientUnits='userSpaceOnUse' x1='-230' y1='0' x2='230' y2='500'>\
         <stop offset='0' stop-color='{dark}' stop-opacity='.75'/><stop offset='1' stop-color='{dark}' stop-opacity='.25'/></linearGradient>\
         </defs>\
         <rect x='-2000' y='-2000' width='4000' height='4000' fill='url(#wall)'/>\
         <path d='M-236 912V168C-236 34 -130 -66 4 -66C138 -66 244 34 244 168V912Z' fill='url(#arch)'/>\
         <rect x='-2000' y='872' width='4000' height='2000' fill='url(#floor)'/>"
    );
    let size = |side: f32| (side * SPARE).ceil() as u32;
    let mut pixmap = Pixmap::new(size(camera.width), size(camera.height))
        .ok_or_else(|| DrawError::studio("no backdrop of this size"))?;
    let shift = |side: f32| side * (SPARE - 1.0) / 2.0;
    let transform = camera.transform().post_translate(shift(camera.width), shift(camera.height));
    resvg::render(&parse(&svg)?, transform, &mut pixmap.as_mut());
    Ok(pixmap)
}
