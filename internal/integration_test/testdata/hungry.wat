;; Takes a MiB after the other and touches every page of it. When it gets no more, it traps, or touches what it has for ever.
(module
  (memory (export "memory") 1)
  (func $touch (param $from i32) (param $size i32)
    (local $at i32)
    (loop $next
      (i32.store8 (i32.add (local.get $from) (local.get $at)) (i32.const 1))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 4096))) (local.get $size)))))
  (func $eat (param $stubborn i32)
    (local $page i32)
    (loop $next
      (local.set $page (memory.grow (i32.const 16)))
      (if (i32.eq (local.get $page) (i32.const -1))
        (then
          (if (i32.eqz (local.get $stubborn)) (then unreachable))
          (call $touch (i32.const 0) (i32.shl (memory.size) (i32.const 16))))
        (else (call $touch (i32.shl (local.get $page) (i32.const 16)) (i32.const 0x100000))))
      (br $next)))
  (func (export "_start") (call $eat (i32.const 0)))
  (func (export "stubborn") (call $eat (i32.const 1))))
