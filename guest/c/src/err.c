#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wasi/api.h>

/* Prints the last part of the program's name, which wasi-libc does not keep. */
static void print_name(void)
{
	size_t count, size;
	char **args, *text;

	if (__wasi_args_sizes_get(&count, &size) != 0 || count == 0)
		return;
	args = calloc(count, sizeof *args);
	text = malloc(size);
	if (args != NULL && text != NULL && __wasi_args_get((uint8_t **)args, (uint8_t *)text) == 0) {
		const char *slash = strrchr(args[0], '/');
		fprintf(stderr, "%s: ", slash != NULL ? slash + 1 : args[0]);
	}
	free(args);
	free(text);
}

void vwarn(const char *format, va_list list)
{
	int error = errno;

	print_name();
	if (format != NULL) {
		vfprintf(stderr, format, list);
		fputs(": ", stderr);
	}
	fprintf(stderr, "%s\n", strerror(error));
}

void vwarnx(const char *format, va_list list)
{
	print_name();
	if (format != NULL)
		vfprintf(stderr, format, list);
	fputc('\n', stderr);
}

void verr(int status, const char *format, va_list list)
{
	vwarn(format, list);
	exit(status);
}

void verrx(int status, const char *format, va_list list)
{
	vwarnx(format, list);
	exit(status);
}

void warn(const char *format, ...)
{
	va_list list;
	va_start(list, format);
	vwarn(format, list);
	va_end(list);
}

void warnx(const char *format, ...)
{
	va_list list;
	va_start(list, format);
	vwarnx(format, list);
	va_end(list);
}

void err(int status, const char *format, ...)
{
	va_list list;
	va_start(list, format);
	verr(status, format, list);
}

void errx(int status, const char *format, ...)
{
	va_list list;
	va_start(list, format);
	verrx(status, format, list);
}
