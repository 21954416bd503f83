;; Calls without end, from one core module to another and back through a table.
(component
  (core module $there
    (table (export "back") 1 funcref)
    (type $f (func (param i64) (result i64)))
    (func (export "call") (param i64) (result i64)
      (i64.add (local.get 0) (call_indirect (type $f) (local.get 0) (i32.const 0)))))
  (core instance $t (instantiate $there))
  (core module $main
    (import "there" "back" (table 1 funcref))
    (import "there" "call" (func $call (param i64) (result i64)))
    (func $again (param i64) (result i64)
      (i64.add (i64.const 1) (call $call (i64.add (local.get 0) (i64.const 1)))))
    (elem (i32.const 0) $again)
    (func (export "run") (result i32) (i32.wrap_i64 (call $again (i64.const 0)))))
  (core instance $i (instantiate $main (with "there" (instance $t))))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $e (export "run" (func $run)))
  (export "wasi:cli/run@0.2.12" (instance $e)))
