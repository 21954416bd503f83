;; Functions without names, which trap.
(module
  (memory 1)
  (func (export "_start") call 1)
  (func unreachable)
  (func (export "copy") (memory.copy (i32.const 0) (i32.const 1) (i32.const -1))))
