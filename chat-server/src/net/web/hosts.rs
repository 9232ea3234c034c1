//! Defence against DNS rebinding: rejects requests for host names that do not belong to this
//! server. A page of a foreign name that resolves to this server would be same-origin with it.

use std::cell::RefCell;
use std::sync::Arc;

use actix_web::http::Uri;
use actix_web::http::header::{HOST, HeaderMap};

use super::super::tls::ServerIdentity;
use crate::host::{Host, HostPort, WebOrigin};

/// Host names of this server: `hosts` in `[web]` and the hosts of `origins`. IP addresses and
/// `localhost` are always allowed.
#[derive(Debug, Clone, Default)]
pub struct AllowedHosts(Vec<Host>);

impl AllowedHosts {
    pub fn new(hosts: &[Host], origins: &[String]) -> Self {
        let origins = origins.iter().filter_map(|origin| origin.parse().ok());
        let of_origins = origins.map(|origin: WebOrigin| origin.host);
        Self(hosts.iter().cloned().chain(of_origins).collect())
    }

    fn has(&self, host: &Host) -> bool {
        host.is_local_or_address() || self.0.contains(host)
    }
}

/// Current certificate of the listener. Its names are allowed hosts.
#[derive(Debug, Default)]
pub(super) struct ServedCertificate(RefCell<Option<Arc<ServerIdentity>>>);

impl ServedCertificate {
    pub(super) fn new(identity: Option<Arc<ServerIdentity>>) -> Self {
        Self(RefCell::new(identity))
    }

    pub(super) fn set(&self, identity: Arc<ServerIdentity>) {
        *self.0.borrow_mut() = Some(identity);
    }

    fn names(&self, host: &Host) -> bool {
        let identity = self.0.borrow();
        identity
            .as_ref()
            .is_some_and(|identity| identity.covers(host))
    }
}

/// Returns whether the host of a request is allowed. A request without a host is allowed: browsers
/// always send one.
pub(super) fn is_allowed(
    uri: &Uri,
    headers: &HeaderMap,
    hosts: &AllowedHosts,
    certificate: &ServedCertificate,
) -> bool {
    let knows = |host: &Host| hosts.has(host) || certificate.names(host);
    let mut named = headers.get_all(HOST);
    let host = match (named.next(), named.next()) {
        (None, _) => None,
        (Some(_), Some(_)) => return false,
        (Some(host), None) => Some(host.to_str().ok()),
    };
    let in_uri = uri.authority().map(|authority| Some(authority.as_str()));
    host.into_iter().chain(in_uri).all(|text| {
        let authority = text.and_then(|text| text.parse::<HostPort>().ok());
        authority.is_some_and(|authority| knows(&authority.host))
    })
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn unknown_host_names_are_rejected() {
        let hosts = AllowedHosts::new(
            &["chat.example.org".parse().unwrap()],
            &["https://app.example.org:8443".into(), "null".into()],
        );
        for (uri, named, known) in [
            ("/", &["127.0.0.1:8080"][..], true),
            ("/", &["[::1]:8080"], true),
            ("/", &["localhost:8080"], true),
            ("/", &["Chat.Example.Org."], true),
            ("/", &["chat.example.org:8443"], true),
            ("/", &["app.example.org"], true),
            ("/", &[], true),
            ("http://localhost/", &["localhost"], true),
            ("/", &["evil.example"], false),
            ("/", &["chat.example.org.evil.example"], false),
            ("/", &["localhost@evil.example"], false),
            ("/", &["localhost", "evil.example"], false),
            ("/", &["localhost", "localhost"], false),
            ("/", &[""], false),
            ("http://evil.example/", &["localhost"], false),
            ("http://evil.example/", &[], false),
        ] {
            let mut headers = HeaderMap::new();
            for host in named {
                headers.append(HOST, HeaderValue::from_static(host));
            }
            let found = is_allowed(
                &uri.parse().unwrap(),
                &headers,
                &hosts,
                &ServedCertificate::default(),
            );
            assert_eq!(found, known, "{uri} {named:?}");
        }
    }
}
