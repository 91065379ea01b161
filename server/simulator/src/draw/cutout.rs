use std::collections::VecDeque;

use image::{RgbImage, RgbaImage, imageops};

use super::DrawError;

/// A product lifted off its backdrop: straight (not premultiplied) RGBA,
/// cropped to what is left.
pub(crate) struct Cutout {
    pub picture: RgbaImage,
}

/// Smaller pictures are refused, in pixels.
pub(crate) const LEAST_SIDE: u32 = 32;
const MOST_SIDE: u32 = 1600;
/// How far a backdrop pixel may be from its neighbour, per channel.
const STEP: i32 = 9;
/// How far it may be from the shaded backdrop colour, per channel.
const TINT: f32 = 20.0;
/// How far its hue may be from the backdrop's, as a share of the above.
const MOST_HUE: f32 = 1.25;
/// The darkest a shadow on the backdrop gets.
const DARKEST: f32 = 0.5;
/// Enclosed pieces of backdrop smaller than this share stay.
const LEAST_HOLE: f32 = 0.002;
/// Loose pieces smaller than this share of the whole go.
const LEAST_PIECE: f32 = 0.003;

/// Lifts the product off a plain backdrop: everything that can be reached
/// from the border without a sharp step or a change of hue is backdrop, its
/// soft shadows included, and so are enclosed pieces that look just like it.
pub(crate) fn cut_out(photo: &[u8]) -> Result<Cutout, DrawError> {
    let decoded = image::load_from_memory(photo).map_err(DrawError::input)?;
    let decoded = if decoded.width().max(decoded.height()) > MOST_SIDE {
        decoded.resize(MOST_SIDE, MOST_SIDE, imageops::FilterType::Triangle)
    } else {
        decoded
    };
    let photo = decoded.to_rgb8();
    let (width, height) = photo.dimensions();
    if width < LEAST_SIDE || height < LEAST_SIDE {
        return Err(DrawError::TooSmall);
    }
    let backdrop = backdrop_of(&photo);
    let alpha = soft_edge(&backdrop, width, height);
    let mut picture = RgbaImage::new(width, height);
    for (index, (target, source)) in picture.pixels_mut().zip(photo.pixels()).enumerate() {
        let [r, g, b] = source.0;
        target.0 = [r, g, b, alpha.get(index).copied().unwrap_or(0)];
    }
    crop(&picture)
}

/// Which pixels of a picture are its plain backdrop.
pub(super) fn backdrop_of(photo: &RgbImage) -> Vec<bool> {
    let (width, height) = photo.dimensions();
    let paper = border_colour(photo);
    let mut backdrop = flood(photo, paper);
    add_holes(photo, paper, &mut backdrop);
    drop_crumbs(&mut backdrop, width, height);
    backdrop
}

fn border_colour(photo: &RgbImage) -> [f32; 3] {
    let (width, height) = photo.dimensions();
    let mut channels: [Vec<u8>; 3] = Default::default();
    for (x, y, pixel) in photo.enumerate_pixels() {
        if x < 4 || y < 4 || x + 4 >= width || y + 4 >= height {
            for (channel, value) in channels.iter_mut().zip(pixel.0) {
                channel.push(value);
            }
        }
    }
    channels.map(|mut channel| {
        let middle = channel.len() / 2;
        f32::from(*channel.select_nth_unstable(middle).1)
    })
}

/// Whether a colour is the paper's in some light: as dark as a shadow may be,
/// near the shaded paper in every channel, and of its hue. (Pale green cloth
/// is near shaded cream in every channel, but not in how they differ.)
fn is_paper(pixel: [u8; 3], paper: [f32; 3], tint: f32, darkest: f32) -> bool {
    let light = |c: [f32; 3]| 0.3 * c[0] + 0.59 * c[1] + 0.11 * c[2];
    let hue = |c: [f32; 3]| [c[0] - c[1], c[1] - c[2]];
    let colour = pixel.map(f32::from);
    let shade = light(colour) / light(paper).max(1.0);
    let shaded = paper.map(|value| value * shade);
    let apart: f32 = hue(colour).iter().zip(hue(shaded)).map(|(have, want)| (have - want).abs()).sum();
    (darkest..=1.2).contains(&shade)
        && colour.iter().zip(shaded).all(|(have, want)| (have - want).abs() <= tint)
        && apart <= tint * MOST_HUE
}

fn flood(photo: &RgbImage, paper: [f32; 3]) -> Vec<bool> {
    let (width, height) = photo.dimensions();
    let index = |x: u32, y: u32| (y * width + x) as usize;
    let mut reached = vec![false; (width * height) as usize];
    let mut queue = VecDeque::new();
    for y in 0..height {
        for x in 0..width {
            let is_border = x == 0 || y == 0 || x + 1 == width || y + 1 == height;
            if is_border && is_paper(photo.get_pixel(x, y).0, paper, TINT * 1.5, DARKEST) {
                reached[index(x, y)] = true;
                queue.push_back((x, y));
            }
        }
    }
    while let Some((x, y)) = queue.pop_front() {
        let here = photo.get_pixel(x, y).0;
        for (nx, ny) in neighbours(x, y, width, height) {
            let there = photo.get_pixel(nx, ny).0;
            let step = here.iter().zip(there).map(|(a, b)| (i32::from(*a) - i32::from(b)).abs());
            if !reached[index(nx, ny)] && step.max().unwrap_or(0) <= STEP && is_paper(there, paper, TINT, DARKEST) {
                reached[index(nx, ny)] = true;
                queue.push_back((nx, ny));
            }
        }
    }
    reached
}

fn neighbours(x: u32, y: u32, width: u32, height: u32) -> impl Iterator<Item = (u32, u32)> {
    let around = [(x.wrapping_sub(1), y), (x + 1, y), (x, y.wrapping_sub(1)), (x, y + 1)];
    around.into_iter().filter(move |(x, y)| *x < width && *y < height)
}

/// Adds enclosed pieces of paper, as in the handle of a bag.
fn add_holes(photo: &RgbImage, paper: [f32; 3], backdrop: &mut [bool]) {
    let (width, height) = photo.dimensions();
    let candidates: Vec<bool> = photo
        .pixels()
        .zip(backdrop.iter())
        .map(|(pixel, reached)| !reached && is_paper(pixel.0, paper, TINT * 0.5, 0.8))
        .collect();
    let least = (LEAST_HOLE * (width * height) as f32) as usize;
    for piece in pieces(&candidates, width, height) {
        if piece.len() >= least {
            for place in piece {
                backdrop[place] = true;
            }
        }
    }
}

/// Turns loose crumbs of foreground into backdrop.
fn drop_crumbs(backdrop: &mut [bool], width: u32, height: u32) {
    let foreground: Vec<bool> = backdrop.iter().map(|reached| !reached).collect();
    let whole = foreground.iter().filter(|on| **on).count();
    for piece in pieces(&foreground, width, height) {
        if (piece.len() as f32) < LEAST_PIECE * whole as f32 {
            for place in piece {
                backdrop[place] = true;
            }
        }
    }
}

/// The connected pieces of a mask, as lists of places.
pub(crate) fn pieces(mask: &[bool], width: u32, height: u32) -> Vec<Vec<usize>> {
    let mut seen = vec![false; mask.len()];
    let mut found = Vec::new();
    for start in 0..mask.len() {
        if !mask[start] || seen[start] {
            continue;
        }
        seen[start] = true;
        let mut piece = vec![start];
        let mut next = 0;
        while let Some(place) = piece.get(next).copied() {
            next += 1;
            let (x, y) = (place as u32 % width, place as u32 / width);
            for (nx, ny) in neighbours(x, y, width, height) {
                let there = (ny * width + nx) as usize;
                if mask[there] && !seen[there] {
                    seen[there] = true;
                    piece.push(there);
                }
            }
        }
        found.push(piece);
    }
    found
}

/// Opacity from the mask: one pixel in from the edge, so that no backdrop
/// shines through, and soft over three.
fn soft_edge(backdrop: &[bool], width: u32, height: u32) -> Vec<u8> {
    let (w, h) = (width as usize, height as usize);
    let mut inner = vec![0_u16; w * h];
    for y in 1..h.saturating_sub(1) {
        for x in 1..w.saturating_sub(1) {
            let clear = (y - 1..=y + 1).all(|y| (x - 1..=x + 1).all(|x| !backdrop[y * w + x]));
            inner[y * w + x] = u16::from(clear);
        }
    }
    let mut alpha = vec![0_u8; w * h];
    for y in 1..h.saturating_sub(1) {
        for x in 1..w.saturating_sub(1) {
            let sum: u16 =
                (y - 1..=y + 1).flat_map(|y| (x - 1..=x + 1).map(move |x| (x, y))).map(|(x, y)| inner[y * w + x]).sum();
            alpha[y * w + x] = u8::try_from(sum * 255 / 9).unwrap_or(255);
        }
    }
    alpha
}

fn crop(picture: &RgbaImage) -> Result<Cutout, DrawError> {
    let (mut left, mut top, mut right, mut bottom) = (u32::MAX, u32::MAX, 0, 0);
    for (x, y, pixel) in picture.enumerate_pixels() {
        if pixel.0[3] > 40 {
            left = left.min(x);
            top = top.min(y);
            right = right.max(x);
            bottom = bottom.max(y);
        }
    }
    if left >= right || top >= bottom {
        // Nothing stands out: the photo fills its frame, so take all of it.
        let mut whole = picture.clone();
        for pixel in whole.pixels_mut() {
            pixel.0[3] = 255;
        }
        return Ok(Cutout { picture: whole });
    }
    let view = imageops::crop_imm(picture, left, top, right - left + 1, bottom - top + 1);
    Ok(Cutout { picture: view.to_image() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pale_cloth_is_not_taken_for_a_shadow_on_the_paper() {
        let paper = [240.0, 232.0, 220.0];
        assert!(is_paper([236, 228, 216], paper, TINT, DARKEST));
        assert!(is_paper([180, 165, 148], paper, TINT, DARKEST), "a warm shadow");
        assert!(is_paper([168, 162, 154], paper, TINT, DARKEST), "a grey shadow");
        assert!(!is_paper([160, 175, 140], paper, TINT, DARKEST), "sage");
        assert!(!is_paper([143, 156, 125], paper, TINT, DARKEST), "sage in the shade");
    }
}
