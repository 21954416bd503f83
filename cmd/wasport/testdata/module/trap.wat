;; Loads from beyond its memory, which is a trap.
(module $named
  (memory (export "memory") 1)
  (func $inner (drop (i32.load (i32.const 65536))))
  (func $outer (call $inner))
  (func (export "_start") (call $outer)))
