;; Takes memory, a page at a time, and writes to each. Says "full" when it gets no more.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "\20\00\00\00\05\00\00\00")
  (data (i32.const 32) "full\n")
  (func $touch (param $at i32) (local $end i32)
    (local.set $end (i32.add (local.get $at) (i32.const 65536)))
    (loop $next
      (i32.store (local.get $at) (i32.const 1))
      (br_if $next
        (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 4096))) (local.get $end)))))
  (func (export "_start") (local $page i32)
    (loop $more
      (local.set $page (memory.grow (i32.const 1)))
      (if (i32.ne (local.get $page) (i32.const -1)) (then
        (call $touch (i32.mul (local.get $page) (i32.const 65536)))
        (br $more))))
    (drop (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 64)))))
