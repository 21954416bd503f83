# http-server, which waits in epoll and wakes itself by an eventfd, under curl; its own tests.
published libevent
build ./configure --host=wasm32-wasi CC="wasport cc" AR=llvm-ar RANLIB=llvm-ranlib \
	--disable-shared --disable-openssl --disable-thread-support --disable-debug-mode \
	--disable-dependency-tracking
build make include/event2/event-config.h
build make -j2 sample/http-server test/regress

# Its own tests have a server and a client in one process. One group mostly waits.
mkdir "$work/etc"
echo "nameserver 127.0.0.1" >"$work/etc/resolv.conf"
regress() {
	timeout 300 wasport run --allow-connect loopback --allow-listen loopback --allow-listen any \
		--allow-resolve "*" --dir "$work/etc::/etc" test/regress --no-fork "$@"
}
regress http/.. >"$work/http" 2>&1 &
http=$!

at=$(free)
mkdir "$work/docroot"
echo "it works" >"$work/docroot/index.html"
head -c 200000 /dev/urandom >"$work/docroot/large"
serve "$at" wasport run --allow-listen "tcp://0.0.0.0:$at" --dir "$work/docroot::/docroot" \
	sample/http-server -p "$at" /docroot
check "its HTTP server" says "it works" curl -sS "http://127.0.0.1:$at/index.html"
check "a directory" says "<title>/</title>" curl -sS "http://127.0.0.1:$at/"
check "POST" says "200" curl -sS -d hello -w '%{http_code}' "http://127.0.0.1:$at/dump"
check "a second request on a connection" says "Re-using existing connection" \
	curl -sSv "http://127.0.0.1:$at/index.html" "http://127.0.0.1:$at/index.html"
check "100 requests in parallel" parallel "$at" "$work/docroot/large"

check "its tests rpc/.. (8)" says "8 tests ok." regress rpc/..
check "listener/.. (7)" says "7 tests ok." regress listener/..
check "et/.. (2)" says "2 tests ok." regress et/..
emfile=dns/bufferevent_connect_hostname_emfile
check "dns/.. (28)" says "28 tests ok." regress dns/.. ":$emfile"
# These leave state behind, and so get a process each. Six skip themselves: they need threads or
# zlib. Four are left out, which fail if the machine is 50 ms late.
each() {
	local name
	for name in $(wasport run test/regress --list-tests 2>&1 |
		grep -o "\bbufferevent/[a-z_]*" | grep -v bufferevent_timeout); do
		regress "$name" || return
	done
}
bufferevent() { each | tee "$work/each" && [ "$(grep -c "1 tests ok" "$work/each")" = 24 ]; }
check "bufferevent/.. (24)" bufferevent
server() { wait "$http" && cat "$work/http"; }
check "http/.. (59)" says "59 tests ok." server
lacks "$emfile, since setrlimit has no effect" "1/1 TESTS FAILED" regress "$emfile"
lacks "main/simpleclose_.., since EPOLLRDHUP never holds" "8/9 TESTS FAILED" \
	regress main/simpleclose_..
