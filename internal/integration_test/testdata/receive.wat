;; Both connect to a port of 127.0.0.1.
;; receive: receives up to a MiB at a time into the same place, for ever.
;; guard: fills a MiB with a byte, sends one and receives one, and returns how many bytes of the MiB have changed by then.
(module
  (import "wasi_snapshot_preview1" "sock_open" (func $open (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_connect" (func $connect (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_recv" (func $recv (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_send" (func $send (param i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 17 17)
  ;; At 0 the address: kind IPv4, 127.0.0.1, port. At 32 the descriptor, at 40 an iovec, at 48 what a call returns.
  (data (i32.const 4) "\7f\00\00\01")
  (data (i32.const 40) "\00\00\01\00\00\00\10\00")
  (func $check (param i32) (if (local.get 0) (then unreachable)))
  (func $connected (param $port i32) (result i32)
    (i32.store16 (i32.const 8) (local.get $port))
    (call $check (call $open (i32.const -1) (i32.const 0) (i32.const 1) (i32.const 32)))
    (call $check (call $connect (i32.load (i32.const 32)) (i32.const 0)))
    (i32.load (i32.const 32)))
  (func $receive (param $fd i32)
    (call $check (call $recv (local.get $fd) (i32.const 40) (i32.const 1) (i32.const 0) (i32.const 48) (i32.const 52))))
  (func (export "receive") (param $port i32)
    (local $fd i32)
    (local.set $fd (call $connected (local.get $port)))
    (loop $next
      (call $receive (local.get $fd))
      (br $next)))
  (func (export "guard") (param $port i32) (param $byte i32) (result i32)
    (local $fd i32) (local $at i32) (local $changed i32)
    (local.set $fd (call $connected (local.get $port)))
    (memory.fill (i32.const 0x10000) (local.get $byte) (i32.const 0x100000))
    (i32.store (i32.const 40) (i32.const 64))
    (i32.store (i32.const 44) (i32.const 1))
    (call $check (call $send (local.get $fd) (i32.const 40) (i32.const 1) (i32.const 0) (i32.const 48)))
    (call $receive (local.get $fd))
    (local.set $at (i32.const 0x10000))
    (loop $next
      (local.set $changed (i32.add (local.get $changed) (i32.ne (i32.load8_u (local.get $at)) (local.get $byte))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (i32.const 0x110000))))
    (local.get $changed)))
