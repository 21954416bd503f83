;; encodings TEXT: passes TEXT from UTF-8 through inner components whose strings are UTF-16,
;; Latin-1 or UTF-16, and UTF-8, and back the same way. It prints the text that comes back.
(component
  (import "wasi:cli/environment@0.2.12" (instance $environment
    (export "get-arguments" (func (result (list string))))))
  (import "wasi:io/error@0.2.12" (instance $error (export "error" (type (sub resource)))))
  (alias export $error "error" (type $error))
  (import "wasi:io/streams@0.2.12" (instance $streams
    (alias outer 1 $error (type $e))
    (export "error" (type $error (eq $e)))
    (export "output-stream" (type $output (sub resource)))
    (type $variant (variant (case "last-operation-failed" (own $error)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $variant)))
    (export "[method]output-stream.blocking-write-and-flush" (func
      (param "self" (borrow $output)) (param "contents" (list u8))
      (result (result (error $stream-error)))))))
  (alias export $streams "output-stream" (type $output))
  (import "wasi:cli/stdout@0.2.12" (instance $stdout
    (alias outer 1 $output (type $o))
    (export "output-stream" (type $output (eq $o)))
    (export "get-stdout" (func (result (own $output))))))

  ;; A memory with a realloc that never frees.
  (core module $memory
    (memory (export "memory") 4)
    (global $next (mut i32) (i32.const 1024))
    (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32)
      (param $size i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and
        (i32.sub (i32.add (global.get $next) (local.get $align)) (i32.const 1))
        (i32.sub (i32.const 0) (local.get $align))))
      (global.set $next (i32.add (local.get $at) (local.get $size)))
      (local.get $at)))
  ;; Passes a string on, and returns the place of the result.
  (core module $pass
    (import "" "next" (func $next (param i32 i32 i32)))
    (func (export "pass") (param i32 i32) (result i32)
      (call $next (local.get 0) (local.get 1) (i32.const 16))
      (i32.const 16)))

  (component $utf8
    (alias outer 1 $memory (core module $memory))
    (core instance $m (instantiate $memory))
    (alias core export $m "memory" (core memory $mem))
    (alias core export $m "realloc" (core func $realloc))
    (core module $return
      (import "" "memory" (memory 1))
      (func (export "pass") (param i32 i32) (result i32)
        (i32.store (i32.const 16) (local.get 0))
        (i32.store (i32.const 20) (local.get 1))
        (i32.const 16)))
    (core instance $i (instantiate $return (with "" (instance $m))))
    (func (export "pass") (param "s" string) (result string) (canon lift (core func $i "pass")
      string-encoding=utf8 (memory $mem) (realloc $realloc))))
  (component $latin1
    (import "next" (func $next (param "s" string) (result string)))
    (alias outer 1 $memory (core module $memory))
    (alias outer 1 $pass (core module $pass))
    (core instance $m (instantiate $memory))
    (alias core export $m "memory" (core memory $mem))
    (alias core export $m "realloc" (core func $realloc))
    (core func $next (canon lower (func $next)
      string-encoding=latin1+utf16 (memory $mem) (realloc $realloc)))
    (core instance $i (instantiate $pass (with "" (instance (export "next" (func $next))))))
    (func (export "pass") (param "s" string) (result string) (canon lift (core func $i "pass")
      string-encoding=latin1+utf16 (memory $mem) (realloc $realloc))))
  (component $utf16
    (import "next" (func $next (param "s" string) (result string)))
    (alias outer 1 $memory (core module $memory))
    (alias outer 1 $pass (core module $pass))
    (core instance $m (instantiate $memory))
    (alias core export $m "memory" (core memory $mem))
    (alias core export $m "realloc" (core func $realloc))
    (core func $next (canon lower (func $next)
      string-encoding=utf16 (memory $mem) (realloc $realloc)))
    (core instance $i (instantiate $pass (with "" (instance (export "next" (func $next))))))
    (func (export "pass") (param "s" string) (result string) (canon lift (core func $i "pass")
      string-encoding=utf16 (memory $mem) (realloc $realloc))))
  (instance $third (instantiate $utf8))
  (instance $second (instantiate $latin1 (with "next" (func $third "pass"))))
  (instance $first (instantiate $utf16 (with "next" (func $second "pass"))))

  (core instance $m (instantiate $memory))
  (alias core export $m "memory" (core memory $mem))
  (alias core export $m "realloc" (core func $realloc))
  (core func $pass (canon lower (func $first "pass")
    (memory $mem) (realloc $realloc)))
  (core func $arguments (canon lower (func $environment "get-arguments")
    (memory $mem) (realloc $realloc)))
  (core func $get-stdout (canon lower (func $stdout "get-stdout")))
  (core func $write (canon lower
    (func $streams "[method]output-stream.blocking-write-and-flush") (memory $mem)))
  (core module $main
    (import "" "memory" (memory 1))
    (import "host" "pass" (func $pass (param i32 i32 i32)))
    (import "host" "arguments" (func $arguments (param i32)))
    (import "host" "get-stdout" (func $get-stdout (result i32)))
    (import "host" "write" (func $write (param i32 i32 i32 i32)))
    (func (export "run") (result i32)
      (local $text i32)
      (call $arguments (i32.const 16))
      (local.set $text (i32.add (i32.load (i32.const 16)) (i32.const 8)))
      (call $pass (i32.load (local.get $text)) (i32.load offset=4 (local.get $text))
        (i32.const 24))
      (call $write (call $get-stdout) (i32.load (i32.const 24)) (i32.load (i32.const 28))
        (i32.const 32))
      (i32.load8_u (i32.const 32))))
  (core instance $i (instantiate $main (with "" (instance $m)) (with "host" (instance
    (export "pass" (func $pass)) (export "arguments" (func $arguments))
    (export "get-stdout" (func $get-stdout)) (export "write" (func $write))))))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $e (export "run" (func $run)))
  (export "wasi:cli/run@0.2.12" (instance $e)))
