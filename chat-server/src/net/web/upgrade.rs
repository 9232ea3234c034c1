//! A request that asks for a WebSocket: checked, answered, and its connection handed to a session.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;

use actix_codec::Framed;
use actix_http::body::BodySize;
use actix_http::header::{HeaderName, HeaderValue, ORIGIN};
use actix_http::ws::HandshakeError;
use actix_http::{
    ConnectionType, HttpMessage as _, Request, Response, ResponseBuilder, StatusCode, h1, ws,
};
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;

use super::super::session::Session;
use super::super::transport::Transport;
use super::checks::{self, Rejection};
use super::socket::WebSocket;
use super::stream::Stream;
use super::{HEADERS, Hall, PATH};
use crate::logging::{Quoted, log_throttled};

type Connection = Framed<Stream, h1::Codec>;

/// Deals with one request that is the last of its connection.
///
/// # Errors
/// The connection broke, or the client took too long to read the answer.
pub(super) async fn serve(
    request: Request,
    connection: Connection,
    hall: Rc<Hall>,
) -> io::Result<()> {
    let most = hall.table.limits().hello_timeout;
    timeout(most, answer(request, connection, &hall)).await?
}

async fn answer(request: Request, connection: Connection, hall: &Hall) -> io::Result<()> {
    match check(&request, hall) {
        Ok(response) => open(&request, connection, response, hall).await,
        Err(refusal) => refuse(connection, refusal).await,
    }
}

/// The answer to a request that may have its WebSocket.
fn check(request: &Request, hall: &Hall) -> Result<ResponseBuilder, Rejection> {
    // Browsers send an Origin with every WebSocket request. A request without it is not a page's, and
    // bots may use any host name.
    if request.headers().contains_key(ORIGIN) {
        checks::check(request.uri(), request.headers(), hall)?;
    }
    if request.path() != PATH || !hall.talks {
        return Err(Rejection(StatusCode::NOT_FOUND, "no WebSocket is here\n"));
    }
    if !hall.manners.origins.allow(request.headers()) {
        let origin = request.headers().get(ORIGIN).map(HeaderValue::as_bytes);
        log_throttled!(
            info,
            "requests with a foreign Origin",
            "rejected a page of origin {}: not in `origins` of [web]",
            Quoted::bytes(origin.unwrap_or_default())
        );
        let words = "this page may not talk to this server\n";
        return Err(Rejection(StatusCode::FORBIDDEN, words));
    }
    // Extensions that the client offers are not agreed to, as they are not named in the answer.
    ws::handshake(request.head()).map_err(|error| match error {
        HandshakeError::NoVersionHeader | HandshakeError::UnsupportedVersion => {
            Rejection(StatusCode::UPGRADE_REQUIRED, "version 13 is spoken here\n")
        }
        HandshakeError::GetMethodRequired => Rejection(StatusCode::METHOD_NOT_ALLOWED, "GET it\n"),
        HandshakeError::NoWebsocketUpgrade
        | HandshakeError::NoConnectionUpgrade
        | HandshakeError::BadWebsocketKey => {
            Rejection(StatusCode::BAD_REQUEST, "RFC 6455 asks for it otherwise\n")
        }
    })
}

async fn open(
    request: &Request,
    mut connection: Connection,
    mut response: ResponseBuilder,
    hall: &Hall,
) -> io::Result<()> {
    let state = connection.io_ref().state();
    let peer = state.peer;
    let person = hall.manners.proxies.person(peer.ip(), request.headers());
    if !state.attribute_to(person) {
        let words = "there are too many connections from your network\n";
        return refuse(
            connection,
            Rejection(StatusCode::SERVICE_UNAVAILABLE, words),
        )
        .await;
    }
    let response = response.finish().drop_body();
    let mut framed = Pin::new(&mut connection);
    framed
        .as_mut()
        .write(h1::Message::Item((response, BodySize::None)))?;
    type Item = h1::Message<(Response<()>, BodySize)>;
    poll_fn(|cx| framed.as_mut().flush::<Item>(cx)).await?;
    let parts = connection.into_parts();
    let Some((transport, permit)) = parts.io.into_parts() else {
        return Ok(());
    };
    let socket = WebSocket::new(transport, parts.read_buf);
    let peer = (person, peer.port()).into();
    Session::open(
        Transport::Layered(Box::new(socket)),
        peer,
        permit,
        &hall.table,
    );
    Ok(())
}

async fn refuse(connection: Connection, Rejection(status, words): Rejection) -> io::Result<()> {
    let mut response = Response::with_body(status, words);
    for (name, value) in HEADERS.into_iter().chain([("sec-websocket-version", "13")]) {
        let (name, value) = (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
        response.headers_mut().insert(name, value);
    }
    response
        .head_mut()
        .set_connection_type(ConnectionType::Close);
    let sent = h1::SendResponse::new(connection, response).await;
    let connection = sent.map_err(|error| io::Error::other(error.to_string()))?;
    connection.into_parts().io.shutdown().await
}
