;; A guest that calls functions of the embedder's.
(module
  (import "host" "f" (func $f (param i32) (result i32)))
  (import "host" "wait" (func $wait))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (global $top (mut i32) (i32.const 1024))

  (func (export "_start") (drop (call $f (i32.const 1))))
  (func (export "wait") (call $wait))
  ;; calls f, and adds 1 to its result
  (func (export "call") (param i32) (result i32) (i32.add (i32.const 1) (call $f (local.get 0))))
  (func (export "double") (param i32) (result i32) (i32.mul (i32.const 2) (local.get 0)))
  (func (export "again") (loop (drop (call $f (i32.const 1))) (br 0)))
  (func (export "malloc") (param i32) (result i32) (global.get $top)
    (global.set $top (i32.add (global.get $top) (local.get 0))))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "trap") unreachable)
  (func (export "exit") (call $exit (i32.const 3)))
  (func (export "spin") (loop (br 0))))
