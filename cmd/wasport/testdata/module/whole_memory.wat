;; It starts with 4 GiB of memory.
(module (memory (export "memory") 65536) (func (export "_start")))
