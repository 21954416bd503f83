/* tcp_client ADDR PORT LINE: sends the line, and prints the line that comes back. */
#include "sockets.h"

u32 run(void) {
	struct address to = parse_address(argument(1), argument(2));
	struct list line = argument(3);
	struct connection c = tcp_connect(&to);
	struct address_result peer;

	tcp_remote_address(c.socket, &peer);
	if (peer.failed)
		fail("remote-address", peer.code);
	print("connected ");
	print_address(&peer.ok);
	print("\n");
	write_all(c.out, line.data, line.len);
	write_all(c.out, "\n", 1);
	print("received ");
	for (;;) {
		struct list got = read_some(c.in);
		print_list(got);
		if (got.len == 0 || got.data[got.len - 1] == '\n')
			break;
	}
	close_connection(c);
	return 0;
}
