;; Connects to 127.0.0.1, port 9, twice. Exits with the errno.
(module
  (import "wasi_snapshot_preview1" "sock_open" (func $open (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_connect" (func $connect (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\00\00\00\00\7f\00\00\01\09\00")
  (func (export "_start")
    (drop (call $open (i32.const -1) (i32.const 0) (i32.const 1) (i32.const 32)))
    (drop (call $connect (i32.load (i32.const 32)) (i32.const 0)))
    (call $exit (call $connect (i32.load (i32.const 32)) (i32.const 0)))))
