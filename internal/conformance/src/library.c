/* Functions beside sockets that programs expect of a C library. */
#include "transcript.h"
#include <limits.h>
#include <sys/file.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <termios.h>

static void randomness(void)
{
	unsigned char a[64] = {0}, b[64] = {0};

	TRY(getrandom(a, sizeof a, 0));
	TRY(getrandom(b, sizeof b, GRND_NONBLOCK));
	printf("they differ: %d\n", memcmp(a, b, sizeof a) != 0);
	TRY(getrandom(a, 0, 0));
	TRY(getrandom(a, sizeof a, 0x100));
	TRY(getrandom(a, sizeof a, GRND_RANDOM | GRND_INSECURE));
}

static void identity(void)
{
	gid_t groups[1];

	printf("real and effective: %d %d\n", getuid() == geteuid(), getgid() == getegid());
	TRY(setuid(getuid()));
	TRY(seteuid(getuid()));
	TRY(setgid(getgid()));
	TRY(setegid(getgid()));
	TRY(setuid((uid_t)-1));
	TRY(getgroups(-1, groups));
	printf("groups: %d, parent: %d\n", getgroups(0, NULL) >= 0, getppid() > 0);
}

static void limits(void)
{
	static const int all[] = {RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_CORE,
	    RLIMIT_RSS, RLIMIT_NPROC, RLIMIT_NOFILE, RLIMIT_MEMLOCK, RLIMIT_AS};
	struct rlimit l, again;

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		MUST(getrlimit(all[i], &l));
		printf("limit %zu: %d\n", i, l.rlim_cur <= l.rlim_max);
	}
	TRY(getrlimit(RLIMIT_NOFILE, &l));
	printf("enough descriptors: %d, a stack: %d\n", l.rlim_cur >= 256,
	    (getrlimit(RLIMIT_STACK, &again), again.rlim_cur >= 65536));
	l.rlim_cur = 200;
	TRY(setrlimit(RLIMIT_NOFILE, &l));
	TRY(getrlimit(RLIMIT_NOFILE, &again));
	printf("soft %d, hard %d\n", (int)again.rlim_cur, again.rlim_max == l.rlim_max);
	l.rlim_cur = l.rlim_max;
	TRY(setrlimit(RLIMIT_NOFILE, &l));
	l = (struct rlimit){2, 1};
	TRY(setrlimit(RLIMIT_CORE, &l));
	TRY(getrlimit(-1, &l));
	TRY(getrlimit(1000, &l));
	l = (struct rlimit){0, 0};
	TRY(setrlimit(1000, &l));
	TRY(setrlimit(RLIMIT_CORE, &l));
}

static void files(void)
{
	char name[] = "/tmp/wasport-XXXXXX", second[] = "/tmp/wasport-XXXXXX",
	     dir[] = "/tmp/wasport-XXXXXX";
	char none[] = "/tmp/wasport", few[] = "/tmp/wasport-XXXXX", nowhere[] = "/tmp/none/a-XXXXXX",
	     text[8] = "";
	int fd = (int)MUST(mkstemp(name)), other = (int)MUST(mkstemp(second));
	struct stat st;
	FILE *f;

	printf("they differ: %d\n", strcmp(name, second) != 0);
	TRY(write(fd, "text", 4));
	TRY(lseek(fd, 0, SEEK_SET));
	TRY(read(fd, text, 4));
	TRY(stat(name, &st));
	printf("a file: %d, of %d bytes\n", S_ISREG(st.st_mode), (int)st.st_size);
	TRY(flock(fd, LOCK_EX));
	TRY(flock(fd, LOCK_SH | LOCK_NB));
	TRY(flock(fd, LOCK_UN));
	TRY(flock(fd, 0));
	TRY(flock(fd, 64));
	close(fd);
	TRY(flock(fd, LOCK_EX));
	close(other);
	TRY(mkstemp(none));
	TRY(mkstemp(few));
	TRY(mkstemp(nowhere));
	printf("a directory: %d\n", mkdtemp(dir) == dir && stat(dir, &st) == 0 && S_ISDIR(st.st_mode));
	TRY(mkdtemp(few) == NULL ? -1 : 0);
	TRY(unlink(name));
	TRY(unlink(second));
	TRY(rmdir(dir));

	f = tmpfile();
	if (f == NULL) {
		printf("tmpfile: %s\n", errno_name(errno));
		return;
	}
	fputs("hello", f);
	rewind(f);
	printf("read back: %d\n", fread(text, 1, sizeof text, f) == 5 && memcmp(text, "hello", 5) == 0);
	TRY(fclose(f));
}

static const char *base;

/* Prints the target of a path, relative to the directory. */
static void resolve(const char *path)
{
	char whole[8192], to[PATH_MAX];
	char *got, *own;

	snprintf(whole, sizeof whole, "%s/%s", base, path);
	errno = 0;
	got = realpath(whole, to);
	if (got == NULL) {
		printf("realpath %.40s: %s\n", path, errno_name(errno));
		return;
	}
	own = realpath(whole, NULL);
	printf("realpath %s: %s, %d %d\n", path,
	    strncmp(got, base, strlen(base)) == 0 ? got + strlen(base) : got, got == to,
	    own != NULL && strcmp(own, to) == 0);
	free(own);
}

static void paths(void)
{
	char dir[] = "/tmp/wasport-XXXXXX", name[64], longest[PATH_MAX + 10];

	base = mkdtemp(dir);
#define AT(path) (snprintf(name, sizeof name, "%s/" path, base), name)
	MUST(mkdir(AT("sub"), 0700));
	MUST(close((int)MUST(open(AT("sub/file"), O_WRONLY | O_CREAT, 0600))));
	MUST(symlink("sub", AT("link")));
	MUST(symlink("../link/file", AT("sub/back")));
	MUST(symlink("loop", AT("loop")));
	MUST(symlink("nothing", AT("dangling")));
	resolve("");
	resolve(".");
	resolve("sub");
	resolve("sub/");
	resolve("sub/file");
	resolve("./sub//./file");
	resolve("sub/../sub/file");
	resolve("link");
	resolve("link/");
	resolve("link/file");
	resolve("link/../sub/back");
	resolve("link/back");
	resolve("loop");
	resolve("dangling");
	resolve("nothing");
	resolve("nothing/..");
	resolve("sub/file/");
	resolve("sub/file/..");
	memset(longest, 'a', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	resolve(longest);
	TRY(realpath("", NULL) == NULL ? -1 : 0);
	for (const char *const *p =
	         (const char *const[]){"sub/back", "sub/file", "link", "loop", "dangling", NULL};
	     *p != NULL; p++) {
		snprintf(name, sizeof name, "%s/%s", base, *p);
		MUST(unlink(name));
	}
	MUST(rmdir(AT("sub")));
	MUST(rmdir(base));
}

struct entry {
	int n;
	SLIST_ENTRY(entry) single;
	STAILQ_ENTRY(entry) tail;
	SIMPLEQ_ENTRY(entry) simple;
	LIST_ENTRY(entry) list;
	TAILQ_ENTRY(entry) queue;
};
SLIST_HEAD(singles, entry);
STAILQ_HEAD(tails, entry);
SIMPLEQ_HEAD(simples, entry);
LIST_HEAD(lists, entry);
TAILQ_HEAD(queues, entry);

#define SHOW(what, FOREACH) (printf("%s:", what), ({ FOREACH printf(" %d", e->n); }), printf("\n"))

static void queues(void)
{
	struct entry a[6], *e;
	struct singles singles = SLIST_HEAD_INITIALIZER(singles);
	struct tails tails = STAILQ_HEAD_INITIALIZER(tails), more;
	struct simples simples = SIMPLEQ_HEAD_INITIALIZER(simples);
	struct lists lists = LIST_HEAD_INITIALIZER(lists);
	struct queues queues = TAILQ_HEAD_INITIALIZER(queues), others;

	STAILQ_INIT(&more);
	TAILQ_INIT(&others);
	for (int i = 0; i < 6; i++) {
		a[i].n = i;
		SLIST_INSERT_HEAD(&singles, &a[i], single);
		STAILQ_INSERT_TAIL(i < 4 ? &tails : &more, &a[i], tail);
		SIMPLEQ_INSERT_HEAD(&simples, &a[i], simple);
		LIST_INSERT_HEAD(&lists, &a[i], list);
		TAILQ_INSERT_TAIL(i < 4 ? &queues : &others, &a[i], queue);
	}
	SLIST_REMOVE(&singles, &a[3], entry, single);
	SLIST_REMOVE_HEAD(&singles, single);
	SLIST_INSERT_AFTER(&a[0], &a[3], single);
	SHOW("SLIST", SLIST_FOREACH(e, &singles, single));

	STAILQ_CONCAT(&tails, &more);
	STAILQ_REMOVE(&tails, &a[5], entry, tail);
	STAILQ_REMOVE_HEAD(&tails, tail);
	STAILQ_INSERT_AFTER(&tails, &a[4], &a[5], tail);
	STAILQ_INSERT_HEAD(&more, &a[0], tail);
	SHOW("STAILQ", STAILQ_FOREACH(e, &tails, tail));
	printf("the other: %d %d\n", STAILQ_FIRST(&more)->n, STAILQ_EMPTY(&more));

	SIMPLEQ_REMOVE_HEAD(&simples, simple);
	SIMPLEQ_INSERT_TAIL(&simples, &a[5], simple);
	SHOW("SIMPLEQ", SIMPLEQ_FOREACH(e, &simples, simple));

	LIST_REMOVE(&a[5], list);
	LIST_REMOVE(&a[0], list);
	LIST_REMOVE(&a[2], list);
	LIST_INSERT_BEFORE(&a[4], &a[2], list);
	LIST_INSERT_AFTER(&a[1], &a[0], list);
	SHOW("LIST", LIST_FOREACH(e, &lists, list));

	TAILQ_CONCAT(&queues, &others, queue);
	TAILQ_REMOVE(&queues, &a[0], queue);
	TAILQ_REMOVE(&queues, &a[5], queue);
	TAILQ_REMOVE(&queues, &a[2], queue);
	TAILQ_INSERT_AFTER(&queues, &a[4], &a[0], queue);
	TAILQ_INSERT_BEFORE(&a[1], &a[2], queue);
	TAILQ_INSERT_HEAD(&queues, &a[5], queue);
	SHOW("TAILQ", TAILQ_FOREACH(e, &queues, queue));
	SHOW("TAILQ back", TAILQ_FOREACH_REVERSE(e, &queues, queues, queue));
	printf("last %d, before it %d, others empty: %d\n", TAILQ_LAST(&queues, queues)->n,
	    TAILQ_PREV(&a[0], queues, queue)->n, TAILQ_EMPTY(&others));
	while ((e = TAILQ_FIRST(&queues)) != NULL)
		TAILQ_REMOVE(&queues, e, queue);
	printf("empty: %d %d\n", TAILQ_EMPTY(&queues), TAILQ_LAST(&queues, queues) == NULL);
}

static void sending_files(void)
{
	char dir[] = "/tmp/sendfile-XXXXXX", path[64], bytes[16] = "";
	off_t offset = 2;
	int in, fds[2];

	MUST(mkdtemp(dir) != NULL ? 0 : -1);
	snprintf(path, sizeof path, "%s/file", dir);
	in = (int)MUST(open(path, O_CREAT | O_RDWR, 0600));
	MUST(write(in, "0123456789", 10));
	MUST(lseek(in, 3, SEEK_SET));
	pair(fds);
	TRY(sendfile(fds[0], in, NULL, 4));
	printf("at %d\n", (int)MUST(lseek(in, 0, SEEK_CUR)));
	TRY(sendfile(fds[0], in, &offset, 3));
	printf("at %d, offset %d\n", (int)MUST(lseek(in, 0, SEEK_CUR)), (int)offset);
	TRY(sendfile(fds[0], in, NULL, 100));
	TRY(sendfile(fds[0], in, NULL, 100));
	MUST(shutdown(fds[0], SHUT_WR));
	TRY(recv(fds[1], bytes, 10, MSG_WAITALL));
	printf("%s\n", bytes);
	TRY(sendfile(fds[0], -1, NULL, 1));
	TRY(sendfile(-1, in, &offset, 1));
	close(in);
	MUST(unlink(path));
	MUST(rmdir(dir));
}

static void terminals(void)
{
	struct termios t;
	int fd = open_socket(SOCK_STREAM);

	TRY(tcgetattr(fd, &t));
	TRY(tcsetattr(fd, TCSANOW, &t));
	TRY(tcsetattr(fd, 99, &t));
	close(fd);
	TRY(tcgetattr(fd, &t));
	memset(&t, 0, sizeof t);
	TRY(cfsetospeed(&t, B9600));
	printf("speed %d\n", cfgetospeed(&t) == B9600);
	t.c_lflag = ICANON | ECHO | TOSTOP;
	t.c_iflag = ICRNL | IXOFF;
	cfmakeraw(&t);
	printf("raw %d %d\n", t.c_lflag == TOSTOP, t.c_iflag == IXOFF);
}

static void transcript(void)
{
	sending_files();
	terminals();
	randomness();
	identity();
	limits();
	files();
	paths();
	queues();
}
