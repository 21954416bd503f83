# Where the host lets a thread begin. It gets the thread's number, and the pointer that was passed to thread-spawn: to a struct
# thread, which begins with the stack that the thread is to use. Each thread runs in an instance of its own, whose stack
# pointer still is that of the first thread; so nothing may be put on the stack before.
	.globaltype	__stack_pointer, i32
	.functype	thread_main (i32, i32) -> ()
	.globl	wasi_thread_start
	.export_name	wasi_thread_start, wasi_thread_start
	.type	wasi_thread_start,@function
wasi_thread_start:
	.functype	wasi_thread_start (i32, i32) -> ()
	local.get	1
	i32.load	0
	global.set	__stack_pointer
	local.get	0
	local.get	1
	call	thread_main
	end_function
