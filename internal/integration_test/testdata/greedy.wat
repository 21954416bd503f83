;; Takes memory until there is no more, 16 MiB at a time, and ends.
(module
  (memory (export "memory") 1)
  (func (export "_start")
    (loop (br_if 0 (i32.ne (memory.grow (i32.const 256)) (i32.const -1))))))
