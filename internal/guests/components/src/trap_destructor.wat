;; Traps in the destructor of a resource of an inner component, which the outer one drops.
(component
  (component $inner
    (core module $destructor
      (func $fail unreachable)
      (func (export "drop") (param i32) call $fail))
    (core instance $d (instantiate $destructor))
    (type $r' (resource (rep i32) (dtor (core func $d "drop"))))
    (export $r "r" (type $r'))
    (core func $new (canon resource.new $r'))
    (core module $make
      (import "" "new" (func $new (param i32) (result i32)))
      (func (export "make") (result i32) (call $new (i32.const 7))))
    (core instance $m (instantiate $make (with "" (instance (export "new" (func $new))))))
    (func (export "make") (result (own $r)) (canon lift (core func $m "make"))))
  (instance $inner (instantiate $inner))
  (alias export $inner "r" (type $r))
  (core func $make (canon lower (func $inner "make")))
  (core func $drop (canon resource.drop $r))
  (core module $main
    (import "inner" "make" (func $make (result i32)))
    (import "inner" "drop" (func $drop (param i32)))
    (func $discard (call $drop (call $make)))
    (func (export "run") (result i32) call $discard i32.const 0))
  (core instance $i (instantiate $main
    (with "inner" (instance (export "make" (func $make)) (export "drop" (func $drop))))))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $e (export "run" (func $run)))
  (export "wasi:cli/run@0.2.12" (instance $e)))
