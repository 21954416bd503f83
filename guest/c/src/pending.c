#include "sock.h"

#if !WASPORT_EXT

enum { MAX_PENDING = 64 };

/* The connects in progress. When the table is full, a new one replaces the oldest. */
static struct {
	int fd;
	bool used;
	wasport_addr addr;
} pending[MAX_PENDING];
static unsigned int next;

static int find_pending(int fd)
{
	for (int i = 0; i < MAX_PENDING; i++)
		if (pending[i].used && pending[i].fd == fd)
			return i;
	return -1;
}

void __wasport_pending_start(int fd, const wasport_addr *addr)
{
	int i = find_pending(fd);
	if (i < 0)
		i = (int)(next++ % MAX_PENDING);
	pending[i].fd = fd;
	pending[i].used = true;
	pending[i].addr = *addr;
}

void __wasport_pending_forget(int fd)
{
	int i = find_pending(fd);
	if (i >= 0)
		pending[i].used = false;
}

int32_t __wasport_pending_error(int fd, int *error)
{
	wasport_addr peer;
	int type, i;
	int32_t err = __wasport_socktype(fd, &type);

	*error = 0;
	if (err != 0)
		return err;
	i = find_pending(fd);
	if (i < 0)
		return 0;
	if (wasport_sock_addr_remote(fd, &peer) != 0) {
		err = wasport_sock_connect(fd, &pending[i].addr);
		if (err == EALREADY || err == EINPROGRESS)
			return 0;
		if (err != EISCONN)
			*error = err;
	}
	pending[i].used = false;
	return 0;
}

#endif
