/* lookup NAME...: prints the addresses of each name, or the error code of its lookup. */
#include "sockets.h"

static void print_addresses(struct list name) {
	struct handle_result lookup;
	struct next_result next;

	resolve_addresses(network(), (const char *)name.data, name.len, &lookup);
	if (lookup.failed) {
		print("resolve-addresses: error ");
		print_number(lookup.code);
		print("\n");
		return;
	}
	for (;;) {
		resolve_next_address(lookup.ok, &next);
		if (next.failed && next.code == WOULD_BLOCK) {
			wait_for(resolve_subscribe(lookup.ok));
			continue;
		}
		if (next.failed) {
			print("resolve-next-address: error ");
			print_number(next.code);
			print("\n");
		}
		if (next.failed || !next.ok.some)
			break;
		print_ip(next.ok.value.family, next.ok.value.v4, next.ok.value.v6);
		print("\n");
	}
	resolve_drop(lookup.ok);
}

u32 run(void) {
	for (u32 i = 1; argument(i).len; i++)
		print_addresses(argument(i));
	return 0;
}
