//! Somebody to wear a garment, for try-on models: two drawn figures, of nobody. `assets/people/README.md` says how they
//! are made.

use domain::ModelType;

use crate::Picture;

/// The picture of a person of this type: JPEG, 1200 by 1600 pixels, the whole figure from the front.
pub fn picture(model_type: ModelType) -> Picture {
    let bytes: &[u8] = match model_type {
        ModelType::Female => include_bytes!("../assets/people/female.jpg"),
        ModelType::Male => include_bytes!("../assets/people/male.jpg"),
    };
    Picture { bytes: bytes.to_vec(), content_type: "image/jpeg".to_owned() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn everybody_is_a_whole_portrait() {
        let people = ModelType::ALL.map(picture);
        assert_ne!(people[0], people[1]);
        for person in people {
            let seen = image::load_from_memory(&person.bytes).unwrap().to_rgb8();
            assert_eq!(seen.dimensions(), (1200, 1600));
            assert_eq!(Picture::sniffed(person.bytes.clone()).unwrap(), person);
            // The wall is light, the trousers are not: something was drawn.
            let (wall, trousers) = (seen.get_pixel(20, 20), seen.get_pixel(540, 1000));
            assert!(wall.0.iter().all(|&value| value > 220) && trousers.0.iter().all(|&value| value < 150));
        }
    }
}
