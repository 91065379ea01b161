//! The last change of the bytes: what nobody needs to know is taken out, what everybody must know is put in.

use std::path::Path;

use crate::{
    Codec, Error,
    arguments::{Output, Shapes},
    mp4, picture, provenance,
};

/// Marks everything that was made in a folder. WebM stays as it is: there is no agreed place in it.
pub(crate) async fn mark(out_dir: &Path, outputs: &[Output], shapes: &Shapes) -> Result<(), Error> {
    for output in outputs {
        if output.codec != Codec::Vp9 {
            provenance::mark_mp4(&out_dir.join(&output.name)).await?;
        }
        if let Some(folder) = &output.hls {
            let init = out_dir.join(folder).join("init.mp4");
            let clean = mp4::without_texts(tokio::fs::read(&init).await?);
            let clean = clean.ok_or_else(|| Error::Failed { tail: "no initialisation segment".to_owned() })?;
            tokio::fs::write(&init, clean).await?;
        }
    }
    for name in [shapes.poster, shapes.strip] {
        let path = out_dir.join(name);
        let marked = provenance::mark_jpeg(&tokio::fs::read(&path).await?);
        tokio::fs::write(&path, marked).await?;
    }
    let path = out_dir.join(shapes.poster_webp);
    let bytes = tokio::fs::read(&path).await?;
    let info = picture::sniff_image(&bytes).map_err(|error| Error::Failed { tail: format!("poster: {error}") })?;
    if let Some(marked) = provenance::mark_webp(&bytes, info.width, info.height) {
        tokio::fs::write(&path, marked).await?;
    }
    Ok(())
}
