;; Guests that take all the processor time that they get.
(module
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (import "env" "memory" (memory 1 1 shared))
  (func $spin (loop $more (br $more)))
  ;; A thread whose argument is 0 computes, another returns at once.
  (func (export "wasi_thread_start") (param $id i32) (param $argument i32)
    (if (i32.eqz (local.get $argument)) (then (call $spin))))
  ;; one computes in one thread.
  (func (export "one") (call $spin))
  ;; many computes in as many threads as there may be.
  (func (export "many")
    (loop $more (br_if $more (i32.ge_s (call $spawn (i32.const 0)) (i32.const 0))))
    (call $spin))
  ;; spawn starts threads for ever that return at once.
  (func (export "spawn")
    (loop $more
      (drop (call $spawn (i32.const 1)))
      (br $more)))
  ;; wait waits for 1 us, and notify wakes nobody, for ever.
  (func (export "wait")
    (loop $more
      (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const 1000)))
      (br $more)))
  (func (export "notify")
    (loop $more
      (drop (memory.atomic.notify (i32.const 0) (i32.const 1)))
      (br $more))))
