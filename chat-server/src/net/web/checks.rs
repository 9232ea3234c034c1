//! Checks that run before every HTTP request: host name and request body.

use std::rc::Rc;

use actix_http::ConnectionType;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_LENGTH, HOST, HeaderMap, HeaderValue, TRANSFER_ENCODING};
use actix_web::http::{StatusCode, Uri};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse};

use super::stream::HttpConnection;
use super::{HEALTH, Hall, hosts};
use crate::logging::{Quoted, log_throttled};

/// Status and text of a rejected request.
#[derive(Debug)]
pub(super) struct Rejection(pub(super) StatusCode, pub(super) &'static str);

/// Rejects a request for an unknown host. `/healthz` and the metrics listener accept any host,
/// because health checks and scrapers use internal names.
///
/// # Errors
/// The host is unknown.
pub(super) fn check(uri: &Uri, headers: &HeaderMap, hall: &Hall) -> Result<(), Rejection> {
    if !hall.talks || uri.path() == HEALTH {
        return Ok(());
    }
    if !hosts::is_allowed(uri, headers, &hall.manners.hosts, &hall.certificate) {
        let host = headers.get(HOST).map(HeaderValue::as_bytes);
        log_throttled!(
            info,
            "requests with an unknown Host",
            "rejected a request for host {}: not in `hosts` of [web]",
            Quoted::bytes(host.unwrap_or_default())
        );
        let words = "unknown host: see `hosts` in [web]\n";
        return Err(Rejection(StatusCode::FORBIDDEN, words));
    }
    Ok(())
}

/// Middleware that checks a request. No handler reads a body: a request with a body closes its
/// connection and counts for the client address that a proxy names.
pub(super) async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let hall: &Rc<Hall> = request.app_data().expect("every app has it");
    let connection: &Rc<HttpConnection> = request.conn_data().expect("every connection has it");
    let (has_body, headers) = (has_body(request.headers()), request.headers());
    let mut checked = if connection.on_request(has_body) {
        check(request.uri(), headers, hall)
    } else {
        let words = "a connection serves one request\n";
        Err(Rejection(StatusCode::BAD_REQUEST, words))
    };
    if checked.is_ok() && has_body && hall.talks {
        let person = hall.manners.proxies.person(connection.peer.ip(), headers);
        if !connection.attribute_to(person) {
            let words = "there are too many connections from your network\n";
            checked = Err(Rejection(StatusCode::SERVICE_UNAVAILABLE, words));
        }
    }
    let mut response = match checked {
        Ok(()) => next.call(request).await?.map_into_left_body(),
        Err(Rejection(status, words)) => request
            .into_response(HttpResponse::build(status).body(words))
            .map_into_right_body(),
    };
    if has_body {
        let head = response.response_mut().head_mut();
        head.set_connection_type(ConnectionType::Close);
    }
    Ok(response)
}

fn has_body(headers: &HeaderMap) -> bool {
    let length = headers.get(CONTENT_LENGTH);
    headers.contains_key(TRANSFER_ENCODING) || length.is_some_and(|length| length != "0")
}
