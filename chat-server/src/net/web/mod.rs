//! `listen.web`: the page, its WebSocket and `/healthz`; `listen.metrics`: `/metrics` and `/healthz`. Over
//! HTTP/1.1 on the threads of the sessions.
//!
//! | file | what |
//! | --- | --- |
//! | `stream` | an accepted connection with its permit and its request deadline |
//! | [`upgrade`] | a request that asks for a WebSocket |
//! | [`socket`] | a WebSocket as the transport of a session |
//! | `monitors` | connections to the metrics listener |
//! | `checks` | checks of every request |
//! | [`hosts`] | allowed host names |
//! | [`origin`] | whose pages may talk to this server |
//! | [`proxies`] | who somebody is that comes through a proxy |
//! | [`page`] | the page, as it is in the program |

mod checks;
pub mod hosts;
mod monitors;
pub mod origin;
pub mod page;
pub mod proxies;
pub mod socket;
mod stream;
pub mod upgrade;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_codec::Framed;
use actix_http::header::{CACHE_CONTROL, UPGRADE};
use actix_http::{HttpService, KeepAlive, StatusCode, h1};
use actix_service::{
    IntoServiceFactory as _, Service as _, ServiceFactory as _, fn_service, map_config,
};
use actix_web::dev::AppConfig;
use actix_web::middleware::{DefaultHeaders, from_fn};
use actix_web::web::ServiceConfig;
use actix_web::{App, FromRequest, Handler, HttpRequest, HttpResponse, Resource, Responder, web};
use tokio::sync::OnceCell;

use super::places::Permit;
use super::table::Table;
use super::tls::ServerIdentity;
use super::transport::Transport;
use crate::logging::Quoted;
use crate::telemetry::health::Health;
use hosts::{AllowedHosts, ServedCertificate};
use monitors::MonitorConnections;
use origin::Origins;
use proxies::Proxies;
use stream::Stream;

/// Where a WebSocket is asked for.
const PATH: &str = "/ws";

/// Path of the health check.
const HEALTH: &str = "/healthz";

/// The HTTP library's clock goes on twice a second only: a deadline by it may be so much too early.
const CLOCK_STEP: Duration = Duration::from_millis(500);

/// How long a client may take to close once it has been answered.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// What stands on every answer. Nothing is allowed but what this server serves itself: no inline script or
/// style, no frames, no other host, and nothing of the machine that a chat does not need.
const HEADERS: [(&str, &str); 5] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

type Serving = Pin<Box<dyn Future<Output = ()>>>;

/// Serves HTTP to the connections of one thread.
#[derive(Clone)]
pub struct Site {
    hall: Rc<Hall>,
    serve: Rc<dyn Fn(Stream) -> Serving>,
}

/// How it serves them.
#[derive(Debug, Clone)]
pub struct Manners {
    /// Whose pages may talk to the server, besides its own.
    pub origins: Origins,
    /// Host names that requests may use.
    pub hosts: AllowedHosts,
    /// Who says whom a connection is for.
    pub proxies: Proxies,
    pub health: Health,
    pub metrics: Render,
}

/// Says what the server does, in the text format of Prometheus.
#[derive(Clone)]
pub struct Render(pub Arc<dyn Fn() -> Vec<u8> + Send + Sync>);

impl fmt::Debug for Render {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Render")
    }
}

/// What the requests of a thread share.
#[derive(Debug)]
struct Hall {
    table: Rc<Table>,
    manners: Manners,
    /// Whether this listener serves the page and the WebSocket.
    talks: bool,
    certificate: ServedCertificate,
    monitors: MonitorConnections,
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Site")
    }
}

impl Site {
    /// The page and its WebSocket.
    pub(super) fn page(
        table: Rc<Table>,
        manners: Manners,
        identity: Option<Arc<ServerIdentity>>,
    ) -> Self {
        Self::new(
            table,
            manners,
            true,
            ServedCertificate::new(identity),
            |app| {
                app.service(resource(PATH, no_upgrade))
                    .configure(page::routes);
            },
        )
    }

    /// What those see who watch over the server.
    pub fn watch(table: Rc<Table>, manners: Manners) -> Self {
        Self::new(table, manners, false, ServedCertificate::default(), |app| {
            app.service(resource("/metrics", metrics));
        })
    }

    /// Made with the first connection.
    fn new(
        table: Rc<Table>,
        manners: Manners,
        talks: bool,
        certificate: ServedCertificate,
        offers: impl FnOnce(&mut ServiceConfig),
    ) -> Self {
        let hall = Rc::new(Hall {
            table,
            manners,
            talks,
            certificate,
            monitors: MonitorConnections::default(),
        });
        let (for_app, for_upgrade) = (hall.clone(), hall.clone());
        let headers = HEADERS
            .into_iter()
            .fold(DefaultHeaders::new(), DefaultHeaders::add);
        let app = App::new()
            .app_data(for_app)
            .wrap(from_fn(checks::guard))
            .wrap(headers)
            .service(resource(HEALTH, health))
            .configure(offers);
        let factory = HttpService::build()
            .client_request_timeout(hall.table.limits().hello_timeout + CLOCK_STEP)
            .client_disconnect_timeout(DISCONNECT_TIMEOUT)
            // One request for each connection: the HTTP library encodes the answers to all pipelined
            // requests, also for a client that reads none of them.
            .keep_alive(KeepAlive::Disabled)
            .on_connect_ext(|stream: &Stream, data| {
                data.insert(stream.state().clone());
            })
            .upgrade(fn_service(
                move |(request, connection): (_, Framed<Stream, h1::Codec>)| {
                    let serving = upgrade::serve(request, connection, for_upgrade.clone());
                    async { serving.await.map_err(actix_web::Error::from) }
                },
            ))
            .h1(map_config(app.into_factory(), |()| AppConfig::default()));
        let (factory, service) = (Rc::new(factory), Rc::new(OnceCell::new()));
        let serve = move |stream: Stream| -> Serving {
            let (factory, service) = (factory.clone(), service.clone());
            Box::pin(async move {
                let peer = stream.state().peer;
                let made = service.get_or_try_init(|| factory.new_service(())).await;
                let Ok(service) = made else {
                    return log::error!("the web page cannot be served");
                };
                if let Err(error) = service.call((stream, Some(peer))).await {
                    log::debug!("{peer}: {}", Quoted::text(&error.to_string()));
                }
            })
        };
        let serve = Rc::new(serve);
        Self { hall, serve }
    }

    /// Whether whoever is at this address names the person whom a connection is for.
    pub(super) fn believes(&self, address: IpAddr) -> bool {
        self.hall.manners.proxies.has(address)
    }

    /// Replaces the certificate whose names are allowed hosts.
    pub(super) fn set_identity(&self, identity: Arc<ServerIdentity>) {
        self.hall.certificate.set(identity);
    }

    /// Whether this is the metrics listener, whose connections need no permit.
    pub(super) fn is_for_monitors(&self) -> bool {
        !self.hall.talks
    }

    /// Serves one connection on this thread until it closes.
    pub(super) fn serve(&self, transport: Transport, permit: Option<Permit>, peer: SocketAddr) {
        let table = &self.hall.table;
        let timeout = table.limits().hello_timeout;
        let stream = Stream::new(transport, permit, peer, timeout, &table.counts);
        let state = stream.state().clone();
        let serving = actix_rt::spawn((self.serve)(stream));
        if self.is_for_monitors() {
            self.hall.monitors.add(state, serving);
        }
    }
}

/// What can be read, and nothing else: HEAD is answered as GET, without the body.
fn resource<F, Args>(path: &str, answer: F) -> Resource
where
    F: Handler<Args> + Clone,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    web::resource(path)
        .route(web::get().to(answer.clone()))
        .route(web::head().to(answer))
}

/// Who asks for the WebSocket as if it were a page.
async fn no_upgrade() -> HttpResponse {
    HttpResponse::UpgradeRequired()
        .insert_header((UPGRADE, "websocket"))
        .body("this is a WebSocket\n")
}

/// What the server does, for Prometheus.
async fn metrics(request: HttpRequest) -> HttpResponse {
    let hall: &Rc<Hall> = request.app_data().expect("every app has it");
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .content_type(prometheus::TEXT_FORMAT)
        .body((hall.manners.metrics.0)())
}

/// Whether the server does its work, for those who watch over it.
async fn health(request: HttpRequest) -> HttpResponse {
    let hall: &Rc<Hall> = request.app_data().expect("every app has it");
    let complaint = if hall.table.room.connected() {
        hall.manners.health.summary()
    } else {
        Some("the room has ended".to_owned())
    };
    let status = match complaint {
        None => StatusCode::OK,
        Some(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    HttpResponse::build(status)
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(complaint.unwrap_or("ready".to_owned()) + "\n")
}
