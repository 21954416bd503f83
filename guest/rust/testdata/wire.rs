//! Uses each function of the crate on loopback and prints what happened. The test runs it natively,
//! where the crate is `std::net`, and as a guest, and compares the outputs: `wire 127.0.0.1|::1`.

use std::fmt::Debug;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::time::Duration;
use wasport_net::{
    lookup_host, poll, AsFd, AsRawFd, FromRawFd, IntoRawFd, IpAddr, Ipv4Addr, Ipv6Addr, PollFd,
    Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket,
};

fn main() {
    let ip: IpAddr = std::env::args().nth(1).unwrap().parse().unwrap();
    let checks: &[(&str, fn(IpAddr) -> io::Result<()>)] = &[
        ("echo", echo),
        ("addresses", addresses),
        ("half-close", half_close),
        ("vectored", vectored),
        ("peek", peek),
        ("timeouts", timeouts),
        ("stream options", stream_options),
        ("listener options", listener_options),
        ("errors", errors),
        ("reset", reset),
        ("connect with a timeout", connect_timeout),
        ("clones", clones),
        ("descriptors", descriptors),
        ("incoming", incoming),
        ("non-blocking", nonblocking),
        ("poll", polling),
        ("datagrams", datagrams),
        ("connected datagrams", connected_datagrams),
        ("datagram options", datagram_options),
        ("multicast", multicast),
        ("addresses from text", text),
        ("lookups", lookups),
        ("debug", debug),
    ];
    for (name, check) in checks {
        println!("== {name}");
        if let Err(err) = check(ip) {
            println!("ended by {:?}", err.kind());
        }
    }
}

/// The kind of an error, or the value.
fn show<T: Debug>(what: &str, result: io::Result<T>) {
    match result {
        Ok(value) => println!("{what}: {value:?}"),
        Err(err) => println!("{what}: error {:?}", err.kind()),
    }
}

/// Both ends of a connection.
fn pair(ip: IpAddr) -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind((ip, 0))?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    Ok((client, listener.accept()?.0))
}

fn echo(ip: IpAddr) -> io::Result<()> {
    let (mut client, mut server) = pair(ip)?;
    let mut buf = [0; 4096];
    for i in 0..100u8 {
        client.write_all(&[i; 4096])?;
        server.read_exact(&mut buf)?;
        server.write_all(&buf)?;
        client.read_exact(&mut buf)?;
        assert_eq!(buf, [i; 4096]);
    }
    client.flush()?;
    show("empty write", client.write(b""));
    drop(server);
    show("end", client.read(&mut buf));
    Ok(())
}

fn addresses(ip: IpAddr) -> io::Result<()> {
    let listener = TcpListener::bind((ip, 0))?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    let (server, from) = listener.accept()?;
    println!("{}", from == client.local_addr()? && from == server.peer_addr()?);
    println!("{}", client.peer_addr()? == server.local_addr()?);
    println!("{} {}", listener.local_addr()?.ip(), client.local_addr()?.ip());
    Ok(())
}

fn half_close(ip: IpAddr) -> io::Result<()> {
    let (mut client, mut server) = pair(ip)?;
    client.shutdown(Shutdown::Write)?;
    show("read", server.read(&mut [0; 8]));
    server.write_all(b"late")?;
    server.shutdown(Shutdown::Both)?;
    let mut text = String::new();
    client.read_to_string(&mut text)?;
    println!("{text}");
    show("write after shutdown", client.write(b"x"));
    show("shutdown of a listener", pair(ip)?.0.shutdown(Shutdown::Read));
    Ok(())
}

fn vectored(ip: IpAddr) -> io::Result<()> {
    let (mut client, mut server) = pair(ip)?;
    show("write", client.write_vectored(&[IoSlice::new(b"one "), IoSlice::new(b"two")]));
    let (mut a, mut b) = ([0; 2], [0; 5]);
    show("read", server.read_vectored(&mut [IoSliceMut::new(&mut a), IoSliceMut::new(&mut b)]));
    println!("{a:?} {b:?}");
    let many = [IoSlice::new(b"x"); 40];
    let size = client.write_vectored(&many)?;
    println!("{}", size > 0);
    let mut all = vec![0; size];
    server.read_exact(&mut all)?;
    println!("{}", all.iter().all(|&byte| byte == b'x'));
    Ok(())
}

fn peek(ip: IpAddr) -> io::Result<()> {
    let (client, mut server) = pair(ip)?;
    (&client).write_all(b"hello")?;
    let mut buf = [0; 3];
    show("peek", server.peek(&mut buf));
    println!("{buf:?}");
    let mut all = [0; 5];
    server.read_exact(&mut all)?;
    println!("{all:?}");
    Ok(())
}

fn timeouts(ip: IpAddr) -> io::Result<()> {
    let (mut client, _server) = pair(ip)?;
    show("none", client.read_timeout());
    show("none", client.write_timeout());
    show("zero", client.set_read_timeout(Some(Duration::ZERO)));
    show("set", client.set_read_timeout(Some(Duration::from_millis(20))));
    show("set", client.set_write_timeout(Some(Duration::from_secs(3))));
    show("read", client.read_timeout());
    show("write", client.write_timeout());
    show("late", client.read(&mut [0; 1]));
    show("late peek", client.peek(&mut [0; 1]));
    show("never", client.set_read_timeout(Some(Duration::MAX)));
    show("removed", client.set_read_timeout(None));
    show("none", client.read_timeout());
    let socket = UdpSocket::bind((ip, 0))?;
    socket.set_read_timeout(Some(Duration::from_millis(20)))?;
    show("late datagram", socket.recv_from(&mut [0; 1]));
    show("read", socket.read_timeout());
    show("set", socket.set_write_timeout(Some(Duration::from_secs(1))));
    show("write", socket.write_timeout());
    Ok(())
}

fn stream_options(ip: IpAddr) -> io::Result<()> {
    let (client, _server) = pair(ip)?;
    show("no delay", client.nodelay());
    client.set_nodelay(true)?;
    show("no delay", client.nodelay());
    show("ttl", client.ttl());
    show("set ttl", client.set_ttl(17));
    show("ttl", client.ttl());
    show("ttl 0", client.set_ttl(0));
    show("ttl 256", client.set_ttl(256));
    show("ttl of more than a byte", client.set_ttl(u32::MAX - 5));
    println!("{}", client.take_error()?.is_none());
    Ok(())
}

fn listener_options(ip: IpAddr) -> io::Result<()> {
    let listener = TcpListener::bind((ip, 0))?;
    show("ttl", listener.ttl());
    show("set ttl", listener.set_ttl(17));
    show("ttl", listener.ttl());
    println!("{}", listener.take_error()?.is_none());
    Ok(())
}

fn errors(ip: IpAddr) -> io::Result<()> {
    let listener = TcpListener::bind((ip, 0))?;
    let addr = listener.local_addr()?;
    show("in use", TcpListener::bind(addr).map(drop));
    drop(listener);
    show("nobody there", TcpStream::connect(addr).map(drop));
    let none: &[SocketAddr] = &[];
    show("no addresses", TcpStream::connect(none).map(drop));
    show("no addresses", UdpSocket::bind((ip, 0))?.send_to(b"x", none));
    let foreign: IpAddr = match ip {
        IpAddr::V4(_) => Ipv4Addr::new(192, 0, 2, 1).into(),
        IpAddr::V6(_) => "2001:db8::1".parse().unwrap(),
    };
    show("not this host's", TcpListener::bind((foreign, 0)).map(drop));
    show("not connected", UdpSocket::bind((ip, 0))?.peer_addr());
    let other = TcpListener::bind((ip, 0))?;
    let addrs = [addr, other.local_addr()?];
    show("the second", TcpStream::connect(&addrs[..]).map(|s| s.peer_addr().unwrap() == addrs[1]));
    Ok(())
}

fn reset(ip: IpAddr) -> io::Result<()> {
    let (mut client, server) = pair(ip)?;
    client.write_all(b"unread")?;
    server.peek(&mut [0; 1])?;
    drop(server); // with data that was not read, which resets the connection
    show("reset", client.read(&mut [0; 1]));
    show("gone", client.write(b"x"));
    Ok(())
}

fn connect_timeout(ip: IpAddr) -> io::Result<()> {
    let listener = TcpListener::bind((ip, 0))?;
    let addr = listener.local_addr()?;
    let client = TcpStream::connect_timeout(&addr, Duration::from_secs(60))?;
    show("write timeout", client.write_timeout());
    show("zero", TcpStream::connect_timeout(&addr, Duration::ZERO).map(drop));
    drop(listener);
    show("refused", TcpStream::connect_timeout(&addr, Duration::from_secs(60)).map(drop));
    Ok(())
}

fn clones(ip: IpAddr) -> io::Result<()> {
    let listener = TcpListener::bind((ip, 0))?;
    let twin = listener.try_clone()?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    drop(listener);
    let (mut server, _) = twin.accept()?;
    let mut clone = client.try_clone()?;
    client.write_all(b"one ")?;
    drop(client);
    clone.write_all(b"two")?;
    drop(clone);
    let mut text = String::new();
    server.read_to_string(&mut text)?;
    println!("{text}");
    let socket = UdpSocket::bind((ip, 0))?;
    let twin = socket.try_clone()?;
    socket.set_nonblocking(true)?; // which is common to both
    show("clone", twin.recv(&mut [0; 1]));
    Ok(())
}

fn descriptors(ip: IpAddr) -> io::Result<()> {
    let (client, mut server) = pair(ip)?;
    println!("{}", client.as_raw_fd() == client.as_fd().as_raw_fd());
    let clone = client.try_clone()?;
    let fd = client.into_raw_fd();
    drop(clone); // which leaves the descriptor open
    let mut client = unsafe { TcpStream::from_raw_fd(fd) };
    client.write_all(b"x")?;
    drop(client);
    let mut text = String::new();
    server.read_to_string(&mut text)?;
    println!("{text}");
    Ok(())
}

fn incoming(ip: IpAddr) -> io::Result<()> {
    let listener = TcpListener::bind((ip, 0))?;
    let addr = listener.local_addr()?;
    let clients: Vec<_> = (0..3).map(|_| TcpStream::connect(addr)).collect::<Result<_, _>>()?;
    for (client, server) in clients.iter().zip(listener.incoming()) {
        println!("{}", client.local_addr()? == server?.peer_addr()?);
    }
    Ok(())
}

fn nonblocking(ip: IpAddr) -> io::Result<()> {
    let listener = TcpListener::bind((ip, 0))?;
    listener.set_nonblocking(true)?;
    show("accept", listener.accept());
    listener.set_nonblocking(false)?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    let (mut server, _) = listener.accept()?;
    client.set_nonblocking(true)?;
    show("read", client.read(&mut [0; 1]));
    show("peek", client.peek(&mut [0; 1]));
    let chunk = vec![0; 1 << 20];
    let mut sent = 0;
    let full = loop {
        match client.write(&chunk) {
            Ok(size) => sent += size,
            Err(err) => break err,
        }
    };
    println!("{:?}", full.kind());
    drop(client);
    println!("{}", io::copy(&mut server, &mut io::sink())? == sent as u64);
    show("datagram", {
        let socket = UdpSocket::bind((ip, 0))?;
        socket.set_nonblocking(true)?;
        socket.recv_from(&mut [0; 1])
    });
    Ok(())
}

fn polling(ip: IpAddr) -> io::Result<()> {
    show("nothing", poll(&mut [], None));
    show("a time", poll(&mut [], Some(Duration::from_nanos(1))));
    let listener = TcpListener::bind((ip, 0))?;
    let socket = UdpSocket::bind((ip, 0))?;
    let mut fds = [PollFd::readable(&listener), PollFd::readable(&socket)];
    show("not yet", poll(&mut fds, Some(Duration::from_millis(5))));
    let client = TcpStream::connect(listener.local_addr()?)?;
    show("connection", poll(&mut fds, None));
    println!("{} {}", fds[0].is_readable(), fds[1].is_readable());
    let (server, _) = listener.accept()?;
    let mut fds = [PollFd::both(&client), PollFd::writable(&socket)];
    show("room", poll(&mut fds, None));
    println!("{} {} {}", fds[0].is_readable(), fds[0].is_writable(), fds[1].is_writable());
    drop(server);
    let mut fds = [PollFd::readable(&client)];
    show("end", poll(&mut fds, None));
    let mut fds = [PollFd::both(&client)];
    drop(client);
    show("closed", poll(&mut fds, None));
    println!("{} {}", fds[0].is_readable(), fds[0].is_writable());
    Ok(())
}

fn datagrams(ip: IpAddr) -> io::Result<()> {
    let (a, b) = (UdpSocket::bind((ip, 0))?, UdpSocket::bind((ip, 0))?);
    let to = b.local_addr()?;
    let mut buf = [0; 7];
    for text in ["hello", "", "0123456789"] {
        show("send", a.send_to(text.as_bytes(), to));
        let (size, from) = b.peek_from(&mut buf)?;
        println!("{size} {}", from == a.local_addr()?);
        let (size, from) = b.recv_from(&mut buf)?;
        println!("{:?} {}", &buf[..size], from == a.local_addr()?);
    }
    show("too long", a.send_to(&[0; 70000], to));
    show("no peer", a.send(b"x"));
    Ok(())
}

fn connected_datagrams(ip: IpAddr) -> io::Result<()> {
    let (a, b) = (UdpSocket::bind((ip, 0))?, UdpSocket::bind((ip, 0))?);
    a.connect(b.local_addr()?)?;
    println!("{}", a.peer_addr()? == b.local_addr()?);
    show("send", a.send(b"ping"));
    let (_, from) = b.recv_from(&mut [0; 8])?;
    b.send_to(b"pong", from)?;
    let mut buf = [0; 8];
    show("peek", a.peek(&mut buf));
    show("receive", a.recv(&mut buf));
    println!("{buf:?}");
    show("to the peer", a.send_to(b"x", b.local_addr()?));
    drop(b);
    a.set_read_timeout(Some(Duration::from_secs(60)))?;
    show("nobody there", a.send(b"x").and_then(|_| a.recv(&mut buf)));
    Ok(())
}

fn datagram_options(ip: IpAddr) -> io::Result<()> {
    let socket = UdpSocket::bind((ip, 0))?;
    show("broadcast", socket.broadcast());
    socket.set_broadcast(true)?;
    show("broadcast", socket.broadcast());
    show("set ttl", socket.set_ttl(9));
    show("ttl", socket.ttl());
    show("multicast ttl", socket.multicast_ttl_v4());
    show("set multicast ttl", socket.set_multicast_ttl_v4(3));
    show("multicast ttl", socket.multicast_ttl_v4());
    show("multicast ttl 256", socket.set_multicast_ttl_v4(256));
    show("loop", socket.multicast_loop_v4());
    show("set loop", socket.set_multicast_loop_v4(false));
    show("loop", socket.multicast_loop_v4());
    show("loop of IPv6", socket.multicast_loop_v6());
    show("set loop of IPv6", socket.set_multicast_loop_v6(false));
    show("loop of IPv6", socket.multicast_loop_v6());
    println!("{}", socket.take_error()?.is_none());
    Ok(())
}

fn multicast(ip: IpAddr) -> io::Result<()> {
    let lo = Ipv4Addr::LOCALHOST;
    if ip.is_ipv6() {
        let socket = UdpSocket::bind((ip, 0))?;
        let group: Ipv6Addr = "ff01::77".parse().unwrap();
        show("join", socket.join_multicast_v6(&group, 1));
        show("again", socket.join_multicast_v6(&group, 1));
        show("leave", socket.leave_multicast_v6(&group, 1));
        show("left", socket.leave_multicast_v6(&group, 1));
        show("no group", socket.join_multicast_v6(&Ipv6Addr::LOCALHOST, 1));
        return Ok(());
    }
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    let group = Ipv4Addr::new(239, 1, 2, 3);
    show("join", socket.join_multicast_v4(&group, &lo));
    show("again", socket.join_multicast_v4(&group, &lo));
    // Sent from the interface of the group.
    let sender = UdpSocket::bind((lo, 0))?;
    sender.set_multicast_loop_v4(true)?;
    show("send", sender.send_to(b"all", (group, socket.local_addr()?.port())));
    socket.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut buf = [0; 8];
    show("receive", socket.recv(&mut buf));
    show("leave", socket.leave_multicast_v4(&group, &lo));
    show("left", socket.leave_multicast_v4(&group, &lo));
    show("no group", socket.join_multicast_v4(&lo, &lo));
    Ok(())
}

fn text(_: IpAddr) -> io::Result<()> {
    let list = |addrs: &dyn Fn() -> io::Result<Vec<SocketAddr>>| show("addresses", addrs());
    for text in ["127.0.0.1:80", "[::1]:443", "127.0.0.1", "host:port", "host:70000", ""] {
        list(&|| Ok(text.to_socket_addrs()?.collect()));
        list(&|| Ok(text.to_string().to_socket_addrs()?.collect()));
    }
    list(&|| Ok(("127.0.0.1", 1).to_socket_addrs()?.collect()));
    list(&|| Ok(("::1".to_string(), 1).to_socket_addrs()?.collect()));
    list(&|| Ok((Ipv4Addr::LOCALHOST, 1).to_socket_addrs()?.collect()));
    list(&|| Ok((Ipv6Addr::LOCALHOST, 1).to_socket_addrs()?.collect()));
    show(
        "NUL",
        "a\0b:80".to_socket_addrs().map(drop).map_err(|err| match err.kind() {
            ErrorKind::InvalidInput => err,
            _ => io::Error::new(ErrorKind::Other, "another"),
        }),
    );
    Ok(())
}

fn lookups(_: IpAddr) -> io::Result<()> {
    let mut addrs: Vec<_> = lookup_host("localhost")?.collect();
    addrs.sort_unstable();
    println!("{addrs:?}");
    println!("{}", lookup_host("no-such-name.invalid").is_err());
    println!("{}", ("localhost", 80).to_socket_addrs()?.all(|addr| addr.port() == 80));
    let listener = TcpListener::bind("localhost:0")?;
    let port = listener.local_addr()?.port();
    println!("{}", TcpStream::connect(format!("localhost:{port}"))?.peer_addr()?.ip());
    Ok(())
}

fn debug(ip: IpAddr) -> io::Result<()> {
    let without_numbers = |value: &dyn Debug| {
        format!("{value:?}").split(|c: char| c.is_ascii_digit()).collect::<String>()
    };
    let listener = TcpListener::bind((ip, 0))?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    println!("{}", without_numbers(&listener));
    println!("{}", without_numbers(&client));
    println!("{}", without_numbers(&listener.incoming()));
    println!("{}", without_numbers(&UdpSocket::bind((ip, 0))?));
    Ok(())
}
