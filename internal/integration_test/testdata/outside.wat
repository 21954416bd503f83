;; A guest that calls one import after the other, each of which reaches what an embedder supplies. The
;; exported functions other than _start are started with Config.Function.
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_open" (func $open (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_addr_resolve" (func $resolve (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_accept" (func $accept (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open" (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_connect" (func $connect (param i32 i32) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 0) "\20\00\00\00\06\00\00\00") ;; an iovec: the 6 bytes at 32
  (data (i32.const 32) "hello\n")
  (data (i32.const 64) "name.test\00") ;; a host, and an empty service behind it
  (data (i32.const 80) "127.0.0.1\00http\00") ;; a host, and a service
  (data (i32.const 96) "file")
  (data (i32.const 112) "\00\00\00\00\c0\00\02\01\50\00")

  (func (export "_start"))
  (func (export "read") (result i32) (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)))
  (func $print (export "write") (result i32) (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))
  (func (export "random") (result i32) (call $random (i32.const 128) (i32.const 8)))
  (func (export "open") (result i32) (call $open (i32.const 3) (i32.const 0) (i32.const 1) (i32.const 16)))
  (func $lookup (export "resolve") (result i32)
    (call $resolve (i32.const 64) (i32.const 73) (i32.const 200) (i32.const 300) (i32.const 1) (i32.const 16)))
  (func (export "error") (result i32) (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 16)))
  (func (export "service") (result i32)
    (call $resolve (i32.const 80) (i32.const 90) (i32.const 200) (i32.const 300) (i32.const 1) (i32.const 16)))
  (func (export "accept") (result i32) (call $accept (i32.const 3) (i32.const 0) (i32.const 16)))

  ;; connects the socket 3 to port 80 of 192.0.2.1: a wasi_addr_t of IPv4, as of its kind 0
  (func (export "connect") (result i32)
    (drop (call $open (i32.const 3) (i32.const 0) (i32.const 1) (i32.const 16)))
    (call $connect (i32.load (i32.const 16)) (i32.const 112)))

  ;; opens "file" in the directory 3 for reading, and reads from it
  (func $open_file (export "open_file") (result i32)
    (call $path_open (i32.const 3) (i32.const 0) (i32.const 96) (i32.const 4) (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 100)))
  (func (export "read_file") (result i32)
    (drop (call $open_file))
    (call $read (i32.load (i32.const 100)) (i32.const 0) (i32.const 1) (i32.const 16)))

  ;; the same for ever
  (func (export "keep_writing") (loop (drop (call $print)) (br 0)))
  (func (export "keep_resolving") (loop (drop (call $lookup)) (br 0)))

  ;; so many lines
  (func (export "lines") (param i32) (loop (drop (call $print))
    (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))
