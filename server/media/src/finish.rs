//! The last change of the bytes: what nobody needs to know is taken out, what everybody must know is put in.

use std::path::Path;

use crate::{
    Codec, ContentSigner, Error,
    arguments::{Output, Shapes},
    mp4, picture, provenance,
};

/// Marks everything that was made in a folder, and signs what has a place for a signature. WebM stays as it is: there is no
/// agreed place in it for either.
pub(crate) async fn mark(
    out_dir: &Path,
    outputs: &[Output],
    shapes: &Shapes,
    signer: Option<&ContentSigner>,
) -> Result<(), Error> {
    for output in outputs {
        if output.codec != Codec::Vp9 {
            mark_mp4(&out_dir.join(&output.name), signer).await?;
        }
        if let Some(folder) = &output.hls {
            let init = out_dir.join(folder).join("init.mp4");
            let clean = mp4::without_texts(tokio::fs::read(&init).await?);
            let clean = clean.ok_or_else(|| Error::Failed { tail: "no initialisation segment".to_owned() })?;
            tokio::fs::write(&init, clean).await?;
        }
    }
    for name in [shapes.poster, shapes.strip] {
        mark_jpeg(&out_dir.join(name), signer).await?;
    }
    mark_webp(&out_dir.join(shapes.poster_webp), signer).await
}

/// Marks one MP4.
pub(crate) async fn mark_mp4(path: &Path, signer: Option<&ContentSigner>) -> Result<(), Error> {
    provenance::mark_mp4(path).await?;
    sign(path, signer).await
}

/// Marks one JPEG.
pub(crate) async fn mark_jpeg(path: &Path, signer: Option<&ContentSigner>) -> Result<(), Error> {
    let marked = provenance::mark_jpeg(&tokio::fs::read(path).await?);
    tokio::fs::write(path, marked).await?;
    sign(path, signer).await
}

/// Marks one WebP.
pub(crate) async fn mark_webp(path: &Path, signer: Option<&ContentSigner>) -> Result<(), Error> {
    let bytes = tokio::fs::read(path).await?;
    let info = picture::sniff_image(&bytes).map_err(|error| Error::Failed { tail: format!("poster: {error}") })?;
    if let Some(marked) = provenance::mark_webp(&bytes, info.width, info.height) {
        tokio::fs::write(path, marked).await?;
    }
    sign(path, signer).await
}

async fn sign(path: &Path, signer: Option<&ContentSigner>) -> Result<(), Error> {
    match signer {
        Some(signer) => signer.sign(path).await,
        None => Ok(()),
    }
}
