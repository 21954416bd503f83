;; A module that others may not import anything from unless its name is listed, and then only its functions.
(module
  (memory (export "memory") 1)
  (data (i32.const 64) "SECRET OF ANOTHER TENANT\n")
  (func (export "transfer") (param i32) (i32.store (i32.const 0) (local.get 0)))
  (table (export "t") 1 funcref)
  (global (export "g") (mut i32) (i32.const 7)))
