#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashSet;

use image::imageops::FilterType;
use image::{DynamicImage, ImageFormat, RgbImage};

use super::catalogue::{Category, Crop, CropError};
use super::drawing::draw;
use super::photo::DemoError;
use super::*;

/// Farther than this from the backdrop (sum over the channels) is garment; all but the rim of the shadow is nearer.
const GARMENT_DISTANCE: u32 = 90;

fn distance(a: [u8; 3], b: [u8; 3]) -> u32 {
    a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(b))).sum()
}

/// Wide enough to measure a garment, and much quicker than a photo.
const SKETCH_WIDTH: u32 = 240;

/// A photo, shrunk to a sketch.
fn sketch(product: &DemoProduct, view: View) -> RgbImage {
    let photo = photo(product, view).unwrap();
    let picture = image::load_from_memory_with_format(photo.bytes, ImageFormat::Jpeg).unwrap();
    assert_eq!((picture.width(), picture.height()), (1200, 1600), "{} {view:?}", product.slug);
    picture.resize_exact(SKETCH_WIDTH, SKETCH_WIDTH * 4 / 3, FilterType::Triangle).into_rgb8()
}

/// Encoding and shrinking alone bring a photo up to 1.4 away from its drawing, and its worst cell up to 5.4.
const MEAN_LIMIT: f64 = 3.0;
/// See [`MEAN_LIMIT`].
const WORST_LIMIT: f64 = 8.0;

/// How far two sketches are apart: the mean over the picture, and the worst cell of a 12 x 16 grid. Both are means of
/// the difference per channel, 0 to 255.
fn compare(a: RgbImage, b: RgbImage) -> (f64, f64) {
    let cells = |picture| DynamicImage::ImageRgb8(picture).resize_exact(12, 16, FilterType::Triangle).into_rgb8();
    let (a, b) = (cells(a), cells(b));
    let apart: Vec<f64> = a.pixels().zip(b.pixels()).map(|(a, b)| f64::from(distance(a.0, b.0)) / 3.0).collect();
    (apart.iter().sum::<f64>() / apart.len() as f64, apart.iter().copied().fold(0.0, f64::max))
}

/// The share of the picture that is garment, and its mean colour.
fn measure_garment(picture: &RgbImage) -> (f64, [u8; 3]) {
    let backdrop = picture.get_pixel(4, 4).0;
    let mut sum = [0_u64; 3];
    let mut count = 0_u64;
    for pixel in picture.pixels() {
        if distance(pixel.0, backdrop) > GARMENT_DISTANCE {
            count += 1;
            for (sum, value) in sum.iter_mut().zip(pixel.0) {
                *sum += u64::from(value);
            }
        }
    }
    let all = u64::from(picture.width()) * u64::from(picture.height());
    let mean = sum.map(|sum| u8::try_from(sum / count.max(1)).unwrap());
    (count as f64 / all as f64, mean)
}

#[test]
fn every_product_says_what_it_is() {
    let products = products().unwrap();
    assert!(products.len() >= 12, "{} products", products.len());
    let (mut slugs, mut skus, mut colors) = (HashSet::new(), HashSet::new(), HashSet::new());
    for product in &products {
        let slug = &product.slug;
        assert!(slug.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{slug}");
        assert!(slugs.insert(slug), "{slug} twice");
        assert!(skus.insert(&product.sku), "{} twice", product.sku);
        assert!(colors.insert(&product.color_en), "{} twice", product.color_en);
        for korean in [&product.name_ko, &product.color_ko, &product.description_ko] {
            assert!(korean.chars().any(|c| ('가'..='힣').contains(&c)), "{slug}: {korean}");
        }
        for english in [&product.name_en, &product.color_en, &product.description_en] {
            assert!(!english.trim().is_empty() && english.is_ascii(), "{slug}: {english}");
        }
        assert!(product.price_krw > 0 && product.price_usd_cents > 0, "{slug}");
        assert_eq!(product.price_krw % 1000, 0, "{slug}");
    }
}

#[test]
fn the_shop_has_something_of_every_kind() {
    let words: HashSet<_> = products().unwrap().iter().map(|p| p.category.word()).collect();
    for word in ["shirt", "knit", "jacket", "coat", "dress", "skirt", "trousers", "bag"] {
        assert!(words.contains(word), "no {word}");
    }
}

#[test]
fn a_category_is_written_as_its_word() {
    for product in products().unwrap() {
        let text = format!("category = \"{}\"", product.category.word());
        let table: std::collections::HashMap<String, Category> = toml::from_str(&text).unwrap();
        assert_eq!(table["category"], product.category);
    }
}

#[test]
fn every_garment_stands_clear_of_its_backdrop() {
    let mut means: Vec<(String, [u8; 3])> = Vec::new();
    for product in products().unwrap() {
        let slug = &product.slug;
        let picture = sketch(&product, View::Whole);
        let backdrop = picture.get_pixel(4, 4).0;
        let (width, height) = picture.dimensions();
        for (x, y, pixel) in picture.enumerate_pixels() {
            if x < 8 || y < 12 || x >= width - 8 || y >= height - 12 {
                let away = distance(pixel.0, backdrop);
                assert!(away < 40, "{slug}: {away} from the backdrop at {x}, {y}");
            }
        }

        let (share, mean) = measure_garment(&picture);
        assert!((0.15..0.65).contains(&share), "{slug} covers {share:.2}");
        assert!(distance(mean, backdrop) > 120, "{slug}: {mean:?} is too near {backdrop:?}");
        for (other, theirs) in &means {
            assert!(distance(mean, *theirs) > 12, "{slug} and {other} look alike: {mean:?}");
        }
        means.push((slug.clone(), mean));
    }
}

#[test]
fn a_close_up_is_mostly_garment() {
    for product in products().unwrap() {
        let picture = sketch(&product, View::Detail);
        let paper = [0xec, 0xe4, 0xd6];
        let garment = picture.pixels().filter(|pixel| distance(pixel.0, paper) > GARMENT_DISTANCE).count();
        let share = garment as f64 / f64::from(picture.width() * picture.height());
        assert!(share > 0.35, "{} covers {share:.2} of its close-up", product.slug);
    }
}

#[test]
fn every_photo_still_shows_its_drawing() {
    for product in products().unwrap() {
        for (view, crop) in [(View::Whole, Crop::WHOLE), (View::Detail, product.detail)] {
            let drawing = draw(&product.slug, crop, SKETCH_WIDTH).unwrap();
            let (mean, worst) = compare(sketch(&product, view), drawing);
            assert!(
                mean < MEAN_LIMIT && worst < WORST_LIMIT,
                "{} {view:?}: draw it anew ({mean:.1}, {worst:.1})",
                product.slug
            );
        }
    }
}

#[test]
fn a_product_without_photos_is_told() {
    let mut product = products().unwrap().remove(0);
    product.slug = "no-such-thing".to_owned();
    let error = photo(&product, View::Whole).unwrap_err();
    assert_eq!(error, DemoError::NoPhoto("no-such-thing".to_owned()));
}

#[test]
fn a_crop_is_three_to_four_and_inside() {
    let parse = |text: &str| Crop::try_from(text.to_owned());
    let crop = parse("390 230 480 640").unwrap();
    assert_eq!((crop.x, crop.y, crop.width, crop.height), (390, 230, 480, 640));
    assert_eq!(parse("0 0 1200 1600").unwrap(), Crop::WHOLE);
    assert!(matches!(parse("390 230 480"), Err(CropError::NotFourNumbers(_))));
    assert!(matches!(parse("-1 0 480 640"), Err(CropError::NotFourNumbers(_))));
    assert!(matches!(parse("0 0 480 480"), Err(CropError::NotThreeToFour(_))));
    assert!(matches!(parse("0 0 0 0"), Err(CropError::NotThreeToFour(_))));
    assert!(matches!(parse("721 0 480 640"), Err(CropError::Outside(_))));
    assert!(matches!(parse("0 65000 480 640"), Err(CropError::Outside(_))));
}
