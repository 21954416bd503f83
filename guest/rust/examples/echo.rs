//! An echo server for many connections at once: `echo ADDRESS:PORT [CONNECTIONS]` ends after so
//! many connections, or never.

use std::io::{self, ErrorKind, Read, Write};
use wasport_net::{poll, PollFd, TcpListener, TcpStream};

/// A connection, and what it has read and not written yet. It reads when nothing is left to write,
/// so a peer that does not read costs one buffer.
struct Connection {
    stream: TcpStream,
    pending: Vec<u8>,
    echoed: usize,
    ended: bool,
}

impl Connection {
    fn interest(&self) -> PollFd {
        match self.pending.is_empty() {
            true => PollFd::readable(&self.stream),
            false => PollFd::writable(&self.stream),
        }
    }

    /// Does what can be done without waiting.
    fn serve(&mut self) -> io::Result<()> {
        let mut buf = [0; 16384];
        while !self.ended {
            if self.pending.is_empty() {
                let size = self.stream.read(&mut buf)?;
                self.pending.extend_from_slice(&buf[..size]);
                self.ended = size == 0;
            } else {
                let size = self.stream.write(&self.pending)?;
                self.pending.drain(..size);
                self.echoed += size;
            }
        }
        Ok(())
    }
}

fn main() -> io::Result<()> {
    let mut args = std::env::args().skip(1);
    let address = args.next().unwrap_or_else(|| "127.0.0.1:0".to_string());
    let limit = args.next().map_or(usize::MAX, |n| n.parse().expect("a number"));

    let listener = TcpListener::bind(&*address)?;
    listener.set_nonblocking(true)?;
    println!("listening on {}", listener.local_addr()?);
    let (mut accepted, mut echoed) = (0, 0);
    let mut connections: Vec<Connection> = Vec::new();
    while accepted < limit || !connections.is_empty() {
        let mut fds: Vec<PollFd> = connections.iter().map(Connection::interest).collect();
        if accepted < limit {
            fds.push(PollFd::readable(&listener));
        }
        poll(&mut fds, None)?;
        for (connection, fd) in connections.iter_mut().zip(&fds) {
            if !fd.is_readable() && !fd.is_writable() {
                continue;
            }
            match connection.serve() {
                Err(err) if err.kind() != ErrorKind::WouldBlock => connection.ended = true,
                _ => {}
            }
        }
        echoed += connections.iter().filter(|c| c.ended).map(|c| c.echoed).sum::<usize>();
        connections.retain(|c| !c.ended);
        while accepted < limit {
            match listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(true)?;
                    let pending = Vec::new();
                    connections.push(Connection { stream, pending, echoed: 0, ended: false });
                    accepted += 1;
                }
                Err(err) if err.kind() == ErrorKind::WouldBlock => break,
                Err(err) => return Err(err),
            }
        }
    }
    println!("{accepted} connections, {echoed} bytes");
    Ok(())
}
