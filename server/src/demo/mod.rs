//! The products of a fresh shop: fourteen garments drawn as layered vector shapes, each in its own palette.
//!
//! [`products`] reads the catalogue that is built into the binary; [`draw_photo`] turns one of its drawings into a photo.
//! No file, font or network is needed at run time.

mod catalogue;
mod drawings;
mod photo;

pub use self::catalogue::{DemoProduct, products};
pub use self::photo::{View, draw_photo};

/// Why the demo catalogue could not be read or drawn. Everything it reads is built in, so each is a fault of the build.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The catalogue's text is not what [`products`] expects.
    #[error("the demo catalogue does not parse: {0}")]
    Catalogue(#[from] toml::de::Error),
    /// A product without a drawing of its name.
    #[error("the demo product {0} has no drawing")]
    NoDrawing(String),
    /// A drawing that is not a picture this renderer understands.
    #[error("the drawing of the demo product {slug} does not parse: {source}")]
    Drawing {
        /// The product.
        slug: String,
        /// What the parser met.
        source: resvg::usvg::Error,
    },
    /// The canvas could not be had.
    #[error("no canvas of {width} x {height} pixels")]
    Canvas {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// The picture could not be written as JPEG.
    #[error("the photo of the demo product {slug} could not be encoded: {source}")]
    Encode {
        /// The product.
        slug: String,
        /// What the encoder met.
        source: image::ImageError,
    },
}

impl DemoError {
    /// Always false: the same binary meets the same fault again.
    pub fn is_retryable(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests;
