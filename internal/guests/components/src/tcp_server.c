/* tcp_server ADDR COUNT [PORT]: echoes COUNT connections, one after the other. */
#include "sockets.h"

u32 run(void) {
	struct address at = parse_address(argument(1), argument(3));
	handle listener = tcp_listen(&at);

	print_local(tcp_local_address, listener);
	for (u64 left = number(argument(2)); left > 0; left--) {
		struct connection c = tcp_accept_one(listener);
		struct address_result peer;
		u64 total = 0;

		tcp_remote_address(c.socket, &peer);
		if (peer.failed)
			fail("remote-address", peer.code);
		print("accepted ");
		print_address(&peer.ok);
		print("\n");
		for (;;) {
			u8 *mark = heap_mark();
			struct list got = read_some(c.in);
			if (got.len == 0)
				break;
			write_all(c.out, got.data, got.len);
			total += got.len;
			heap_reset(mark);
		}
		close_connection(c);
		print("closed ");
		print_number(total);
		print(" bytes\n");
	}
	return 0;
}
