//! Passes requests on to the server, and its answers back, as they come: bodies of any length and
//! duration, and connections that become something else than HTTP. A tag is put into pages.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header;
use hyper::service::service_fn;
use hyper::{client, server, upgrade, Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

use super::answers::{self, AnyBody};
use super::headers::{self, Form};
use super::policy::{self, Verdict};
use super::script::WithScript;
use super::state::State;
use super::Untouched;

/// Until there are files to be opened again.
const PAUSE: Duration = Duration::from_millis(100);

/// Takes connections, for ever.
pub(super) async fn serve(listener: TcpListener, state: Arc<State>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true); // It is slower without.
            let service =
                service_fn(|request| async { Ok::<_, Infallible>(answer(request, &state).await) });
            // A browser may go away in the middle of something.
            let _ = server::conn::http1::Builder::new()
                .preserve_header_case(true)
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades()
                .await;
        });
    }
}

async fn answer(request: Request<Incoming>, state: &State) -> Response<AnyBody> {
    let Some(host) = headers::own_host(&request).map(str::to_owned) else {
        return answers::text(
            StatusCode::FORBIDDEN,
            "hot: this address is for names of this machine only: localhost, 127.0.0.1, [::1]\n",
        );
    };
    match request.uri().path() {
        answers::SCRIPT => answers::script(),
        answers::NEXT => answers::text(StatusCode::OK, state.next(known(request.uri())).await),
        path if path.starts_with(answers::OWN) => {
            answers::text(StatusCode::NOT_FOUND, "hot: there is nothing here\n")
        }
        _ if request.method() == Method::CONNECT => answers::text(
            StatusCode::METHOD_NOT_ALLOWED,
            "hot: this is a proxy for one server\n",
        ),
        _ => pass_on(request, &host, state).await,
    }
}

/// `after` of a query.
fn known(uri: &Uri) -> &str {
    let mut fields = uri.query().unwrap_or_default().split('&');
    fields
        .find_map(|field| field.strip_prefix("after="))
        .unwrap_or_default()
}

async fn pass_on(mut request: Request<Incoming>, host: &str, state: &State) -> Response<AnyBody> {
    // Before the server is asked: if something changes meanwhile, the page is asked for again.
    let made_by = state.now();
    let is_page = headers::opens_a_page(&request);
    let page = request.uri().path().to_owned();
    let becomes = headers::upgrade(request.headers());
    headers::pass_on(request.headers_mut(), becomes.clone());
    if is_page {
        headers::ask_for_text(request.headers_mut());
    }
    let for_browser = becomes.is_some().then(|| upgrade::on(&mut request));
    let Some(port) = state.server() else {
        return missing("No process of the program listens at a port yet.", is_page);
    };
    let mut answer = match send(request, port).await {
        Ok(answer) => answer,
        Err(Failed::Connect) => {
            let why = format!("Nothing answers at port {port} yet.");
            return missing(&why, is_page);
        }
        Err(Failed::Answer(why)) => {
            let why = format!("The server at port {port} gave no answer that is HTTP: {why}");
            return own(StatusCode::BAD_GATEWAY, &why, is_page.then_some(&made_by));
        }
    };
    if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
        return switch(answer, for_browser);
    }
    headers::pass_on(answer.headers_mut(), None);
    answer.headers_mut().remove(header::TRANSFER_ENCODING);
    headers::keep_here(answer.headers_mut(), port, host);
    match is_page {
        true => with_tag(answer, &page, host, &made_by, state),
        false => answer.map(BodyExt::boxed_unsync),
    }
}

/// Why the server gave no answer.
enum Failed {
    Connect,
    Answer(hyper::Error),
}

/// Asks the server at this port, on a connection for this request alone: none is ever one to a
/// server that was ended.
async fn send(mut request: Request<Incoming>, port: u16) -> Result<Response<Incoming>, Failed> {
    let here = [
        ([127, 0, 0, 1], port).into(),
        ([0, 0, 0, 0, 0, 0, 0, 1], port).into(),
    ];
    let stream = TcpStream::connect(&here[..])
        .await
        .map_err(|_| Failed::Connect)?;
    let _ = stream.set_nodelay(true); // It is slower without.
    let (mut server, connection) = client::conn::http1::Builder::new()
        .preserve_header_case(true)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(Failed::Answer)?;
    tokio::spawn(connection.with_upgrades());
    if let Some(path) = request.uri().path_and_query() {
        *request.uri_mut() = path.clone().into();
    }
    *request.version_mut() = hyper::Version::HTTP_11;
    server.send_request(request).await.map_err(Failed::Answer)
}

/// The two connections belong to each other from now on.
fn switch(
    mut answer: Response<Incoming>,
    for_browser: Option<upgrade::OnUpgrade>,
) -> Response<AnyBody> {
    let to_server = upgrade::on(&mut answer);
    tokio::spawn(async move {
        let for_browser = for_browser?.await.ok()?;
        let to_server = to_server.await.ok()?;
        let (mut browser, mut server) = (TokioIo::new(for_browser), TokioIo::new(to_server));
        // Either may go away in the middle of something.
        copy_bidirectional(&mut browser, &mut server).await.ok()
    });
    let becomes = answer.headers().get(header::UPGRADE).cloned();
    headers::pass_on(answer.headers_mut(), becomes);
    answer.map(BodyExt::boxed_unsync)
}

/// A page with the tag, if it is one that can have it.
fn with_tag(
    mut answer: Response<Incoming>,
    page: &str,
    host: &str,
    made_by: &str,
    state: &State,
) -> Response<AnyBody> {
    match headers::form(&answer) {
        Form::Page => {}
        Form::Compressed => {
            state.untouched(page, Untouched::Compressed);
            return answer.map(BodyExt::boxed_unsync);
        }
        Form::Other => return answer.map(BodyExt::boxed_unsync),
    }
    let policies = headers::values(answer.headers(), header::CONTENT_SECURITY_POLICY);
    let Verdict::Allowed(nonce) = policy::verdict(policies, host) else {
        state.untouched(page, Untouched::Policy);
        return answer.map(BodyExt::boxed_unsync);
    };
    headers::of_page_with_tag(answer.headers_mut());
    let tag = answers::tag(made_by, nonce.as_deref());
    answer.map(|body| WithScript::new(body, tag).boxed_unsync())
}

/// There is no server: a page says so until there is one.
fn missing(why: &str, is_page: bool) -> Response<AnyBody> {
    /// No server's page was made by that.
    const NOTHING: &str = "nothing";
    let why = format!("{why} A page shows it as soon as it does.");
    own(
        StatusCode::SERVICE_UNAVAILABLE,
        &why,
        is_page.then_some(NOTHING),
    )
}

/// What isn't the server's, as a page that belongs to a state, or for a program.
fn own(status: StatusCode, why: &str, page_of: Option<&str>) -> Response<AnyBody> {
    match page_of {
        Some(state) => answers::note(status, why, &answers::tag(state, None)),
        None => answers::text(status, format!("hot: {why}\n")),
    }
}
