;; Loops in the destructor of a resource that it drops.
(component
  (core module $destructor (func (export "drop") (param i32) (loop (br 0))))
  (core instance $d (instantiate $destructor))
  (type $r (resource (rep i32) (dtor (core func $d "drop"))))
  (core func $new (canon resource.new $r))
  (core func $drop (canon resource.drop $r))
  (core module $main
    (import "r" "new" (func $new (param i32) (result i32)))
    (import "r" "drop" (func $drop (param i32)))
    (func (export "run") (result i32) (call $drop (call $new (i32.const 7))) i32.const 0))
  (core instance $i (instantiate $main
    (with "r" (instance (export "new" (func $new)) (export "drop" (func $drop))))))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $e (export "run" (func $run)))
  (export "wasi:cli/run@0.2.12" (instance $e)))
