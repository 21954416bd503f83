/* A plug-in: functions that a program calls. It has no main; with -mexec-model=reactor the compiler
 * exports _initialize instead. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define EXPORT(name) __attribute__((export_name(#name))) name

/* Turns a text into capitals, in place. Returns the number of letters. */
int EXPORT(shout)(char *text, int len)
{
	int letters = 0;
	for (int i = 0; i < len; i++) {
		letters += isalpha((unsigned char)text[i]) != 0;
		text[i] = (char)toupper((unsigned char)text[i]);
	}
	return letters;
}

/* Sends a line to a port of 127.0.0.1. Returns 0 or an errno. */
int EXPORT(report)(int port)
{
	static const char line[] = "hello\n";
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int result = 0, fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0)
		return errno;
	if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0 ||
		send(fd, line, strlen(line), 0) < 0)
		result = errno;
	close(fd);
	return result;
}

/* Counts its calls. */
int EXPORT(count)(void)
{
	static int calls;
	return ++calls;
}
