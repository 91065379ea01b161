//! How values travel between the server and the browser: as JSON, whichever way they go.
//!
//! The derived readers of `serde_json` are made once per type and source of text, and were a quarter of the browser
//! half. [`Lean`] reads the same JSON through one [`Node`], whatever the type.

mod node;

use codee::{Decoder, Encoder};
use leptos::server_fn::{Bytes, ContentType, Decodes, Encodes, Format, FormatType, codec::Post};
use serde::{Serialize, de::DeserializeOwned};

pub use node::{Misfit, Node};

/// The JSON of answers, errors and live events.
#[derive(Debug, Clone, Copy)]
pub struct Lean;

/// What server functions answer with.
pub type LeanJson = Post<Lean>;

/// A resource that the page carries as JSON.
pub type Resource<T> = leptos::prelude::Resource<T, Lean>;

/// Like [`leptos::prelude::Resource::new`], carried as [`Lean`].
pub fn resource<S, T, F>(
    source: impl Fn() -> S + Send + Sync + 'static,
    fetcher: impl Fn(S) -> F + Send + Sync + 'static,
) -> Resource<T>
where
    S: PartialEq + Clone + Send + Sync + 'static,
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
    F: Future<Output = T> + Send + 'static,
{
    Resource::new_with_options(source, fetcher, false)
}

fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, Misfit> {
    let tree = serde_json::from_slice(json).map_err(|_| Misfit)?;
    T::deserialize(Node(&tree))
}

impl ContentType for Lean {
    const CONTENT_TYPE: &'static str = "application/json";
}

impl FormatType for Lean {
    const FORMAT_TYPE: Format = Format::Text;
}

impl<T: Serialize> Encodes<T> for Lean {
    type Error = serde_json::Error;

    fn encode(value: &T) -> Result<Bytes, Self::Error> {
        serde_json::to_vec(value).map(Bytes::from)
    }
}

impl<T: DeserializeOwned> Decodes<T> for Lean {
    type Error = Misfit;

    fn decode(json: Bytes) -> Result<T, Misfit> {
        read(&json)
    }
}

impl<T: Serialize> Encoder<T> for Lean {
    type Error = serde_json::Error;
    type Encoded = String;

    fn encode(value: &T) -> Result<String, Self::Error> {
        serde_json::to_string(value)
    }
}

impl<T: DeserializeOwned> Decoder<T> for Lean {
    type Error = Misfit;
    type Encoded = str;

    fn decode(json: &str) -> Result<T, Misfit> {
        read(json.as_bytes())
    }
}
