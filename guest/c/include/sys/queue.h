/*
 * <sys/queue.h>: lists and queues of BSD, in macros, as queue(7) describes them. Singly linked
 * lists (SLIST) and tail queues (STAILQ, and SIMPLEQ, which is the same), doubly linked lists
 * (LIST) and tail queues (TAILQ).
 */
#ifndef WASPORT_SYS_QUEUE_H
#define WASPORT_SYS_QUEUE_H

#include <stddef.h>

/* Singly linked lists. */

#define SLIST_HEAD(name, type) \
	struct name { \
		struct type *slh_first; \
	}
#define SLIST_HEAD_INITIALIZER(head) {NULL}
#define SLIST_ENTRY(type) \
	struct { \
		struct type *sle_next; \
	}
#define SLIST_EMPTY(head) ((head)->slh_first == NULL)
#define SLIST_FIRST(head) ((head)->slh_first)
#define SLIST_NEXT(e, field) ((e)->field.sle_next)
#define SLIST_FOREACH(v, head, field) \
	for ((v) = SLIST_FIRST(head); (v) != NULL; (v) = SLIST_NEXT(v, field))
#define SLIST_FOREACH_SAFE(v, head, field, next) \
	for ((v) = SLIST_FIRST(head); (v) != NULL && ((next) = SLIST_NEXT(v, field), 1); (v) = (next))
#define SLIST_INIT(head) \
	do { \
		(head)->slh_first = NULL; \
	} while (0)
#define SLIST_INSERT_HEAD(head, e, field) \
	do { \
		(e)->field.sle_next = (head)->slh_first; \
		(head)->slh_first = (e); \
	} while (0)
#define SLIST_INSERT_AFTER(at, e, field) \
	do { \
		(e)->field.sle_next = (at)->field.sle_next; \
		(at)->field.sle_next = (e); \
	} while (0)
#define SLIST_REMOVE_HEAD(head, field) \
	do { \
		(head)->slh_first = (head)->slh_first->field.sle_next; \
	} while (0)
#define SLIST_REMOVE_AFTER(at, field) \
	do { \
		(at)->field.sle_next = (at)->field.sle_next->field.sle_next; \
	} while (0)
#define SLIST_REMOVE(head, e, type, field) \
	do { \
		struct type **slist_at = &(head)->slh_first; \
		while (*slist_at != (e)) \
			slist_at = &(*slist_at)->field.sle_next; \
		*slist_at = (*slist_at)->field.sle_next; \
	} while (0)

/* Singly linked tail queues. */

#define STAILQ_HEAD(name, type) \
	struct name { \
		struct type *stqh_first, **stqh_last; \
	}
#define STAILQ_HEAD_INITIALIZER(head) {NULL, &(head).stqh_first}
#define STAILQ_ENTRY(type) \
	struct { \
		struct type *stqe_next; \
	}
#define STAILQ_EMPTY(head) ((head)->stqh_first == NULL)
#define STAILQ_FIRST(head) ((head)->stqh_first)
#define STAILQ_NEXT(e, field) ((e)->field.stqe_next)
#define STAILQ_LAST(head, type, field)                                                             \
	(STAILQ_EMPTY(head) ? NULL                                                                     \
	                    : (struct type *)(void *)((char *)(head)->stqh_last -                      \
	                                              offsetof(struct type, field.stqe_next)))
#define STAILQ_FOREACH(v, head, field) \
	for ((v) = STAILQ_FIRST(head); (v) != NULL; (v) = STAILQ_NEXT(v, field))
#define STAILQ_FOREACH_SAFE(v, head, field, next) \
	for ((v) = STAILQ_FIRST(head); (v) != NULL && ((next) = STAILQ_NEXT(v, field), 1); (v) = (next))
#define STAILQ_INIT(head) \
	do { \
		(head)->stqh_first = NULL; \
		(head)->stqh_last = &(head)->stqh_first; \
	} while (0)
#define STAILQ_INSERT_HEAD(head, e, field) \
	do { \
		if (((e)->field.stqe_next = (head)->stqh_first) == NULL) \
			(head)->stqh_last = &(e)->field.stqe_next; \
		(head)->stqh_first = (e); \
	} while (0)
#define STAILQ_INSERT_TAIL(head, e, field) \
	do { \
		(e)->field.stqe_next = NULL; \
		*(head)->stqh_last = (e); \
		(head)->stqh_last = &(e)->field.stqe_next; \
	} while (0)
#define STAILQ_INSERT_AFTER(head, at, e, field) \
	do { \
		if (((e)->field.stqe_next = (at)->field.stqe_next) == NULL) \
			(head)->stqh_last = &(e)->field.stqe_next; \
		(at)->field.stqe_next = (e); \
	} while (0)
#define STAILQ_REMOVE_HEAD(head, field) \
	do { \
		if (((head)->stqh_first = (head)->stqh_first->field.stqe_next) == NULL) \
			(head)->stqh_last = &(head)->stqh_first; \
	} while (0)
#define STAILQ_REMOVE_AFTER(head, at, field) \
	do { \
		if (((at)->field.stqe_next = (at)->field.stqe_next->field.stqe_next) == NULL) \
			(head)->stqh_last = &(at)->field.stqe_next; \
	} while (0)
#define STAILQ_REMOVE(head, e, type, field) \
	do { \
		struct type **stailq_at = &(head)->stqh_first; \
		while (*stailq_at != (e)) \
			stailq_at = &(*stailq_at)->field.stqe_next; \
		if ((*stailq_at = (*stailq_at)->field.stqe_next) == NULL) \
			(head)->stqh_last = stailq_at; \
	} while (0)
#define STAILQ_CONCAT(head, other) \
	do { \
		if (!STAILQ_EMPTY(other)) { \
			*(head)->stqh_last = (other)->stqh_first; \
			(head)->stqh_last = (other)->stqh_last; \
			STAILQ_INIT(other); \
		} \
	} while (0)

/* The same under the names of NetBSD and OpenBSD. */

#define SIMPLEQ_HEAD(name, type) STAILQ_HEAD(name, type)
#define SIMPLEQ_ENTRY(type) STAILQ_ENTRY(type)
#define SIMPLEQ_EMPTY(head) STAILQ_EMPTY(head)
#define SIMPLEQ_FIRST(head) STAILQ_FIRST(head)
#define SIMPLEQ_NEXT(e, field) STAILQ_NEXT(e, field)
#define SIMPLEQ_FOREACH(v, head, field) STAILQ_FOREACH(v, head, field)
#define SIMPLEQ_FOREACH_SAFE(v, head, field, next) STAILQ_FOREACH_SAFE(v, head, field, next)
#define SIMPLEQ_INIT(head) STAILQ_INIT(head)
#define SIMPLEQ_INSERT_HEAD(head, e, field) STAILQ_INSERT_HEAD(head, e, field)
#define SIMPLEQ_INSERT_TAIL(head, e, field) STAILQ_INSERT_TAIL(head, e, field)
#define SIMPLEQ_INSERT_AFTER(head, at, e, field) STAILQ_INSERT_AFTER(head, at, e, field)
#define SIMPLEQ_REMOVE_HEAD(head, field) STAILQ_REMOVE_HEAD(head, field)
#define SIMPLEQ_REMOVE_AFTER(head, at, field) STAILQ_REMOVE_AFTER(head, at, field)
#define SIMPLEQ_REMOVE(head, e, type, field) STAILQ_REMOVE(head, e, type, field)
#define SIMPLEQ_CONCAT(head, other) STAILQ_CONCAT(head, other)
#define SIMPLEQ_HEAD_INITIALIZER(head) STAILQ_HEAD_INITIALIZER(head)

/* Lists. An entry knows where the pointer to it is, so that it can be taken out by itself. */

#define LIST_HEAD(name, type) \
	struct name { \
		struct type *lh_first; \
	}
#define LIST_HEAD_INITIALIZER(head) {NULL}
#define LIST_ENTRY(type) \
	struct { \
		struct type *le_next, **le_prev; \
	}
#define LIST_EMPTY(head) ((head)->lh_first == NULL)
#define LIST_FIRST(head) ((head)->lh_first)
#define LIST_NEXT(e, field) ((e)->field.le_next)
#define LIST_FOREACH(v, head, field) \
	for ((v) = LIST_FIRST(head); (v) != NULL; (v) = LIST_NEXT(v, field))
#define LIST_FOREACH_SAFE(v, head, field, next) \
	for ((v) = LIST_FIRST(head); (v) != NULL && ((next) = LIST_NEXT(v, field), 1); (v) = (next))
#define LIST_INIT(head) \
	do { \
		(head)->lh_first = NULL; \
	} while (0)
#define LIST_INSERT_HEAD(head, e, field) \
	do { \
		if (((e)->field.le_next = (head)->lh_first) != NULL) \
			(head)->lh_first->field.le_prev = &(e)->field.le_next; \
		(head)->lh_first = (e); \
		(e)->field.le_prev = &(head)->lh_first; \
	} while (0)
#define LIST_INSERT_AFTER(at, e, field) \
	do { \
		if (((e)->field.le_next = (at)->field.le_next) != NULL) \
			(at)->field.le_next->field.le_prev = &(e)->field.le_next; \
		(at)->field.le_next = (e); \
		(e)->field.le_prev = &(at)->field.le_next; \
	} while (0)
#define LIST_INSERT_BEFORE(at, e, field) \
	do { \
		(e)->field.le_prev = (at)->field.le_prev; \
		(e)->field.le_next = (at); \
		*(at)->field.le_prev = (e); \
		(at)->field.le_prev = &(e)->field.le_next; \
	} while (0)
#define LIST_REMOVE(e, field) \
	do { \
		if ((e)->field.le_next != NULL) \
			(e)->field.le_next->field.le_prev = (e)->field.le_prev; \
		*(e)->field.le_prev = (e)->field.le_next; \
	} while (0)

/* Tail queues. An entry has the layout of the head, by which the last but one is found: what is
 * before an entry is where the pointer of the one before that is. */

#define TAILQ_HEAD(name, type) \
	struct name { \
		struct type *tqh_first, **tqh_last; \
	}
#define TAILQ_HEAD_INITIALIZER(head) {NULL, &(head).tqh_first}
#define TAILQ_ENTRY(type) \
	struct { \
		struct type *tqe_next, **tqe_prev; \
	}
#define TAILQ_EMPTY(head) ((head)->tqh_first == NULL)
#define TAILQ_FIRST(head) ((head)->tqh_first)
#define TAILQ_NEXT(e, field) ((e)->field.tqe_next)
#define TAILQ_LAST(head, name) (*((struct name *)(void *)(head)->tqh_last)->tqh_last)
#define TAILQ_PREV(e, name, field) (*((struct name *)(void *)(e)->field.tqe_prev)->tqh_last)
#define TAILQ_FOREACH(v, head, field) \
	for ((v) = TAILQ_FIRST(head); (v) != NULL; (v) = TAILQ_NEXT(v, field))
#define TAILQ_FOREACH_SAFE(v, head, field, next) \
	for ((v) = TAILQ_FIRST(head); (v) != NULL && ((next) = TAILQ_NEXT(v, field), 1); (v) = (next))
#define TAILQ_FOREACH_REVERSE(v, head, name, field) \
	for ((v) = TAILQ_LAST(head, name); (v) != NULL; (v) = TAILQ_PREV(v, name, field))
#define TAILQ_FOREACH_REVERSE_SAFE(v, head, name, field, prev)                                     \
	for ((v) = TAILQ_LAST(head, name); (v) != NULL && ((prev) = TAILQ_PREV(v, name, field), 1);    \
	     (v) = (prev))
#define TAILQ_INIT(head) \
	do { \
		(head)->tqh_first = NULL; \
		(head)->tqh_last = &(head)->tqh_first; \
	} while (0)
#define TAILQ_INSERT_HEAD(head, e, field) \
	do { \
		if (((e)->field.tqe_next = (head)->tqh_first) != NULL) \
			(head)->tqh_first->field.tqe_prev = &(e)->field.tqe_next; \
		else \
			(head)->tqh_last = &(e)->field.tqe_next; \
		(head)->tqh_first = (e); \
		(e)->field.tqe_prev = &(head)->tqh_first; \
	} while (0)
#define TAILQ_INSERT_TAIL(head, e, field) \
	do { \
		(e)->field.tqe_next = NULL; \
		(e)->field.tqe_prev = (head)->tqh_last; \
		*(head)->tqh_last = (e); \
		(head)->tqh_last = &(e)->field.tqe_next; \
	} while (0)
#define TAILQ_INSERT_AFTER(head, at, e, field) \
	do { \
		if (((e)->field.tqe_next = (at)->field.tqe_next) != NULL) \
			(e)->field.tqe_next->field.tqe_prev = &(e)->field.tqe_next; \
		else \
			(head)->tqh_last = &(e)->field.tqe_next; \
		(at)->field.tqe_next = (e); \
		(e)->field.tqe_prev = &(at)->field.tqe_next; \
	} while (0)
#define TAILQ_INSERT_BEFORE(at, e, field) \
	do { \
		(e)->field.tqe_prev = (at)->field.tqe_prev; \
		(e)->field.tqe_next = (at); \
		*(at)->field.tqe_prev = (e); \
		(at)->field.tqe_prev = &(e)->field.tqe_next; \
	} while (0)
#define TAILQ_REMOVE(head, e, field) \
	do { \
		if ((e)->field.tqe_next != NULL) \
			(e)->field.tqe_next->field.tqe_prev = (e)->field.tqe_prev; \
		else \
			(head)->tqh_last = (e)->field.tqe_prev; \
		*(e)->field.tqe_prev = (e)->field.tqe_next; \
	} while (0)
#define TAILQ_CONCAT(head, other, field) \
	do { \
		if (!TAILQ_EMPTY(other)) { \
			*(head)->tqh_last = (other)->tqh_first; \
			(other)->tqh_first->field.tqe_prev = (head)->tqh_last; \
			(head)->tqh_last = (other)->tqh_last; \
			TAILQ_INIT(other); \
		} \
	} while (0)

#endif
