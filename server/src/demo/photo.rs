//! Photos, built in: `assets/catalogue/{slug}.jpg` and `{slug}-detail.jpg`.

use super::catalogue::DemoProduct;

/// How a product is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum View {
    /// The whole garment on its backdrop.
    Whole,
    /// The close-up that the catalogue names.
    Detail,
}

/// A JPEG of 1200 x 1600 pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Photo {
    /// The file.
    pub bytes: &'static [u8],
}

/// Why a product's photo could not be had. Photos are built in, so it is a fault of the build: trying again is no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DemoError {
    /// A product without photos of its name.
    #[error("the demo product {0} has no photos")]
    NoPhoto(String),
}

/// The two photos of a product.
struct Pair {
    slug: &'static str,
    whole: Photo,
    detail: Photo,
}

/// Pairs each slug with the files of that name.
macro_rules! pairs {
    ($($slug:literal),+ $(,)?) => {
        &[$(Pair {
            slug: $slug,
            whole: Photo { bytes: include_bytes!(concat!("../../assets/catalogue/", $slug, ".jpg")) },
            detail: Photo { bytes: include_bytes!(concat!("../../assets/catalogue/", $slug, "-detail.jpg")) },
        }),+]
    };
}

/// Every product's photos.
const PAIRS: &[Pair] = pairs![
    "oxford-shirt",
    "cable-knit",
    "mustard-cardigan",
    "lilac-hoodie",
    "striped-tee",
    "tie-neck-blouse",
    "denim-jacket",
    "quilted-vest",
    "camel-coat",
    "sage-trench",
    "satin-slip-dress",
    "pleated-skirt",
    "wide-trousers",
    "leather-tote",
];

/// A product's photo.
///
/// # Errors
///
/// [`DemoError::NoPhoto`] if the product is not one of the catalogue.
pub fn photo(product: &DemoProduct, view: View) -> Result<Photo, DemoError> {
    let pair =
        PAIRS.iter().find(|pair| pair.slug == product.slug).ok_or_else(|| DemoError::NoPhoto(product.slug.clone()))?;
    Ok(match view {
        View::Whole => pair.whole,
        View::Detail => pair.detail,
    })
}
