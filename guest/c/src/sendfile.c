#include <errno.h>
#include <sys/sendfile.h>
#include <unistd.h>

/* A call copies this much at most: a caller has to expect less than it asked for (sendfile(2)). */
enum { PIECE = 16384 };

ssize_t sendfile(int out, int in, off_t *offset, size_t count)
{
	char piece[PIECE];
	off_t at = offset != NULL ? *offset : lseek(in, 0, SEEK_CUR);
	ssize_t n, sent;

	if (at < 0)
		return -1;
	n = pread(in, piece, count < PIECE ? count : PIECE, at);
	if (n <= 0)
		return n;
	sent = write(out, piece, (size_t)n);
	if (sent < 0)
		return -1;
	if (offset != NULL)
		*offset = at + sent;
	else if (lseek(in, at + sent, SEEK_SET) < 0)
		return -1;
	return sent;
}
