;; Starts 100 threads that wait for ever, says "waiting", and waits as well.
(module
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "env" "memory" (memory 1 1 shared))
  (data (i32.const 16) "\20\00\00\00\08\00\00\00")
  (data (i32.const 32) "waiting\n")
  (func $wait (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1))))
  ;; The word at 4 counts the threads that have begun.
  (func (export "wasi_thread_start") (param $id i32) (param $argument i32)
    (drop (i32.atomic.rmw.add (i32.const 4) (i32.const 1)))
    (drop (memory.atomic.notify (i32.const 4) (i32.const -1)))
    (call $wait))
  (func (export "_start") (local $left i32) (local $begun i32)
    (local.set $left (i32.const 100))
    (loop $more
      (if (i32.lt_s (call $spawn (i32.const 0)) (i32.const 0)) (then unreachable))
      (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (loop $again
      (local.set $begun (i32.atomic.load (i32.const 4)))
      (if (i32.ne (local.get $begun) (i32.const 100)) (then
        (drop (memory.atomic.wait32 (i32.const 4) (local.get $begun) (i64.const -1)))
        (br $again))))
    (drop (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 64)))
    (call $wait)))
