;; A guest with a small memory. Its exports fill the memory, look for bytes that are not zero, and
;; read beyond its end.
(module
  (memory (export "memory") 2 40)

  ;; grow grows the memory by so many pages and returns its size in bytes.
  (func $grow (param $pages i32) (result i32)
    (if (i32.eq (memory.grow (local.get $pages)) (i32.const -1)) (then (unreachable)))
    (i32.shl (memory.size) (i32.const 16)))

  (func (export "fill") (param $pages i32)
    (local $at i32) (local $end i32)
    (local.set $end (call $grow (local.get $pages)))
    (loop $next
      (i64.store (local.get $at) (i64.const 0xa5a5a5a5a5a5a5a5))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8)))
        (local.get $end)))))

  ;; zeros traps unless every byte is zero.
  (func (export "zeros") (param $pages i32)
    (local $at i32) (local $end i32)
    (local.set $end (call $grow (local.get $pages)))
    (loop $next
      (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then (unreachable)))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8)))
        (local.get $end)))))

  ;; read reads the byte at a distance from the end of the memory.
  (func (export "read") (param $pages i32) (param $distance i32) (result i32)
    (i32.load8_u (i32.add (call $grow (local.get $pages)) (local.get $distance))))

  ;; write writes to the byte at a distance from the end of the memory.
  (func (export "write") (param $pages i32) (param $distance i32)
    (i32.store8 (i32.add (call $grow (local.get $pages)) (local.get $distance)) (i32.const 1))))
