;; A library whose functions the embedder calls. It counts its calls of _initialize and of count.
(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open" (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_open" (func $open (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_addr_resolve" (func $resolve (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_accept" (func $accept (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (global $started (mut i32) (i32.const 0))
  (global $count (mut i32) (i32.const 0))
  (global $top (mut i32) (i32.const 1024))
  (global $errno (mut i32) (i32.const 0)) ;; of the last import
  (data (i32.const 0) "\20\00\00\00\06\00\00\00") ;; an iovec: the 6 bytes at 32
  (data (i32.const 32) "hello\n")
  (data (i32.const 64) "name.test\00") ;; a host, and an empty service behind it

  (func (export "_initialize") (global.set $started (i32.add (global.get $started) (i32.const 1))))
  (func (export "started") (result i32) (global.get $started))
  (func (export "empty"))
  (func (export "add") (param i32 i64) (result i64) (i64.add (i64.extend_i32_u (local.get 0)) (local.get 1)))
  (func (export "two") (param f64) (result f64 i32) (local.get 0) (i32.const 7))
  (func $increment (export "count") (result i32)
    (global.set $count (i32.add (global.get $count) (i32.const 1))) (global.get $count))
  (func (export "vector") (param v128))
  (func (export "reference") (param externref) (result externref) (local.get 0))

  ;; an allocator that frees nothing: its addresses go up from 1024
  (func $malloc (export "malloc") (param i32) (result i32) (global.get $top)
    (global.set $top (i32.add (global.get $top) (local.get 0))))
  (func (export "free") (param i32))
  (func (export "dealloc") (param i32 i32) (global.set $top (i32.sub (global.get $top) (local.get 1))))
  (func (export "malloc_none") (param i32) (result i32) (i32.const 0))
  (func (export "malloc_outside") (param i32) (result i32) (i32.const -8))
  (func (export "malloc_nothing") (param i32))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))

  (func (export "trap") unreachable)
  (func (export "exit") (param i32) (call $exit (local.get 0)))
  (func (export "spin") (loop (br 0)))
  ;; recursion to a depth
  (func $deep (export "deep") (param i32) (result i32) (if (result i32) (i32.eqz (local.get 0))
    (then (i32.const 0))
    (else (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1)))))))

  ;; sleeps for so many ns, and returns the errno of poll_oneoff
  (func $sleep (export "sleep") (param i64) (result i32)
    (i32.store (i32.const 144) (i32.const 1)) ;; monotonic clock
    (i64.store (i32.const 152) (local.get 0))
    (call $poll (i32.const 128) (i32.const 200) (i32.const 1) (i32.const 300)))
  ;; does so again and again, whatever the errno
  (func (export "sleep_for_ever") (loop (drop (call $sleep (i64.const 1000000000000))) (br 0)))
  ;; computes for so many rounds after a sleep
  (func (export "sleep_and_compute") (param i32) (result i32)
    (call $sleep (i64.const 1000000000000))
    (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))

  (func $note (param i32) (result i32) (global.set $errno (local.get 0)) (local.get 0))
  (func (export "errno") (result i32) (global.get $errno))
  (func (export "open") (result i32) (call $open (i32.const 3) (i32.const 0) (i32.const 1) (i32.const 16)))
  ;; opens "name" in the directory 3 to read from it, and returns the descriptor
  (func (export "open_file") (result i32)
    (if (call $path_open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 4) (i32.const 0) (i64.const 2) (i64.const 0)
        (i32.const 0) (i32.const 16)) (then unreachable))
    (i32.load (i32.const 16)))
  ;; reads up to 6 bytes from a descriptor to 32, and returns how many
  (func (export "take") (param $fd i32) (result i32)
    (if (call $read (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 16)) (then unreachable))
    (i32.load (i32.const 16)))
  ;; writes the 6 bytes at 32 to a descriptor
  (func (export "give") (param $fd i32)
    (if (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 16)) (then unreachable)))
  ;; calls that wait
  (func (export "nap") (result i32) (call $note (call $sleep (i64.const 1000000000000))))
  (func (export "read") (result i32)
    (call $note (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16))))
  (func (export "write") (result i32)
    (call $note (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16))))
  (func (export "accept") (result i32)
    (call $note (call $accept (i32.const 3) (i32.const 0) (i32.const 16))))
  (func (export "resolve") (result i32)
    (call $note (call $resolve (i32.const 64) (i32.const 73) (i32.const 200) (i32.const 300) (i32.const 1) (i32.const 16)))))
