//! A counter behind HTTP. The count lives in memory only: it is gone when the process ends.
//!
//! ```text
//! cargo run -- 3000
//! curl -X POST localhost:3000/increment
//! curl localhost:3000/get
//! ```

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::Router;
use tokio::net::TcpListener;

#[derive(Default)]
struct Counter {
    count: AtomicU64,
}

impl Counter {
    /// Adds one and returns the new count.
    fn increment(&self) -> u64 {
        self.count.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn get(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

/// The text that a visitor sees.
fn render(count: u64) -> String {
    format!("count: {count}\n")
}

async fn increment(State(counter): State<Arc<Counter>>) -> String {
    let count = counter.increment();
    render(count)
}

async fn show(State(counter): State<Arc<Counter>>) -> String {
    let count = counter.get();
    render(count)
}

fn router() -> Router {
    Router::new()
        .route("/increment", get(increment).post(increment))
        .route("/get", get(show))
        .with_state(Arc::new(Counter::default()))
}

/// The port is the first argument, else `PORT`, else 3000; 0 lets the system choose a free one.
fn port() -> Result<u16, std::num::ParseIntError> {
    std::env::args()
        .nth(1)
        .or_else(|| std::env::var("PORT").ok())
        .map_or(Ok(3000), |port| port.parse())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(("127.0.0.1", port()?)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, router()).await?;
    Ok(())
}
