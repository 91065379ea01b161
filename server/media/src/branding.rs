//! What a shop has laid over its clips: its logo, and the words that say the clip was made by AI.

use std::{
    io::Cursor,
    path::{Path, PathBuf},
    sync::Arc,
};

use image::ImageFormat;

use crate::{Error, picture};

/// Height of the logo, in thousandths of the short side of the picture.
const LOGO_PERMILLE: u32 = 90;
/// Height of the label: its letters are 2 % of the short side.
const LABEL_PERMILLE: u32 = 44;
/// Neither is wider than so much of the picture, in percent.
const WIDEST_PERCENT: u32 = 40;
/// The words as pictures, so that no font is needed where clips are made; see `assets/README.md`.
const LABELS: [(LabelLanguage, &[u8]); 2] = [
    (LabelLanguage::Ko, include_bytes!("../assets/label-ko.png")),
    (LabelLanguage::En, include_bytes!("../assets/label-en.png")),
];

/// A corner of the picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Corner {
    /// Top left.
    TopLeft,
    /// Top right.
    #[default]
    TopRight,
    /// Bottom left.
    BottomLeft,
    /// Bottom right.
    BottomRight,
}

impl Corner {
    /// Every corner.
    pub const ALL: [Self; 4] = [Self::TopLeft, Self::TopRight, Self::BottomLeft, Self::BottomRight];

    /// The word in settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TopLeft => "top-left",
            Self::TopRight => "top-right",
            Self::BottomLeft => "bottom-left",
            Self::BottomRight => "bottom-right",
        }
    }

    const fn is_left(self) -> bool {
        matches!(self, Self::TopLeft | Self::BottomLeft)
    }

    const fn is_top(self) -> bool {
        matches!(self, Self::TopLeft | Self::TopRight)
    }

    /// Where the label goes, so that it is never under the logo: below, on the left unless the logo is there.
    const fn of_label(self) -> Self {
        if matches!(self, Self::BottomLeft) { Self::BottomRight } else { Self::BottomLeft }
    }
}

/// The language of the label.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LabelLanguage {
    /// `AI 생성 영상`
    #[default]
    Ko,
    /// `AI-generated`
    En,
}

/// What a shop has laid over its clips. Read once, at start-up.
#[derive(Debug, Clone, PartialEq)]
pub struct Brand {
    logo: Option<Arc<Drawing>>,
    label: Option<Arc<Drawing>>,
    corner: Corner,
    opacity_percent: u8,
    safe_area_percent: u8,
}

/// A picture with transparency.
#[derive(Debug, PartialEq)]
struct Drawing {
    png: Vec<u8>,
    width: u32,
    height: u32,
}

impl Drawing {
    fn read(bytes: &[u8]) -> Result<Self, Error> {
        let picture = picture::decode(bytes)?;
        let mut png = Cursor::new(Vec::new());
        let (width, height) = (picture.width(), picture.height());
        let rgba = picture.into_rgba8();
        rgba.write_to(&mut png, ImageFormat::Png).map_err(|error| Error::Corrupt(error.to_string()))?;
        Ok(Self { png: png.into_inner(), width, height })
    }
}

impl Brand {
    /// A logo (JPEG, PNG or WebP, within the limits of pictures) in a corner, `opacity_percent` opaque, and the label;
    /// both keep `safe_area_percent` of the short side from the edges.
    ///
    /// # Errors
    /// As [`crate::sniff_image`] for the logo.
    pub fn new(
        logo: Option<&[u8]>,
        label: Option<LabelLanguage>,
        corner: Corner,
        opacity_percent: u8,
        safe_area_percent: u8,
    ) -> Result<Self, Error> {
        let words = label.and_then(|wanted| LABELS.into_iter().find(|(language, _)| *language == wanted));
        Ok(Self {
            logo: logo.map(Drawing::read).transpose()?.map(Arc::new),
            label: words.map(|(_, bytes)| Drawing::read(bytes)).transpose()?.map(Arc::new),
            corner,
            opacity_percent: opacity_percent.min(100),
            safe_area_percent: safe_area_percent.min(20),
        })
    }

    /// Writes the pictures into a folder that lasts as long as the encode. None when there is nothing to lay over.
    ///
    /// # Errors
    /// [`Error::Disk`].
    pub async fn lay_out(&self, folder: &Path) -> Result<Option<Branding>, Error> {
        let logo = self.logo.as_ref().map(|it| (it, "logo.png", self.corner, LOGO_PERMILLE, self.opacity_percent));
        let label = self.label.as_ref().map(|it| (it, "label.png", self.corner.of_label(), LABEL_PERMILLE, 100));
        let mut overlays = Vec::new();
        for (drawing, name, corner, permille, opacity_percent) in logo.into_iter().chain(label) {
            let path = folder.join(name);
            tokio::fs::write(&path, &drawing.png).await?;
            let (width, height, safe_area_percent) = (drawing.width, drawing.height, self.safe_area_percent);
            overlays.push(Overlay { path, width, height, corner, permille, opacity_percent, safe_area_percent });
        }
        Ok((!overlays.is_empty()).then_some(Branding { overlays }))
    }
}

/// Pictures on disk that one encode lays over every frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Branding {
    pub(crate) overlays: Vec<Overlay>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Overlay {
    pub path: PathBuf,
    width: u32,
    height: u32,
    corner: Corner,
    permille: u32,
    opacity_percent: u8,
    safe_area_percent: u8,
}

impl Overlay {
    /// Its size over a picture of this size: even, its shape kept.
    fn size(&self, width: u32, height: u32) -> (u32, u32) {
        let tall = (width.min(height) * self.permille / 1000).max(2);
        let wide = |tall: u32| u64::from(tall) * u64::from(self.width) / u64::from(self.height.max(1));
        let most = u64::from(width * WIDEST_PERCENT / 100).max(2);
        let tall = if wide(tall) > most {
            u32::try_from(most * u64::from(self.height) / u64::from(self.width.max(1))).unwrap_or(tall)
        } else {
            tall
        };
        let even = |side: u64| u32::try_from(side.max(2)).unwrap_or(2) & !1;
        (even(wide(tall).min(most)), even(u64::from(tall)))
    }

    /// The filter that makes it ready to be laid over a picture of this size.
    pub fn scaled(&self, width: u32, height: u32) -> String {
        let (wide, tall) = self.size(width, height);
        let opacity = f64::from(self.opacity_percent) / 100.0;
        format!("format=rgba,scale=w={wide}:h={tall}:flags=lanczos,colorchannelmixer=aa={opacity:.2}")
    }

    /// Where it goes, as the `overlay` filter reads it.
    pub fn place(&self, width: u32, height: u32) -> String {
        let (wide, tall) = self.size(width, height);
        let margin = width.min(height) * u32::from(self.safe_area_percent) / 100;
        let (x, y) = (
            if self.corner.is_left() { margin } else { width.saturating_sub(wide + margin) },
            if self.corner.is_top() { margin } else { height.saturating_sub(tall + margin) },
        );
        format!("x={}:y={}:format=yuv420", x & !1, y & !1)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn overlay(corner: Corner, width: u32, height: u32) -> Overlay {
        let path = PathBuf::from("logo.png");
        Overlay { path, width, height, corner, permille: 90, opacity_percent: 80, safe_area_percent: 4 }
    }

    #[test]
    fn it_keeps_its_shape_and_stays_in_the_safe_area() {
        let square = overlay(Corner::TopRight, 500, 500);
        assert_eq!(square.size(720, 1280), (64, 64));
        assert_eq!(square.place(720, 1280), "x=628:y=28:format=yuv420");
        assert_eq!(overlay(Corner::BottomLeft, 500, 500).place(720, 1280), "x=28:y=1188:format=yuv420");
        let wide = overlay(Corner::TopLeft, 4000, 100);
        assert_eq!(wide.size(720, 1280), (280, 6), "never wider than two fifths");
        assert!(square.scaled(720, 1280).ends_with("aa=0.80"));
    }

    #[test]
    fn the_label_is_never_under_the_logo() {
        for corner in Corner::ALL {
            assert_ne!(corner.of_label(), corner);
        }
    }

    #[tokio::test]
    async fn both_languages_have_a_label_and_nothing_is_no_branding() {
        let folder = tempfile::tempdir().unwrap();
        for language in [LabelLanguage::Ko, LabelLanguage::En] {
            let brand = Brand::new(None, Some(language), Corner::TopRight, 80, 4).unwrap();
            let branding = brand.lay_out(folder.path()).await.unwrap().unwrap();
            assert_eq!(branding.overlays.len(), 1);
        }
        let none = Brand::new(None, None, Corner::TopRight, 80, 4).unwrap();
        assert_eq!(none.lay_out(folder.path()).await.unwrap(), None);
        assert!(matches!(Brand::new(Some(b"<svg/>"), None, Corner::TopRight, 80, 4), Err(Error::NotAPicture)));
    }
}
