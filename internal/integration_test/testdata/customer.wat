;; A guest that calls a function of another module.
(module
  (import "tenant" "transfer" (func $transfer (param i32)))
  (memory (export "memory") 1)
  (func (export "_start") (call $transfer (i32.const 666))))
