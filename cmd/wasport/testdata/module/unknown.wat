;; Imports a function that no host has. Calls it if there is an argument.
(module
  (import "env" "mystery" (func $mystery (param i32) (result i64)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (drop (call $args_sizes (i32.const 0) (i32.const 4)))
    (if (i32.gt_u (i32.load (i32.const 0)) (i32.const 1))
      (then (drop (call $mystery (i32.const 1)))))))
