//! Tries all that a policy can refuse and prints the kinds of the errors. Names that are given as
//! arguments are looked up instead: `denied [NAME...]`.

use std::fmt::Debug;
use std::io;
use std::time::Duration;
use wasport_net::{lookup_host, Ipv4Addr, TcpListener, TcpStream, UdpSocket};

fn main() -> io::Result<()> {
    let mut names = std::env::args().skip(1).peekable();
    if names.peek().is_none() {
        return refusals();
    }
    for name in names {
        show(&name, lookup_host(&name).map(|addrs| addrs.collect::<Vec<_>>()));
    }
    Ok(())
}

fn refusals() -> io::Result<()> {
    let long = Duration::from_secs(60);
    show("connect", TcpStream::connect("127.0.0.1:9"));
    show("connect by IPv6", TcpStream::connect("[::1]:9"));
    show("connect in time", TcpStream::connect_timeout(&([127, 0, 0, 1], 9).into(), long));
    show("listen", TcpListener::bind("127.0.0.1:0"));
    show("listen by IPv6", TcpListener::bind("[::1]:0"));
    show("bind", UdpSocket::bind("127.0.0.1:9"));
    show("look up", TcpStream::connect("localhost:9"));

    let socket = UdpSocket::bind("0.0.0.0:0")?;
    show("send", socket.send_to(b"x", "127.0.0.1:9"));
    show("connect datagrams", socket.connect("127.0.0.1:9"));
    show("join", socket.join_multicast_v4(&Ipv4Addr::new(239, 1, 2, 3), &Ipv4Addr::LOCALHOST));
    let socket = UdpSocket::bind("[::]:0")?;
    show("send by IPv6", socket.send_to(b"x", "[::1]:9"));
    show("join by IPv6", socket.join_multicast_v6(&"ff01::77".parse().unwrap(), 1));
    Ok(())
}

fn show<T: Debug>(what: &str, result: io::Result<T>) {
    match result {
        Ok(value) => println!("{what}: {value:?}"),
        Err(err) => println!("{what}: {:?}", err.kind()),
    }
}
