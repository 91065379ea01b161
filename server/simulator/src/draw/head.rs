use super::body::{Body, CHIN_Y};
use super::geometry::mix;
use super::look::Look;
use super::words::Person;

/// The head's frame: everything in it is drawn around a chin at (0, 140).
fn frame(body: &Body, inner: &str) -> String {
    let chin = body.chin();
    let degrees = (body.pose.head_tilt + body.pose.shoulders_tilt * 0.4).to_degrees();
    format!(
        "<g transform='translate({:.2} {:.2}) rotate({degrees:.2}) translate(0 -{CHIN_Y})'>{inner}</g>",
        chin.x, chin.y
    )
}

/// Hair that falls behind neck and shoulders.
pub(crate) fn hair_behind(body: &Body, look: &Look, person: Person) -> String {
    if person == Person::Male {
        return String::new();
    }
    let sway = -body.pose.head_tilt * 60.0;
    let shape = match look.cut {
        // A bob to the chin.
        0 => format!(
            "M-54 60C-66 96 {a:.1} 128 {b:.1} 152C-30 164 30 164 {c:.1} 152C{d:.1} 128 66 96 54 60C52 8 -52 8 -54 60Z",
            a = -68.0 + sway * 0.4, b = -56.0 + sway * 0.6, c = 56.0 + sway * 0.6, d = 68.0 + sway * 0.4
        ),
        // Long and loose.
        1 => format!(
            "M-53 56C-66 110 {a:.1} 176 {b:.1} 236C{m:.1} 258 -24 250 -14 226L14 226C24 250 {n:.1} 258 {c:.1} 236C{d:.1} 176 66 110 53 56C50 6 -50 6 -53 56Z",
            a = -58.0 + sway * 0.6, b = -70.0 + sway, m = -52.0 + sway,
            c = 70.0 + sway, d = 58.0 + sway * 0.6, n = 52.0 + sway
        ),
        // A bun.
        _ => "M-30 6C-30 -30 30 -30 30 6C30 22 -30 22 -30 6Z M-50 66C-50 96 -34 104 0 104C34 104 50 96 50 66C50 10 -50 10 -50 66Z".to_owned(),
    };
    frame(body, &format!("<path d='{shape}' fill='{}'/>", look.hair_shade))
}

/// Face and hair, drawn over everything.
pub(crate) fn head(body: &Body, look: &Look, person: Person) -> String {
    let turn = body.pose.head_turn * 8.0;
    let jaw = if person == Person::Male { 40.0 } else { 34.0 };
    let mut inner = format!(
        "<ellipse cx='{el:.1}' cy='86' rx='8' ry='13' fill='{s}'/><ellipse cx='{er:.1}' cy='86' rx='8' ry='13' fill='{s}'/>\
         <path d='M-47 66C-48 98 -{jaw} 122 -17 136C-8 141 8 141 17 136C{jaw} 122 48 98 47 66C46 6 -46 6 -47 66Z' fill='url(#skin-face)'/>",
        el = -46.0 + turn * 0.3,
        er = 46.0 + turn * 0.3,
        s = look.skin_shade
    );
    inner.push_str(&face(body, look, person, turn));
    inner.push_str(&hair_in_front(look, person, turn));
    frame(body, &inner)
}

fn face(body: &Body, look: &Look, person: Person, turn: f32) -> String {
    let smile = body.pose.smile;
    let open = 1.0 - body.pose.blink;
    let mut face = String::new();
    for side in [-1.0_f32, 1.0] {
        let x = side * 20.0 + turn;
        let lash = mix(85.0, 74.0, open);
        if open > 0.3 {
            face.push_str(&format!(
                "<ellipse cx='{x:.1}' cy='82.5' rx='7.6' ry='{ry:.2}' fill='#fffdfa'/>\
                 <ellipse cx='{ix:.1}' cy='82.3' rx='4.1' ry='{iry:.2}' fill='#33241d'/>\
                 <circle cx='{gx:.1}' cy='80.6' r='1.2' fill='#fff'/>",
                ry = 5.0 * open,
                ix = x + turn * 0.16,
                iry = 4.6 * open,
                gx = x + 1.5 + turn * 0.16
            ));
        }
        let weight = if person == Person::Male { 1.7 } else { 2.6 };
        face.push_str(&format!(
            "<path d='M{a:.1} 83Q{x:.1} {lash:.1} {b:.1} 82.5' stroke='#2a1c18' stroke-width='{weight}' fill='none' stroke-linecap='round'/>\
             <path d='M{c:.1} 68Q{d:.1} {e:.1} {f:.1} 67' stroke='{hair}' stroke-width='{brow}' fill='none' stroke-linecap='round'/>\
             <ellipse cx='{g:.1}' cy='101' rx='10' ry='6.5' fill='{lip}' opacity='{blush:.2}'/>",
            a = x - 9.0, b = x + 9.0, c = x - 10.0, d = x + side * 2.0, e = 60.5 - 1.5 * smile,
            f = x + 10.0, hair = look.hair,
            brow = if person == Person::Male { 4.2 } else { 2.8 },
            g = x + side * 8.0, lip = look.lip,
            blush = if person == Person::Male { 0.0 } else { 0.12 + 0.08 * smile }
        ));
    }
    let (nose, mouth) = (turn * 1.35, turn * 1.1);
    let (wide, deep) = (mix(11.0, 15.5, smile), mix(117.0, 124.0, smile));
    face.push_str(&format!(
        "<path d='M{n1:.1} 86Q{n2:.1} 100 {n3:.1} 101.5' stroke='{shade}' stroke-width='2.4' fill='none' stroke-linecap='round'/>\
         <path d='M{m1:.1} {c:.1}Q{m:.1} {up:.1} {m2:.1} {c:.1}Q{m:.1} {deep:.1} {m1:.1} {c:.1}Z' fill='{lip}'/>\
         <path d='M{m1:.1} {c:.1}Q{m:.1} {mid:.1} {m2:.1} {c:.1}' stroke='#5d2a28' stroke-opacity='.55' stroke-width='1.3' fill='none' stroke-linecap='round'/>",
        n1 = nose + 1.0, n2 = nose + 5.0, n3 = nose - 3.0, shade = look.skin_shade,
        m = mouth, m1 = mouth - wide, m2 = mouth + wide,
        c = mix(115.0, 112.5, smile), up = mix(111.0, 113.0, smile), deep = deep + 3.0,
        mid = mix(115.5, 119.5, smile),
        lip = if person == Person::Male { look.skin_shade } else { look.lip }
    ));
    face
}

fn hair_in_front(look: &Look, person: Person, turn: f32) -> String {
    let part = turn * 0.8;
    let shape = match (person, look.cut) {
        (Person::Male, 0) => format!(
            "M-51 78C-60 20 -36 -8 6 -8C46 -8 60 24 51 78C48 66 46 54 40 46C22 50 {p:.1} 44 -18 34C-34 40 -46 56 -51 78Z",
            p = -4.0 + part
        ),
        (Person::Male, 1) => format!(
            "M-51 76C-58 22 -38 0 0 -2C38 0 58 22 51 76C49 62 45 52 40 48C26 36 {p:.1} 40 0 40C-20 40 -34 40 -40 48C-45 52 -49 62 -51 76Z",
            p = 10.0 + part
        ),
        (Person::Male, _) => format!(
            "M-51 80C-62 26 -44 -14 -2 -14C50 -18 62 30 51 80C50 64 48 54 42 44C30 30 10 30 {p:.1} 36C-22 30 -38 42 -42 52C-47 60 -49 68 -51 80Z",
            p = -6.0 + part
        ),
        (Person::Female, 0) => format!(
            "M-50 108C-66 30 -40 -6 0 -6C40 -6 66 30 50 108C46 88 44 66 40 50C24 38 8 36 {p:.1} 38C-20 44 -34 52 -40 62C-44 76 -47 92 -50 108Z",
            p = -6.0 + part
        ),
        (Person::Female, 1) => format!(
            "M-51 112C-64 28 -40 -6 0 -6C40 -6 64 28 51 112C48 84 42 60 {p:.1} 24C-18 44 -44 60 -51 112Z",
            p = 4.0 + part
        ),
        (Person::Female, _) => format!(
            "M-50 74C-58 22 -38 -2 0 -2C38 -2 58 22 50 74C46 50 30 34 {p:.1} 30C-30 34 -46 50 -50 74Z",
            p = part
        ),
    };
    format!("<path d='{shape}' fill='url(#hair)'/>")
}
