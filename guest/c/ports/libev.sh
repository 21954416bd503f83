# A server of ours with libev's API, by each of its ways to wait, under parallel clients.
published libev
build ./configure --host=wasm32-unknown-none CC="wasport cc" AR=llvm-ar RANLIB=llvm-ranlib \
	--disable-shared --disable-dependency-tracking
build make -j2 libev.la
# It sends back what it gets. A timer closes a connection after a second without anything.
cat >server.c <<-'END'
	#include <arpa/inet.h>
	#include <ev.h>
	#include <fcntl.h>
	#include <stdio.h>
	#include <stdlib.h>
	#include <sys/socket.h>
	#include <unistd.h>

	struct connection {
		ev_io io;
		ev_timer idle;
	};

	static void end(struct ev_loop *loop, struct connection *c)
	{
		ev_io_stop(loop, &c->io);
		ev_timer_stop(loop, &c->idle);
		close(c->io.fd);
		free(c);
	}

	static void expire(struct ev_loop *loop, ev_timer *timer, int events)
	{
		send(((struct connection *)timer->data)->io.fd, "idle\n", 5, 0);
		end(loop, timer->data);
	}

	static void answer(struct ev_loop *loop, ev_io *io, int events)
	{
		struct connection *c = io->data;
		char text[4096];
		ssize_t n = recv(io->fd, text, sizeof text, 0);

		if (n > 0 && send(io->fd, text, n, 0) == n)
			ev_timer_again(loop, &c->idle);
		else
			end(loop, c);
	}

	static void admit(struct ev_loop *loop, ev_io *io, int events)
	{
		struct connection *c = malloc(sizeof *c);
		int fd = accept(io->fd, NULL, NULL);

		ev_io_init(&c->io, answer, fd, EV_READ);
		ev_timer_init(&c->idle, expire, 0, 1);
		c->io.data = c->idle.data = c;
		ev_io_start(loop, &c->io);
		ev_timer_again(loop, &c->idle);
	}

	int main(int argc, char **argv)
	{
		struct ev_loop *loop = ev_default_loop(atoi(argv[2]));
		struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		ev_io io;

		if (loop == NULL || ev_backend(loop) != atoi(argv[2]))
			return 1;
		at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 128) != 0)
			return 1;
		ev_io_init(&io, admit, fd, EV_READ);
		ev_io_start(loop, &io);
		return ev_run(loop, 0);
	}
END
build wasport cc -I. server.c .libs/libev.a -o server

# fifty PORT: as many connections at once, each of which gets its own line back, and then its end.
fifty() {
	local n pids=()
	for n in $(seq 50); do
		{
			exec 3<>"/dev/tcp/127.0.0.1/$1"
			echo "line $n" >&3
			[ "$(timeout 30 cat <&3)" = "line $n"$'\n'idle ]
		} &
		pids+=($!)
	done
	for n in "${pids[@]}"; do wait "$n" || return; done
}
for way in 1:select 2:poll 4:epoll; do
	at=$(free)
	serve "$at" wasport run --allow-listen "tcp://127.0.0.1:$at" server "$at" "${way%:*}"
	check "${way#*:}" fifty "$at"
done
