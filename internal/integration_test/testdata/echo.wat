;; echo: connects to a port of 10.0.0.1 and sends back all that it receives, until the end.
;; deaf: connects to a port of 10.0.0.1 and sends 4 KiB at a time, for ever, without receiving; returns the errno that ends it.
;; hoard: opens sockets that connect to a port of 10.0.0.1, fills each without waiting, and returns how many it has when one more fails.
(module
  (import "wasi_snapshot_preview1" "sock_open" (func $open (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_connect" (func $connect (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_recv" (func $recv (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_send" (func $send (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_set_flags" (func $set_flags (param i32 i32) (result i32)))
  (memory (export "memory") 1 1)
  ;; At 0 the address: kind IPv4, 10.0.0.1, port. At 32 the descriptor, at 40 an iovec, at 48 what a call returns.
  (data (i32.const 4) "\0a\00\00\01")
  (data (i32.const 40) "\00\10\00\00\00\10\00\00")
  (func $check (param i32) (if (local.get 0) (then unreachable)))
  (func $connected (param $port i32) (result i32)
    (i32.store16 (i32.const 8) (local.get $port))
    (call $check (call $open (i32.const -1) (i32.const 0) (i32.const 1) (i32.const 32)))
    (call $check (call $connect (i32.load (i32.const 32)) (i32.const 0)))
    (i32.load (i32.const 32)))
  (func (export "echo") (param $port i32)
    (local $fd i32)
    (local.set $fd (call $connected (local.get $port)))
    (loop $next
      (i32.store (i32.const 44) (i32.const 4096))
      (call $check (call $recv (local.get $fd) (i32.const 40) (i32.const 1) (i32.const 0) (i32.const 48) (i32.const 52)))
      (if (i32.load (i32.const 48)) (then
        (i32.store (i32.const 44) (i32.load (i32.const 48)))
        (call $check (call $send (local.get $fd) (i32.const 40) (i32.const 1) (i32.const 0) (i32.const 48)))
        (br $next)))))
  (func (export "deaf") (param $port i32) (result i32)
    (local $fd i32) (local $errno i32)
    (local.set $fd (call $connected (local.get $port)))
    (loop $next
      (local.set $errno (call $send (local.get $fd) (i32.const 40) (i32.const 1) (i32.const 0) (i32.const 48)))
      (br_if $next (i32.eqz (local.get $errno))))
    (local.get $errno))
  (func (export "hoard") (param $port i32) (result i32)
    (local $fd i32) (local $count i32)
    (i32.store16 (i32.const 8) (local.get $port))
    (block $full
      (loop $more
        (br_if $full (call $open (i32.const -1) (i32.const 0) (i32.const 1) (i32.const 32)))
        (local.set $fd (i32.load (i32.const 32)))
        (br_if $full (call $set_flags (local.get $fd) (i32.const 4)))
        (drop (call $connect (local.get $fd) (i32.const 0)))
        (loop $fill
          (br_if $fill (i32.eqz (call $send (local.get $fd) (i32.const 40) (i32.const 1) (i32.const 0) (i32.const 48)))))
        (local.set $count (i32.add (local.get $count) (i32.const 1)))
        (br $more)))
    (local.get $count)))
