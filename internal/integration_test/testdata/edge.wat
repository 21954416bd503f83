;; A client of WasmEdge's socket functions (V2). dial connects to 127.0.0.1 at a port, sends "ping" and
;; receives into 4 bytes; its result is the first errno that is not 0. lookup looks "allowed.test" up.
(module
  (import "wasi_snapshot_preview1" "sock_open" (func $open (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_connect" (func $connect (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_send" (func $send (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_recv_from"
    (func $recv_from (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_getaddrinfo"
    (func $getaddrinfo (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\08\00\00\00\04\00\00\00")   ;; an address argument: 4 bytes at 8
  (data (i32.const 8) "\7f\00\00\01")
  (data (i32.const 16) "\20\00\00\00\80\00\00\00")  ;; another: 128 bytes at 32
  (data (i32.const 200) "\e0\00\00\00\04\00\00\00") ;; an iovec: 4 bytes at 224
  (data (i32.const 208) "allowed.test")
  (data (i32.const 224) "ping")
  (data (i32.const 240) "\00\01\00\00")             ;; a list's first entry, at 256
  (data (i32.const 268) "\40\01\00\00")             ;; its sockaddr, at 320
  (data (i32.const 324) "\1a\00\00\00\80\01\00\00") ;; of 26 bytes of data, at 384
  (func (export "dial") (param $port i32) (result i32) (local $errno i32)
    (local.set $errno (call $open (i32.const 1) (i32.const 2) (i32.const 500)))
    (if (local.get $errno) (then (return (local.get $errno))))
    (local.set $errno
      (call $connect (i32.load (i32.const 500)) (i32.const 0) (local.get $port)))
    (if (local.get $errno) (then (return (local.get $errno))))
    (local.set $errno
      (call $send (i32.load (i32.const 500)) (i32.const 200) (i32.const 1) (i32.const 0)
        (i32.const 504)))
    (if (local.get $errno) (then (return (local.get $errno))))
    (call $recv_from (i32.load (i32.const 500)) (i32.const 200) (i32.const 1) (i32.const 16)
      (i32.const 0) (i32.const 508) (i32.const 512) (i32.const 516)))
  (func (export "lookup") (param $service i32) (result i32)
    (call $getaddrinfo (i32.const 208) (i32.const 12) (i32.const 0) (i32.const 0) (i32.const 0)
      (i32.const 240) (i32.const 1) (i32.const 520)))
  (func (export "open") (param $sockets i32) (result i32) (local $errno i32)
    (loop $next
      (local.set $errno (call $open (i32.const 1) (i32.const 2) (i32.const 500)))
      (if (local.get $errno) (then (return (local.get $errno))))
      (local.set $sockets (i32.sub (local.get $sockets) (i32.const 1)))
      (br_if $next (local.get $sockets)))
    (i32.const 0)))
