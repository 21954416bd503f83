# hiredis's example and its own tests against redis-server.
published hiredis
# Its Makefile calls ar by that name.
build make -j2 CC="wasport cc" STLIB_MAKE_CMD="llvm-ar rcs libhiredis.a" hiredis-example \
	hiredis-test

at=$(free)
mkdir "$work/run"
serve "$at" redis-server --bind 127.0.0.1 --port "$at" --save '' --dir "$work" \
	--enable-debug-command yes --unixsocket "$work/run/redis.sock"
check "the example" says "GET foo: hello world" \
	guest "$at" examples/hiredis-example 127.0.0.1 "$at"

# Its tests also connect to a port where nobody is, and look a name up that there is not.
tests() {
	guest "$at" --allow-connect tcp://127.0.0.1:1 --allow-resolve '*' \
		--dir "$work/run::/run:ro" --allow-connect unix:/run/redis.sock \
		hiredis-test -h 127.0.0.1 -p "$at" -s /run/redis.sock
}
tests >"$work/tests" 2>&1 || true
count=$(grep -c PASSED "$work/tests" || true)
check "all $count of its own tests" says "ALL TESTS PASSED" cat "$work/tests"
unix() { sed '1,/^Testing against Unix socket/d' "$work/tests"; }
check "those over a Unix-domain socket" says PASSED unix
