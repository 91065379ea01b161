use super::words::Person;

/// Colours and hair of one figure and its studio. The same product always
/// meets the same person in the same studio.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub skin: &'static str,
    pub skin_shade: &'static str,
    pub lip: &'static str,
    pub hair: &'static str,
    pub hair_shade: &'static str,
    /// Which of the cuts.
    pub cut: u8,
    pub top: &'static str,
    pub top_shade: &'static str,
    pub legs: &'static str,
    pub legs_shade: &'static str,
    pub shoe: &'static str,
    /// Wall light, wall dark, floor light, floor dark.
    pub studio: [&'static str; 4],
}

const SKINS: [(&str, &str, &str); 4] = [
    ("#f3d3bd", "#e2b79c", "#c8665f"),
    ("#e3b590", "#cf9a72", "#b4574f"),
    ("#b98058", "#9f6843", "#8f3f3c"),
    ("#80533a", "#68412b", "#7a3434"),
];
const HAIRS: [(&str, &str); 4] =
    [("#2b211f", "#1b1413"), ("#4a3227", "#35221a"), ("#7a5236", "#5f3e28"), ("#1f2024", "#131417")];
const STUDIOS: [([&str; 4], [f32; 3]); 5] = [
    (["#f2efea", "#d9d3ca", "#e6e0d7", "#c9c1b5"], [229.0, 224.0, 216.0]),
    (["#e6ecee", "#c5d0d4", "#d6dfe2", "#b3c0c5"], [214.0, 223.0, 227.0]),
    (["#f3e6e0", "#dfc8bd", "#e9d7cd", "#cdb2a5"], [232.0, 214.0, 205.0]),
    (["#e9ece2", "#cbd1bf", "#dbe0d1", "#b9c1ab"], [219.0, 224.0, 209.0]),
    (["#eceaf2", "#cfcbdc", "#dedbe8", "#bbb6cc"], [222.0, 219.0, 232.0]),
];

impl Look {
    /// Chosen by `lot`, a number drawn from the product and the seed, and by
    /// the product's mean colour: the studio keeps away from it.
    pub(crate) fn choose(lot: u64, person: Person, product: [f32; 3]) -> Self {
        let pick = |shift: u32, count: usize| ((lot >> shift) & 0xff) as usize % count;
        let complexion = pick(0, SKINS.len());
        let (skin, skin_shade, lip) = SKINS[complexion];
        // Light brown hair cannot be told from dark brown skin.
        let (hair, hair_shade) = match pick(8, HAIRS.len()) {
            2 if complexion > 1 => HAIRS[3],
            choice => HAIRS[choice],
        };
        let brightness = 0.3 * product[0] + 0.59 * product[1] + 0.11 * product[2];
        let (legs, legs_shade) = if brightness < 120.0 { ("#d8cfc0", "#beb3a1") } else { ("#3a3d45", "#2b2d34") };
        Self {
            skin,
            skin_shade,
            lip: if person == Person::Male { skin_shade } else { lip },
            hair,
            hair_shade,
            cut: ((lot >> 16) & 0xff) as u8 % 3,
            top: "#f4f1ec",
            top_shade: "#dcd6cc",
            legs,
            legs_shade,
            shoe: if brightness < 120.0 { "#efe9df" } else { "#26252a" },
            studio: STUDIOS[farthest_studio(product, pick(24, 2))].0,
        }
    }
}

/// The studio whose hue differs most from the product's, or the next best.
fn farthest_studio(product: [f32; 3], skip: usize) -> usize {
    let hue = |c: [f32; 3]| {
        let light = (c[0] + c[1] + c[2]).max(1.0) / 3.0;
        c.map(|value| value / light - 1.0)
    };
    let own = hue(product);
    let mut order: Vec<(f32, usize)> = STUDIOS
        .iter()
        .enumerate()
        .map(|(index, (_, colour))| {
            // Studios are pale: their hue counts several times.
            let there = hue(*colour).map(|value| value * 4.0);
            let apart: f32 = own.iter().zip(there).map(|(a, b)| (a - b).powi(2)).sum();
            (apart, index)
        })
        .collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0));
    order.get(skip).map_or(0, |(_, index)| *index)
}
