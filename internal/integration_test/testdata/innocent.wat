;; work ROUNDS ITERATIONS: sleeps 1 ms and then computes, over and over.
(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "work") (param $rounds i32) (param $iterations i32)
    (local $left i32)
    (i32.store (i32.const 16) (i32.const 1)) ;; the monotonic clock
    (i64.store (i32.const 24) (i64.const 1000000))
    (loop $round
      (drop (call $poll (i32.const 0) (i32.const 100) (i32.const 1) (i32.const 200)))
      (local.set $left (local.get $iterations))
      (loop $step
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br_if $step (local.get $left)))
      (local.set $rounds (i32.sub (local.get $rounds) (i32.const 1)))
      (br_if $round (local.get $rounds)))))
