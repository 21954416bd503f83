# socat's addresses of TCP and UDP, against the native socat.
published socat
# It takes open's and shutdown's constants to have the numbers of Linux.
cat >numbers.h <<-END
	#include <fcntl.h>
	#include <sys/socket.h>
	enum { READ = O_RDONLY, WRITE = O_WRONLY };
	#undef O_RDONLY
	#undef O_WRONLY
	#undef O_RDWR
	#undef O_ACCMODE
	#define O_RDONLY 0
	#define O_WRONLY 1
	#define O_RDWR 2
	#define O_ACCMODE 3
	#define open(path, flags, ...) open(path, ((flags) & ~3) | ((flags) & 1 ? 0 : READ) | \\
	    ((flags) & 3 ? WRITE : 0), ##__VA_ARGS__)
	#undef SHUT_RD
	#undef SHUT_WR
	#undef SHUT_RDWR
	#define SHUT_RD 0
	#define SHUT_WR 1
	#define SHUT_RDWR 2
	#define shutdown(fd, how) shutdown(fd, (how) + 1)
END
build ./configure --host=wasm32-unknown-none CC="wasport cc" AR=llvm-ar RANLIB=llvm-ranlib \
	CFLAGS="-O -include numbers.h" --disable-openssl --disable-readline --disable-libwrap \
	--disable-exec --disable-system --disable-pty --disable-unix --disable-abstract-unixsocket \
	--disable-rawip --disable-sctp --disable-vsock --disable-tun --disable-interface \
	--disable-termios --disable-filan --disable-sycls
build make -j2 socat

head -c 1000000 /dev/urandom >"$work/data"
at=$(free)
serve "$at" socat "TCP4-LISTEN:$at,bind=127.0.0.1,reuseaddr,fork" EXEC:cat
socat -t 30 "UDP4-RECVFROM:$at,bind=127.0.0.1,fork" EXEC:cat &
servers+=($!)
guest() { timeout 60 wasport run "${grants[@]}" ./socat -t 30 "$@"; }
copy() { "$@" <"$work/data" >"$work/copy" && cmp "$work/data" "$work/copy"; }
grants=(--allow-connect "tcp://127.0.0.1:$at" --allow-connect "udp://127.0.0.1:$at")
check "TCP" copy guest - "TCP4:127.0.0.1:$at"
datagram() { echo "one datagram" | guest -T 2 - "$1"; }
check "UDP" says "one datagram" datagram "UDP4:127.0.0.1:$at"
check "UDP-SENDTO" says "one datagram" datagram "UDP4-SENDTO:127.0.0.1:$at"
check "a file, to and from a server" copy \
	timeout 60 wasport run "${grants[@]}" --dir "$work::/w:ro" ./socat -t 30 \
	"OPEN:/w/data,rdonly!!STDOUT" "TCP4:127.0.0.1:$at"

# served ADDRESS PEER COMMAND...: a guest that listens at a port of its own, and a native peer.
served() {
	listen=$(free)
	grants=(--allow-listen "tcp://127.0.0.1:$listen" --allow-listen "udp://127.0.0.1:$listen"
		--allow-connect "tcp://127.0.0.1:$at" --allow-connect "udp://127.0.0.1")
	guest -T 5 "$1:$listen,bind=127.0.0.1$2" "$3" &
	servers+=($!)
	until grep -q ":$(printf %04X "$listen") 00000000" /proc/net/tcp /proc/net/udp; do
		kill -0 $! && sleep 0.05 || return
	done
	"${@:4}"
}
stream() { copy socat -t 30 - "TCP4:127.0.0.1:$listen"; }
answered() { echo "one datagram" | socat -T 2 - "UDP4:127.0.0.1:$listen" | grep "one datagram"; }
check "TCP-LISTEN" served TCP4-LISTEN "" PIPE stream
check "a relay" served TCP4-LISTEN "" "TCP4:127.0.0.1:$at" stream
check "UDP-LISTEN" served UDP4-LISTEN "" PIPE answered
check "UDP-RECVFROM" served UDP4-RECVFROM "" PIPE answered
lacks "the option fork, which needs processes" "fork(): Function not implemented" \
	served TCP4-LISTEN ,fork PIPE stream
