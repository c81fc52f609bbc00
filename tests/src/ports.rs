//! Ports of this machine, for servers that don't tell which one they got.

use std::net::TcpListener;

/// One that nobody listened at just now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}
