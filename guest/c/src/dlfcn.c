#include <dlfcn.h>
#include <stddef.h>

static char *error;

static void *refuse(void)
{
	error = "a WebAssembly module cannot load others";
	return NULL;
}

void *dlopen(const char *name, int flags)
{
	(void)name, (void)flags;
	return refuse();
}

void *dlsym(void *restrict library, const char *restrict name)
{
	(void)library, (void)name;
	return refuse();
}

int dlclose(void *library)
{
	(void)library;
	refuse();
	return -1;
}

char *dlerror(void)
{
	char *last = error;

	error = NULL;
	return last;
}
