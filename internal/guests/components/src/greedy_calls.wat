;; Six components call each other, and each passes 16 MB of strings, all of one place in its memory.
;; The host holds the values of all calls at once.
(component
  (component $last
    (core module $m
      (memory (export "memory") 4)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32)
        (select (i32.const 0) (i32.const 131072) (i32.eq (local.get 2) (i32.const 4))))
      (func (export "take") (param i32 i32) (loop (br 0))))
    (core instance $i (instantiate $m))
    (func (export "take") (param "strings" (list string)) (canon lift (core func $i "take")
      (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $middle
    (import "take" (func $take (param "strings" (list string))))
    (core module $memory
      (memory (export "memory") 4)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32)
        (select (i32.const 0) (i32.const 131072) (i32.eq (local.get 2) (i32.const 4)))))
    (core instance $mem (instantiate $memory))
    (core func $lowered (canon lower (func $take) (memory (core memory $mem "memory"))))
    (core module $m
      (import "m" "memory" (memory 4))
      (import "f" "take" (func $take (param i32 i32)))
      (func (export "take") (param i32 i32) (local $i i32)
        (loop $next
          (i32.store (i32.shl (local.get $i) (i32.const 3)) (i32.const 131072))
          (i32.store offset=4 (i32.shl (local.get $i) (i32.const 3)) (i32.const 2000))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $next (i32.lt_u (local.get $i) (i32.const 8000))))
        (call $take (i32.const 0) (i32.const 8000))))
    (core instance $i (instantiate $m (with "m" (instance $mem))
      (with "f" (instance (export "take" (func $lowered))))))
    (func (export "take") (param "strings" (list string)) (canon lift (core func $i "take")
      (memory (core memory $mem "memory")) (realloc (core func $mem "realloc")))))
  (instance $a (instantiate $last))
  (instance $b (instantiate $middle (with "take" (func $a "take"))))
  (instance $c (instantiate $middle (with "take" (func $b "take"))))
  (instance $d (instantiate $middle (with "take" (func $c "take"))))
  (instance $e (instantiate $middle (with "take" (func $d "take"))))
  (instance $f (instantiate $middle (with "take" (func $e "take"))))
  (instance $g (instantiate $middle (with "take" (func $f "take"))))
  (core module $memory (memory (export "memory") 1))
  (core instance $mem (instantiate $memory))
  (core func $take (canon lower (func $g "take") (memory (core memory $mem "memory"))))
  (core module $main
    (import "f" "take" (func $take (param i32 i32)))
    (func (export "run") (result i32) (call $take (i32.const 0) (i32.const 0)) i32.const 0))
  (core instance $i (instantiate $main (with "f" (instance (export "take" (func $take))))))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $x (export "run" (func $run)))
  (export "wasi:cli/run@0.2.12" (instance $x)))
