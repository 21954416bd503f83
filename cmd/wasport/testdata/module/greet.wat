;; Accepts one connection on the first descriptor that it was handed, and greets it.
(module
  (import "wasi_snapshot_preview1" "sock_accept" (func $accept (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_send" (func $send (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\08\00\00\00\06\00\00\00hello\n")
  (func $must (param $errno i32)
    (if (local.get $errno) (then (call $exit (local.get $errno)))))
  (func (export "_start")
    (call $must (call $accept (i32.const 3) (i32.const 0) (i32.const 32)))
    (call $must (call $send (i32.load (i32.const 32)) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 36)))))
