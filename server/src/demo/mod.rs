//! The products of a fresh shop: fourteen garments drawn as layered vector shapes, each in its own palette.
//!
//! [`products`] reads the catalogue and [`photo`] the photos that are built into the binary; nothing is drawn at run
//! time. `assets/catalogue/README.md` says how the photos are made from the drawings.

mod catalogue;
mod photo;

#[cfg(test)]
mod drawing;

pub use self::catalogue::{DemoProduct, products};
pub use self::photo::{View, photo};

#[cfg(test)]
mod tests;
