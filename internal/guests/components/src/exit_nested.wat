;; Calls an inner component, which ends the guest with status 5.
(component
  (import "wasi:cli/exit@0.2.12"
    (instance $exit (export "exit-with-code" (func (param "status-code" u8)))))
  (component $inner
    (import "end" (func $end (param "status-code" u8)))
    (core func $end (canon lower (func $end)))
    (core module $main
      (import "host" "end" (func $end (param i32)))
      (func (export "end") (call $end (i32.const 5)) unreachable))
    (core instance $i (instantiate $main (with "host" (instance (export "end" (func $end))))))
    (func (export "end") (canon lift (core func $i "end"))))
  (instance $inner (instantiate $inner (with "end" (func $exit "exit-with-code"))))
  (core func $end (canon lower (func $inner "end")))
  (core module $main
    (import "inner" "end" (func $end))
    (func (export "run") (result i32) call $end unreachable))
  (core instance $i (instantiate $main (with "inner" (instance (export "end" (func $end))))))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $e (export "run" (func $run)))
  (export "wasi:cli/run@0.2.12" (instance $e)))
