use image::RgbImage;

use super::cutout::backdrop_of;
use super::geometry::{Point, at};

/// Where a person stands in a picture, so far as their outline tells: what a
/// figure unit is there, and where the figure's axis and neck are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Silhouette {
    /// Pixels per figure unit.
    pub unit: f32,
    middle_x: f32,
    neck_y: f32,
}

/// Where our figure has its neck, and how wide its shoulders are, dressed.
const NECK_Y: f32 = 152.0;
const CROWN_Y: f32 = -8.0;
const SHOULDERS: f32 = 214.0;
/// A figure from above its head to below its feet, when nothing is seen of it.
const WHOLE: f32 = 1_110.0;

impl Silhouette {
    /// Measures the person in a picture. Without a plain backdrop to tell
    /// them from, they are taken to stand upright in the middle.
    pub(super) fn of(picture: &RgbImage) -> Self {
        Self::measure(picture).unwrap_or_else(|| {
            let unit = picture.height() as f32 / WHOLE;
            let middle_x = picture.width() as f32 / 2.0;
            Self { unit, middle_x, neck_y: (NECK_Y - CROWN_Y + 40.0) * unit }
        })
    }

    /// The pixel of a place in figure units.
    pub(super) fn pixel(&self, place: Point) -> Point {
        at(self.middle_x + place.x * self.unit, self.neck_y + (place.y - NECK_Y) * self.unit)
    }

    fn measure(picture: &RgbImage) -> Option<Self> {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let backdrop = backdrop_of(picture);
        let solid = backdrop.iter().filter(|on| !**on).count() as f32 / backdrop.len().max(1) as f32;
        if !(0.04..0.8).contains(&solid) {
            return None;
        }
        let rows = track(&backdrop, width, height);
        let (top, _) = *rows.first()?;
        let wide = |index: usize| {
            let reach = height / 120;
            let near = &rows[index.saturating_sub(reach)..(index + reach + 1).min(rows.len())];
            near.iter().map(|(_, (left, right))| right - left).sum::<f32>() / near.len().max(1) as f32
        };
        let neck = (height / 40..rows.len()).find(|index| {
            let here = wide(*index);
            let head = (0..*index).step_by(4).map(wide).fold(0.0, f32::max);
            let below = wide((*index + height / 25).min(rows.len().saturating_sub(1)));
            here < 0.86 * head && below > 1.35 * here
        })?;
        // The narrowest row of the dip is the neck.
        let neck = (neck..(neck + height / 25).min(rows.len())).min_by(|a, b| wide(*a).total_cmp(&wide(*b)))?;
        let (neck_y, (left, right)) = rows[neck];
        let by_head = (neck_y - top) as f32 / (NECK_Y - CROWN_Y);
        let below = neck + (60.0 * by_head) as usize;
        let by_shoulders = wide(below.min(rows.len().saturating_sub(1))) / SHOULDERS;
        let unit = by_shoulders.clamp(0.85 * by_head, 1.25 * by_head);
        (unit > 0.02).then_some(Self { unit, middle_x: (left + right) / 2.0, neck_y: neck_y as f32 })
    }
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
