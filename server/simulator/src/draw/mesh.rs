use image::{RgbaImage, imageops};
use resvg::tiny_skia::Pixmap;

use super::geometry::{Point, at};

/// A picture that can be bent: premultiplied RGBA.
pub(crate) struct Texture {
    width: usize,
    height: usize,
    pixels: Vec<[f32; 4]>,
    /// The part that is not clear, as shares of the size: left, top, right, bottom.
    ink: [f32; 4],
}

impl Texture {
    /// From straight RGBA, resized by `scale` first so that drawing it at
    /// about its own size does not flicker.
    pub(crate) fn new(picture: &RgbaImage, scale: f32) -> Self {
        let mut premultiplied = picture.clone();
        for pixel in premultiplied.pixels_mut() {
            let [r, g, b, a] = pixel.0;
            let shade = |c: u8| u8::try_from((u16::from(c) * u16::from(a) + 127) / 255).unwrap_or(255);
            pixel.0 = [shade(r), shade(g), shade(b), a];
        }
        let width = ((picture.width() as f32 * scale).round() as u32).max(2);
        let height = ((picture.height() as f32 * scale).round() as u32).max(2);
        let sized = imageops::resize(&premultiplied, width, height, imageops::FilterType::Triangle);
        let pixels = sized.pixels().map(|pixel| pixel.0.map(f32::from)).collect();
        Self::of(width as usize, height as usize, pixels)
    }

    fn of(width: usize, height: usize, pixels: Vec<[f32; 4]>) -> Self {
        let mut ink = [1.0_f32, 1.0, 0.0, 0.0];
        for (index, _) in pixels.iter().enumerate().filter(|(_, pixel)| pixel[3] >= 0.5) {
            let x = (index % width) as f32 / width as f32;
            let y = (index / width) as f32 / height as f32;
            ink = [ink[0].min(x), ink[1].min(y), ink[2].max(x), ink[3].max(y)];
        }
        Self { width, height, pixels, ink }
    }

    /// The same with every opacity multiplied by `keep(x, y)`, places as
    /// shares of the size.
    pub(crate) fn masked(&self, keep: impl Fn(f32, f32) -> f32) -> Self {
        let mut pixels = self.pixels.clone();
        for (index, pixel) in pixels.iter_mut().enumerate() {
            let x = ((index % self.width) as f32 + 0.5) / self.width as f32;
            let y = ((index / self.width) as f32 + 0.5) / self.height as f32;
            let share = keep(x, y);
            *pixel = pixel.map(|value| value * share);
        }
        Self::of(self.width, self.height, pixels)
    }

    /// A dark, blurred silhouette of this opacity.
    pub(crate) fn shadow(&self, radius: usize, opacity: f32) -> Self {
        let mut alpha: Vec<f32> = self.pixels.iter().map(|pixel| pixel[3]).collect();
        for _ in 0..2 {
            alpha = blur(&alpha, self.width, self.height, radius);
        }
        let pixels = alpha.iter().map(|a| [0.0, 0.0, 0.0, a * opacity]).collect();
        Self::of(self.width, self.height, pixels)
    }

    fn sample(&self, place: Point) -> [f32; 4] {
        let (x, y) = (place.x * self.width as f32 - 0.5, place.y * self.height as f32 - 0.5);
        if x < -0.5 || y < -0.5 || x > self.width as f32 - 0.5 || y > self.height as f32 - 0.5 {
            return [0.0; 4];
        }
        let (left, top) = (x.floor().max(0.0), y.floor().max(0.0));
        let (dx, dy) = ((x - left).max(0.0), (y - top).max(0.0));
        let (left, top) = (left as usize, top as usize);
        let (right, bottom) = ((left + 1).min(self.width - 1), (top + 1).min(self.height - 1));
        let get = |x: usize, y: usize| self.pixels[y * self.width + x];
        let (a, b, c, d) = (get(left, top), get(right, top), get(left, bottom), get(right, bottom));
        std::array::from_fn(|i| {
            let upper = a[i] + (b[i] - a[i]) * dx;
            let lower = c[i] + (d[i] - c[i]) * dx;
            upper + (lower - upper) * dy
        })
    }
}

fn blur(alpha: &[f32], width: usize, height: usize, radius: usize) -> Vec<f32> {
    let pass = |source: &[f32], length: usize, lines: usize, step: usize, jump: usize| {
        let mut target = vec![0.0; source.len()];
        for line in 0..lines {
            let get = |i: usize| source[line * jump + i * step];
            let mut sum: f32 = (0..radius.min(length)).map(get).sum();
            for i in 0..length {
                if i + radius < length {
                    sum += get(i + radius);
                }
                if i > radius {
                    sum -= get(i - radius - 1);
                }
                target[line * jump + i * step] = sum / (2 * radius + 1) as f32;
            }
        }
        target
    };
    let rows = pass(alpha, width, height, 1, width);
    pass(&rows, height, width, width, 1)
}

/// Cells of the grid a texture is bent with.
const COLUMNS: usize = 40;
const ROWS: usize = 56;

/// Draws a texture bent by `bend`, which takes a place in the texture (as
/// shares of its size) to a pixel of the canvas.
pub(crate) fn draw_bent(canvas: &mut Pixmap, texture: &Texture, bend: impl Fn(f32, f32) -> Point) {
    let mut corners = Vec::with_capacity((COLUMNS + 1) * (ROWS + 1));
    for row in 0..=ROWS {
        for column in 0..=COLUMNS {
            let place = at(column as f32 / COLUMNS as f32, row as f32 / ROWS as f32);
            corners.push((place, bend(place.x, place.y)));
        }
    }
    let [left, top, right, bottom] = texture.ink;
    let meets = |cell: usize, cells: usize, from: f32, to: f32| {
        let (here, next) = (cell as f32 / cells as f32, (cell + 1) as f32 / cells as f32);
        next + 0.01 >= from && here <= to + 0.01
    };
    for row in (0..ROWS).filter(|row| meets(*row, ROWS, top, bottom)) {
        for column in (0..COLUMNS).filter(|column| meets(*column, COLUMNS, left, right)) {
            let index = row * (COLUMNS + 1) + column;
            let quad = [index, index + 1, index + COLUMNS + 1, index + COLUMNS + 2];
            let [a, b, c, d] = quad.map(|index| corners[index]);
            draw_triangle(canvas, texture, [a, b, c]);
            draw_triangle(canvas, texture, [b, d, c]);
        }
    }
}

fn draw_triangle(canvas: &mut Pixmap, texture: &Texture, corners: [(Point, Point); 3]) {
    let [(ta, a), (tb, b), (tc, c)] = corners;
    let cross = |o: Point, p: Point, q: Point| (p.x - o.x) * (q.y - o.y) - (p.y - o.y) * (q.x - o.x);
    let area = cross(a, b, c);
    if area.abs() < 1e-4 {
        return;
    }
    let (width, height) = (canvas.width() as f32, canvas.height() as f32);
    let clamp = |value: f32, most: f32| value.clamp(0.0, most) as usize;
    let (min_x, max_x) = (a.x.min(b.x).min(c.x), a.x.max(b.x).max(c.x));
    let (min_y, max_y) = (a.y.min(b.y).min(c.y), a.y.max(b.y).max(c.y));
    let (x0, x1) = (clamp((min_x - 0.5).floor(), width), clamp((max_x + 0.5).ceil(), width));
    let (y0, y1) = (clamp((min_y - 0.5).floor(), height), clamp((max_y + 0.5).ceil(), height));
    // A pixel on a shared edge belongs to one triangle only.
    let owns = |from: Point, to: Point| {
        let (dx, dy) = ((to.x - from.x) * area.signum(), (to.y - from.y) * area.signum());
        dy < 0.0 || (dy == 0.0 && dx > 0.0)
    };
    let inside = |weight: f32, owned: bool| weight > 0.0 || (weight == 0.0 && owned);
    let (own_a, own_b, own_c) = (owns(b, c), owns(c, a), owns(a, b));
    let stride = canvas.width() as usize;
    let data = canvas.data_mut();
    for y in y0..y1 {
        for x in x0..x1 {
            let p = at(x as f32 + 0.5, y as f32 + 0.5);
            let (wa, wb, wc) = (cross(b, c, p) / area, cross(c, a, p) / area, cross(a, b, p) / area);
            if !(inside(wa, own_a) && inside(wb, own_b) && inside(wc, own_c)) {
                continue;
            }
            let place = at(ta.x * wa + tb.x * wb + tc.x * wc, ta.y * wa + tb.y * wb + tc.y * wc);
            let ink = texture.sample(place);
            if ink[3] < 0.5 {
                continue;
            }
            let start = (y * stride + x) * 4;
            if let Some(pixel) = data.get_mut(start..start + 4) {
                let rest = 1.0 - ink[3] / 255.0;
                for (under, over) in pixel.iter_mut().zip(ink) {
                    *under = (over + f32::from(*under) * rest + 0.5).min(255.0) as u8;
                }
            }
        }
    }
}
