# its file server with a loop of select, under curl.
published libmicrohttpd
build ./configure --host=wasm32-unknown-none CC="wasport cc" AR=llvm-ar RANLIB=llvm-ranlib \
	--disable-shared --disable-doc --disable-https --disable-curl --disable-nls \
	--with-threads=none --disable-dependency-tracking
build make -j2 -C src/microhttpd libmicrohttpd.la
# Without threads this version calls a function that it has only with them, if there are time-outs.
build make -C src/examples fileserver_example_external_select \
	LDFLAGS=-Wl,--unresolved-symbols=ignore-all

at=$(free)
mkdir -p "$work/files"
echo "it works" >"$work/files/index.html"
head -c 200000 /dev/urandom >"$work/files/large"
serve "$at" wasport run --allow-listen "tcp://0.0.0.0:$at" --dir "$work/files::/" \
	src/examples/fileserver_example_external_select "$at" 600
check "its file server" says "it works" curl -sS "http://127.0.0.1:$at/index.html"
check "a page that does not exist" says "File not found" curl -sS "http://127.0.0.1:$at/no"
check "a second request on a connection" says "Re-using existing connection" \
	curl -sSv "http://127.0.0.1:$at/index.html" "http://127.0.0.1:$at/index.html"
check "100 requests in parallel" parallel "$at" "$work/files/large"
