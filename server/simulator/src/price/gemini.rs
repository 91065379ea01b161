/// What a Gemini model charges, in micro-USD per million tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenPrice {
    input: i64,
    text_output: i64,
    image_output: i64,
}

/// Tokens of one call, as its `usageMetadata` reports them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tokens {
    pub prompt_text: i64,
    pub prompt_image: i64,
    pub thought: i64,
    pub output_text: i64,
    pub output_image: i64,
}

const TOKENS_PER_PRICE: i64 = 1_000_000;

impl TokenPrice {
    /// The price list of a model; `None` for a model we do not run.
    pub(crate) fn of(model: &str) -> Option<Self> {
        match model {
            "gemini-nano-banana-2.1" => {
                Some(Self { input: 1_500_000, text_output: 7_500_000, image_output: 30_000_000 })
            }
            "gemini-3-pro-image" => Some(Self { input: 2_000_000, text_output: 12_000_000, image_output: 120_000_000 }),
            _ => None,
        }
    }

    /// The cost of one call in micro-USD, rounded half up.
    pub(crate) fn cost(self, tokens: Tokens) -> i64 {
        let sum = (tokens.prompt_text + tokens.prompt_image) * self.input
            + (tokens.thought + tokens.output_text) * self.text_output
            + tokens.output_image * self.image_output;
        (sum + TOKENS_PER_PRICE / 2) / TOKENS_PER_PRICE
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_still_costs_what_the_price_page_says() {
        let price = TokenPrice::of("gemini-nano-banana-2.1").unwrap();
        let tokens = Tokens { output_image: 1120, ..Tokens::default() };
        assert_eq!(price.cost(tokens), 33_600);
        let pro = TokenPrice::of("gemini-3-pro-image").unwrap();
        assert_eq!(pro.cost(tokens), 134_400);
    }

    #[test]
    fn half_a_micro_dollar_rounds_up() {
        let price = TokenPrice::of("gemini-nano-banana-2.1").unwrap();
        assert_eq!(price.cost(Tokens { prompt_text: 1, ..Tokens::default() }), 2);
        assert_eq!(price.cost(Tokens { prompt_text: 3, ..Tokens::default() }), 5);
        assert_eq!(price.cost(Tokens { thought: 1, ..Tokens::default() }), 8);
    }
}
