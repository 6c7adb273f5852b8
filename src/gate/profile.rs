//! Which facts of a request a gate's decisions rest on: whoever collects them needs no others.

use crate::gate::{Gate, proxies, request, rules::GateRules};

impl Gate {
    /// Which headers a decision may rest on, in lower case. Of a request by another method than
    /// `OPTIONS`, [`headers_of_requests`](Self::headers_of_requests) suffice.
    #[must_use]
    pub fn headers(&self) -> Vec<&str> {
        let mut names = self.headers_of_requests();
        let marks = ["origin", "access-control-request-method", "content-length", "transfer-encoding"];
        for name in marks.into_iter().chain(request::CREDENTIALS) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The same without those by which a CORS preflight is told from a request.
    #[must_use]
    pub fn headers_of_requests(&self) -> Vec<&str> {
        let GateRules { places, proxies, cors, .. } = &self.rules;
        let mut names = vec!["host", "connection"];
        names.extend(places.headers());
        names.extend(places.headers_of_sender());
        names.extend(proxies.headers());
        if cors.is_some() && !names.contains(&"origin") {
            names.push("origin");
        }
        names
    }

    /// Those of a request over plain HTTP that count besides: its credentials, which a public route
    /// is not served with, and what shows that the other end of the connection is a proxy.
    #[must_use]
    pub fn headers_of_plain_http(&self) -> Vec<&str> {
        let own = self.headers_of_requests();
        let more = request::CREDENTIALS.into_iter().chain(proxies::MARKS).chain(proxies::TRACES);
        more.filter(|name| !own.contains(name)).collect()
    }

    /// Whether method and path matter where
    /// [`Facts::requirement`](crate::gate::Facts::requirement) is `None`.
    #[must_use]
    pub fn goes_by_path(&self) -> bool {
        !self.rules.routes.is_empty()
    }

    /// Whether the client's address matters to the policy or to a requirement that is kept.
    #[must_use]
    pub fn goes_by_address(&self) -> bool {
        self.rules.names_networks() || self.requirements.iter().any(|kept| kept.requirement.names_networks())
    }
}
