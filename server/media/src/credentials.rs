//! Content credentials (C2PA): who made a file and how, signed so that a change shows. Signing is the very last thing done
//! to a file: it covers every byte before it.

use std::{
    fmt, fs,
    io::Cursor,
    path::{Path, PathBuf},
    sync::Arc,
};

use c2pa::{Builder, Context, Reader, SigningAlg, ValidationState, create_signer};
use serde_json::json;

use crate::Error;

/// What a signer can be told to sign with, as settings name it.
pub const ALGORITHMS: [&str; 4] = ["es256", "es384", "ps256", "ed25519"];

/// A certificate with its key. Cheap to clone; never shows the key.
#[derive(Clone)]
pub struct ContentSigner(Arc<Keys>);

struct Keys {
    chain_pem: Vec<u8>,
    key_pem: Vec<u8>,
    algorithm: SigningAlg,
}

impl fmt::Debug for ContentSigner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ContentSigner").field("algorithm", &self.0.algorithm).finish_non_exhaustive()
    }
}

impl PartialEq for ContentSigner {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl ContentSigner {
    /// A certificate chain, the signing one first, and its key, both PEM; the algorithm is one of [`ALGORITHMS`].
    ///
    /// # Errors
    /// [`Error::Credentials`] when they do not fit together: a signature is tried, so that it is known at the start.
    pub fn new(chain_pem: Vec<u8>, key_pem: Vec<u8>, algorithm: &str) -> Result<Self, Error> {
        let wrong = |what: &str| Error::Credentials(what.to_owned());
        let algorithm = match algorithm {
            "es256" => SigningAlg::Es256,
            "es384" => SigningAlg::Es384,
            "ps256" => SigningAlg::Ps256,
            "ed25519" => SigningAlg::Ed25519,
            _ => return Err(wrong("the algorithm is none of es256, es384, ps256, ed25519")),
        };
        let signer = Self(Arc::new(Keys { chain_pem, key_pem, algorithm }));
        signer.prove()?;
        Ok(signer)
    }

    /// Signs a picture of nothing and reads it as a stranger would.
    fn prove(&self) -> Result<(), Error> {
        let refuse = |error: c2pa::Error| Error::Credentials(error.to_string());
        let mut picture = Cursor::new(Vec::new());
        let drawn = image::RgbImage::new(8, 8).write_to(&mut picture, image::ImageFormat::Jpeg);
        drawn.map_err(|error| Error::Credentials(error.to_string()))?;
        let mut signed = Cursor::new(Vec::new());
        let mut builder = builder("image/jpeg").map_err(refuse)?;
        builder.sign(&*self.signer()?, "image/jpeg", &mut picture, &mut signed).map_err(refuse)?;
        signed.set_position(0);
        let read = Reader::from_context(Context::new()).with_stream("image/jpeg", signed).map_err(refuse)?;
        if read.validation_state() == ValidationState::Invalid {
            return Err(Error::Credentials("certificate and key do not fit together".to_owned()));
        }
        Ok(())
    }

    fn signer(&self) -> Result<c2pa::BoxedSigner, Error> {
        let Keys { chain_pem, key_pem, algorithm } = &*self.0;
        create_signer::from_keys(chain_pem, key_pem, *algorithm, None)
            .map_err(|error| Error::Credentials(error.to_string()))
    }

    /// Signs a file of ours in its place. Nothing is changed when it cannot be signed.
    pub(crate) async fn sign(&self, path: &Path) -> Result<(), Error> {
        let (signer, path) = (self.clone(), path.to_owned());
        let done = tokio::task::spawn_blocking(move || signer.sign_file(&path)).await;
        done.map_err(|error| Error::Disk(std::io::Error::other(error)))?
    }

    fn sign_file(&self, path: &PathBuf) -> Result<(), Error> {
        let format = match path.extension().and_then(|word| word.to_str()) {
            Some("jpg") => "image/jpeg",
            Some("webp") => "image/webp",
            _ => "video/mp4",
        };
        let refuse = |error: c2pa::Error| Error::Credentials(error.to_string());
        let mut builder = builder(format).map_err(refuse)?;
        let signed = path.with_extension("signed");
        let mut source = fs::File::open(path)?;
        let mut target = fs::File::options().read(true).write(true).create_new(true).open(&signed)?;
        let done = builder.sign(&*self.signer()?, format, &mut source, &mut target).map_err(refuse);
        match done {
            Ok(_) => Ok(fs::rename(&signed, path)?),
            Err(error) => {
                let _ = fs::remove_file(&signed);
                Err(error)
            }
        }
    }
}

fn builder(format: &str) -> Result<Builder, c2pa::Error> {
    Builder::from_context(Context::new()).with_definition(manifest(format))
}

/// What is said of every file: it was created by a model that was trained, and by whose program.
fn manifest(format: &str) -> String {
    json!({
        "format": format,
        "claim_generator_info": [{ "name": "Lookreel", "version": env!("CARGO_PKG_VERSION") }],
        "assertions": [{
            "label": "c2pa.actions",
            "data": { "actions": [{
                "action": "c2pa.created",
                "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
            }] },
        }],
    })
    .to_string()
}
