//! `listen.web`: the page, its WebSocket and `/healthz`, over HTTP/1.1 on the threads of the sessions.
//!
//! | file | what |
//! | --- | --- |
//! | [`stream`] | an accepted connection, and its place among those that may be open |
//! | [`socket`] | a WebSocket as the stream of a session |
//! | [`origin`] | whose pages may talk to this server |
//! | [`page`] | the page, as it is in the program |

pub mod origin;
pub mod page;
pub mod socket;
pub mod stream;

use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use actix_http::HttpService;
use actix_http::body::BoxBody;
use actix_service::{IntoServiceFactory as _, Service as _, ServiceFactory, map_config};
use actix_web::dev::{AppConfig, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, ORIGIN};
use actix_web::middleware::DefaultHeaders;
use actix_web::web::{Data, Payload, get};
use actix_web::{App, Error, HttpRequest, HttpResponse};
use tokio::sync::OnceCell;

use super::table::Table;
use origin::Origins;
use stream::{Place, Stream};

/// How long a request may take to come, and an idle connection to ask again.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a client may take to close once it has been answered.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Nothing but what this server serves itself: no inline script or style, no frames, no other host.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

type Serving = Pin<Box<dyn Future<Output = ()>>>;

/// Serves HTTP to the connections of one thread.
#[derive(Clone)]
pub struct Site(Rc<dyn Fn(Stream, SocketAddr) -> Serving>);

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Site")
    }
}

impl Site {
    /// The page and its WebSocket, for the sessions of `table`.
    pub fn chat(table: Rc<Table>, origins: Origins) -> Self {
        let headers = DefaultHeaders::new()
            .add(("Content-Security-Policy", CONTENT_SECURITY_POLICY))
            .add(("X-Content-Type-Options", "nosniff"))
            .add(("Referrer-Policy", "no-referrer"))
            .add(("Cross-Origin-Opener-Policy", "same-origin"));
        let app = App::new()
            .app_data(Data::from(std::sync::Arc::new(origins)))
            .app_data(Shared(table))
            .wrap(headers)
            .route("/ws", get().to(open_socket))
            .route("/healthz", get().to(health))
            .configure(page::routes);
        Self::of(app.into_factory())
    }

    /// Serves `app`; made with the first connection.
    pub(super) fn of<F>(app: F) -> Self
    where
        F: ServiceFactory<
                actix_http::Request,
                Config = AppConfig,
                Response = ServiceResponse<BoxBody>,
                Error = Error,
                InitError = (),
            > + 'static,
    {
        let factory = HttpService::build()
            .client_request_timeout(REQUEST_TIMEOUT)
            .client_disconnect_timeout(DISCONNECT_TIMEOUT)
            .keep_alive(REQUEST_TIMEOUT)
            .on_connect_ext(|stream: &Stream, data| {
                data.insert(stream.place());
            })
            .h1(map_config(app, |()| AppConfig::default()));
        let (factory, service) = (Rc::new(factory), Rc::new(OnceCell::new()));
        Self(Rc::new(move |stream, peer| {
            let (factory, service) = (factory.clone(), service.clone());
            Box::pin(async move {
                let made = service.get_or_try_init(|| factory.new_service(())).await;
                let Ok(service) = made else {
                    return log::error!("the web page cannot be served");
                };
                if let Err(error) = service.call((stream, Some(peer))).await {
                    log::debug!("{peer}: {error}");
                }
            })
        }))
    }

    /// Serves one connection on this thread, until it ends.
    pub fn serve(&self, stream: Stream, peer: SocketAddr) {
        actix_rt::spawn(self.0(stream, peer));
    }
}

/// What the handlers of a thread share.
#[derive(Debug, Clone)]
struct Shared(Rc<Table>);

fn shared(request: &HttpRequest) -> &Rc<Table> {
    let shared: &Shared = request.app_data().expect("every app of a site has it");
    &shared.0
}

/// The protocol over a WebSocket: a session like any other.
async fn open_socket(
    request: HttpRequest,
    body: Payload,
    origins: Data<Origins>,
) -> Result<HttpResponse, Error> {
    if !origins.allow(request.headers()) {
        log::info!(
            "a page of {:?} is refused: not among `origins` in [web]",
            request.headers().get(ORIGIN)
        );
        return Ok(HttpResponse::Forbidden().body("this page may not talk to this server"));
    }
    let place: &Place = request
        .conn_data()
        .expect("a connection begins with its place");
    let peer = request.peer_addr().expect("a socket has a peer");
    let (response, sender, messages) = actix_ws::handle(&request, body)?;
    let Some(permit) = place.take() else {
        // A WebSocket ends with its connection: nobody opens two over one.
        return Ok(HttpResponse::BadRequest().finish());
    };
    socket::open(sender, messages, peer, permit, shared(&request));
    Ok(response)
}

/// Whether the server takes people, for those who watch over it.
async fn health(request: HttpRequest) -> HttpResponse {
    let table = shared(&request);
    let reason = if table.deaf.get() {
        Some("the server ends")
    } else if !table.room.connected() {
        Some("the room has ended")
    } else {
        None
    };
    let status = match reason {
        None => StatusCode::OK,
        Some(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    HttpResponse::build(status)
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(reason.unwrap_or("ready").to_owned() + "\n")
}
