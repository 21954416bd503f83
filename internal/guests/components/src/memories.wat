;; Grows two memories in turn, a page at a time, until neither grows. Its status is how many pages
;; both have then.
(component
  (import "wasi:cli/exit@0.2.12"
    (instance $exit (export "exit-with-code" (func (param "status-code" u8)))))
  (core func $end (canon lower (func $exit "exit-with-code")))
  (core module $memory
    (memory (export "memory") 1)
    (func (export "grow") (result i32) (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))
    (func (export "size") (result i32) memory.size))
  (core instance $a (instantiate $memory))
  (core instance $b (instantiate $memory))
  (core module $main
    (import "host" "end" (func $end (param i32)))
    (import "a" "grow" (func $grow-a (result i32)))
    (import "b" "grow" (func $grow-b (result i32)))
    (import "a" "size" (func $size-a (result i32)))
    (import "b" "size" (func $size-b (result i32)))
    (func (export "run") (result i32)
      (loop (br_if 0 (i32.or (call $grow-a) (call $grow-b))))
      (call $end (i32.add (call $size-a) (call $size-b)))
      unreachable))
  (core instance $i (instantiate $main
    (with "host" (instance (export "end" (func $end))))
    (with "a" (instance $a)) (with "b" (instance $b))))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $e (export "run" (func $run)))
  (export "wasi:cli/run@0.2.12" (instance $e)))
