;; Grows a table, or its memory, and tells what came of it.
(module
  (memory (export "memory") 1)
  (table $t 1 externref)
  (func (export "grow") (param $entries i32) (result i32)
    (table.grow $t (ref.null extern) (local.get $entries)))
  (func (export "both") (param $entries i32) (param $pages i32) (result i32 i32)
    (table.grow $t (ref.null extern) (local.get $entries))
    (memory.grow (local.get $pages)))
  (func (export "often") (param $entries i32) (param $times i32) (result i32)
    (loop $next
      (drop (table.grow $t (ref.null extern) (local.get $entries)))
      (br_if $next (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))
    (table.grow $t (ref.null extern) (i32.const 1))))
