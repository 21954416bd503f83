// A client in AssemblyScript, on the functions that docs/abi.md describes. It connects to the host
// and port that its arguments name, and prints what the server sends.

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "args_sizes_get")
declare function args_sizes_get(count: usize, size: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "args_get")
declare function args_get(pointers: usize, text: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "sock_addr_resolve")
declare function sock_addr_resolve(host: usize, service: usize, hints: usize, results: usize,
  capacity: i32, count: usize): i32;
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

const hints = memory.data<u8>([1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]); // streams over IPv4
const address = memory.data(28, 4);
const buffer = memory.data(1024);
const args = memory.data(12, 4);
const iovec = memory.data(8, 4);
const result = memory.data(4, 4);

function check(errno: i32): void {
  if (errno != 0) proc_exit(errno);
}

check(args_sizes_get(result, iovec));
if (load<i32>(result) != 3 || load<u32>(iovec) > 1024) proc_exit(2);
check(args_get(args, buffer));
check(sock_addr_resolve(load<usize>(args, 4), load<usize>(args, 8), hints, address, 1, result));
check(sock_open(-1, 0, 1, result));
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
