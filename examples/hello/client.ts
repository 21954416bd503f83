// A client in AssemblyScript, on the functions that docs/abi.md describes. It connects to
// 127.0.0.1:7000 and prints what the server sends.

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "sock_open")
declare function sock_open(pool: i32, family: i32, type: i32, fd: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "sock_connect")
declare function sock_connect(fd: i32, address: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_read")
declare function fd_read(fd: i32, iovecs: usize, count: i32, size: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_write")
declare function fd_write(fd: i32, iovecs: usize, count: i32, size: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "proc_exit")
declare function proc_exit(status: i32): void;

const address = memory.data<u8>([0, 0, 0, 0, 127, 0, 0, 1, 0x58, 0x1b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
const buffer = memory.data(1024);
const iovec = memory.data(8, 4);
const result = memory.data(4, 4);

function check(errno: i32): void {
  if (errno != 0) proc_exit(errno);
}

check(sock_open(-1, 0, 1, result)); // a stream over IPv4
const fd = load<i32>(result);
check(sock_connect(fd, address));
store<usize>(iovec, buffer);
while (true) {
  store<u32>(iovec, 1024, 4);
  check(fd_read(fd, iovec, 1, result));
  const n = load<u32>(result);
  if (n == 0) break;
  store<u32>(iovec, n, 4);
  check(fd_write(1, iovec, 1, result));
}
