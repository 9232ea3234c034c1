//! Whose pages may open a WebSocket here: without this check any page that somebody looks at could talk
//! to a server that only they can reach (RFC 6455, 10.2).

use actix_web::http::header::{HOST, HeaderMap, ORIGIN};

use crate::host::WebOrigin;

/// Pages of this server itself, and those of `origins` in `[web]`.
#[derive(Debug, Clone, Default)]
pub struct Origins(Vec<String>);

impl Origins {
    pub fn new(origins: Vec<String>) -> Self {
        Self(origins)
    }

    /// Whether a request with these headers may open a WebSocket. One without an Origin is no page's:
    /// browsers always send it.
    pub fn allow(&self, headers: &HeaderMap) -> bool {
        let mut origins = headers.get_all(ORIGIN);
        let Some(origin) = origins.next() else {
            return true;
        };
        let (Ok(origin), None) = (origin.to_str(), origins.next()) else {
            return false;
        };
        let parsed: Option<WebOrigin> = origin.parse().ok();
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        let own = parsed
            .as_ref()
            .zip(host.and_then(|host| host.parse().ok()))
            .is_some_and(|(origin, host)| origin.matches(&host));
        own || self.0.iter().any(|known| {
            known.eq_ignore_ascii_case(origin)
                || parsed.is_some() && known.parse().ok().as_ref() == parsed.as_ref()
        })
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn pages_of_this_host_and_of_those_named_may_talk() {
        let origins = Origins::new(vec!["https://chat.example.org".into()]);
        for (origin, allowed) in [
            (None, true),
            (Some("http://localhost:8080"), true),
            (Some("https://LOCALHOST:8080"), true),
            (Some("https://chat.example.org"), true),
            (Some("https://chat.example.org:443"), true),
            (Some("http://chat.example.org"), false),
            (Some("http://localhost"), false),
            (Some("http://localhost:8080.example.org"), false),
            (Some("null"), false),
            (Some(""), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("localhost:8080"));
            if let Some(origin) = origin {
                headers.insert(ORIGIN, HeaderValue::from_static(origin));
            }
            assert_eq!(origins.allow(&headers), allowed, "{origin:?}");
        }
    }
}
