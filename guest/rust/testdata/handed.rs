//! Accepts one connection on a listener that the host handed over, and says where it came from.

use std::io::{self, Write};
use wasport_net::{FromRawFd, TcpListener};

fn main() -> io::Result<()> {
    let listener = unsafe { TcpListener::from_raw_fd(3) };
    let (mut stream, from) = listener.accept()?;
    write!(stream, "hello {from}")
}
