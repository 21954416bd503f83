# coap-client and coap-server, which set and learn addresses, against each other and native ones.
published libcoap3
# An epoll without timerfd is a case that its CMakeLists.txt trips over, were it not named.
build cmake -B out -DCMAKE_TOOLCHAIN_FILE="$toolchain" -DBUILD_SHARED_LIBS=OFF -DENABLE_DTLS=OFF \
	-DENABLE_TESTS=OFF -DENABLE_DOCS=OFF -DWITH_EPOLL=OFF -DHAVE_TIMERFD_H=0
build make -C out -j2 coap-client coap-server

# A server at every address answers from the one that it was asked at, which takes a rule for that
# address as well: the client hears no other.
all=$(free) page="test server made with libcoap"
serve "$all" wasport run --allow-listen "udp://0.0.0.0:$all" --allow-listen "tcp://0.0.0.0:$all" \
	--allow-listen "udp://127.0.0.1:$all" --allow-listen "udp://127.0.0.3:$all" \
	out/coap-server.wasm -A 0.0.0.0 -p "$all"
native() { timeout 20 coap-client-notls "$@"; }
check "a server at every address, asked at one of them" \
	says "$page" native -m get "coap://127.0.0.3:$all/"
check "a block-wise upload to it" \
	native -m put -b 64 -f "$here/run" "coap://127.0.0.1:$all/example_data"
check "a guest that reads it back" says "Compiles programs of others" \
	guest "$all" out/coap-client.wasm -m get "coap://127.0.0.1:$all/example_data"
check "a server over TCP" says "$page" native -m get "coap+tcp://127.0.0.1:$all/"

one=$(free)
serve "$one" coap-server-notls -A 127.0.0.1 -p "$one"
client() { guest "$one" out/coap-client.wasm -m get "$1://127.0.0.1:$one/$2"; }
check "a client" says "$page" client coap ""
check "a client that waits for a separate answer" says "done" client coap "async?1"
check "a client over TCP" says "$page" client coap+tcp ""
