;; Looks up 676 long names over and over. Every lookup is refused.
(module
  (import "wasi_snapshot_preview1" "sock_addr_resolve" (func $resolve (param i32 i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (func (export "_start") (local $i i32)
    (memory.fill (i32.const 0) (i32.const 0x58) (i32.const 1000))
    (loop
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (i32.store8 (i32.const 0) (i32.add (i32.const 97) (i32.rem_u (local.get $i) (i32.const 26))))
      (i32.store8 (i32.const 1)
        (i32.add (i32.const 97) (i32.rem_u (i32.div_u (local.get $i) (i32.const 26)) (i32.const 26))))
      (drop (call $resolve (i32.const 0) (i32.const 2000) (i32.const 3000) (i32.const 4000) (i32.const 1)
        (i32.const 5000)))
      (br 0))))
