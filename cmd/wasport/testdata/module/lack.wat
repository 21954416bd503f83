;; Tries a thousand times calls that are refused or fail. Exits with the status in its argument.
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_accept" (func $sock_accept (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_open" (func $sock_open (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "paths") (param $status i32)
    (local $i i32)
    (loop $again
      (drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 2) (i32.const 0)
        (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 20)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 1000))))
    (call $exit (local.get $status)))
  (func (export "accepts") (param $status i32)
    (local $i i32)
    (loop $again
      (drop (call $sock_accept (i32.const 3) (i32.const 0) (i32.const 20)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 1000))))
    (call $exit (local.get $status)))
  (func (export "sockets") (param $status i32)
    (local $i i32)
    (loop $again
      (drop (call $sock_open (i32.const -1) (i32.const 0) (i32.const 1) (i32.const 20)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 1000))))
    (call $exit (local.get $status)))
  (func (export "traps") (param $status i32)
    (drop (call $sock_accept (i32.const 3) (i32.const 0) (i32.const 20)))
    unreachable))
