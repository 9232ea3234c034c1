//! Which names the server is known by. A name that another party owns may be made to point here (DNS
//! rebinding): to the browser a page of that name is then a page of this server, and may read all of it.

use std::cell::RefCell;
use std::sync::Arc;

use actix_web::http::Uri;
use actix_web::http::header::{HOST, HeaderMap};

use super::super::tls::Identity;
use crate::host::{Authority, Host, Origin};

/// Addresses, `localhost`, and these names: `hosts` in `[web]`, and the hosts of `origins`.
#[derive(Debug, Clone, Default)]
pub struct Hosts(Vec<Host>);

impl Hosts {
    pub fn new(hosts: &[Host], origins: &[String]) -> Self {
        let origins = origins.iter().filter_map(|origin| origin.parse().ok());
        let of_origins = origins.map(|origin: Origin| origin.host);
        Self(hosts.iter().cloned().chain(of_origins).collect())
    }

    fn has(&self, host: &Host) -> bool {
        host.is_fixed() || self.0.contains(host)
    }
}

/// The certificate that a site is shown with, whose names it is known by as well.
#[derive(Debug, Default)]
pub(super) struct Shown(RefCell<Option<Arc<Identity>>>);

impl Shown {
    pub(super) fn new(identity: Option<Arc<Identity>>) -> Self {
        Self(RefCell::new(identity))
    }

    pub(super) fn set(&self, identity: Arc<Identity>) {
        *self.0.borrow_mut() = Some(identity);
    }

    fn names(&self, host: &Host) -> bool {
        let identity = self.0.borrow();
        identity
            .as_ref()
            .is_some_and(|identity| identity.names(host))
    }
}

/// Returns whether a request is for a name that the server is known by. One without a host is no browser's.
pub(super) fn is_known(uri: &Uri, headers: &HeaderMap, hosts: &Hosts, shown: &Shown) -> bool {
    let knows = |host: &Host| hosts.has(host) || shown.names(host);
    let mut named = headers.get_all(HOST);
    let host = match (named.next(), named.next()) {
        (None, _) => None,
        (Some(_), Some(_)) => return false,
        (Some(host), None) => Some(host.to_str().ok()),
    };
    let in_uri = uri.authority().map(|authority| Some(authority.as_str()));
    host.into_iter().chain(in_uri).all(|text| {
        let authority = text.and_then(|text| text.parse::<Authority>().ok());
        authority.is_some_and(|authority| knows(&authority.host))
    })
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn names_that_nobody_has_named_are_not_known() {
        let hosts = Hosts::new(
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
            let found = is_known(&uri.parse().unwrap(), &headers, &hosts, &Shown::default());
            assert_eq!(found, known, "{uri} {named:?}");
        }
    }
}
