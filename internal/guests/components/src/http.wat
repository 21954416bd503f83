;; Imports wasi:http, which wasport does not have.
(component
  (import "wasi:http/types@0.2.12" (instance $types
    (export "outgoing-request" (type (sub resource)))
    (export "future-incoming-response" (type (sub resource)))))
  (alias export $types "outgoing-request" (type $request))
  (alias export $types "future-incoming-response" (type $response))
  (import "wasi:http/outgoing-handler@0.2.12" (instance
    (alias outer 1 $request (type $request))
    (export "outgoing-request" (type $own (eq $request)))
    (alias outer 1 $response (type $response))
    (export "future-incoming-response" (type $future (eq $response)))
    (export "handle" (func (param "request" (own $own)) (result (own $future))))))
  (core module $main (func (export "run") (result i32) (i32.const 0)))
  (core instance $main (instantiate $main))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.12" (instance $command))
)
