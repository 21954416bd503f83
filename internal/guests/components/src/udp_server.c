/* udp_server ADDR COUNT [PORT]: sends COUNT datagrams back to where they came from. */
#include "sockets.h"

u32 run(void) {
	struct address at = parse_address(argument(1), argument(3));
	handle socket = udp_bound(&at);
	struct pair_result streams = udp_associate(socket, 0);

	print_local(udp_local_address, socket);
	for (u64 left = number(argument(2)); left > 0; left--) {
		u8 *mark = heap_mark();
		struct incoming got = receive_one(streams.ok[0]);
		print("from ");
		print_address(&got.from);
		print(" ");
		print_number(got.data.len);
		print(" bytes\n");
		send_one(streams.ok[1], got.data, &got.from);
		heap_reset(mark);
	}
	return 0;
}
