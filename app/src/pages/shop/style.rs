//! The shop's stylesheet: four files joined when the program is compiled.

/// What `/shop.css` answers: tokens, elements and the shop's own classes. It may be cached for ever under
/// [`stylesheet_url`], whose query changes with the content.
pub const STYLESHEET: &str = concat!(
    "@layer tokens, base, shop;\n",
    include_str!("../../../../style/tokens.css"),
    include_str!("../../../../style/base.css"),
    include_str!("../../../../style/shop.css"),
    include_str!("../../../../style/shop-product.css"),
);

const VERSION: u64 = fnv1a(STYLESHEET.as_bytes());

/// Where pages find [`STYLESHEET`].
pub fn stylesheet_url() -> String {
    format!("/shop.css?v={VERSION:016x}")
}

/// FNV-1a: enough to tell two versions of a file apart.
const fn fnv1a(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_follows_the_content() {
        // Test vectors of the FNV specification (draft-eastlake-fnv, 64 bit, 1a).
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn the_layers_are_declared_before_they_are_filled() {
        assert!(STYLESHEET.starts_with("@layer tokens, base, shop;"));
        for layer in ["@layer tokens {", "@layer base {", "@layer shop {"] {
            assert!(STYLESHEET.contains(layer), "{layer}");
        }
    }
}
