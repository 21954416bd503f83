# http-server, which waits in epoll and wakes itself by an eventfd, under curl.
published libevent
build ./configure --host=wasm32-wasi CC="wasport cc" AR=llvm-ar RANLIB=llvm-ranlib \
	--disable-shared --disable-openssl --disable-thread-support --disable-debug-mode \
	--disable-dependency-tracking
build make include/event2/event-config.h
build make -j2 sample/http-server

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
