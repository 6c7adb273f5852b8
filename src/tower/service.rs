//! The service: has the gate decide, and hands on or answers.

use core::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use http::{Request, Response, request::Parts};
use tower_service::Service;

use super::{GateLayer, Outside, headers};
use crate::{
    driver::{self, Asked, Decided},
    gate::Facts,
};

/// A service behind a gate: made by [`GateLayer`].
#[derive(Debug)]
pub struct GateService<S, O = super::Nothing> {
    inner: S,
    layer: GateLayer<O>,
}

impl<S, O> GateService<S, O> {
    pub(super) fn new(inner: S, layer: GateLayer<O>) -> Self {
        GateService { inner, layer }
    }
}

// Not derived: what is asked outside need not be `Clone`.
impl<S: Clone, O> Clone for GateService<S, O> {
    fn clone(&self) -> Self {
        GateService { inner: self.inner.clone(), layer: self.layer.clone() }
    }
}

impl<S, O, B, R> Service<Request<B>> for GateService<S, O>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    O: Outside,
    B: Send + 'static,
    R: From<String> + Send,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The service that is ready is the one that is called; the other stays.
        let next = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, next);
        let layer = self.layer.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            match layer.decide(&parts).await {
                Decided::Answered(reply) => Ok(headers::response(reply)),
                Decided::Passed(passed) => {
                    headers::forward(&mut parts.headers, &passed.forward);
                    if let Some(authorized) = passed.authorized {
                        if let Some(claims) = authorized.registered() {
                            parts.extensions.insert(claims);
                        }
                        parts.extensions.insert(authorized);
                    }
                    let mut response = inner.call(Request::from_parts(parts, body)).await?;
                    headers::with_nonce(response.headers_mut(), passed.nonce.as_deref());
                    Ok(response)
                }
            }
        })
    }
}

impl<O: Outside> GateLayer<O> {
    /// What the gate decides about a request.
    async fn decide(&self, parts: &Parts) -> Decided {
        let connection = (self.shared.connection)(parts);
        let target = self.target.as_ref().map(|target| target(parts));
        let nested = self.nested.as_ref().and_then(|nested| nested(parts));
        let url = headers::url(target.unwrap_or(&parts.uri), &parts.headers, connection.secure);
        // Paths besides the URL's; `None` where nobody can tell them.
        let served = target.and_then(|target| headers::served(target, &parts.uri, nested));
        let served_paths: Vec<&str> = served.iter().flatten().map(String::as_str).collect();
        let address = connection.client_address.map(|address| address.to_string());
        let facts = Facts {
            requirement: self.requirement,
            method: parts.method.as_str(),
            url: &url,
            url_vouched: connection.url_vouched,
            served: &served_paths,
            headers: &headers::pairs(&parts.headers),
            client_address: address.as_deref(),
            certificate: connection.certificate.as_deref(),
            ..Facts::default()
        };
        // A router may have shortened the URI, and nobody has said where the whole one is.
        let path_unknown = served.is_none() && self.requirement.is_none();
        driver::decide(&*self.shared, &Asked { facts, path_unknown }).await
    }
}
