//! The catalogue: what `assets/catalogue/catalogue.toml` says about each product.

use serde::Deserialize;

/// The catalogue's text, built in.
const CATALOGUE: &str = include_str!("../../assets/catalogue/catalogue.toml");

/// One product of the demo shop.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DemoProduct {
    /// Unique word for addresses and for the drawing: lower case, digits and hyphens.
    pub slug: String,
    /// Unique stock-keeping unit.
    pub sku: String,
    /// Name in Korean.
    pub name_ko: String,
    /// Name in English.
    pub name_en: String,
    /// What kind of thing it is.
    pub category: Category,
    /// Price in whole won.
    pub price_krw: i64,
    /// Price in US cents.
    pub price_usd_cents: i64,
    /// Colour in Korean.
    pub color_ko: String,
    /// Colour in English.
    pub color_en: String,
    /// One or two sentences in Korean.
    pub description_ko: String,
    /// One or two sentences in English.
    pub description_en: String,
    /// The part of the drawing that its close-up shows.
    pub detail: Crop,
}

/// The kinds of things the demo shop sells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// Shirt.
    Shirt,
    /// Pullover.
    Knit,
    /// Cardigan.
    Cardigan,
    /// Hooded sweatshirt.
    Hoodie,
    /// T-shirt.
    TShirt,
    /// Blouse.
    Blouse,
    /// Jacket.
    Jacket,
    /// Vest.
    Vest,
    /// Coat.
    Coat,
    /// Dress.
    Dress,
    /// Skirt.
    Skirt,
    /// Trousers.
    Trousers,
    /// Bag.
    Bag,
}

impl Category {
    /// The category's word, as the catalogue writes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Shirt => "shirt",
            Self::Knit => "knit",
            Self::Cardigan => "cardigan",
            Self::Hoodie => "hoodie",
            Self::TShirt => "t-shirt",
            Self::Blouse => "blouse",
            Self::Jacket => "jacket",
            Self::Vest => "vest",
            Self::Coat => "coat",
            Self::Dress => "dress",
            Self::Skirt => "skirt",
            Self::Trousers => "trousers",
            Self::Bag => "bag",
        }
    }
}

/// A 3:4 rectangle that lies within a drawing of 1200 x 1600 units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Crop {
    /// Units from the drawing's left edge.
    pub(super) x: u16,
    /// Units from the drawing's top edge.
    pub(super) y: u16,
    /// Units across; never zero.
    pub(super) width: u16,
    /// Units down; never zero.
    pub(super) height: u16,
}

impl Crop {
    /// The whole drawing.
    pub const WHOLE: Self = Self { x: 0, y: 0, width: 1200, height: 1600 };
}

/// Why a text is not a [`Crop`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CropError {
    /// Not four whole numbers.
    #[error("`{0}` is not \"x y width height\"")]
    NotFourNumbers(String),
    /// Not 3:4, or empty.
    #[error("`{0}` is not 3:4")]
    NotThreeToFour(String),
    /// Part of it lies beyond the drawing.
    #[error("`{0}` reaches beyond 1200 x 1600")]
    Outside(String),
}

impl TryFrom<String> for Crop {
    type Error = CropError;

    fn try_from(text: String) -> Result<Self, CropError> {
        let numbers: Result<Vec<u16>, _> = text.split_whitespace().map(str::parse).collect();
        let Ok([x, y, width, height]) = numbers.as_deref() else {
            return Err(CropError::NotFourNumbers(text));
        };
        let (x, y, width, height) = (*x, *y, *width, *height);
        if width == 0 || u32::from(width) * 4 != u32::from(height) * 3 {
            return Err(CropError::NotThreeToFour(text));
        }
        if u32::from(x) + u32::from(width) > u32::from(Self::WHOLE.width)
            || u32::from(y) + u32::from(height) > u32::from(Self::WHOLE.height)
        {
            return Err(CropError::Outside(text));
        }
        Ok(Self { x, y, width, height })
    }
}

/// The shape of the catalogue's text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalogue {
    product: Vec<DemoProduct>,
}

/// Why the catalogue could not be read. Its text is built in, so it is a fault of the build: trying again is no use.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("the demo catalogue does not parse: {0}")]
pub struct CatalogueError(#[from] toml::de::Error);

/// Every product of the demo shop, in the order of the catalogue.
///
/// # Errors
///
/// [`CatalogueError`] if the built-in text does not parse.
pub fn products() -> Result<Vec<DemoProduct>, CatalogueError> {
    let catalogue: Catalogue = toml::from_str(CATALOGUE)?;
    Ok(catalogue.product)
}
