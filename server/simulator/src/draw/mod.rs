//! The pictures: a product photo becomes a still of a figure wearing it, two
//! stills become a clip that moves from one pose to the other.
//!
//! A garment is lifted off its backdrop ([`cutout`]), measured ([`shape`]),
//! fitted on a resting figure ([`garment`]) and bent with the figure's bones
//! ([`body`], [`mesh`]), so that its own pixels are what is seen.

mod artist;
mod body;
mod cutout;
mod figure;
mod film;
mod garment;
mod geometry;
mod head;
mod look;
mod mesh;
mod motion;
mod path;
mod pose;
mod scene;
mod shape;
mod words;

use std::fmt::Display;

use bytes::Bytes;

pub(crate) use artist::Artist;

/// A still to be drawn.
#[derive(Clone, Debug)]
pub(crate) struct StillOrder {
    /// The pictures that came with the prompt, in order; one is the product.
    pub photos: Vec<Bytes>,
    pub prompt: String,
    /// As in `3:4`; the photo's usual 3:4 when absent.
    pub aspect_ratio: Option<String>,
    /// 1K, 2K or 4K.
    pub size: String,
}

/// A clip to be filmed.
#[derive(Clone, Debug)]
pub(crate) struct ClipOrder {
    pub stills: Vec<Bytes>,
    /// Seconds from each still to the next.
    pub seconds: Vec<u64>,
    /// Short side 1080 pixels instead of 720.
    pub full_hd: bool,
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DrawError {
    /// What came in is no picture one can work from.
    #[error("the picture cannot be used: {0}")]
    Input(String),
    /// Something here failed.
    #[error("the studio failed: {0}")]
    Studio(String),
}

impl DrawError {
    pub(crate) fn input(cause: impl Display) -> Self {
        Self::Input(cause.to_string())
    }

    pub(crate) fn studio(cause: impl Display) -> Self {
        Self::Studio(cause.to_string())
    }

    /// Whether the caller's picture is to blame.
    pub(crate) fn is_input(&self) -> bool {
        matches!(self, Self::Input(_))
    }
}

#[cfg(test)]
mod lookbook {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    #[ignore]
    fn draw_all() {
        let out = std::path::PathBuf::from(std::env::var("LOOKBOOK").unwrap());
        let only = std::env::var("ONLY").ok();
        let state = tempfile::tempdir().unwrap();
        let artist = Artist::open(state.path(), "ffmpeg".into(), 1).unwrap();
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/catalogue");
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|e| e != "svg") {
                continue;
            }
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            if only.as_ref().is_some_and(|o| !name.contains(o.as_str())) {
                continue;
            }
            let photo_path = out.join(format!("{name}.photo.png"));
            if !photo_path.exists() {
                let opt = resvg::usvg::Options::default();
                let Ok(tree) = resvg::usvg::Tree::from_data(&std::fs::read(&path).unwrap(), &opt) else { continue };
                let mut pm = resvg::tiny_skia::Pixmap::new(1200, 1600).unwrap();
                resvg::render(&tree, Default::default(), &mut pm.as_mut());
                pm.save_png(&photo_path).unwrap();
            }
            let photo = Bytes::from(std::fs::read(&photo_path).unwrap());
            let person = if name.contains("jacket")
                || name.contains("hoodie")
                || name.contains("oxford")
                || name.contains("vest")
            {
                "male"
            } else {
                "female"
            };
            let mut stills = vec![];
            for pose in ["pose A", "pose B"] {
                let t = std::time::Instant::now();
                let still = artist
                    .draw_still(&StillOrder {
                        photos: vec![photo.clone()],
                        prompt: format!("{person} model, {pose}"),
                        aspect_ratio: std::env::var("RATIO").ok(),
                        size: "1K".into(),
                    })
                    .unwrap();
                eprintln!("{name} {pose} {:?}", t.elapsed());
                std::fs::write(out.join(format!("{name}.{}.jpg", &pose[5..])), &still).unwrap();
                stills.push(still);
            }
            if std::env::var("CLIP").is_ok() {
                let t = std::time::Instant::now();
                let clip = artist.film_clip(&ClipOrder { stills, seconds: vec![4], full_hd: false }).unwrap();
                eprintln!("{name} clip {:?} {} bytes", t.elapsed(), clip.len());
                std::fs::write(out.join(format!("{name}.mp4")), &clip).unwrap();
            }
        }
    }
}
