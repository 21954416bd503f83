;; Its _start has a result, so it is no command.
(module (func (export "_start") (result i32) (i32.const 1)))
