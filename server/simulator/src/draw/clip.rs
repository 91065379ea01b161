//! Clips: through stills of ours by moving the figure, through others by
//! fading, out of a single one by breathing or by a slow camera.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use image::RgbImage;
use resvg::tiny_skia::{FilterQuality, Pixmap, PixmapPaint, Transform};
use uuid::Uuid;

use super::artist::{Artist, EDITION, Recipe, digest};
use super::camera::look_around;
use super::film::{Reel, encode};
use super::geometry::{mix, smooth};
use super::motion::{breathing, moment};
use super::picture::{canvas_of, covering, crop_middle, fill_frame, picture_of, read_picture};
use super::pose::Pose;
use super::scene::{Drift, Scene};
use super::{ClipOrder, DrawError, Drawn, Frame};

/// Nothing is drawn with a short side above this: the encoder enlarges it.
const MOST_DRAWN: u32 = 1080;
const MOST_SIDE: u32 = 4096;

impl Artist {
    /// Films a clip through the stills, as MP4. Blocks for as long as that takes.
    pub(crate) fn film_clip(&self, order: &ClipOrder) -> Result<Drawn, DrawError> {
        let first = order.stills.first().ok_or_else(|| DrawError::input("no stills"))?;
        let reel = reel_of(order, read_picture(first)?.dimensions());
        let names: Vec<String> = order.stills.iter().map(|still| digest(still)).collect();
        let facts = format!("{EDITION} {} {names:?} {:?} {}", self.seed, order.plan, order.seed);
        let path = self.folder.join("clips").join(format!("{}.mp4", digest(facts.as_bytes())));
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(_) => self.film_anew(order, &reel, &path)?,
        };
        let (width, height) = (reel.final_width, reel.final_height);
        Ok(Drawn { bytes: Bytes::from(bytes), width, height, content_type: "video/mp4", extension: "mp4" })
    }

    fn film_anew(&self, order: &ClipOrder, reel: &Reel, path: &Path) -> Result<Vec<u8>, DrawError> {
        let beside = self.folder.join("clips").join(format!(".{}.mp4", Uuid::now_v7()));
        let filmed = match (self.recall_scene(&order.stills), order.stills.len()) {
            (Some(recipes), _) => self.film_figure(&recipes, order, reel, &beside),
            (None, 1) => self.film_picture(order, reel, &beside),
            (None, _) => self.film_fades(order, reel, &beside),
        };
        let kept = filmed.and_then(|()| fs::rename(&beside, path).map_err(DrawError::studio));
        if kept.is_err() {
            let _ = fs::remove_file(&beside);
        }
        kept?;
        fs::read(path).map_err(DrawError::studio)
    }

    /// The recipes of stills of one scene, when all of them are ours.
    fn recall_scene(&self, stills: &[Bytes]) -> Option<Vec<Recipe>> {
        let recipes: Vec<Recipe> = stills.iter().map(|still| self.recall(still)).collect::<Option<_>>()?;
        let first = recipes.first()?;
        recipes.iter().all(|recipe| recipe.same_scene(first)).then_some(recipes)
    }

    fn film_figure(&self, recipes: &[Recipe], order: &ClipOrder, reel: &Reel, target: &Path) -> Result<(), DrawError> {
        let first = recipes.first().ok_or_else(|| DrawError::input("no stills"))?;
        let (width, height) = covering((first.width, first.height), (reel.width, reel.height));
        let scene = self.set_scene(first, width, height)?;
        let poses: Vec<Pose> = recipes.iter().map(|recipe| recipe.pose(scene.kind())).collect();
        let times = times_of(order);
        let total: f32 = times.iter().sum();
        encode(&self.ffmpeg, reel, target, |number| {
            let time = reel.share(number) * total;
            let (pose, drift) = match poses.as_slice() {
                [pose] => breathing(*pose, time, total, order.plan.motion, order.seed),
                poses => moment(poses, &times, time),
            };
            shot(&scene, pose, drift, reel)
        })
    }

    fn film_picture(&self, order: &ClipOrder, reel: &Reel, target: &Path) -> Result<(), DrawError> {
        let first = order.stills.first().ok_or_else(|| DrawError::input("no stills"))?;
        let picture = fill_frame(&read_picture(first)?, reel.width, reel.height);
        let total: f32 = times_of(order).iter().sum();
        encode(&self.ffmpeg, reel, target, |number| {
            Ok(look_around(&picture, reel.share(number) * total, total, order.plan.motion, order.seed))
        })
    }

    fn film_fades(&self, order: &ClipOrder, reel: &Reel, target: &Path) -> Result<(), DrawError> {
        let mut canvases = Vec::new();
        for still in &order.stills {
            canvases.push(canvas_of(&fill_frame(&read_picture(still)?, reel.width, reel.height))?);
        }
        let times = times_of(order);
        encode(&self.ffmpeg, reel, target, |number| {
            fade(&canvases, &times, reel, number).and_then(|canvas| Ok(picture_of(&canvas)?.into_raw()))
        })
    }
}

fn shot(scene: &Scene, pose: Pose, drift: Drift, reel: &Reel) -> Result<Vec<u8>, DrawError> {
    let picture: RgbImage = picture_of(&scene.draw(pose, drift)?)?;
    Ok(crop_middle(picture, reel.width, reel.height).into_raw())
}

/// Seconds from each still to the next.
fn times_of(order: &ClipOrder) -> Vec<f32> {
    order.plan.frames.iter().map(|frames| *frames as f32 / order.plan.fps.max(1) as f32).collect()
}

/// A clip's size and length, for a first still of this size.
fn reel_of(order: &ClipOrder, still: (u32, u32)) -> Reel {
    let (wide, high) = (f64::from(still.0.max(1)), f64::from(still.1.max(1)));
    let (width, height) = match order.plan.frame {
        Frame::Exactly(width, height) => (f64::from(width), f64::from(height)),
        Frame::Widescreen(short) if wide >= high => (f64::from(short) * 16.0 / 9.0, f64::from(short)),
        Frame::Widescreen(short) => (f64::from(short), f64::from(short) * 16.0 / 9.0),
        Frame::ShortSide(short) => {
            let factor = f64::from(short) / wide.min(high);
            (wide * factor, high * factor)
        }
    };
    let even = |side: f64| ((side.min(f64::from(MOST_SIDE)) / 2.0).round() as u32 * 2).max(2);
    let drawn = (f64::from(MOST_DRAWN) / width.min(height)).min(1.0);
    Reel {
        width: even(width * drawn),
        height: even(height * drawn),
        final_width: even(width),
        final_height: even(height),
        frames: order.plan.frames.iter().sum::<u32>().max(1),
        fps: order.plan.fps.max(1),
        has_sound: order.plan.has_sound,
    }
}

/// One frame of a fade with a slow push in.
fn fade(canvases: &[Pixmap], times: &[f32], reel: &Reel, number: u32) -> Result<Pixmap, DrawError> {
    let time = reel.share(number) * times.iter().sum::<f32>();
    let (mut index, mut begun) = (0, 0.0);
    while index + 1 < times.len() && time > begun + times[index] {
        begun += times[index];
        index += 1;
    }
    let length = times.get(index).copied().unwrap_or(1.0).max(0.01);
    let share = ((time - begun) / length).clamp(0.0, 1.0);
    let mut canvas = Pixmap::new(reel.width, reel.height).ok_or_else(|| DrawError::studio("no canvas of this size"))?;
    let weights = [(index, 1.0, share), (index + 1, smooth(0.3, 0.7, share), 1.0 - share)];
    for (picture, opacity, age) in weights {
        let Some(source) = canvases.get(picture).filter(|_| opacity > 0.0) else { continue };
        let zoom = mix(1.0, 1.06, age);
        let (x, y) = (reel.width as f32 / 2.0, reel.height as f32 / 2.0);
        let transform = Transform::from_translate(-x, -y).post_scale(zoom, zoom).post_translate(x, y);
        let paint = PixmapPaint { opacity, quality: FilterQuality::Bilinear, ..PixmapPaint::default() };
        canvas.draw_pixmap(0, 0, source.as_ref(), &paint, transform, None);
    }
    Ok(canvas)
}
