;; Imports its memory.
(module
  (import "env" "memory" (memory 1 2))
  (func (export "_start")))
