#ifndef _REENTRANT
#include "single.h"

static struct {
	bool used;
	void (*destroy)(void *);
	void *value;
} keys[PTHREAD_KEYS_MAX];

WEAK int pthread_key_create(pthread_key_t *key, void (*destroy)(void *))
{
	for (pthread_key_t i = 0; i < PTHREAD_KEYS_MAX; i++) {
		if (keys[i].used)
			continue;
		keys[i].used = true;
		keys[i].destroy = destroy;
		keys[i].value = NULL;
		*key = i;
		return 0;
	}
	return EAGAIN;
}

static bool is_key(pthread_key_t key)
{
	return key < PTHREAD_KEYS_MAX && keys[key].used;
}

WEAK int pthread_key_delete(pthread_key_t key)
{
	if (!is_key(key))
		return EINVAL;
	keys[key].used = false;
	return 0;
}

WEAK void *pthread_getspecific(pthread_key_t key)
{
	return is_key(key) ? keys[key].value : NULL;
}

WEAK int pthread_setspecific(pthread_key_t key, const void *value)
{
	if (!is_key(key))
		return EINVAL;
	keys[key].value = (void *)value;
	return 0;
}

/* Calls the destructors of values, which may set others (POSIX, pthread_key_create). A program that
 * ends without pthread_exit does not call them. */
HIDDEN void __wasport_destroy_values(void);
void __wasport_destroy_values(void)
{
	bool again = true;

	for (int n = 0; again && n < PTHREAD_DESTRUCTOR_ITERATIONS; n++) {
		again = false;
		for (pthread_key_t i = 0; i < PTHREAD_KEYS_MAX; i++) {
			void *value = keys[i].value;

			if (!keys[i].used || value == NULL || keys[i].destroy == NULL)
				continue;
			keys[i].value = NULL;
			keys[i].destroy(value);
			again = true;
		}
	}
}
#endif
