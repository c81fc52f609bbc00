//! The server and its clients in one thread of one process: keys are set and asked for.

#[path = "../clock.rs"]
mod clock;

use mini_redis::{client, server};
use tokio::net::TcpListener;

const CLIENTS: u64 = 4;
const REQUESTS: u64 = 250;

fn main() {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    clock::run(|| runtime.block_on(serve()));
}

async fn serve() -> u64 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(server::run(listener, async {
        let _ = stopped.await;
    }));
    let clients: Vec<_> = (0..CLIENTS).map(|number| tokio::spawn(ask(address, number))).collect();
    let mut right = 0;
    for client in clients {
        right += client.await.unwrap();
    }
    stop.send(()).unwrap();
    server.await.unwrap();
    right
}

async fn ask(address: std::net::SocketAddr, number: u64) -> u64 {
    let mut client = client::connect(address).await.unwrap();
    let mut right = 0;
    for request in 0..REQUESTS {
        let (key, value) = (format!("key-{number}-{}", request % 20), format!("value {request}"));
        client.set(&key, value.clone().into()).await.unwrap();
        let got = client.get(&key).await.unwrap().unwrap();
        right += u64::from(got == value.as_bytes());
    }
    right
}
