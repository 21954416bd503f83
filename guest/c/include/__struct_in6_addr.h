/* Stands in for wasi-libc's header, which has only s6_addr. Size and alignment are the same. */
#ifndef __wasilibc___struct_in6_addr_h
#define __wasilibc___struct_in6_addr_h

struct in6_addr {
	union {
		unsigned char __octets[16];
		unsigned short __groups[8];
		unsigned int __words[4];
	} __in6;
};
#define s6_addr __in6.__octets
#define s6_addr16 __in6.__groups
#define s6_addr32 __in6.__words

#endif
