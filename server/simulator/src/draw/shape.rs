use image::RgbaImage;

use super::cutout::pieces;
use super::geometry::{Point, at};

/// What kind of thing is worn, as far as drawing goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Kind {
    /// Hangs from the shoulders: shirt, knit, jacket, coat, dress with sleeves.
    Upper,
    /// Hangs from thin straps.
    Straps,
    Skirt,
    Trousers,
    Bag,
}

/// Where the parts of a cut-out are, in its own pixels.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub kind: Kind,
    pub width: f32,
    pub height: f32,
    /// The torso's sides where the sleeves end, or at the chest, or the waist.
    pub left: f32,
    pub right: f32,
    /// The height of the shoulder tips, of the waist or of the handle.
    pub tip_y: f32,
    /// Left and right sleeve, when there are any: shoulder and end.
    pub sleeves: Option<[(Point, Point); 2]>,
    /// The column that parts left and right sleeve from the trunk, by row.
    pub seams: [Vec<f32>; 2],
    /// Where the sleeves leave the trunk.
    pub armpit_y: f32,
    /// Where two legs part, for trousers.
    pub crotch_y: f32,
}

struct Outline {
    width: usize,
    height: usize,
    solid: Vec<bool>,
}

impl Outline {
    fn of(picture: &RgbaImage) -> Self {
        Self {
            width: picture.width() as usize,
            height: picture.height() as usize,
            solid: picture.pixels().map(|pixel| pixel.0[3] > 127).collect(),
        }
    }

    fn row(&self, share: f32) -> usize {
        ((share * self.height as f32) as usize).min(self.height.saturating_sub(1))
    }

    /// Solid runs of a row as `(first, end)`, specks left out.
    fn runs(&self, y: usize) -> Vec<(usize, usize)> {
        let row = &self.solid[y * self.width..(y + 1) * self.width];
        let mut runs = Vec::new();
        let mut start = None;
        for (x, on) in row.iter().chain([&false]).enumerate() {
            match (on, start) {
                (true, None) => start = Some(x),
                (false, Some(first)) => {
                    if x - first > self.width / 100 {
                        runs.push((first, x));
                    }
                    start = None;
                }
                _ => {}
            }
        }
        runs
    }

    fn extent(&self, y: usize) -> Option<(f32, f32)> {
        let runs = self.runs(y);
        Some((runs.first()?.0 as f32, runs.last()?.1 as f32))
    }

    fn span(&self, share: f32) -> f32 {
        self.extent(self.row(share)).map_or(0.0, |(left, right)| right - left)
    }

    /// The first solid row of a column.
    fn top_of(&self, x: f32) -> f32 {
        let x = (x as usize).min(self.width.saturating_sub(1));
        (0..self.height).find(|y| self.solid[y * self.width + x]).unwrap_or(0) as f32
    }

    /// Where the outline jumps inward on both sides: the sleeves' ends, as
    /// row, torso left and torso right just below.
    fn sleeve_end(&self) -> Option<(usize, f32, f32)> {
        let reach = (self.height / 20).max(2);
        let mut best: Option<(usize, f32, f32)> = None;
        let mut best_jump = 0.08 * self.width as f32;
        for y in self.row(0.15)..self.row(0.97).saturating_sub(reach) {
            let (Some(above), Some(below)) = (self.extent(y), self.extent(y + reach)) else {
                continue;
            };
            let jump = (below.0 - above.0).min(above.1 - below.1);
            let stays_wide = below.1 - below.0 > 0.35 * self.width as f32;
            if jump > best_jump && stays_wide {
                best_jump = jump;
                best = Some((y + reach, below.0, below.1));
            }
        }
        best
    }

    /// Sleeves that end no higher than the trunk, told by the gaps beside it:
    /// as [`Outline::sleeve_end`], with the trunk's sides where the gaps end.
    fn parted_sleeves(&self) -> Option<(usize, f32, f32)> {
        let trunk = |y: usize| {
            let runs = self.runs(y);
            let [(left, left_end), (first, end), (right, right_end)] = runs[..] else { return None };
            let sleeves = (left_end - left).max(right_end - right);
            (end - first > sleeves && 3 * (end - first) > self.width).then_some((first as f32, end as f32))
        };
        let parted: Vec<(f32, f32)> = (self.row(0.3)..self.height).filter_map(trunk).collect();
        let (left, right) = parted.last().copied()?;
        (parted.len() * 20 > self.height).then_some((self.height.saturating_sub(1), left, right))
    }

    /// The column between a sleeve and the trunk for every row down to
    /// `end_row`, and the first row with a gap there. Above the gap the seam
    /// goes straight up.
    fn seam(&self, side: usize, end_row: usize, edge: f32) -> (Vec<f32>, Option<usize>) {
        let middle = self.width as f32 / 2.0;
        let gap = |y: usize| {
            let runs = self.runs(y);
            let between = runs.windows(2).map(|pair| (pair[0].1 as f32, pair[1].0 as f32));
            let middles = between.map(|(from, to)| (from + to) / 2.0);
            middles
                .filter(|x| (*x < middle) == (side == 0))
                .min_by(|a, b| (a - edge).abs().total_cmp(&(b - edge).abs()))
        };
        let from = self.row(0.12);
        let gaps: Vec<Option<f32>> =
            (0..self.height).map(|y| if (from..end_row).contains(&y) { gap(y) } else { None }).collect();
        let lowest = gaps.iter().rev().find_map(|gap| *gap).unwrap_or(edge);
        let mut columns = vec![lowest; self.height];
        let mut last = lowest;
        let mut armpit = None;
        for y in (0..end_row.min(self.height)).rev() {
            if let Some(x) = gaps[y] {
                last = x;
                armpit = Some(y);
            }
            columns[y] = last;
        }
        (columns, armpit)
    }

    /// Whether an enclosed hole lies in the upper half: a handle.
    fn has_handle(&self) -> bool {
        let (width, height) = (self.width as u32, self.height as u32);
        let empty: Vec<bool> = self.solid.iter().map(|on| !on).collect();
        pieces(&empty, width, height).iter().any(|piece| {
            let touches_border = piece.iter().any(|place| {
                let (x, y) = (place % self.width, place / self.width);
                x == 0 || y == 0 || x + 1 == self.width || y + 1 == self.height
            });
            let low = piece.iter().map(|place| place / self.width).max().unwrap_or(0);
            !touches_border && piece.len() * 60 > self.solid.len() && low * 100 < self.height * 65
        })
    }

    /// Whether the top is thin straps: two, or the loops of two.
    fn has_straps(&self) -> bool {
        let runs = self.runs(self.row(0.06));
        (2..=4).contains(&runs.len()) && runs.iter().all(|(first, end)| (end - first) * 8 < self.width)
    }

    /// The row where the middle opens for good towards the bottom.
    fn crotch(&self) -> Option<usize> {
        let opens = |y: usize| {
            let runs = self.runs(y);
            runs.len() == 2 && runs.iter().all(|(first, end)| end - first > self.width / 6)
        };
        let low = self.row(0.9);
        if !opens(low) {
            return None;
        }
        (self.row(0.2)..low).rev().find(|y| !opens(*y)).map(|y| y + 1)
    }
}

/// Measures a cut-out. `hint` is what the words say it is; clear signs in the
/// outline (a handle, two legs, sleeves) outweigh it.
pub(crate) fn measure(picture: &RgbaImage, hint: Option<Kind>) -> Shape {
    let outline = Outline::of(picture);
    let mut shape = Shape {
        kind: hint.unwrap_or(Kind::Upper),
        width: outline.width as f32,
        height: outline.height as f32,
        left: 0.0,
        right: outline.width as f32,
        tip_y: 0.0,
        sleeves: None,
        seams: [Vec::new(), Vec::new()],
        armpit_y: 0.0,
        crotch_y: outline.height as f32,
    };
    let is_hung_low = matches!(hint, Some(Kind::Skirt | Kind::Trousers | Kind::Bag));
    if let Some(crotch) = outline.crotch().filter(|_| hint != Some(Kind::Bag)) {
        shape.kind = Kind::Trousers;
        shape.crotch_y = crotch as f32;
    } else if outline.has_handle() && hint != Some(Kind::Straps) {
        shape.kind = Kind::Bag;
    } else if outline.has_straps() && !is_hung_low {
        shape.kind = Kind::Straps;
    } else if let Some(end) = outline.sleeve_end().or_else(|| outline.parted_sleeves()).filter(|_| !is_hung_low) {
        shape.kind = Kind::Upper;
        return with_sleeves(&outline, shape, end);
    } else if hint.is_none() && widens_steadily(&outline) {
        shape.kind = Kind::Skirt;
    }
    let row = match shape.kind {
        Kind::Straps => 0.3,
        Kind::Upper => 0.4,
        Kind::Skirt | Kind::Trousers => 0.02,
        Kind::Bag => 0.7,
    };
    if let Some((left, right)) = outline.extent(outline.row(row)) {
        (shape.left, shape.right) = (left, right);
    }
    if shape.kind == Kind::Upper {
        let inset = 0.06 * (shape.right - shape.left);
        shape.tip_y = outline.top_of(shape.left + inset).min(outline.top_of(shape.right - inset));
    }
    shape
}

fn widens_steadily(outline: &Outline) -> bool {
    let spans = [0.03, 0.2, 0.4, 0.6, 0.8, 0.97].map(|share| outline.span(share));
    let steady = spans.windows(2).all(|pair| pair[1] > pair[0] * 0.99);
    steady && spans[1] < 0.75 * spans[5] && spans[0] > 0.25 * spans[5]
}

/// Measures the sleeves, given the row below their ends and the trunk's sides
/// there. Gaps between sleeve and trunk, where there are any, know better.
fn with_sleeves(outline: &Outline, mut shape: Shape, end: (usize, f32, f32)) -> Shape {
    let (end_row, left, right) = end;
    let (left_seam, left_gap) = outline.seam(0, end_row, left);
    let (right_seam, right_gap) = outline.seam(1, end_row, right);
    let gap = left_gap.into_iter().chain(right_gap).max();
    let top_row = gap.unwrap_or(end_row).min(outline.height - 1);
    (shape.left, shape.right) = (left_seam[top_row], right_seam[top_row]);
    let span = shape.right - shape.left;
    let inset = 0.03 * span;
    let tips = [outline.top_of(shape.left + inset), outline.top_of(shape.right - inset)];
    shape.tip_y = tips[0].min(tips[1]);
    let drop = 0.10 * span;
    let usual = shape.tip_y + 0.42 * span;
    shape.armpit_y = gap.map_or(usual, |y| y as f32).clamp(shape.tip_y + drop * 2.0, usual * 1.3);
    let rows = end_row.saturating_sub(outline.height / 9)..=end_row.min(outline.height - 1);
    let cuff = |is_sleeve: &dyn Fn(usize, f32) -> bool, side: f32| {
        let (mut sum, mut count, mut lowest) = (0.0, 0.0, *rows.start());
        for y in rows.clone() {
            let row = &outline.solid[y * outline.width..(y + 1) * outline.width];
            for (x, _) in row.iter().enumerate().filter(|(x, on)| **on && is_sleeve(y, *x as f32)) {
                sum += x as f32;
                count += 1.0;
                lowest = y;
            }
        }
        at(if count > 0.0 { sum / count } else { side }, lowest as f32)
    };
    let cuffs = [cuff(&|y, x| x < left_seam[y], shape.left), cuff(&|y, x| x > right_seam[y], shape.right)];
    shape.sleeves =
        Some([(at(shape.left + inset, tips[0] + drop), cuffs[0]), (at(shape.right - inset, tips[1] + drop), cuffs[1])]);
    shape.seams = [left_seam, right_seam];
    shape
}
