;; Exits with status 300, whose low 8 bits are 44. Its function exits with any status.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "exit") (param i32) (call $exit (local.get 0)))
  (func (export "_start") (call $exit (i32.const 300))))
