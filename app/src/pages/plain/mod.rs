//! Pages of the desk that are seldom opened: rendered on the server, without WASM, their forms the browser's own. They cost
//! the desk's bundle nothing, and links to them are loaded by the browser (`rel="external"`).

mod document;
mod form;
mod storage;
mod tokens;
mod video;

pub use document::PlainPage;
pub use storage::storage_page;
pub use tokens::{TOKEN_DAYS, TOKENS_PATH, TokensView, tokens_page};
pub use video::video_page;

/// A size as people read it: `380 kB`, `1.2 MB`.
fn size(bytes: u64) -> String {
    const KILO: u64 = 1_000;
    let tenths = |unit: u64| {
        let tenths = (bytes * 10 + unit / 2) / unit;
        if tenths < 100 { format!("{}.{}", tenths / 10, tenths % 10) } else { (tenths / 10).to_string() }
    };
    match bytes {
        0..KILO => format!("{bytes} B"),
        KILO..1_000_000 => format!("{} kB", (bytes + KILO / 2) / KILO),
        1_000_000..1_000_000_000 => format!("{} MB", tenths(1_000_000)),
        _ => format!("{} GB", tenths(1_000_000_000)),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn sizes_are_short() {
        let said = [999, 1_000, 380_400, 1_234_567, 23_000_000, 4_500_000_000].map(super::size);
        assert_eq!(said, ["999 B", "1 kB", "380 kB", "1.2 MB", "23 MB", "4.5 GB"]);
    }
}
