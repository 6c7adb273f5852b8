//! Bodies of requests and responses, piece by piece.

use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStream, ReadableStreamDefaultReader, Request};

use super::time::within;

/// How long a body may take to begin, in milliseconds. What takes longer counts as one.
const BODY_MS: u64 = 1000;

/// Reads a stream, and lets go of what is left of it.
struct Reader(ReadableStreamDefaultReader);

impl Reader {
    fn of(stream: &ReadableStream) -> Result<Self, JsValue> {
        ReadableStreamDefaultReader::new(stream).map(Reader)
    }

    /// The next piece; `None` at the end.
    async fn next(&self) -> Result<Option<Uint8Array>, JsValue> {
        let read = JsFuture::from(self.0.read()).await?;
        if Reflect::get(&read, &"done".into())?.is_truthy() {
            return Ok(None);
        }
        Ok(Some(Reflect::get(&read, &"value".into())?.dyn_into()?))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // A promise that somebody listens to is not reported when it fails.
        drop(JsFuture::from(self.0.cancel()));
    }
}

/// Whether a request has a body. Some runtimes give every OPTIONS a stream: only its beginning
/// tells. The request's own body can be read afterwards.
pub(super) async fn has_bytes(request: &Request) -> bool {
    if request.body().is_none() {
        return false;
    }
    let begins = async {
        let reader = Reader::of(&request.clone()?.body().ok_or(JsValue::UNDEFINED)?)?;
        // Deno begins an empty body with an empty piece.
        while let Some(piece) = reader.next().await? {
            if piece.length() > 0 {
                return Ok(true);
            }
        }
        Ok::<bool, JsValue>(false)
    };
    // Somebody has read it already, or it does not come.
    within(BODY_MS, begins).await.is_none_or(|begins| begins.unwrap_or(true))
}

/// A body as text; `None` for one that is longer than that or no UTF-8. It counts while it reads: a
/// length that was announced is no promise. A byte order mark stays, for the gate to refuse.
pub(super) async fn text(body: Option<ReadableStream>, max_bytes: u64) -> Option<String> {
    let Some(body) = body else { return Some(String::new()) };
    let reader = Reader::of(&body).ok()?;
    let mut bytes = Vec::new();
    while let Some(piece) = reader.next().await.ok()? {
        bytes.extend(piece.to_vec());
        if u64::try_from(bytes.len()).ok()? > max_bytes {
            return None;
        }
    }
    String::from_utf8(bytes).ok()
}
