;; Declares 4 GiB, starts with a page less, touches three pages, fails to get the last one, and asks for a random byte.
(module
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (memory (export "memory") 65535 65536)
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 1))
    (i32.store (i32.const 0x80000000) (i32.const 2))
    (i32.store (i32.const 0xfffefffc) (i32.const 3))
    (if (i32.ne (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))
    (if (call $random (i32.const 0x80000000) (i32.const 1)) (then unreachable))))
