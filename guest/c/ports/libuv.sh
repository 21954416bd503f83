# libuv's own tests of TCP, UDP, poll, timers and names, but those that need processes or threads.
published libuv1
# What libuv asks of each platform. The rest of it takes this one for a Unix with poll: the Hurd.
cat >wasi.c <<-END
	#include "uv.h"
	#include <time.h>

	int uv_exepath(char *path, size_t *size)
	{
		return UV_ENOTSUP;
	}
	int uv_cpu_info(uv_cpu_info_t **cpus, int *count)
	{
		return UV_ENOTSUP;
	}
	int uv_uptime(double *uptime)
	{
		*uptime = uv_hrtime() / 1e9;
		return 0;
	}
	int uv_resident_set_memory(size_t *bytes)
	{
		*bytes = __builtin_wasm_memory_size(0) << 16;
		return 0;
	}
	void uv_loadavg(double average[3])
	{
		average[0] = average[1] = average[2] = 0;
	}
	uint64_t uv_get_total_memory(void)
	{
		return 0;
	}
	uint64_t uv_get_free_memory(void)
	{
		return 0;
	}
	uint64_t uv_get_constrained_memory(void)
	{
		return 0;
	}
END
cat >wasi.mk <<-'END'
	CFLAGS = -O1 -w -Iinclude -Isrc -D__GNU__ -D__unix__ -D_GNU_SOURCE
	unix = async core dl fs getaddrinfo getnameinfo loop-watcher loop pipe poll process \
		random-devurandom signal stream tcp thread tty udp \
		no-fsevents no-proctitle posix-hrtime posix-poll bsd-ifaddrs
	library = $(wildcard src/*.c) $(unix:%=src/unix/%.c) wasi.c
	tests = $(filter-out %-win.c test/run-benchmarks.c test/benchmark-%,$(wildcard test/*.c))
	run-tests: $(tests:.c=.o) libuv.a; $(CC) $^ -o $@
	libuv.a: $(library:.c=.o); $(AR) rcs $@ $^
END
build make -j2 -f wasi.mk CC="wasport cc" AR=llvm-ar

# Lookups without "sync" in their names wait in threads, and two tests are for Windows.
wasport run run-tests --list 2>/dev/null |
	grep -E '^(tcp|udp|poll|timer|getaddrinfo|getnameinfo)' |
	grep -vE '^(getaddrinfo_(basic|concurrent|fail)|getnameinfo_basic_ip[46])( |$)' |
	grep -vE '^(poll_closesocket|poll_close_doesnt_corrupt_stack|timer|timer_again)( |$)' >tests
# These pass only if a millisecond went by before they began.
fails+=("timer timer_again: the monotonic clock begins with the guest, at 0")

# The tests have fixed ports, so they get a network of their own. A helper is ready when a socket
# with port 23A3 listens (0A), or is one for datagrams (07).
cat >each <<-'END'
	ip link set lo up
	part=(timeout 60 wasport run --dir . --dir tmp::/tmp --allow-net
		--allow-connect unix:/tmp/uv-test-sock --allow-listen unix:/tmp/uv-test-sock run-tests)
	try() {
		local helper=
		if [ "$2" ]; then
			"${part[@]}" "$1" "$2" >/dev/null 2>&1 &
			helper=$!
			until grep -qE ':23A3 0+:0000 (0A|07)' /proc/net/{tcp,tcp6,udp}; do
				kill -0 $helper || return
				sleep 0.05
			done
		fi
		status=0
		"${part[@]}" "$1" "$1" >out 2>&1 || status=$?
		[ ! "$2" ] || { kill $helper && wait $helper; } 2>/dev/null || true
		[ $status = 0 ] || [ $status = 7 ]
	}
	mkdir tmp
	while read -r name _ helper; do
		try "$name" "${helper%)}" || try "$name" "${helper%)}" || true
		echo "$name $status $(grep -oE 'Assertion failed.*|denied.*' out | head -n 1)"
	done <tests
END
alone=(unshare --net)
[ "$(id -u)" = 0 ] || alone+=(--map-root-user)
"${alone[@]}" bash each >results 2>"$work/server"

names() { sed -n "s/^\($1[^ ]*\) $2 .*/\1/p" results; }
for group in tcp udp poll timer getaddrinfo getnameinfo; do
	passed=$(names $group 0)
	check "$(wc -l <<<"$passed") tests of $group: $(paste -sd ' ' <<<"$passed")" test "$passed"
done
skipped=$(names "" 7)
[ ! "$skipped" ] || fails+=("skipped for want of other networks: $(paste -sd ' ' <<<"$skipped")")
while read -r name status text; do
	case $status in
	0 | 7) ;;
	*) lacks "$name" "${text#Assertion failed in }" bash -c 'grep "^$0 " results; false' "$name" ;;
	esac
done <results
