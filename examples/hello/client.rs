//! Prints what a server says: client HOST:PORT

use std::{env, io};
use wasport_net::TcpStream;

fn main() -> io::Result<()> {
    let address = env::args().nth(1).expect("usage: client HOST:PORT");
    let mut stream = TcpStream::connect(address)?;
    io::copy(&mut stream, &mut io::stdout())?;
    Ok(())
}
