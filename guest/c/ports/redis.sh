# redis-cli and redis-benchmark, which include <pthread.h>, against redis-server.
published redis
# Of the libraries that the whole of it has, these suffice; Lua jumps, and the server wants it.
build make -j2 -C src redis-cli redis-benchmark CC="wasport cc" AR=llvm-ar MALLOC=libc OPT=-O1 \
	DEPENDENCY_TARGETS="hiredis linenoise hdr_histogram" FINAL_LDFLAGS= FINAL_LIBS=-lm

at=$(free)
serve "$at" redis-server --bind 127.0.0.1 --port "$at" --save '' --dir "$work"
cli() { guest "$at" src/redis-cli -p "$at" "$@"; }

set_and_get() { cli set ports "a value" && says "a value" cli get ports; }
check "setting and getting" set_and_get

pipeline() { printf 'rpush list 1 2 3\nincr n\nincr n\nlrange list 0 -1\n' | cli; }
check "commands on its standard input" says $'3\n1\n2\n1\n2\n3' pipeline

bulk() { seq 1000 | sed 's/.*/SET bulk:& &\r/' | cli --pipe; }
check "1000 commands at once" says "errors: 0, replies: 1000" bulk
scan() { [ "$(cli --scan --pattern 'bulk:*' | sort -u | wc -l)" = 1000 ]; }
check "going through 1000 keys" scan
check "RESP3" says "proto 3" cli -3 hello
check "a script" says "k and v" cli eval "return KEYS[1] .. ' and ' .. ARGV[1]" 1 k v
wrong() { ! cli -e get a b >"$work/wrong" 2>&1 && grep "wrong number of arguments" "$work/wrong"; }
check "the server's error" wrong

subscribe() {
	cli --raw subscribe news >"$work/news" &
	local subscriber=$!
	until [ "$(redis-cli -p "$at" publish news "a message")" = 1 ]; do sleep 0.1; done
	until grep -q "a message" "$work/news"; do sleep 0.1; done
	kill $subscriber
}
check "subscribing" subscribe

benchmark() { guest "$at" src/redis-benchmark -p "$at" -n 1000 -c 50 -q "$@"; }
check "50 connections of redis-benchmark" says "GET:" benchmark -t set,get,lpush
lacks "redis-benchmark --threads" "Failed to start thread 0" benchmark --threads 2 -t set
