#include "sock.h"

#include <stdint.h>
#include <sys/random.h>
#include <wasi/api.h>

ssize_t getrandom(void *buf, size_t len, unsigned flags)
{
	int32_t err;

	if ((flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE)) ||
		(flags & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
		return result(EINVAL);
	if (len > INT32_MAX)
		len = INT32_MAX; /* the largest result */
	err = __wasi_random_get(buf, len);
	return err == 0 ? (ssize_t)len : result(err);
}
