;; Loops in the realloc that the host calls for the arguments.
(component
  (import "wasi:cli/environment@0.2.12"
    (instance $environment (export "get-arguments" (func (result (list string))))))
  (core module $memory
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (loop (br 0)) unreachable))
  (core instance $m (instantiate $memory))
  (core func $arguments (canon lower (func $environment "get-arguments")
    (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
  (core module $main
    (import "host" "arguments" (func $arguments (param i32)))
    (func (export "run") (result i32) (call $arguments (i32.const 16)) i32.const 0))
  (core instance $i (instantiate $main
    (with "host" (instance (export "arguments" (func $arguments))))))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $e (export "run" (func $run)))
  (export "wasi:cli/run@0.2.12" (instance $e)))
