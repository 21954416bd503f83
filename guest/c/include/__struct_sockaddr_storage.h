/* Stands in for wasi-libc's header, whose structure is too small to hold every address, sockaddr_un
 * among them. */
#ifndef __wasilibc___struct_sockaddr_storage_h
#define __wasilibc___struct_sockaddr_storage_h

#include <__typedef_sa_family_t.h>

struct sockaddr_storage {
	sa_family_t ss_family;
	char __ss_data[126];
} __attribute__((__aligned__(16)));

#endif
