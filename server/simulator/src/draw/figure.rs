use super::body::{ANKLE_Y, Body, CROTCH_Y, HIP_Y, KNEE_Y, SHOULDER_Y, WAIST_Y, sign_of};
use super::geometry::{Point, along, at};
use super::head::hair_behind;
use super::look::Look;
use super::path::{round_path, straight_path};
use super::shape::Kind;
use super::words::Person;

/// The SVG paint the figure's parts refer to.
pub(crate) fn paints(look: &Look) -> String {
    let side = |id: &str, light: &str, dark: &str| {
        format!(
            "<linearGradient id='{id}' x1='0' y1='0' x2='1' y2='.12'><stop offset='.35' stop-color='{light}'/>\
             <stop offset='1' stop-color='{dark}'/></linearGradient>"
        )
    };
    format!(
        "<defs>{}{}{}{}</defs>",
        side("skin-face", look.skin, look.skin_shade),
        side("top", look.top, look.top_shade),
        side("legs", look.legs, look.legs_shade),
        side("hair", look.hair, look.hair_shade),
    )
}

/// How the product dresses the figure: what is left to be drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cover {
    pub kind: Kind,
    /// How far down the product reaches.
    pub hem_y: f32,
    /// Arms are bare from this share of their length on.
    pub bare_arm_from: f32,
}

impl Cover {
    /// A narrow dress hides hips and thighs, which are wider than it is.
    fn is_dress(&self) -> bool {
        self.kind == Kind::Straps && self.hem_y > 640.0
    }
}

/// Everything behind the product: hair, legs, base clothes, trunk and arms.
pub(crate) fn behind(body: &Body, look: &Look, person: Person, cover: Cover) -> String {
    let kind = cover.kind;
    let mut svg = hair_behind(body, look, person);
    let leg_shape = if cover.is_dress() { LEG.from(cover.hem_y - 110.0) } else { LEG };
    for side in [0, 1] {
        svg.push_str(&fill(&leg(body, side, &leg_shape), look.skin));
        svg.push_str(&shoe(body, look, side, kind));
    }
    svg.push_str(&fill(&trunk(body, cover.is_dress()), look.skin));
    let goes_without_top = matches!(kind, Kind::Skirt | Kind::Trousers | Kind::Bag);
    // What is cropped is worn over something.
    let wears_tee = goes_without_top || (kind == Kind::Upper && cover.hem_y < WAIST_Y + 40.0);
    let bare_from = if goes_without_top { 0.2 } else { cover.bare_arm_from };
    for side in [0, 1] {
        svg.push_str(&fill(&arm(body, side, bare_from, 1.0), look.skin));
        if bare_from <= 0.0 {
            svg.push_str(&shoulder(body, look, side));
        }
    }
    if matches!(kind, Kind::Upper | Kind::Bag) || (kind == Kind::Straps && !cover.is_dress()) {
        svg.push_str(&trousers(body, look));
    }
    if wears_tee {
        svg.push_str(&tee(body, goes_without_top));
    }
    for side in [0, 1] {
        svg.push_str(&hand(body, look, side));
    }
    svg
}

/// Lower arms and hands once more, for over the product.
pub(crate) fn hands(body: &Body, look: &Look, from: f32) -> String {
    [0, 1]
        .map(|side| {
            let forearm = fill(&arm(body, side, from, 1.0), look.skin);
            forearm + &hand(body, look, side)
        })
        .concat()
}

/// The front of the neck, down to `bottom` in figure units.
pub(crate) fn neck(body: &Body, look: &Look, bottom: f32) -> String {
    let half = body.build.neck;
    let rest = [
        at(-half + 2.0, 112.0),
        at(-half, 146.0),
        at(-half - 2.0, bottom - 16.0),
        at(-half * 0.6, bottom - 3.0),
        at(0.0, bottom),
        at(half * 0.6, bottom - 3.0),
        at(half + 2.0, bottom - 16.0),
        at(half, 146.0),
        at(half - 2.0, 112.0),
    ];
    let path = round_path(&rest.map(|place| body.trunk(place)));
    let shadow = [at(-half + 1.0, 128.0), at(0.0, 158.0), at(half - 1.0, 128.0), at(0.0, 120.0)];
    fill(&path, look.skin)
        + &format!("<path d='{}' fill='{}'/>", round_path(&shadow.map(|place| body.trunk(place))), look.skin_shade)
}

fn fill(path: &str, paint: &str) -> String {
    format!("<path d='{path}' fill='{paint}'/>")
}

/// Half widths of a leg by height.
struct LegShape {
    top: f32,
    widths: [(f32, f32); 6],
}

impl LegShape {
    const fn from(mut self, top: f32) -> Self {
        self.top = top;
        self
    }
}

const LEG: LegShape = LegShape {
    top: HIP_Y - 20.0,
    widths: [(HIP_Y, 42.0), (600.0, 38.0), (KNEE_Y, 25.0), (800.0, 27.0), (890.0, 17.0), (ANKLE_Y, 13.0)],
};
const TROUSER: LegShape = LegShape {
    top: HIP_Y - 6.0,
    widths: [(HIP_Y, 45.0), (600.0, 43.0), (KNEE_Y, 37.0), (800.0, 35.0), (890.0, 33.0), (ANKLE_Y - 14.0, 32.0)],
};

fn leg(body: &Body, side: usize, shape: &LegShape) -> String {
    let bottom = shape.widths[5].0;
    let factor = body.build.leg / 42.0;
    let heights: Vec<f32> = (0..=14).map(|i| shape.top + (bottom - shape.top) * i as f32 / 14.0).collect();
    let edge = |sign: f32, y: f32| {
        let half = along(&shape.widths, y) * factor;
        body.leg(side, at(Body::leg_middle(side, y) + sign * half, y))
    };
    let mut points: Vec<Point> = heights.iter().map(|y| edge(-1.0, *y)).collect();
    points.extend(heights.iter().rev().map(|y| edge(1.0, *y)));
    straight_path(&points)
}

fn shoe(body: &Body, look: &Look, side: usize, kind: Kind) -> String {
    let sign = sign_of(side);
    let x = Body::leg_middle(side, ANKLE_Y);
    let toe = x + sign * 9.0;
    let place = |dx: f32, y: f32| body.leg(side, at(dx, y));
    let is_open = matches!(kind, Kind::Straps | Kind::Skirt);
    let top = if is_open { ANKLE_Y + 12.0 } else { ANKLE_Y - 4.0 };
    let foot = [
        place(x - 14.0, ANKLE_Y - 8.0),
        place(x - 15.0, ANKLE_Y + 18.0),
        place(toe - 19.0, ANKLE_Y + 36.0),
        place(toe + 19.0, ANKLE_Y + 36.0),
        place(x + 15.0, ANKLE_Y + 18.0),
        place(x + 14.0, ANKLE_Y - 8.0),
    ];
    let shoe = [
        place(x - 15.0, top),
        place(x - 18.0, top + 20.0),
        place(toe - 22.0, ANKLE_Y + 34.0),
        place(toe - 10.0, ANKLE_Y + 42.0),
        place(toe + 10.0, ANKLE_Y + 42.0),
        place(toe + 22.0, ANKLE_Y + 34.0),
        place(x + 18.0, top + 20.0),
        place(x + 15.0, top),
        place(x, top + if is_open { 16.0 } else { 8.0 }),
    ];
    fill(&round_path(&foot), look.skin) + &fill(&round_path(&shoe), look.shoe)
}

fn mirrored(body: &Body, right_side: &[Point]) -> Vec<Point> {
    let mut points: Vec<Point> = right_side.iter().map(|place| body.trunk(*place)).collect();
    points.extend(right_side.iter().rev().map(|place| body.trunk(at(-place.x, place.y))));
    points
}

fn trunk(body: &Body, is_dressed: bool) -> String {
    let build = &body.build;
    let lower = if is_dressed { 0.62 } else { 1.0 };
    let side = [
        at(build.neck * 0.5, 138.0),
        at(build.neck, 150.0),
        at(build.neck + 10.0, 172.0),
        at(build.shoulder - 14.0, SHOULDER_Y - 12.0),
        at(build.shoulder + 6.0, SHOULDER_Y + 6.0),
        at(build.chest + 2.0, 262.0),
        at(build.chest - 2.0, 300.0),
        at(build.waist * lower, WAIST_Y),
        at((build.hip - 4.0) * lower, HIP_Y - 40.0),
        at(build.hip * lower, HIP_Y + 8.0),
        at((build.hip - 6.0) * lower, CROTCH_Y + 10.0),
        at(8.0, CROTCH_Y + 6.0),
    ];
    round_path(&mirrored(body, &side))
}

/// Plain trousers under what hangs from the shoulders, in one piece.
fn trousers(body: &Body, look: &Look) -> String {
    let whole = [0, 1].map(|side| leg(body, side, &TROUSER)).concat() + &pelvis(body);
    let fly = [at(0.0, WAIST_Y + 20.0), at(2.0, CROTCH_Y + 24.0), at(-2.0, CROTCH_Y + 24.0)];
    fill(&whole, "url(#legs)") + &fill(&straight_path(&fly.map(|place| body.trunk(place))), look.legs_shade)
}

fn pelvis(body: &Body) -> String {
    let build = &body.build;
    let side = [
        at(build.waist + 2.0, WAIST_Y - 2.0),
        at(build.hip - 2.0, HIP_Y - 40.0),
        at(build.hip + 2.0, HIP_Y + 8.0),
        at(build.hip + 1.0, CROTCH_Y + 30.0),
        at(4.0, CROTCH_Y + 22.0),
    ];
    let mut outline = mirrored(body, &side);
    // The same way round as the legs, or the two would cancel out.
    outline.reverse();
    straight_path(&outline)
}

fn tee(body: &Body, has_sleeves: bool) -> String {
    let build = &body.build;
    let side = [
        at(0.0, 206.0),
        at(build.neck - 2.0, 198.0),
        at(build.neck + 9.0, 174.0),
        at(build.shoulder - 16.0, SHOULDER_Y - 15.0),
        at(build.shoulder + 8.0, SHOULDER_Y - 5.0),
        at(build.shoulder + 20.0, SHOULDER_Y + 14.0),
        at(build.shoulder + 15.0, SHOULDER_Y + 40.0),
        at(build.chest + 5.0, 266.0),
        at(build.chest + 2.0, 304.0),
        at(build.waist + 5.0, WAIST_Y - 4.0),
        at(build.waist + 8.0, WAIST_Y + 14.0),
        at(0.0, WAIST_Y + 18.0),
    ];
    let sleeves =
        if has_sleeves { [0, 1].map(|side| fill(&sleeve(body, side), "url(#top)")).concat() } else { String::new() };
    sleeves + &fill(&round_path(&mirrored(body, &side)), "url(#top)")
}

/// A short sleeve of the base top.
fn sleeve(body: &Body, side: usize) -> String {
    band(body, side, 0.07, 0.36, 5.0)
}

/// The round end of a bare arm.
fn shoulder(body: &Body, look: &Look, side: usize) -> String {
    let place = body.arm(side, body.arms[side].shoulder);
    let radius = body.build.arm + 3.0;
    let (x, y) = (place.x, place.y);
    format!("<circle cx='{x:.2}' cy='{y:.2}' r='{radius}' fill='{}'/>", look.skin)
}

fn arm(body: &Body, side: usize, from: f32, to: f32) -> String {
    band(body, side, from, to, 0.0)
}

/// A piece of the arm between two shares of its length.
fn band(body: &Body, side: usize, from: f32, to: f32, ease: f32) -> String {
    let rest = &body.arms[side];
    let (way, reach) = (rest.way(), rest.wrist.minus(rest.shoulder));
    let across = at(-way.y, way.x);
    let full = body.build.arm;
    let half = |share: f32| {
        ease + along(&[(0.0, full + 3.0), (0.5, full - 3.0), (0.62, full - 2.0), (1.0, full - 8.5)], share)
    };
    let shares: Vec<f32> = (0..=12).map(|i| from + (to - from) * i as f32 / 12.0).collect();
    let edge = |sign: f32, share: f32| {
        let middle = rest.shoulder.plus(reach.times(share));
        body.arm(side, middle.plus(across.times(sign * half(share))))
    };
    let mut points: Vec<Point> = shares.iter().map(|share| edge(-1.0, *share)).collect();
    points.extend(shares.iter().rev().map(|share| edge(1.0, *share)));
    straight_path(&points)
}

fn hand(body: &Body, look: &Look, side: usize) -> String {
    let rest = &body.arms[side];
    let way = rest.way();
    let across = at(-way.y, way.x).times(sign_of(side));
    let factor = body.build.arm / 19.0;
    let place = |length: f32, width: f32| {
        let there = rest.wrist.plus(way.times(length * factor)).plus(across.times(width * factor));
        body.arm(side, there)
    };
    let palm = [
        place(-8.0, -9.0),
        place(8.0, -11.0),
        place(28.0, -12.5),
        place(46.0, -9.5),
        place(56.0, -3.0),
        place(54.0, 3.5),
        place(38.0, 8.0),
        place(12.0, 9.5),
        place(-8.0, 9.0),
    ];
    let thumb = [place(4.0, 6.0), place(18.0, 13.0), place(31.0, 13.5), place(33.0, 10.0), place(22.0, 4.0)];
    let fingers = [-6.5_f32, -1.0, 4.0].map(|width| {
        let (from, to) = (place(33.0, width), place(49.0 - width.abs() * 0.4, width + 0.4));
        format!("M{:.1} {:.1}L{:.1} {:.1}", from.x, from.y, to.x, to.y)
    });
    fill(&round_path(&palm), look.skin)
        + &fill(&round_path(&thumb), look.skin)
        + &format!(
            "<path d='{}' stroke='{}' stroke-width='1.3' stroke-linecap='round' fill='none'/>",
            fingers.concat(),
            look.skin_shade
        )
}
