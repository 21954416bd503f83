;; Loops in the post-return of run.
(component
  (core module $main
    (func (export "run") (result i32) i32.const 0)
    (func (export "post-return") (param i32) (loop (br 0))))
  (core instance $i (instantiate $main))
  (func $run (result (result))
    (canon lift (core func $i "run") (post-return (core func $i "post-return"))))
  (instance $e (export "run" (func $run)))
  (export "wasi:cli/run@0.2.12" (instance $e)))
