#include "sock.h"

#include <netdb.h>
#include <resolv.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* Offsets and bits in the header of a message (RFC 1035, section 4.1.1). */
enum { FLAGS_AT = 2, RCODE_AT = 3, ANSWERS_AT = 6, TRUNCATED = 0x02, RECURSE = 0x01 };

struct __res_state *__res_state(void)
{
	static _Thread_local struct __res_state state;
	return &state;
}

int res_ninit(res_state state)
{
	memset(state, 0, sizeof *state);
	state->retrans = RES_TIMEOUT;
	state->retry = RES_DFLRETRY;
	state->options = RES_DEFAULT | RES_INIT;
	state->ndots = 1;
	return 0;
}

void res_nclose(res_state state)
{
	(void)state;
}

int res_init(void)
{
	return res_ninit(&_res);
}

/* Stores the reply, or as much as there is room for, and returns its length, or -1 with errno. */
static int ask(const char *name, int class, int type, unsigned char *reply, int size)
{
#if WASPORT_EXT
	uint32_t n;

	if (size < NS_HFIXEDSZ || type < 0 || type > UINT16_MAX)
		return result(EINVAL);
	if (class != ns_c_in)
		return result(ENOTSUP);
	if (result(wasport_sock_resolve_records(name, (uint32_t)type, reply, (uint32_t)size, &n)) != 0)
		return -1;
	if (n <= (uint32_t)size)
		return (int)n;
	reply[FLAGS_AT] |= TRUNCATED;
	return size;
#else
	(void)name, (void)class, (void)type, (void)reply, (void)size;
	return result(ENOSYS);
#endif
}

int res_query(const char *name, int class, int type, unsigned char *reply, int size)
{
	int n;

	if (!__wasport_is_name(name)) {
		h_errno = HOST_NOT_FOUND;
		return result(EINVAL);
	}
	n = ask(name, class, type, reply, size);
	if (n < 0)
		h_errno = errno == EAGAIN || errno == EIO ? TRY_AGAIN : NO_RECOVERY;
	else if ((reply[RCODE_AT] & 0xf) == ns_r_nxdomain)
		h_errno = HOST_NOT_FOUND;
	else if (ns_get16(reply + ANSWERS_AT) == 0)
		h_errno = NO_DATA;
	else
		return n;
	return -1;
}

int res_search(const char *name, int class, int type, unsigned char *reply, int size)
{
	return res_query(name, class, type, reply, size);
}

int res_querydomain(
    const char *name, const char *domain, int class, int type, unsigned char *reply, int size)
{
	char whole[NS_MAXDNAME];

	if (domain == NULL || *domain == '\0')
		return res_query(name, class, type, reply, size);
	if (snprintf(whole, sizeof whole, "%s.%s", name, domain) >= (int)sizeof whole) {
		h_errno = NO_RECOVERY;
		return result(EMSGSIZE);
	}
	return res_query(whole, class, type, reply, size);
}

int res_nquery(
    res_state state, const char *name, int class, int type, unsigned char *reply, int size)
{
	(void)state;
	return res_query(name, class, type, reply, size);
}

int res_nsearch(
    res_state state, const char *name, int class, int type, unsigned char *reply, int size)
{
	(void)state;
	return res_query(name, class, type, reply, size);
}

int res_mkquery(int operation, const char *name, int class, int type, const unsigned char *data,
    int length, const unsigned char *record, unsigned char *query, int size)
{
	int n;

	(void)data, (void)length, (void)record;
	if (operation != ns_o_query)
		return result(ENOTSUP);
	if (size < NS_HFIXEDSZ + NS_QFIXEDSZ)
		return result(EMSGSIZE);
	memset(query, 0, NS_HFIXEDSZ);
	if (getentropy(query, 2) != 0)
		return -1;
	query[FLAGS_AT] = RECURSE;
	ns_put16(1, query + 4);
	n = dn_comp(name, query + NS_HFIXEDSZ, size - NS_HFIXEDSZ - NS_QFIXEDSZ, NULL, NULL);
	if (n < 0)
		return result(EMSGSIZE);
	n += NS_HFIXEDSZ;
	ns_put16((unsigned)type, query + n);
	ns_put16((unsigned)class, query + n + 2);
	return n + NS_QFIXEDSZ;
}

int res_send(const unsigned char *query, int length, unsigned char *reply, int size)
{
	ns_msg message;
	ns_rr question;
	int n;

	if (ns_initparse(query, length, &message) != 0 ||
	    ns_parserr(&message, ns_s_qd, 0, &question) != 0)
		return result(EINVAL);
	n = ask(ns_rr_name(question), ns_rr_class(question), ns_rr_type(question), reply, size);
	if (n > 0)
		memcpy(reply, query, 2); /* the number by which the caller knows its query */
	return n;
}
