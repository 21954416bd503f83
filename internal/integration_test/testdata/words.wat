;; A library whose values of 32 bits are the lower halves of others.
(module
  (import "host" "words" (func $words (param i64 i32 f32) (result i32)))
  (import "host" "fill" (func $fill (param i64 i64 i64)))
  (func (export "i32") (param i64) (result i32) (i32.wrap_i64 (local.get 0)))
  (func (export "f32") (param i64) (result f32)
    (f32.reinterpret_i32 (i32.wrap_i64 (local.get 0))))
  (func (export "wrap") (param i64) (result i64 i32 f32)
    (local.get 0)
    (i32.wrap_i64 (local.get 0))
    (f32.reinterpret_i32 (i32.wrap_i64 (local.get 0))))
  ;; passes all three to the host, where a call before it has left others, and returns what it gets
  (func (export "pass") (param i64) (result i64)
    (call $fill (local.get 0) (local.get 0) (local.get 0))
    (i64.extend_i32_u (call $words
      (local.get 0)
      (i32.wrap_i64 (local.get 0))
      (f32.reinterpret_i32 (i32.wrap_i64 (local.get 0)))))))
