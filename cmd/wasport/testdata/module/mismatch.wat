;; Imports a function with a signature that no host has.
(module
  (import "wasi_snapshot_preview1" "sock_open" (func $open (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")))
