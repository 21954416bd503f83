;; A library that starts a thread. The thread calls the embedder again and again, also while no
;; other function of the library is called.
(module
  (import "env" "memory" (memory 1 16384 shared))
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (import "host" "f" (func $f (param i32) (result i32)))
  (import "host" "wait" (func $wait))
  (export "memory" (memory 0))
  (func (export "start") (result i32) (call $spawn (i32.const 0)))
  (func (export "wasi_thread_start") (param i32 i32)
    (loop
      (drop (call $f (i32.const 2)))
      (drop (i32.atomic.rmw.add (i32.const 8) (i32.const 1)))
      (br 0)))
  (func (export "call") (param i32) (result i32) (call $f (local.get 0)))
  (func (export "counted") (result i32) (i32.atomic.load (i32.const 8)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  ;; waits for a notification that no thread gives
  (func (export "await") (result i32)
    (memory.atomic.wait32 (i32.const 16) (i32.const 0) (i64.const -1))))
