//! threads NAME: starts a thread, which a component cannot have, and prints the kind of the error.
//! Then it goes on: it prints the variable of the environment RUST and the first line of the file
//! NAME.
use std::{env, fs, io, thread};

fn main() -> io::Result<()> {
    match thread::Builder::new().spawn(|| println!("in a thread")) {
        Ok(thread) => thread.join().expect("the thread panicked"),
        Err(error) => println!("spawn: {:?}", error.kind()),
    }
    println!("RUST={}", env::var("RUST").unwrap_or_default());
    let name = env::args().nth(1).expect("usage: threads NAME");
    let text = fs::read_to_string(name)?;
    println!("{}", text.lines().next().unwrap_or_default());
    Ok(())
}
