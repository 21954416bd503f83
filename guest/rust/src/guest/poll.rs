//! `poll` by `poll_oneoff`. Source: the documents of WASI preview 1, `$subscription` and `$event`.

use super::host::check;
use crate::PollFd;
use std::io;
use std::time::Duration;

const TYPE_CLOCK: u8 = 0;
const TYPE_READ: u8 = 1;
const TYPE_WRITE: u8 = 2;

const CLOCK_MONOTONIC: u64 = 1;

#[repr(C)]
struct Subscription {
    userdata: u64,
    kind: u8,
    /// The descriptor, or the clock. It has 32 bits, and lies where the union of both begins.
    subject: u64,
    nanoseconds: u64,
    precision: u64,
    flags: u16,
}

#[repr(C)]
#[derive(Clone, Default)]
struct Event {
    userdata: u64,
    errno: u16,
    kind: u8,
    size: u64,
    flags: u16,
}

#[link(wasm_import_module = "wasi_snapshot_preview1")]
extern "C" {
    fn poll_oneoff(
        subscriptions: *const Subscription,
        events: *mut Event,
        count: usize,
        filled: *mut usize,
    ) -> i32;
}

pub fn wait(fds: &mut [PollFd], timeout: Option<Duration>) -> io::Result<()> {
    let entry = |userdata: usize, kind, subject, nanoseconds| Subscription {
        userdata: userdata as u64,
        kind,
        subject,
        nanoseconds,
        precision: 0,
        flags: 0,
    };
    let mut list = Vec::with_capacity(2 * fds.len() + 1);
    for (i, fd) in fds.iter().enumerate() {
        if fd.read {
            list.push(entry(i, TYPE_READ, fd.fd as u64, 0));
        }
        if fd.write {
            list.push(entry(i, TYPE_WRITE, fd.fd as u64, 0));
        }
    }
    if let Some(t) = timeout {
        let nanoseconds = t.as_nanos().min(i64::MAX as u128) as u64;
        list.push(entry(0, TYPE_CLOCK, CLOCK_MONOTONIC, nanoseconds));
    }
    let mut events = vec![Event::default(); list.len()];
    let mut filled = 0;
    check(unsafe { poll_oneoff(list.as_ptr(), events.as_mut_ptr(), list.len(), &mut filled) })?;
    // An event with an errno is one that is ready: the next call on the descriptor tells it.
    for event in &events[..filled] {
        match event.kind {
            TYPE_READ => fds[event.userdata as usize].readable = true,
            TYPE_WRITE => fds[event.userdata as usize].writable = true,
            _ => {}
        }
    }
    Ok(())
}
