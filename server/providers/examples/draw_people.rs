//! Draws the people of try-on models anew, as `assets/people/README.md` describes.

use std::{error::Error, io::Write as _, path::Path};

use image::{RgbImage, codecs::jpeg::JpegEncoder};
use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{Options, Tree},
};

/// Pixels across; 4/3 of that down.
const WIDTH: u32 = 1200;
const HEIGHT: u32 = 1600;
const QUALITY: u8 = 90;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/people");
    for name in ["female", "male"] {
        let picture = draw(&std::fs::read(folder.join(name).with_extension("svg"))?)?;
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, QUALITY).encode_image(&picture)?;
        let path = folder.join(name).with_extension("jpg");
        std::fs::write(&path, &bytes)?;
        writeln!(std::io::stdout(), "{} ({} bytes)", path.display(), bytes.len())?;
    }
    Ok(())
}

fn draw(svg: &[u8]) -> Result<RgbImage, Box<dyn Error>> {
    let tree = Tree::from_data(svg, &Options::default())?;
    let mut canvas = Pixmap::new(WIDTH, HEIGHT).ok_or("no canvas")?;
    resvg::render(&tree, Transform::identity(), &mut canvas.as_mut());
    // The wall is opaque, so the premultiplied colours are the colours.
    let pixels =
        canvas.data().as_chunks::<4>().0.iter().flat_map(|&[red, green, blue, _]| [red, green, blue]).collect();
    RgbImage::from_raw(WIDTH, HEIGHT, pixels).ok_or_else(|| "fewer pixels than the canvas has".into())
}
