;; Loops in the start function of its core module.
(component
  (core module $main
    (func $start (loop (br 0)))
    (start $start)
    (func (export "run") (result i32) i32.const 0))
  (core instance $i (instantiate $main))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $e (export "run" (func $run)))
  (export "wasi:cli/run@0.2.12" (instance $e)))
