use image::RgbImage;

use super::geometry::smooth;

/// How much nearer a slow camera comes, at usual motion.
const ZOOM: f32 = 0.075;
/// How long one sway takes, in seconds.
const SWAY_SECONDS: f32 = 2.6;

/// One frame of a clip made from a single picture: the camera comes slowly
/// nearer and aside while the upper part sways a little, as somebody does who
/// stands still. The first frame is the picture. `seed` decides which way.
pub(super) fn look_around(picture: &RgbImage, time: f32, total: f32, motion: f32, seed: u64) -> Vec<u8> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let share = (time / total.max(0.1)).clamp(0.0, 1.0);
    let ease = (share + smooth(0.0, 1.0, share)) / 2.0;
    let zoom = 1.0 + ZOOM * motion.clamp(0.05, 2.0) * ease;
    let (middle_x, middle_y) = (width as f32 / 2.0, height as f32 / 2.0);
    // What the zoom leaves over on each side is the room there is to move in.
    let (room_x, room_y) = (middle_x * (1.0 - 1.0 / zoom), middle_y * (1.0 - 1.0 / zoom));
    let way = if seed.is_multiple_of(2) { 1.0 } else { -1.0 };
    let source = picture.as_raw();
    let stride = width * 3;
    let mut frame = Vec::with_capacity(source.len());
    for y in 0..height {
        let row = (y as f32 + 0.5 - middle_y) / zoom + middle_y - room_y * 0.4 - 0.5;
        let (row, down) = split(row, height);
        let upright = 1.0 - y as f32 / height as f32;
        let phase = time / SWAY_SECONDS * std::f32::consts::TAU + upright * 1.6;
        let sway = 0.4 * room_x * upright * phase.sin();
        let start = (0.5 - middle_x) / zoom + middle_x + way * 0.55 * room_x + sway - 0.5;
        let (upper, lower) = (&source[row * stride..], &source[(row + 1) * stride..]);
        for x in 0..width {
            let (column, right) = split(start + x as f32 / zoom, width);
            let at = column * 3;
            for channel in at..at + 3 {
                let mixed =
                    |from: &[u8]| u32::from(from[channel]) * (256 - right) + u32::from(from[channel + 3]) * right;
                let sum = mixed(upper) * (256 - down) + mixed(lower) * down;
                frame.push(u8::try_from((sum + 32_768) >> 16).unwrap_or(255));
            }
        }
    }
    frame
}

/// A place between two pixels: the first, and how much of the second, of 256.
fn split(place: f32, length: usize) -> (usize, u32) {
    let last = length.saturating_sub(1) as f32;
    let place = place.clamp(0.0, last);
    let whole = place.floor().min(last - 1.0).max(0.0);
    (whole as usize, ((place - whole) * 256.0).round() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_frame_is_the_picture_and_the_last_is_not() {
        let picture = RgbImage::from_fn(60, 80, |x, y| image::Rgb([(x * 4) as u8, (y * 3) as u8, ((x ^ y) * 2) as u8]));
        assert_eq!(&look_around(&picture, 0.0, 1.0, 1.0, 0), picture.as_raw());
        let last = look_around(&picture, 1.0, 1.0, 1.0, 0);
        assert_ne!(&last, picture.as_raw());
        assert_ne!(last, look_around(&picture, 1.0, 1.0, 1.0, 1));
        assert_eq!(last.len(), picture.as_raw().len());
    }
}
