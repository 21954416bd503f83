;; As edge.wat's dial, in a thread that dial starts and waits for. A second thread changes the address
;; argument all the while, between 127.0.0.1 and 192.0.2.1.
(module
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_open" (func $open (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_connect" (func $connect (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_send" (func $send (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "memory" (memory 1 1 shared))
  (func $put_address (i32.store (i32.const 0) (i32.const 8)) (i32.store (i32.const 4) (i32.const 4))
    (i32.store (i32.const 200) (i32.const 224)) (i32.store (i32.const 204) (i32.const 4))
    (i32.store (i32.const 8) (i32.const 0x0100007f)))
  (func $dial (param $port i32) (result i32) (local $errno i32)
    (local.set $errno (call $open (i32.const 1) (i32.const 2) (i32.const 500)))
    (if (local.get $errno) (then (return (local.get $errno))))
    (loop $again ;; until it goes to 127.0.0.1; 2 is the refusal of the other address
      (local.set $errno (call $connect (i32.load (i32.const 500)) (i32.const 0) (local.get $port)))
      (br_if $again (i32.eq (local.get $errno) (i32.const 2))))
    (if (local.get $errno) (then (return (local.get $errno))))
    (call $send (i32.load (i32.const 500)) (i32.const 200) (i32.const 1) (i32.const 0)
      (i32.const 504)))
  ;; The argument is the port, or 0 for the thread that changes the address.
  (func (export "wasi_thread_start") (param $id i32) (param $port i32)
    (if (i32.eqz (local.get $port)) (then
      (loop $flip
        (i32.atomic.store (i32.const 8) (i32.const 0x010200c0))
        (i32.atomic.store (i32.const 8) (i32.const 0x0100007f))
        (br_if $flip (i32.eqz (i32.atomic.load (i32.const 600)))))
      (return)))
    (i32.atomic.store (i32.const 600) (i32.add (call $dial (local.get $port)) (i32.const 1)))
    (drop (memory.atomic.notify (i32.const 600) (i32.const 1))))
  (func (export "dial") (param $port i32) (result i32)
    (call $put_address)
    (drop (call $spawn (i32.const 0)))
    (drop (call $spawn (local.get $port)))
    (loop $wait
      (drop (memory.atomic.wait32 (i32.const 600) (i32.const 0) (i64.const -1)))
      (br_if $wait (i32.eqz (i32.atomic.load (i32.const 600)))))
    (i32.sub (i32.atomic.load (i32.const 600)) (i32.const 1))))
