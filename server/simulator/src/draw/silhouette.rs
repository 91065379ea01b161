use image::RgbImage;

use super::cutout::backdrop_of;
use super::geometry::{Point, along, at, smooth};

/// Where a person stands in a picture, so far as their outline tells: what a
/// figure unit is there, and where the figure's axis and crown are.
#[derive(Clone, Debug)]
pub(super) struct Silhouette {
    /// Pixels per figure unit.
    pub unit: f32,
    /// How much broader the shoulders are than our figure's; 1 at least.
    pub breadth: f32,
    middle_x: f32,
    crown_y: f32,
    width: usize,
    backdrop: Vec<bool>,
}

/// Heights of our figure.
const CROWN_Y: f32 = -8.0;
const NECK_Y: f32 = 152.0;
const SHOULDERS_Y: f32 = 186.0;
const SOLES_Y: f32 = 988.0;
/// How far apart its upper arms are on the outside, and whoever's it dresses.
const ARMS: f32 = 255.0;
/// Clothes are cut a little wider than whom they were measured on.
const EASE: f32 = 1.05;

impl Silhouette {
    /// Measures the person in a picture. Without a plain backdrop to tell
    /// them from, they are taken to stand upright in the middle.
    pub(super) fn of(picture: &RgbImage) -> Self {
        let (width, height) = (picture.width() as f32, picture.height() as f32);
        let backdrop = backdrop_of(picture);
        let (unit, middle_x, crown_y) = measure(&backdrop, picture.width() as usize, picture.height() as usize)
            .unwrap_or((height / 1_110.0, width / 2.0, height * 0.04));
        let width = picture.width() as usize;
        let mut silhouette = Self { unit: unit * EASE, breadth: 1.0, middle_x, crown_y, width, backdrop };
        silhouette.breadth = silhouette.measure_breadth();
        silhouette
    }

    /// From how far apart the upper arms are on the outside.
    fn measure_breadth(&self) -> f32 {
        let reach = |y: f32| {
            let at_row = |side: f32| {
                (60..170_u8).rev().map(f32::from).find(|x| {
                    let pixel = self.pixel(at(side * x, y));
                    pixel.x >= 0.0 && pixel.y >= 0.0 && self.is_body(pixel.x as u32, pixel.y as u32)
                })
            };
            at_row(-1.0).zip(at_row(1.0)).map_or(0.0, |(left, right)| left + right)
        };
        let widest = [270.0, 290.0, 310.0].map(reach).into_iter().fold(0.0, f32::max);
        (widest * EASE / ARMS).clamp(1.0, 1.22)
    }

    /// The pixel of a place in figure units; wider clothes hang from the neck.
    pub(super) fn pixel(&self, place: Point) -> Point {
        let neck_y = self.crown_y + (NECK_Y - CROWN_Y) * self.unit / EASE;
        at(self.middle_x + place.x * self.unit, neck_y + (place.y - NECK_Y) * self.unit)
    }

    /// How much of a pixel is head or neck, and so before the clothes, 0 to 1;
    /// `neck_bottom` is how far down the neck is seen, in figure units.
    pub(super) fn is_head(&self, x: u32, y: u32, neck_bottom: f32) -> f32 {
        let neck = self.pixel(at(0.0, NECK_Y));
        let place = at((x as f32 + 0.5 - neck.x) / self.unit, NECK_Y + (y as f32 + 0.5 - neck.y) / self.unit);
        let head = f32::from(u8::from(self.is_body(x, y))) * (1.0 - smooth(JAW_Y - 4.0, JAW_Y + 4.0, place.y));
        let half = along(
            &[(JAW_Y - 6.0, 36.0), (NECK_Y - 4.0, 25.0), (neck_bottom - 14.0, 22.0), (neck_bottom, 0.0)],
            place.y,
        );
        let edge = 1.0 - smooth(half - 1.5, half + 1.5, place.x.abs());
        let throat = edge * (1.0 - smooth(neck_bottom - 3.0, neck_bottom, place.y));
        if place.x.abs() < HEAD { head.max(throat) } else { 0.0 }
    }

    fn is_body(&self, x: u32, y: u32) -> bool {
        self.backdrop.get(y as usize * self.width + x as usize).is_some_and(|is_backdrop| !is_backdrop)
    }
}

/// Where the jaw leaves the hair, and how far the head reaches to each side.
const JAW_Y: f32 = 126.0;
const HEAD: f32 = 80.0;

/// Figure unit, axis and crown in pixels; `None` when nobody stands out.
fn measure(backdrop: &[bool], width: usize, height: usize) -> Option<(f32, f32, f32)> {
    let solid = backdrop.iter().filter(|on| !**on).count() as f32 / backdrop.len().max(1) as f32;
    if !(0.03..0.8).contains(&solid) {
        return None;
    }
    let rows = track(backdrop, width, height);
    let (crown, (left, right)) = *rows.get(height / 30)?;
    let crown = crown - height / 30;
    let middle = (left + right) / 2.0;
    // Cloth may look like the backdrop: the soles are sought below any gap,
    // and are not believed when the shoulders say something else.
    let reach = width / 4;
    let near = (middle as usize).saturating_sub(reach)..(middle as usize + reach).min(width);
    let soles = (crown..height).rev().find(|y| near.clone().any(|x| !backdrop[y * width + x]))?;
    let is_whole = soles + height / 60 < height;
    let by_height = (soles - crown) as f32 / (SOLES_Y - CROWN_Y);
    let unit = match by_shoulders(&rows) {
        Some(unit) if !is_whole || unit > 1.25 * by_height => unit,
        None if !is_whole => return None,
        _ => by_height,
    };
    (unit > 0.02).then_some((unit, middle, crown as f32))
}

/// The unit of a person who is cut off below: their shoulders are where the
/// outline is suddenly half as wide again as what is well above. It is so
/// below a bun too, so the last such place counts.
fn by_shoulders(rows: &[(usize, (f32, f32))]) -> Option<f32> {
    let wide: Vec<f32> = rows.iter().map(|(_, (left, right))| right - left).collect();
    let is_sudden = |index: usize| {
        let above = wide.iter().take(index * 6 / 10).copied().fold(0.0, f32::max);
        above > 0.0 && wide.get(index).is_some_and(|here| *here > 1.5 * above)
    };
    let shoulders = (rows.len() / 20..rows.len()).rev().find(|index| is_sudden(*index) && !is_sudden(index - 1))?;
    Some(shoulders as f32 / (SHOULDERS_Y - CROWN_Y))
}

/// The person's run of pixels in every row from the crown down: the widest at
/// first, then the one that goes on from the row above.
fn track(backdrop: &[bool], width: usize, height: usize) -> Vec<(usize, (f32, f32))> {
    let mut rows: Vec<(usize, (f32, f32))> = Vec::new();
    for y in 0..height {
        let runs = runs(&backdrop[y * width..(y + 1) * width]);
        let wide_enough = runs.into_iter().filter(|(left, right)| right - left > width as f32 / 60.0);
        let next = match rows.last() {
            None => wide_enough.max_by(|a, b| (a.1 - a.0).total_cmp(&(b.1 - b.0))),
            Some((_, last)) => {
                let shared = |run: &(f32, f32)| run.1.min(last.1) - run.0.max(last.0);
                wide_enough.max_by(|a, b| shared(a).total_cmp(&shared(b))).filter(|run| shared(run) > 0.0)
            }
        };
        match next {
            Some(run) => rows.push((y, run)),
            None if rows.len() > height / 10 => break,
            None => rows.clear(),
        }
    }
    rows
}

fn runs(row: &[bool]) -> Vec<(f32, f32)> {
    let mut runs = Vec::new();
    let mut start = None;
    for (x, is_backdrop) in row.iter().chain([&true]).enumerate() {
        match (is_backdrop, start) {
            (false, None) => start = Some(x),
            (true, Some(first)) => {
                runs.push((first as f32, x as f32));
                start = None;
            }
            _ => {}
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of an outline from `(rows, width)` pieces.
    fn outline(pieces: &[(usize, f32)]) -> Vec<(usize, (f32, f32))> {
        let widths = pieces.iter().flat_map(|(rows, width)| std::iter::repeat_n(*width, *rows));
        widths.enumerate().map(|(y, width)| (y, (500.0 - width / 2.0, 500.0 + width / 2.0))).collect()
    }

    #[test]
    fn shoulders_are_found_below_a_neck_a_bun_or_long_hair() {
        let shoulders = 194.0;
        let neck = outline(&[(150, 96.0), (44, 50.0), (400, 210.0)]);
        let bun = outline(&[(30, 60.0), (120, 100.0), (44, 50.0), (400, 210.0)]);
        let hair = outline(&[(194, 120.0), (400, 210.0)]);
        for rows in [neck, bun, hair] {
            let unit = by_shoulders(&rows).unwrap_or_default();
            assert!((unit * (SHOULDERS_Y - CROWN_Y) - shoulders).abs() < 2.0, "{unit}");
        }
        assert_eq!(by_shoulders(&outline(&[(600, 100.0)])), None);
    }
}
