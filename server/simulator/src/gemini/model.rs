use crate::price::TokenPrice;

/// An image model that answers here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Model {
    /// Its id, as in the path.
    pub id: &'static str,
    /// What it charges.
    pub price: TokenPrice,
    image_tokens: [i64; 3],
}

/// Ids and names of the models there are.
pub(crate) const MODELS: [(&str, &str); 2] =
    [("gemini-nano-banana-2.1", "Nano Banana 2.1"), ("gemini-3-pro-image", "Nano Banana Pro")];

/// Output sizes by name.
pub(crate) const SIZES: [&str; 3] = ["1K", "2K", "4K"];

impl Model {
    /// The model of this id; `None` when there is none.
    pub(crate) fn find(id: &str) -> Option<Self> {
        let (id, image_tokens) = match id {
            "gemini-nano-banana-2.1" => ("gemini-nano-banana-2.1", [1120, 1680, 3800]),
            "gemini-3-pro-image" => ("gemini-3-pro-image", [1120, 1120, 2000]),
            _ => return None,
        };
        Some(Self { id, price: TokenPrice::of(id)?, image_tokens })
    }

    /// Output tokens of one image of this size; the smallest when unknown.
    pub(crate) fn image_tokens(&self, size: &str) -> i64 {
        let place = SIZES.iter().position(|known| *known == size).unwrap_or(0);
        self.image_tokens.get(place).copied().unwrap_or_default()
    }
}
