//! An HTTP client: `get http://HOST[:PORT]/PATH` prints the status and the body.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::ExitCode;
use wasport_net::TcpStream;

fn main() -> ExitCode {
    let url = std::env::args().nth(1).unwrap_or_default();
    match url.strip_prefix("http://") {
        None => {
            eprintln!("usage: get http://HOST[:PORT]/PATH");
            ExitCode::from(2)
        }
        Some(rest) => {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            match get(host, path) {
                Ok(()) => ExitCode::SUCCESS,
                Err(err) => {
                    println!("{:?}", err.kind());
                    eprintln!("get: {err}");
                    ExitCode::FAILURE
                }
            }
        }
    }
}

fn get(host: &str, path: &str) -> io::Result<()> {
    let stream = match host.contains(':') {
        true => TcpStream::connect(host)?,
        false => TcpStream::connect((host, 80))?,
    };
    // HTTP/1.0: the body ends with the connection.
    write!(&stream, "GET /{path} HTTP/1.0\r\nHost: {host}\r\n\r\n")?;
    let mut reply = BufReader::new(stream);
    let mut line = String::new();
    reply.read_line(&mut line)?;
    println!("{}", line.trim_end());
    while line.trim_end() != "" {
        line.clear();
        reply.read_line(&mut line)?;
    }
    let mut body = Vec::new();
    reply.read_to_end(&mut body)?;
    io::stdout().write_all(&body)
}
