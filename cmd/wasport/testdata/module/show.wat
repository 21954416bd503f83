;; Prints each argument and each environment variable on a line.
(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $env_sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $env (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  ;; 0: iovec, 8: number of strings, 12: their size, 1024: pointers, 65536: strings
  (func $print (local $i i32) (local $end i32)
    (local.set $i (i32.const 65536))
    (local.set $end (i32.add (local.get $i) (i32.load (i32.const 12))))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $i) (local.get $end)))
        (if (i32.eqz (i32.load8_u (local.get $i)))
          (then (i32.store8 (local.get $i) (i32.const 10))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (i32.store (i32.const 0) (i32.const 65536))
    (i32.store (i32.const 4) (i32.load (i32.const 12)))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16))))
  (func (export "_start")
    (drop (call $args_sizes (i32.const 8) (i32.const 12)))
    (drop (call $args (i32.const 1024) (i32.const 65536)))
    (call $print)
    (drop (call $env_sizes (i32.const 8) (i32.const 12)))
    (drop (call $env (i32.const 1024) (i32.const 65536)))
    (call $print)))
