/* <resolv.h>, which wasi-libc does not have. The host asks its own servers, and the policy judges
 * each name as it does for getaddrinfo. A module does not learn which servers these are. */
#ifndef _RESOLV_H
#define _RESOLV_H

#include <arpa/nameser.h>
#include <netinet/in.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MAXNS 3
#define MAXDNSRCH 6
#define MAXRESOLVSORT 10
#define RES_TIMEOUT 5
#define RES_DFLRETRY 2

#define RES_INIT 0x00000001
#define RES_DEBUG 0x00000002
#define RES_USEVC 0x00000008
#define RES_IGNTC 0x00000020
#define RES_RECURSE 0x00000040
#define RES_DEFNAMES 0x00000080
#define RES_STAYOPEN 0x00000100
#define RES_DNSRCH 0x00000200
#define RES_DEFAULT (RES_RECURSE | RES_DEFNAMES | RES_DNSRCH)

/* Has no servers and no domains. What a program stores in it has no effect. */
typedef struct __res_state {
	int retrans, retry;
	unsigned long options;
	int nscount;
	struct sockaddr_in nsaddr_list[MAXNS];
	unsigned short id;
	char *dnsrch[MAXDNSRCH + 1];
	char defdname[256];
	unsigned ndots : 4;
} *res_state;

struct __res_state *__res_state(void);
#define _res (*__res_state())

/*
 * Queries of class IN for A, AAAA, CNAME, MX, NAPTR, NS, PTR, SOA, SRV, TXT, and for types from 42
 * on but 128 to 255. A and AAAA are lookups as of getaddrinfo, hosts(5) included: an alias is not
 * seen, and there is no telling a name that does not exist from one without addresses. Other types
 * fail with ENOTSUP, and all of them with ENOSYS in a module with WAMR's imports only.
 */
int res_init(void);
int res_query(const char *, int, int, unsigned char *, int);
/* No domains are searched: the policy has to name what is looked up. */
int res_search(const char *, int, int, unsigned char *, int);
int res_querydomain(const char *, const char *, int, int, unsigned char *, int);
int res_mkquery(int, const char *, int, int, const unsigned char *, int, const unsigned char *,
    unsigned char *, int);
/* Sends a query's question, not the query: its flags have no effect. */
int res_send(const unsigned char *, int, unsigned char *, int);

int res_ninit(res_state);
void res_nclose(res_state);
int res_nquery(res_state, const char *, int, int, unsigned char *, int);
int res_nsearch(res_state, const char *, int, int, unsigned char *, int);

int dn_comp(const char *, unsigned char *, int, unsigned char **, unsigned char **);
int dn_expand(const unsigned char *, const unsigned char *, const unsigned char *, char *, int);
int dn_skipname(const unsigned char *, const unsigned char *);

#ifdef __cplusplus
}
#endif

#endif
