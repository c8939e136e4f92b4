//! axum and hyper over turmoil's TCP: a listener, a client, and a `date` header by the host's own clock.
//!
//! Take this file along: it hangs on the versions of axum and hyper that a service uses, not on the simulation.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, UNIX_EPOCH};

use axum::Router;
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::middleware::map_response;
use axum::response::Response;
use axum::serve::Listener;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use sim::substrate::guest::{Host, Noting};
use turmoil::net::{TcpListener, TcpStream};

/// Where services listen.
const PORT: u16 = 80;

/// turmoil's listener, as axum wants it.
struct OverTurmoil(TcpListener);

impl Listener for OverTurmoil {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            // A connection that ended before it was taken is none of the service's business.
            if let Ok(accepted) = self.0.accept().await {
                return accepted;
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// Serves a router on [`PORT`] until the host dies.
///
/// hyper would stamp each answer with the date of the machine that the simulation runs on, and no two runs would send
/// the same bytes. So answers get their date here, by the clock of the simulated host.
pub(crate) async fn serve<O: Noting>(host: Host<O>, router: Router) -> io::Result<()> {
    let dated = router.layer(map_response(move |mut answer: Response| {
        let since_epoch = Duration::from_nanos(u64::try_from(host.wall().as_ns()).unwrap_or(0));
        let date = httpdate::fmt_http_date(UNIX_EPOCH + since_epoch);
        let date = HeaderValue::try_from(date).expect("a date is printable");
        answer.headers_mut().insert(header::DATE, date);
        async { answer }
    }));
    let listener = TcpListener::bind(("0.0.0.0", PORT)).await?;
    axum::serve(OverTurmoil(listener), dated).await
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    /// The service was never reached: what was asked has not happened.
    Unreached,
    /// The connection broke after the request had left: what was asked may have happened.
    Broken,
}

/// Asks a host for one thing over a connection of its own.
pub(crate) async fn ask(host: &str, method: &str, path: &str) -> Result<(StatusCode, String), NoAnswer> {
    let stream = TcpStream::connect((host, PORT)).await.map_err(|_| NoAnswer::Unreached)?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|_| NoAnswer::Unreached)?;
    // It ends with the connection; why it broke shows in the answer.
    drop(tokio::task::spawn_local(async { drop(connection.await) }));
    let request = Request::builder().method(method).uri(path).header(header::HOST, host);
    let request = request.body(Empty::<Bytes>::new()).expect("method and path are those of an example");
    let answer = sender.send_request(request).await.map_err(|_| NoAnswer::Broken)?;
    let status = answer.status();
    let body = answer.into_body().collect().await.map_err(|_| NoAnswer::Broken)?.to_bytes();
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}
