//! Whether pictures show the colour of the product: how far the main colour of its photo is from the nearest colour of each.
//! A help for who looks, no judgement: light changes colours as well.

use image::{DynamicImage, imageops::FilterType};
use palette::{IntoColor as _, Lab, Srgb, color_difference::Ciede2000 as _};

use crate::{Error, picture};

/// Pictures are looked at in this size: colours, not threads.
const SIDE: u32 = 64;
/// Colours a picture is taken apart into.
const COLOURS: usize = 8;
/// Rounds of taking apart; it settles earlier.
const ROUNDS: usize = 12;
/// A colour on less than so much of a picture, in percent, is a detail.
const LEAST_PERCENT: usize = 4;
/// What is closer to the rim of a product photo than this (CIEDE2000) is its background.
const BACKGROUND: f32 = 10.0;
/// Pictures side by side in a strip are looked at one by one, at most so many.
const TILES_MAX: u32 = 16;

/// How far the nearest colour of each still, and of the middle one of the frames in a strip of `tiles` side by side, is from
/// the main colour of the photo: CIEDE2000 in hundredths. The photo and stills are JPEG, PNG or WebP within the limits of
/// pictures. Runs on a blocking thread.
///
/// # Errors
/// As [`crate::sniff_image`] for any of them.
pub async fn colour_distances(
    photo: Vec<u8>,
    stills: Vec<Vec<u8>>,
    strip: Vec<u8>,
    tiles: u32,
) -> Result<(Vec<u32>, u32), Error> {
    let measured = tokio::task::spawn_blocking(move || measure(&photo, &stills, &strip, tiles)).await;
    measured.map_err(|error| Error::Disk(std::io::Error::other(error)))?
}

fn measure(photo: &[u8], stills: &[Vec<u8>], strip: &[u8], tiles: u32) -> Result<(Vec<u32>, u32), Error> {
    let main = main_colour(&picture::decode(photo)?);
    let distance = |picture: &DynamicImage| nearest(main, &small(picture));
    let stills =
        stills.iter().map(|still| Ok(distance(&picture::decode(still)?))).collect::<Result<Vec<_>, Error>>()?;
    let strip = picture::decode(strip)?;
    let tiles = tiles.clamp(1, TILES_MAX);
    let width = strip.width() / tiles;
    let mut frames: Vec<u32> =
        (0..tiles).map(|tile| distance(&strip.crop_imm(tile * width, 0, width.max(1), strip.height()))).collect();
    frames.sort_unstable();
    let middle = frames.get(frames.len() / 2).copied().unwrap_or_default();
    Ok((stills, middle))
}

/// The colours of a picture in small, row by row.
fn small(picture: &DynamicImage) -> Vec<Lab> {
    let small = picture.resize_exact(SIDE, SIDE, FilterType::Triangle).into_rgb8();
    small.pixels().map(|pixel| lab(pixel.0)).collect()
}

fn lab([red, green, blue]: [u8; 3]) -> Lab {
    Srgb::new(red, green, blue).into_format::<f32>().into_color()
}

/// The colour most of a product photo has, its background left out where there is one.
fn main_colour(photo: &DynamicImage) -> Lab {
    let pixels = small(photo);
    let side = SIDE as usize;
    let is_rim = |at: usize| at < side || at >= side * (side - 1) || at.is_multiple_of(side) || at % side == side - 1;
    let rim: Vec<Lab> = pixels.iter().enumerate().filter(|(at, _)| is_rim(*at)).map(|(_, colour)| *colour).collect();
    let background = largest(&rim).unwrap_or_default();
    let product: Vec<Lab> =
        pixels.iter().copied().filter(|colour| background.difference(*colour) > BACKGROUND).collect();
    let is_there = product.len() * 100 >= pixels.len() * LEAST_PERCENT;
    largest(if is_there { &product } else { &pixels }).unwrap_or_default()
}

/// How far a colour is from the nearest one that covers a part of a picture that matters, in hundredths.
fn nearest(colour: Lab, pixels: &[Lab]) -> u32 {
    let least = pixels.len() * LEAST_PERCENT / 100;
    let there = apart(pixels).into_iter().filter(|(_, count)| *count > least);
    let distance = there.map(|(found, _)| colour.difference(found)).fold(f32::INFINITY, f32::min);
    if distance.is_finite() { hundredths(distance) } else { 0 }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // CIEDE2000 is not negative, and is cut off above
fn hundredths(distance: f32) -> u32 {
    (distance * 100.0).round().clamp(0.0, 20_000.0) as u32
}

/// The colour most of these have.
fn largest(pixels: &[Lab]) -> Option<Lab> {
    apart(pixels).into_iter().max_by_key(|(_, count)| *count).map(|(colour, _)| colour)
}

/// The colours these are made of, each with how many are of it: k-means, begun at even steps of lightness so that the same
/// picture always gives the same.
fn apart(pixels: &[Lab]) -> Vec<(Lab, usize)> {
    let mut by_light = pixels.to_vec();
    by_light.sort_by(|one, other| one.l.total_cmp(&other.l));
    let begin = |number: usize| by_light.get((2 * number + 1) * by_light.len() / (2 * COLOURS)).copied();
    let mut centres: Vec<Lab> = (0..COLOURS).filter_map(begin).collect();
    let mut counts = vec![0; centres.len()];
    for _ in 0..ROUNDS {
        let mut sums = vec![(0.0_f32, 0.0_f32, 0.0_f32); centres.len()];
        counts = vec![0; centres.len()];
        for pixel in pixels {
            let of = |(_, centre): &(usize, &Lab)| squared(**centre, *pixel);
            let closest = centres.iter().enumerate().min_by(|one, other| of(one).total_cmp(&of(other)));
            let Some((number, _)) = closest else { continue };
            if let (Some(sum), Some(count)) = (sums.get_mut(number), counts.get_mut(number)) {
                *sum = (sum.0 + pixel.l, sum.1 + pixel.a, sum.2 + pixel.b);
                *count += 1;
            }
        }
        let mut moved = 0.0_f32;
        for ((centre, (l, a, b)), count) in centres.iter_mut().zip(sums).zip(&counts) {
            if *count > 0 {
                #[allow(clippy::cast_precision_loss)] // at most 4096
                let of = *count as f32;
                let next = Lab::new(l / of, a / of, b / of);
                moved = moved.max(squared(*centre, next));
                *centre = next;
            }
        }
        if moved < 0.01 {
            break;
        }
    }
    centres.into_iter().zip(counts).collect()
}

fn squared(one: Lab, other: Lab) -> f32 {
    (one.l - other.l).powi(2) + (one.a - other.a).powi(2) + (one.b - other.b).powi(2)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use image::{ImageFormat, Rgb, RgbImage};

    use super::*;

    /// A coat of a colour on a background; `x` is where it stands.
    fn coat(width: u32, x: u32, colour: [u8; 3], background: [u8; 3]) -> RgbImage {
        RgbImage::from_fn(width, 160, |at, y| {
            let is_coat = (x..x + 60).contains(&at) && (20..150).contains(&y);
            Rgb(if is_coat { colour } else { background })
        })
    }

    fn png(picture: RgbImage) -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    const CAMEL: [u8; 3] = [176, 130, 70];
    const WHITE: [u8; 3] = [244, 243, 240];
    const STREET: [u8; 3] = [90, 96, 104];

    #[tokio::test]
    async fn the_same_coat_elsewhere_is_near_and_another_colour_is_far() {
        let photo = png(coat(120, 30, CAMEL, WHITE));
        let same = png(coat(120, 50, [172, 128, 72], STREET));
        let other = png(coat(120, 30, [40, 70, 140], STREET));
        let strip = png(RgbImage::from_fn(360, 160, |x, y| {
            let tile = x / 120;
            *coat(120, 10 + 20 * tile, if tile == 2 { STREET } else { CAMEL }, STREET).get_pixel(x % 120, y)
        }));
        let (stills, clip) = colour_distances(photo, vec![same, other], strip, 3).await.unwrap();
        assert!(stills[0] < 300, "hardly seen: {stills:?}");
        assert!(stills[1] > 2_000, "another colour: {stills:?}");
        assert!(clip < 300, "one frame of three without it is not the middle one: {clip}");
    }

    #[tokio::test]
    async fn a_white_coat_on_white_is_still_compared() {
        let photo = png(coat(120, 30, [250, 250, 250], [255, 255, 255]));
        let (stills, _) = colour_distances(
            photo.clone(),
            vec![png(coat(120, 30, [248, 248, 248], STREET)), png(coat(120, 30, [20, 20, 20], STREET))],
            photo,
            1,
        )
        .await
        .unwrap();
        assert!(stills[0] < 300 && stills[1] > 2_000, "{stills:?}");
    }

    #[tokio::test]
    async fn what_is_no_picture_is_an_error() {
        let photo = png(coat(120, 30, CAMEL, WHITE));
        assert!(colour_distances(b"no picture".to_vec(), vec![], photo.clone(), 1).await.is_err());
        assert!(colour_distances(photo.clone(), vec![photo], vec![], 1).await.is_err());
    }
}
