//! How a picture of one shape comes into another: sizes only, never larger than they were, always even.

use domain::export::{Fit, Shape};

/// The short side of an export at the most.
const SHORT_SIDE: u32 = 1080;

/// The size of an export of a clip of this size.
pub(crate) fn target(source: (u32, u32), shape: Shape, fit: Fit) -> (u32, u32) {
    let (wide, tall) = shape.ratio();
    let (width, height) = (u64::from(source.0.max(2)), u64::from(source.1.max(2)));
    let (wide, tall) = (u64::from(wide), u64::from(tall));
    let is_wider = width * tall > height * wide;
    // Cut, the shape lies in the picture; shown whole, the picture lies in the shape.
    let (width, height) = match (is_wider, fit) {
        (true, Fit::Crop) | (false, Fit::Blur) => (height * wide / tall, height),
        (false, Fit::Crop) | (true, Fit::Blur) => (width, width * tall / wide),
    };
    let side = |side: u64| even(u32::try_from(side).unwrap_or(u32::MAX));
    let most = u64::from(SHORT_SIDE);
    if width.min(height) <= most {
        return (side(width), side(height));
    }
    // The shape itself, exactly.
    if wide >= tall { (side(most * wide / tall), SHORT_SIDE) } else { (SHORT_SIDE, side(most * tall / wide)) }
}

/// The size at which a picture just covers a frame.
pub(crate) fn covering(source: (u32, u32), frame: (u32, u32)) -> (u32, u32) {
    let (width, height) = (u64::from(source.0.max(1)), u64::from(source.1.max(1)));
    let (to_width, to_height) = (u64::from(frame.0), u64::from(frame.1));
    let up = |side: u64| u32::try_from(side.div_ceil(2) * 2).unwrap_or(u32::MAX);
    if to_width * height >= to_height * width {
        (frame.0, up((height * to_width).div_ceil(width)).max(frame.1))
    } else {
        (up((width * to_height).div_ceil(height)).max(frame.0), frame.1)
    }
}

/// The size at which all of a picture is inside a frame.
pub(crate) fn inside(source: (u32, u32), frame: (u32, u32)) -> (u32, u32) {
    let (width, height) = (u64::from(source.0.max(1)), u64::from(source.1.max(1)));
    let (to_width, to_height) = (u64::from(frame.0), u64::from(frame.1));
    let down = |side: u64| even(u32::try_from(side).unwrap_or(u32::MAX));
    if to_width * height <= to_height * width {
        (frame.0, down(height * to_width / width))
    } else {
        (down(width * to_height / height), frame.1)
    }
}

/// Where a part of `kept` pixels begins so that a point at so many percent of the whole lies in its middle, as far as the
/// whole reaches.
pub(crate) fn around(whole: u32, kept: u32, percent: u8) -> u32 {
    let point = u64::from(whole) * u64::from(percent.min(100)) / 100;
    let from = u32::try_from(point.saturating_sub(u64::from(kept / 2))).unwrap_or(u32::MAX);
    from.min(whole.saturating_sub(kept)) & !1
}

const fn even(side: u32) -> u32 {
    if side < 2 { 2 } else { side & !1 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_phones_clip_in_every_shape() {
        let cut = |shape| target((720, 1280), shape, Fit::Crop);
        assert_eq!(cut(Shape::Square), (720, 720));
        assert_eq!(cut(Shape::Feed), (720, 900));
        assert_eq!(cut(Shape::Story), (720, 1280));
        assert_eq!(cut(Shape::Wide), (720, 404));
        let whole = |shape| target((720, 1280), shape, Fit::Blur);
        assert_eq!(whole(Shape::Square), (1080, 1080));
        assert_eq!(whole(Shape::Wide), (1920, 1080));
        assert_eq!(inside((720, 1280), (1920, 1080)), (606, 1080));
        assert_eq!(covering((720, 1280), (720, 720)), (720, 1280));
    }

    #[test]
    fn the_focus_is_kept_as_far_as_the_picture_reaches() {
        assert_eq!([0, 50, 100].map(|percent| around(1280, 720, percent)), [0, 280, 560]);
        assert_eq!(around(1280, 720, 33), 62);
        assert_eq!(around(720, 720, 100), 0);
    }

    proptest! {
        #[test]
        fn never_odd_never_scaled_up_always_inside(
            width in 64_u32..=4096, height in 64_u32..=4096, shape in 0_usize..4, blur in any::<bool>(), percent in 0_u8..=100,
        ) {
            let (shape, fit) = (Shape::ALL[shape], if blur { Fit::Blur } else { Fit::Crop });
            let (to_width, to_height) = target((width, height), shape, fit);
            prop_assert!(to_width % 2 == 0 && to_height % 2 == 0 && to_width.min(to_height) <= SHORT_SIDE);
            let (wide, tall) = shape.ratio();
            // Within a step of two pixels on each side of the exact shape.
            let exact = f64::from(to_height) * f64::from(wide) / f64::from(tall);
            prop_assert!((f64::from(to_width) - exact).abs() <= 2.0 + 2.0 * f64::from(wide) / f64::from(tall));
            let (cover_width, cover_height) = covering((width, height), (to_width, to_height));
            prop_assert!(cover_width >= to_width && cover_height >= to_height);
            let (fit_width, fit_height) = inside((width, height), (to_width, to_height));
            prop_assert!(fit_width <= to_width && fit_height <= to_height);
            if blur {
                prop_assert!(fit_width <= width + 1 && fit_height <= height + 1);
            } else {
                prop_assert!(cover_width <= width + 3 && cover_height <= height + 3);
            }
            prop_assert!(around(cover_width, to_width, percent) + to_width <= cover_width);
        }
    }
}
