//! The drawings, built in: `assets/catalogue/{slug}.svg`.

/// Pairs a slug with the drawing of that name.
macro_rules! drawings {
    ($($slug:literal),+ $(,)?) => {
        &[$(($slug, include_str!(concat!("../../assets/catalogue/", $slug, ".svg")))),+]
    };
}

/// Every drawing with the slug of its product.
const DRAWINGS: &[(&str, &str)] = drawings![
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

/// The drawing of the product with this slug, as SVG text.
pub(super) fn find_drawing(slug: &str) -> Option<&'static str> {
    DRAWINGS.iter().find(|(name, _)| *name == slug).map(|(_, svg)| *svg)
}
