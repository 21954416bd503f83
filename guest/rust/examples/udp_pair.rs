//! Two UDP sockets that talk to each other: `udp_pair [ADDRESS]`, on 127.0.0.1 or another address.

use std::io;
use wasport_net::{IpAddr, Ipv4Addr, UdpSocket};

fn main() -> io::Result<()> {
    let ip = match std::env::args().nth(1) {
        Some(text) => text.parse().expect("an IP address"),
        None => IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    let (server, client) = (UdpSocket::bind((ip, 0))?, UdpSocket::bind((ip, 0))?);
    client.connect(server.local_addr()?)?;
    let mut buf = [0; 1500];
    for text in ["hello", "", "good bye"] {
        client.send(text.as_bytes())?;
        let (size, from) = server.recv_from(&mut buf)?;
        println!("{} bytes from the client: {}", size, from == client.local_addr()?);
        server.send_to(&buf[..size].to_ascii_uppercase(), from)?;
        let size = client.recv(&mut buf)?;
        println!("reply {:?}", String::from_utf8_lossy(&buf[..size]));
    }
    Ok(())
}
