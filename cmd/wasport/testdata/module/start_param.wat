;; Its _start takes a parameter, so it is no command.
(module (func (export "_start") (param i32)))
