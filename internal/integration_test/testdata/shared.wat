;; A library with a shared memory of its own. It grows it to 40000 pages, one by one, and stores a
;; number in each.
(module
  (memory (export "memory") 1 40000 shared)
  (func (export "fill") (result i32)
    (local $pages i32)
    (loop $next
      (local.set $pages (memory.grow (i32.const 1)))
      (if (i32.eq (local.get $pages) (i32.const -1)) (then (return (memory.size))))
      (i32.store (i32.shl (local.get $pages) (i32.const 16)) (local.get $pages))
      (br $next))
    (unreachable)))
