/* Stands in for wasi-libc's header, whose sa_data has no room. Size and alignment are the same. */
#ifndef __wasilibc___struct_sockaddr_h
#define __wasilibc___struct_sockaddr_h

#include <__typedef_sa_family_t.h>

struct sockaddr {
	sa_family_t sa_family;
	char sa_data[14];
} __attribute__((__aligned__(16)));

#endif
