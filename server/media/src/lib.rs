//! Pictures and clips: what they are, and what shoppers get of them.
//!
//! Everything that comes in is hostile until it has been sniffed, measured and decoded within limits. `ffmpeg` gets
//! local files only, never an address, and is killed with its whole process group when its job ends early.

mod arguments;
mod encode;
mod error;
mod ladder;
mod mp4;
mod picture;
mod probe;
mod process;
mod progress;
mod tools;
mod verify;

pub use encode::{EncodePlan, EncodeResult, PosterFile, Rendition, ShorterClip, encode};
pub use error::Error;
pub use picture::{ImageInfo, Still, normalise_still, sniff_image};
pub use probe::{ClipInfo, probe};
pub use tools::Tools;
