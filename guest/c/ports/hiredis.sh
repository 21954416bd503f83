# hiredis's example and its own tests against redis-server.
published hiredis
# Its Makefile calls ar by that name.
build make -j2 CC="wasport cc" STLIB_MAKE_CMD="llvm-ar rcs libhiredis.a" hiredis-example \
	hiredis-test

at=$(free)
serve "$at" redis-server --bind 127.0.0.1 --port "$at" --save '' --dir "$work" \
	--enable-debug-command yes
check "the example" says "GET foo: hello world" \
	guest "$at" examples/hiredis-example 127.0.0.1 "$at"

# Its tests also connect to a port where nobody is, and look a name up that there is not. They end
# where they want a Unix socket, which WASI does not have.
tests() {
	guest "$at" --allow-connect tcp://127.0.0.1:1 --allow-resolve '*' hiredis-test -h 127.0.0.1 \
		-p "$at" || true
}
tests >"$work/tests" 2>&1
count=$(grep -c PASSED "$work/tests" || true)
none_failed() { [ "$count" -ge 60 ] && ! grep FAILED "$work/tests"; }
check "$count of its own tests" none_failed
unix() { sed '1,/^Testing against Unix socket/d' "$work/tests" && false; }
lacks "its tests of Unix sockets" "Address family not supported" unix
