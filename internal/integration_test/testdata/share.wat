;; Computes, and asks for a random byte each time that it has done a certain amount of it.
(module
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (local $left i32)
    (loop $ever
      (local.set $left (i32.const 20000))
      (loop $amount
        (br_if $amount (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
      (drop (call $random_get (i32.const 0) (i32.const 1)))
      (br $ever))))
