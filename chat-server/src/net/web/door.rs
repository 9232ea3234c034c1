//! Which requests are answered: not those for a name of another party.

use std::rc::Rc;

use actix_http::ConnectionType;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_LENGTH, HOST, HeaderMap, HeaderValue, TRANSFER_ENCODING};
use actix_web::http::{StatusCode, Uri};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse};

use super::stream::Visit;
use super::{HEALTH, Hall, hosts};
use crate::logged::{Quoted, log_bounded};

/// Why a request is not answered, for people.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) StatusCode, pub(super) &'static str);

/// Checks what goes for every request. Who watches over the server may do so by any name.
///
/// # Errors
/// It is refused.
pub(super) fn check(uri: &Uri, headers: &HeaderMap, hall: &Hall) -> Result<(), Refusal> {
    if !hall.talks || uri.path() == HEALTH {
        return Ok(());
    }
    if !hosts::is_known(uri, headers, &hall.manners.hosts, &hall.shown) {
        let host = headers.get(HOST).map(HeaderValue::as_bytes);
        log_bounded!(
            info,
            "hosts that are not among `hosts`",
            "a request for the host {} is refused: not among `hosts` in [web]",
            Quoted::bytes(host.unwrap_or_default())
        );
        let words = "this server is not known by that name: see `hosts` in [web]\n";
        return Err(Refusal(StatusCode::FORBIDDEN, words));
    }
    Ok(())
}

/// Answers a request, or says why not. A request with a body, which nothing here reads, is the last of its
/// connection, and counts for the person that a proxy names.
pub(super) async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let hall: &Rc<Hall> = request.app_data().expect("every app has it");
    let visit: &Rc<Visit> = request.conn_data().expect("every connection has it");
    let (has_body, headers) = (has_body(request.headers()), request.headers());
    visit.is_asked(has_body);
    let mut checked = check(request.uri(), headers, hall);
    if checked.is_ok() && has_body && hall.talks {
        let person = hall.manners.proxies.person(visit.peer.ip(), headers);
        if !visit.is_of(person) {
            let words = "there are too many connections from your network\n";
            checked = Err(Refusal(StatusCode::SERVICE_UNAVAILABLE, words));
        }
    }
    let mut response = match checked {
        Ok(()) => next.call(request).await?.map_into_left_body(),
        Err(Refusal(status, words)) => request
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
