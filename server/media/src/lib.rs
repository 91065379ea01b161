//! Pictures and clips: what they are, and what shoppers get of them.
//!
//! Everything that comes in is hostile until it has been sniffed, measured and decoded within limits. `ffmpeg` gets
//! local files only, never an address, and is killed with its whole process group when its job ends early.

mod arguments;
mod branding;
mod codec;
mod colour;
mod content;
mod credentials;
mod encode;
mod error;
mod export;
mod finish;
mod framing;
mod hls;
mod ladder;
mod mp4;
mod picture;
mod probe;
mod process;
mod progress;
mod provenance;
mod tools;
mod track;
mod verify;

pub use branding::{Brand, Branding, Corner, LabelLanguage};
pub use codec::Codec;
pub use colour::colour_distances;
pub use content::Unshowable;
pub use credentials::{ALGORITHMS, ContentSigner};
pub use encode::{EncodePlan, EncodeResult, Extras, PictureFile, Rendition, ShorterClip, encode};
pub use error::Error;
pub use export::{ExportPlan, PosterPlan, export, poster};
pub use hls::{HlsFile, HlsPackage};
pub use picture::{ImageInfo, Still, normalise_still, sniff_image};
pub use probe::{ClipInfo, KeptInfo, probe};
pub use tools::Tools;
