/* Records that a DNS server on 127.0.0.1 has, and messages of the DNS. */
#include "../src/transcript.h"
#include <arpa/nameser.h>
#include <resolv.h>

static const char *reason(void)
{
	return h_errno == HOST_NOT_FOUND ? "HOST_NOT_FOUND"
	       : h_errno == NO_DATA      ? "NO_DATA"
	       : h_errno == TRY_AGAIN    ? "TRY_AGAIN"
	                                 : "another error";
}

static void print_name(const ns_msg *m, const unsigned char *at)
{
	char name[NS_MAXDNAME];
	int n = dn_expand(ns_msg_base(*m), ns_msg_end(*m), at, name, sizeof name);

	printf(" %s", n > 0 ? name : "no name");
}

static void print_data(const ns_msg *m, const ns_rr *rr)
{
	const unsigned char *at = ns_rr_rdata(*rr);
	char text[INET6_ADDRSTRLEN];

	switch (ns_rr_type(*rr)) {
	case ns_t_a:
		printf(" %s", inet_ntop(AF_INET, at, text, sizeof text));
		break;
	case ns_t_aaaa:
		printf(" %s", inet_ntop(AF_INET6, at, text, sizeof text));
		break;
	case ns_t_mx:
		printf(" %u", ns_get16(at));
		print_name(m, at + 2);
		break;
	case ns_t_srv:
		printf(" %u %u %u", ns_get16(at), ns_get16(at + 2), ns_get16(at + 4));
		print_name(m, at + 6);
		break;
	case ns_t_txt:
		for (const unsigned char *end = at + ns_rr_rdlen(*rr); at < end; at += 1 + *at)
			printf(" \"%.*s\"", *at, (const char *)at + 1);
		break;
	case ns_t_soa:
	case ns_t_ns:
	case ns_t_ptr:
	case ns_t_cname:
		print_name(m, at);
		break;
	default:
		for (int i = 0; i < ns_rr_rdlen(*rr); i++)
			printf(" %02x", at[i]);
	}
}

/* The library for guests makes records of addresses itself: it neither has aliases among them nor
 * times, and does not know whether the name exists. */
static void query(const char *name, int type)
{
	unsigned char reply[NS_MAXMSG];
	ns_msg m;
	bool address = type == ns_t_a || type == ns_t_aaaa;
	int n = res_query(name, ns_c_in, type, reply, sizeof reply);

	printf("%s, type %d:", name, type);
	if (n < 0) {
		printf(" %s\n", address && h_errno == HOST_NOT_FOUND ? "NO_DATA" : reason());
		return;
	}
	MUST(ns_initparse(reply, n, &m));
	printf(" rcode %d, questions %d\n", ns_msg_getflag(m, ns_f_rcode),
	    ns_msg_count(m, ns_s_qd));
	for (int i = 0; i < ns_msg_count(m, ns_s_an); i++) {
		ns_rr rr;
		MUST(ns_parserr(&m, ns_s_an, i, &rr));
		if (address && ns_rr_type(rr) == ns_t_cname)
			continue;
		printf("\ttype %d class %d", ns_rr_type(rr), ns_rr_class(rr));
		if (!address)
			printf(" %s ttl %u", ns_rr_name(rr), (unsigned)ns_rr_ttl(rr));
		print_data(&m, &rr);
		printf("\n");
	}
}

/* A query that the program makes and sends itself. */
static void send_query(const char *name, int type)
{
	unsigned char query[NS_PACKETSZ], reply[NS_PACKETSZ];
	int n = (int)MUST(res_mkquery(ns_o_query, name, ns_c_in, type, NULL, 0, NULL, query,
	    sizeof query));
	ns_msg m;
	ns_rr rr;

	printf("query of %d bytes\n", n);
	MUST(ns_initparse(query, n, &m));
	printf("flags %d %d %d\n", ns_msg_getflag(m, ns_f_qr), ns_msg_getflag(m, ns_f_opcode),
	    ns_msg_getflag(m, ns_f_rd));
	TRY(ns_parserr(&m, ns_s_qd, 0, &rr));
	printf("%s %d\n", ns_rr_name(rr), ns_rr_type(rr));
	TRY(ns_parserr(&m, ns_s_qd, 1, &rr));
	TRY(ns_parserr(&m, ns_s_an, 0, &rr));
	n = (int)MUST(res_send(query, n, reply, sizeof reply));
	MUST(ns_initparse(reply, n, &m));
	printf("the number %d, an answer %d, rcode %d, answers %d\n",
	    memcmp(query, reply, 2) == 0, ns_msg_getflag(m, ns_f_qr),
	    ns_msg_getflag(m, ns_f_rcode), ns_msg_count(m, ns_s_an));
}

static void expand(const char *what, const unsigned char *bytes, int length, int at, int room)
{
	char name[NS_MAXDNAME];
	int n = dn_expand(bytes, bytes + length, bytes + at, name, room);

	printf("%s: %d %s\n", what, n, n < 0 ? "" : name);
}

static void names(void)
{
	static const unsigned char good[] = "\3abc\4test\0\1x\300\0\5a.b\\\"\0\2\001 \0";
	static const unsigned char bad[] = "\300\0\77x\300\7\300\2\100a\200a\300";
	unsigned char message[256], *known[8] = {message, NULL}, *at = message + NS_HFIXEDSZ;
	static const char *const texts[] = {"www.a.test", "A.test.", "b.www.a.test", "", ".",
	    "x\\.y\\046z.a.test", "a..test", ".a", "no-end.",
	    "a23456789012345678901234567890123456789012345678901234567890abcd"};

	expand("a name", good, sizeof good - 1, 0, NS_MAXDNAME);
	expand("no room", good, sizeof good - 1, 0, 8);
	expand("enough room", good, sizeof good - 1, 0, 9);
	expand("a pointer", good, sizeof good - 1, 10, NS_MAXDNAME);
	expand("the root", good, sizeof good - 1, 9, NS_MAXDNAME);
	expand("escapes", good, sizeof good - 1, 14, NS_MAXDNAME);
	expand("more", good, sizeof good - 1, 21, NS_MAXDNAME);
	expand("itself", bad, sizeof bad - 1, 0, NS_MAXDNAME);
	expand("too long a label", bad, sizeof bad - 1, 2, NS_MAXDNAME);
	expand("forwards", bad, sizeof bad - 1, 4, NS_MAXDNAME);
	expand("another kind", bad, sizeof bad - 1, 8, NS_MAXDNAME);
	expand("half a pointer", bad, sizeof bad - 1, 12, NS_MAXDNAME);
	expand("beyond the end", bad, sizeof bad - 1, sizeof bad - 1, NS_MAXDNAME);
	TRY(dn_skipname(good, good + sizeof good));
	TRY(dn_skipname(good, good + 4));
	TRY(dn_skipname(bad, bad + 1) < 0);

	memset(message, 0, sizeof message);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		int n = dn_comp(texts[i], at, (int)(message + sizeof message - at), known, known + 8);
		printf("\"%s\": %d bytes\n", texts[i], n);
		if (n > 0) {
			expand("as text", message, sizeof message, (int)(at - message), NS_MAXDNAME);
			at += n;
		}
	}
	TRY(dn_comp("a.test", message, 7, NULL, NULL));
	TRY(dn_comp("a.test", message, 8, NULL, NULL));
}

static void transcript(void)
{
	static const char *const domains[] = {"records.test", "alias.test", "_sip._udp.records.test",
	    "nobody.test", "failing.test", "large.test", "3.2.0.192.in-addr.arpa", "both.test"};
	static const int types[] = {ns_t_a, ns_t_aaaa, ns_t_mx, ns_t_txt, ns_t_ns, ns_t_soa, ns_t_srv,
	    ns_t_ptr, ns_t_cname, 257};

	MUST(res_init());
	for (size_t i = 0; i < sizeof domains / sizeof *domains; i++)
		for (size_t j = 0; j < sizeof types / sizeof *types; j++)
			query(domains[i], types[j]);
	send_query("records.test", ns_t_mx);
	send_query("nobody.test", ns_t_txt);
	names();
}
