//! A server with routes of several kinds, which answers one request and waits.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::{
    DefaultBodyLimit, Form, MatchedPath, OriginalUri, Path, Query, Request, State,
};
use axum::handler::Handler;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::{from_fn, map_request, map_response, Next};
use axum::response::sse::{Event, Sse};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{any, delete, get, get_service, post, put, MethodRouter};
use axum::{error_handling::HandleErrorLayer, Extension, Json, Router};

type Notes = Arc<Mutex<HashMap<u32, String>>>;

async fn note(State(notes): State<Notes>, Path(id): Path<u32>) -> Result<String, StatusCode> {
    let notes = notes
        .lock()
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    notes.get(&id).cloned().ok_or(StatusCode::NOT_FOUND)
}

async fn add(
    State(notes): State<Notes>,
    Path((id, _)): Path<(u32, String)>,
    Form(form): Form<HashMap<String, String>>,
) -> impl IntoResponse {
    let text = form.get("text").cloned().unwrap_or_default();
    if let Ok(mut notes) = notes.lock() {
        notes.insert(id, text);
    }
    (
        StatusCode::CREATED,
        [("x-note", "added")],
        Redirect::to("/"),
    )
}

async fn json(Json(value): Json<serde_json::Value>) -> Json<serde_json::Value> {
    Json(value)
}

async fn query(
    Query(query): Query<Vec<(String, u8)>>,
    headers: HeaderMap,
    method: Method,
    OriginalUri(uri): OriginalUri,
    matched: Option<MatchedPath>,
    Extension(name): Extension<&'static str>,
) -> Html<String> {
    let path = matched.map(|path| path.as_str().to_owned());
    Html(format!(
        "{query:?} {headers:?} {method} {uri} {path:?} {name}"
    ))
}

async fn events() -> impl IntoResponse {
    let events = Event::default()
        .event("e")
        .id("1")
        .data("one\ntwo")
        .comment("c");
    Sse::new(Once(Some(events)))
}

async fn file(Path(parts): Path<HashMap<String, String>>, body: Bytes) -> Response<Body> {
    Response::new(Body::from(format!("{parts:?} {}", body.len())))
}

async fn checked(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().remove("x-none");
    response
}

async fn failed(error: Infallible) -> StatusCode {
    match error {}
}

/// A stream of one event.
struct Once(Option<Event>);

impl futures_util::Stream for Once {
    type Item = Result<Event, Infallible>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.take().map(Ok))
    }
}

fn app() -> Router {
    let notes = Notes::default();
    let one: MethodRouter<Notes> = get(note).put(note).fallback(|| async { "no such method" });
    let service = get_service(file.with_state(()));
    let inner = Router::new()
        .route("/file/{name}/{*rest}", any(file))
        .route_service("/service", service)
        .fallback(|| async { (StatusCode::NOT_FOUND, "nothing here") });
    Router::new()
        .route("/", get(|| async { "notes" }))
        .route("/note/{id}", one)
        .route("/note/{id}/{kind}", post(add).delete(add).patch(add))
        .route("/json", put(json).layer(DefaultBodyLimit::max(1024)))
        .route("/query", get(query))
        .route("/events", get(events))
        .route("/gone", delete(|| async { StatusCode::NO_CONTENT }))
        .nest("/inner", inner)
        .merge(Router::new().route("/merged", get(|| async { Json([1, 2]) })))
        .layer(from_fn(checked))
        .layer(map_request(|request: Request| async { request }))
        .layer(map_response(|response: Response| async { response }))
        .layer(HandleErrorLayer::new(failed))
        .layer(Extension("host"))
        .with_state(notes)
}

async fn serve(address: std::sync::mpsc::Sender<std::net::SocketAddr>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let _ = address.send(listener.local_addr().expect("its address"));
    let _ = axum::serve(listener, app()).await;
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    let (send, address) = std::sync::mpsc::channel();
    std::thread::spawn(move || runtime.block_on(serve(send)));
    let address = address.recv().expect("an address");
    let mut connection = std::net::TcpStream::connect(address).expect("it listens");
    let request = "GET /query?a=1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    connection.write_all(request.as_bytes()).expect("written");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let _ = std::io::stdin().lines().count();
}
