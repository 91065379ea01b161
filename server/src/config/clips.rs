//! What is made of clips.

use std::path::PathBuf;

use clap::Args;
use engine::EncodeSettings;
use media::{Brand, ContentSigner, Corner, LabelLanguage};

use super::{
    setting::{self, WrongSetting},
    value,
};

/// What is made of clips.
#[derive(Debug, Clone, Args)]
pub struct Clips {
    /// AV1 besides H.264, half to a third of the bytes, where ffmpeg can make it: `false` leaves it out.
    #[arg(long, env = "AV1", default_value_t = true, action = clap::ArgAction::Set, value_parser = value::switch)]
    pub av1: bool,
    /// The shop's logo for videos with branding: a PNG with transparency, a WebP or a JPEG.
    #[arg(long, env = "BRAND_LOGO")]
    pub brand_logo: Option<PathBuf>,
    /// The corner of the logo: top-left, top-right, bottom-left or bottom-right.
    #[arg(long, env = "BRAND_CORNER", default_value = "top-right", value_parser = corner)]
    pub brand_corner: Corner,
    /// How opaque the logo is, in percent.
    #[arg(long, env = "BRAND_OPACITY_PERCENT", default_value_t = 80, value_parser = value::whole(10..=100_u8))]
    pub brand_opacity_percent: u8,
    /// How far logo and label stay from the edges, in percent of the short side.
    #[arg(long, env = "BRAND_SAFE_AREA_PERCENT", default_value_t = 4, value_parser = value::whole(0..=20_u8))]
    pub brand_safe_area_percent: u8,
    /// The label in videos with branding that says they were made by AI: ko, en or off. All of them show a person.
    #[arg(long, env = "AI_LABEL", default_value = "ko", value_parser = label)]
    pub ai_label: Label,
    /// Signs content credentials (C2PA) into MP4 and posters: a file with the certificate chain in PEM.
    #[arg(long, env = "C2PA_CERTIFICATE")]
    pub c2pa_certificate: Option<PathBuf>,
    /// A file with the key of that certificate, in PEM.
    #[arg(long, env = "C2PA_KEY")]
    pub c2pa_key: Option<PathBuf>,
    /// How they sign: es256, es384, ps256 or ed25519.
    #[arg(long, env = "C2PA_ALGORITHM", default_value = "es256", value_parser = media::ALGORITHMS)]
    pub c2pa_algorithm: String,
}

/// The label, where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label(Option<LabelLanguage>);

fn corner(text: &str) -> Result<Corner, String> {
    let found = Corner::ALL.into_iter().find(|corner| corner.as_str() == text.trim());
    found.ok_or_else(|| "expected top-left, top-right, bottom-left or bottom-right".to_owned())
}

fn label(text: &str) -> Result<Label, String> {
    match text.trim() {
        "ko" => Ok(Label(Some(LabelLanguage::Ko))),
        "en" => Ok(Label(Some(LabelLanguage::En))),
        "off" => Ok(Label(None)),
        _ => Err("expected ko, en or off".to_owned()),
    }
}

impl Clips {
    /// Reads the logo and the signer.
    ///
    /// # Errors
    /// [`WrongSetting`] when it cannot be read or is no picture.
    pub fn read(&self) -> Result<EncodeSettings, WrongSetting> {
        let wrong = |path: &PathBuf, why: &dyn std::fmt::Display| {
            setting::BRAND_LOGO.unusable(format!("is `{}`, which cannot be used ({why})", path.display()))
        };
        let logo = match &self.brand_logo {
            Some(path) => Some((path, std::fs::read(path).map_err(|error| wrong(path, &error))?)),
            None => None,
        };
        let bytes = logo.as_ref().map(|(_, bytes)| bytes.as_slice());
        let (opacity, safe_area) = (self.brand_opacity_percent, self.brand_safe_area_percent);
        let brand = Brand::new(bytes, self.ai_label.0, self.brand_corner, opacity, safe_area);
        let brand = brand.map_err(|error| match &logo {
            Some((path, _)) => wrong(path, &error),
            None => setting::BRAND_LOGO.unusable(format!("is not set and yet wrong ({error})")),
        })?;
        Ok(EncodeSettings { av1: self.av1, brand, signer: self.signer()? })
    }

    fn signer(&self) -> Result<Option<ContentSigner>, WrongSetting> {
        let (chain, key) = match (&self.c2pa_certificate, &self.c2pa_key) {
            (None, None) => return Ok(None),
            (Some(_), None) => return Err(setting::C2PA_KEY.missing()),
            (None, Some(_)) => return Err(setting::C2PA_CERTIFICATE.missing()),
            (Some(chain), Some(key)) => (chain, key),
        };
        let read = |setting: setting::Setting, path: &PathBuf| {
            let wrong = |error| setting.unusable(format!("is `{}`, which cannot be read ({error})", path.display()));
            std::fs::read(path).map_err(wrong)
        };
        let chain = read(setting::C2PA_CERTIFICATE, chain)?;
        let key = read(setting::C2PA_KEY, key)?;
        let signer = ContentSigner::new(chain, key, &self.c2pa_algorithm);
        signer.map(Some).map_err(|error| setting::C2PA_CERTIFICATE.unusable(format!("cannot sign ({error})")))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn clips(brand_logo: Option<PathBuf>) -> Clips {
        Clips {
            av1: true,
            brand_logo,
            brand_corner: corner("top-left").unwrap(),
            brand_opacity_percent: 80,
            brand_safe_area_percent: 4,
            ai_label: label("en").unwrap(),
            c2pa_certificate: None,
            c2pa_key: None,
            c2pa_algorithm: "es256".to_owned(),
        }
    }

    #[test]
    fn words_that_are_none_answer_with_what_is_expected() {
        assert!(corner("middle").unwrap_err().contains("top-left"));
        assert!(label("ja").unwrap_err().contains("ko, en or off"));
    }

    #[test]
    fn a_signer_that_cannot_sign_stops_the_start() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let said = |certificate: Option<&std::path::Path>, key: Option<&std::path::Path>| {
            let (c2pa_certificate, c2pa_key) = (certificate.map(Into::into), key.map(Into::into));
            Clips { c2pa_certificate, c2pa_key, ..clips(None) }.read().unwrap_err().to_string()
        };
        assert!(said(Some(file.path()), None).starts_with("C2PA_KEY (--c2pa-key) is not set"));
        assert!(said(None, Some(file.path())).starts_with("C2PA_CERTIFICATE (--c2pa-certificate) is not set"));
        assert!(said(Some(file.path()), Some(file.path())).contains("cannot sign"));
        assert!(said(Some("/nowhere/chain.pem".as_ref()), Some(file.path())).contains("cannot be read"));
    }

    #[test]
    fn a_logo_that_is_none_stops_the_start() {
        assert!(clips(None).read().unwrap().av1);
        let said = clips(Some("/nowhere/logo.png".into())).read().unwrap_err().to_string();
        assert!(said.starts_with("BRAND_LOGO (--brand-logo) is `/nowhere/logo.png`"), "{said}");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "<svg/>").unwrap();
        let said = clips(Some(file.path().to_owned())).read().unwrap_err().to_string();
        assert!(said.contains("not a JPEG, PNG or WebP picture") && said.contains("expected a PNG"), "{said}");
    }
}
