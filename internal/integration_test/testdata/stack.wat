;; Traps with the stack pointer, which has the name that LLVM's linker gives it, in different places.
(module
	(memory (export "memory") 2)
	(global $__stack_pointer (mut i32) (i32.const 65536))
	(func $store (param $sp i32) (param $at i32)
		(global.set $__stack_pointer (local.get $sp))
		(i32.store (local.get $at) (i32.const 1)))
	(func (export "overflow") (call $store (i32.const -16) (i32.const -16)))
	;; A function that calls no other keeps its variables below the pointer.
	(func (export "leaf") (call $store (i32.const 16) (i32.const -64)))
	(func (export "wild") (call $store (i32.const 4096) (i32.const -16)))
	(func $full (export "full")
		(global.set $__stack_pointer (i32.const -16))
		(unreachable)))
