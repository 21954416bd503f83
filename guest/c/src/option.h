/* Declarations that getsockopt and setsockopt share. */
#ifndef OPTION_H
#define OPTION_H

#include "sock.h"

typedef int32_t get8(int32_t fd, uint8_t *value);
typedef int32_t get32(int32_t fd, uint32_t *value);
typedef int32_t set32(int32_t fd, uint32_t value);

/* An option whose value is an int. */
struct option {
	int level, name;
	get8 *get8; /* a bool or a hop count */
	get32 *get32;
	set32 *set;
	int own; /* its number in wasport's own imports */
	int preset; /* hop counts: the value that -1 selects; with own: any number but 0 is 1 */
};

HIDDEN const struct option *__wasport_option(int level, int name);
HIDDEN int32_t __wasport_option_get(int fd, const struct option *o, int *value);
/* value is NULL if the caller's is too short for an int. */
HIDDEN int32_t __wasport_option_set(int fd, const struct option *o, const int *value);

/* Gets or sets an option by its number in wasport's own imports. */
HIDDEN int32_t __wasport_ext_get_option(int fd, int option, int *value);
HIDDEN int32_t __wasport_ext_set_option(int fd, int option, int64_t value);

/* Returns the errno for an option that does not exist. */
HIDDEN int32_t __wasport_no_option(int fd);

/* multicast.c: the options that name a group or an interface. */
HIDDEN bool __wasport_is_membership(int level, int name);
HIDDEN int32_t __wasport_set_membership(
    int fd, int level, int name, const void *value, socklen_t len);
HIDDEN int32_t __wasport_set_multicast_interface(int fd, const void *value, socklen_t len);

#endif
