;; Functions of one name and several types, of WAMR and both versions of WasmEdge. The exit status is
;; the number of the first call that went wrong.
(module
  (import "wasi_snapshot_preview1" "sock_open" (func $open_wamr (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_open" (func $open_edge (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_accept" (func $accept_v1 (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_accept" (func $accept (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_getlocaladdr"
    (func $local_v1 (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_getlocaladdr"
    (func $local_v2 (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\40\00\00\00\04\00\00\00") ;; an address argument: 4 bytes at 64
  (data (i32.const 8) "\40\00\00\00\80\00\00\00") ;; likewise: 128 bytes at 64
  (func $expect (param $call i32) (param $got i32) (param $want i32)
    (if (i32.ne (local.get $got) (local.get $want)) (then (call $exit (local.get $call)))))
  (func (export "_start")
    (call $expect (i32.const 1)
      (call $open_wamr (i32.const -1) (i32.const 0) (i32.const 1) (i32.const 32)) (i32.const 0))
    (call $expect (i32.const 2)
      (call $open_edge (i32.const 1) (i32.const 2) (i32.const 36)) (i32.const 0))
    (call $expect (i32.const 3) ;; 28: neither listens
      (call $accept_v1 (i32.load (i32.const 32)) (i32.const 40)) (i32.const 28))
    (call $expect (i32.const 4)
      (call $accept (i32.load (i32.const 36)) (i32.const 0) (i32.const 40)) (i32.const 28))
    (call $expect (i32.const 5)
      (call $local_v1 (i32.load (i32.const 32)) (i32.const 0) (i32.const 44) (i32.const 48))
      (i32.const 0))
    (call $expect (i32.const 6) (i32.load (i32.const 44)) (i32.const 4)) ;; IPv4
    (call $expect (i32.const 7)
      (call $local_v2 (i32.load (i32.const 36)) (i32.const 8) (i32.const 48)) (i32.const 0))
    (call $expect (i32.const 8) (i32.load16_u (i32.const 64)) (i32.const 1)))) ;; the family of IPv4
