/* <pthread.h>, <semaphore.h> and <sched.h> in a program with one thread. */
#include "transcript.h"
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>

/* Prints what a function returned that returns its error, or -1 and errno. */
#define GIVES(call) print_error(#call, call)
static void print_error(const char *call, int err)
{
	if (err == -1)
		err = errno;
	printf("%s = %s\n", call,
	    err == 0                ? "0"
	        : err == EBUSY      ? "EBUSY"
	        : err == EDEADLK    ? "EDEADLK"
	        : err == EOVERFLOW  ? "EOVERFLOW"
	                            : errno_name(err));
}

static struct timespec in_ms(clockid_t clock, long ms)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_nsec += ms * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

static bool passed(clockid_t clock, struct timespec at)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec > at.tv_sec || (now.tv_sec == at.tv_sec && now.tv_nsec >= at.tv_nsec);
}

static void lock_mutex(const char *name, pthread_mutex_t *m, bool again)
{
	struct timespec soon;

	printf("a mutex: %s\n", name);
	GIVES(pthread_mutex_lock(m));
	GIVES(pthread_mutex_trylock(m));
	if (again)
		GIVES(pthread_mutex_lock(m));
	soon = in_ms(CLOCK_REALTIME, 20);
	GIVES(pthread_mutex_timedlock(m, &soon));
	if (!again)
		printf("the time has come: %d\n", passed(CLOCK_REALTIME, soon));
	GIVES(pthread_mutex_destroy(m));
	GIVES(pthread_mutex_unlock(m));
	for (int n = 0; n < 3 && pthread_mutex_unlock(m) == 0; n++)
		printf("it was locked once more\n");
	GIVES(pthread_mutex_destroy(m));
}

static void mutexes(void)
{
	pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutexattr_t attr;
	int type;

	printf("a mutex: initialized\n");
	GIVES(pthread_mutex_trylock(&m));
	GIVES(pthread_mutex_trylock(&m));
	GIVES(pthread_mutex_unlock(&m));
	GIVES(pthread_mutex_destroy(&m));

	GIVES(pthread_mutexattr_init(&attr));
	GIVES(pthread_mutexattr_gettype(&attr, &type));
	printf("type %d\n", type == PTHREAD_MUTEX_DEFAULT);
	GIVES(pthread_mutexattr_settype(&attr, 77));
	GIVES(pthread_mutexattr_setpshared(&attr, 77));
	GIVES(pthread_mutexattr_setrobust(&attr, 77));
	GIVES(pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE));
	GIVES(pthread_mutexattr_gettype(&attr, &type));
	printf("type %d\n", type == PTHREAD_MUTEX_RECURSIVE);
	GIVES(pthread_mutex_init(&m, &attr));
	lock_mutex("recursive", &m, true);
	GIVES(pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK));
	GIVES(pthread_mutex_init(&m, &attr));
	GIVES(pthread_mutex_unlock(&m));
	lock_mutex("error check", &m, true);
	GIVES(pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_NORMAL));
	GIVES(pthread_mutexattr_destroy(&attr));
	GIVES(pthread_mutex_init(&m, NULL));
	GIVES(pthread_mutex_trylock(&m));
	struct timespec soon = in_ms(CLOCK_REALTIME, 20);
	GIVES(pthread_mutex_timedlock(&m, &soon));
	printf("the time has come: %d\n", passed(CLOCK_REALTIME, soon));
	soon.tv_nsec = 1000000000;
	GIVES(pthread_mutex_timedlock(&m, &soon));
	GIVES(pthread_mutex_unlock(&m));
}

static void wait_on(clockid_t clock, pthread_cond_t *c)
{
	pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
	struct timespec at = in_ms(clock, 20);

	GIVES(pthread_mutex_lock(&m));
	GIVES(pthread_cond_signal(c));
	GIVES(pthread_cond_timedwait(c, &m, &at));
	printf("the time has come: %d\n", passed(clock, at));
	GIVES(pthread_cond_timedwait(c, &m, &at));
	GIVES(pthread_mutex_trylock(&m));
	at.tv_nsec = -1;
	GIVES(pthread_cond_timedwait(c, &m, &at));
	GIVES(pthread_mutex_unlock(&m));
}

static void conditions(void)
{
	pthread_cond_t c = PTHREAD_COND_INITIALIZER;
	pthread_condattr_t attr;
	clockid_t clock;

	wait_on(CLOCK_REALTIME, &c);
	GIVES(pthread_cond_broadcast(&c));
	GIVES(pthread_cond_destroy(&c));
	GIVES(pthread_condattr_init(&attr));
	GIVES(pthread_condattr_getclock(&attr, &clock));
	printf("realtime %d\n", clock == CLOCK_REALTIME);
	GIVES(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC));
	GIVES(pthread_condattr_getclock(&attr, &clock));
	printf("monotonic %d\n", clock == CLOCK_MONOTONIC);
	GIVES(pthread_cond_init(&c, &attr));
	GIVES(pthread_condattr_destroy(&attr));
	wait_on(CLOCK_MONOTONIC, &c);
	GIVES(pthread_cond_destroy(&c));
}

static void locks(void)
{
	pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;
	pthread_barrier_t barrier;
	pthread_spinlock_t spin;
	struct timespec soon = in_ms(CLOCK_REALTIME, 20);

	GIVES(pthread_rwlock_rdlock(&l));
	GIVES(pthread_rwlock_tryrdlock(&l));
	GIVES(pthread_rwlock_trywrlock(&l));
	GIVES(pthread_rwlock_timedwrlock(&l, &soon));
	printf("the time has come: %d\n", passed(CLOCK_REALTIME, soon));
	GIVES(pthread_rwlock_unlock(&l));
	GIVES(pthread_rwlock_trywrlock(&l));
	GIVES(pthread_rwlock_unlock(&l));
	GIVES(pthread_rwlock_wrlock(&l));
	GIVES(pthread_rwlock_rdlock(&l));
	GIVES(pthread_rwlock_wrlock(&l));
	GIVES(pthread_rwlock_timedrdlock(&l, &soon));
	GIVES(pthread_rwlock_timedwrlock(&l, &soon));
	GIVES(pthread_rwlock_tryrdlock(&l));
	GIVES(pthread_rwlock_unlock(&l));
	GIVES(pthread_rwlock_destroy(&l));

	GIVES(pthread_barrier_init(&barrier, NULL, 0));
	GIVES(pthread_barrier_init(&barrier, NULL, 1));
	printf("serial %d\n", pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD);
	GIVES(pthread_barrier_destroy(&barrier));

	GIVES(pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE));
	GIVES(pthread_spin_lock(&spin));
	GIVES(pthread_spin_trylock(&spin));
	GIVES(pthread_spin_unlock(&spin));
	GIVES(pthread_spin_trylock(&spin));
	GIVES(pthread_spin_destroy(&spin));
}

static void semaphores(void)
{
	struct timespec soon = in_ms(CLOCK_REALTIME, 20);
	sem_t sem;
	int value;

	GIVES(sem_init(&sem, 0, 1U << 31));
	GIVES(sem_init(&sem, 0, 1));
	GIVES(sem_wait(&sem));
	GIVES(sem_trywait(&sem));
	GIVES(sem_timedwait(&sem, &soon));
	printf("the time has come: %d\n", passed(CLOCK_REALTIME, soon));
	soon.tv_nsec = 1000000000;
	GIVES(sem_timedwait(&sem, &soon));
	GIVES(sem_post(&sem));
	GIVES(sem_post(&sem));
	GIVES(sem_getvalue(&sem, &value));
	printf("value %d\n", value);
	GIVES(sem_destroy(&sem));
	GIVES(sem_init(&sem, 0, SEM_VALUE_MAX));
	GIVES(sem_post(&sem));
}

static int inits;
static void initialize(void)
{
	inits++;
}

static pthread_key_t first, second;
static int rounds;

/* Sets a value again, so that another round of destructors is needed. */
static void destroy(void *value)
{
	printf("the destructor: value %s, set still: %d\n", (char *)value,
	    pthread_getspecific(first) != NULL);
	if (++rounds < 3)
		GIVES(pthread_setspecific(first, "again"));
}

static void keys(void)
{
	pthread_key_t all[PTHREAD_KEYS_MAX];
	unsigned n = 0;
	int err;

	while (n < PTHREAD_KEYS_MAX && (err = pthread_key_create(&all[n], NULL)) == 0)
		n++;
	printf("as many keys as the limit says, or fewer by those of the C library: %d\n", n > 100);
	while (n-- > 0)
		pthread_key_delete(all[n]);
	GIVES(pthread_key_create(&first, destroy));
	GIVES(pthread_key_create(&second, NULL));
	printf("unset: %d\n", pthread_getspecific(first) == NULL);
	GIVES(pthread_setspecific(first, "first"));
	GIVES(pthread_setspecific(second, "second"));
	printf("values %s, %s\n", (char *)pthread_getspecific(first),
	    (char *)pthread_getspecific(second));
	GIVES(pthread_key_delete(second));
	GIVES(pthread_key_delete(second));
	GIVES(pthread_setspecific(second, "second"));
}

static void attributes(void)
{
	pthread_attr_t attr;
	struct sched_param param;
	size_t size;
	int value;

	GIVES(pthread_attr_init(&attr));
	GIVES(pthread_attr_getdetachstate(&attr, &value));
	printf("joinable %d\n", value == PTHREAD_CREATE_JOINABLE);
	GIVES(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED));
	GIVES(pthread_attr_setdetachstate(&attr, 77));
	GIVES(pthread_attr_getdetachstate(&attr, &value));
	printf("detached %d\n", value == PTHREAD_CREATE_DETACHED);
	GIVES(pthread_attr_setstacksize(&attr, 1));
	GIVES(pthread_attr_setstacksize(&attr, 1 << 18));
	GIVES(pthread_attr_getstacksize(&attr, &size));
	printf("stack of %zu\n", size);
	GIVES(pthread_attr_setscope(&attr, PTHREAD_SCOPE_SYSTEM));
	GIVES(pthread_attr_setscope(&attr, PTHREAD_SCOPE_PROCESS));
	GIVES(pthread_attr_setschedpolicy(&attr, 77));
	GIVES(pthread_attr_setschedpolicy(&attr, SCHED_RR));
	param.sched_priority = 100;
	GIVES(pthread_attr_setschedparam(&attr, &param));
	param.sched_priority = 7;
	GIVES(pthread_attr_setschedparam(&attr, &param));
	GIVES(pthread_attr_getschedparam(&attr, &param));
	printf("priority %d\n", param.sched_priority);
	GIVES(pthread_attr_destroy(&attr));
	TRY(sched_get_priority_max(SCHED_OTHER));
	TRY(sched_get_priority_min(SCHED_FIFO));
	TRY(sched_get_priority_max(SCHED_RR));
	TRY(sched_get_priority_max(77));
	TRY(sched_yield());
}

static volatile sig_atomic_t caught;
static void catch(int number)
{
	caught = number;
}

static void this_thread(void)
{
	pthread_t self = pthread_self();
	struct sched_param param;
	char name[16], small[4];
	sigset_t set;
	int value;

	printf("equal: %d\n", pthread_equal(self, pthread_self()) != 0);
	GIVES(pthread_setname_np(self, "a name of 16 bytes"));
	GIVES(pthread_setname_np(self, "a name"));
	GIVES(pthread_getname_np(self, small, sizeof small));
	GIVES(pthread_getname_np(self, name, sizeof name));
	printf("name: %s\n", name);
	GIVES(pthread_getschedparam(self, &value, &param));
	printf("policy %d, priority %d\n", value == SCHED_OTHER, param.sched_priority);
	GIVES(pthread_setschedparam(self, SCHED_OTHER, &param));
	sigemptyset(&set);
	GIVES(pthread_sigmask(SIG_SETMASK, &set, NULL));
	GIVES(pthread_sigmask(77, &set, NULL));
	signal(SIGTERM, catch);
	GIVES(pthread_kill(self, 0));
	GIVES(pthread_kill(self, 1000));
	GIVES(pthread_kill(self, SIGTERM));
	printf("caught %d\n", caught == SIGTERM);
	GIVES(pthread_join(self, NULL));
	GIVES(pthread_detach(self));
	GIVES(pthread_detach(self));
	GIVES(pthread_atfork(NULL, NULL, NULL));
	GIVES(pthread_setcanceltype(77, &value));
	GIVES(pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &value));
	GIVES(pthread_setcancelstate(77, &value));
	GIVES(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &value));
	printf("enabled %d\n", value == PTHREAD_CANCEL_ENABLE);
	GIVES(pthread_cancel(self));
	pthread_testcancel();
	printf("not cancelled\n");
}

static void clean(void *what)
{
	printf("cleaning: %s\n", (char *)what);
}

static void at_exit(void)
{
	printf("at exit: %d rounds of destructors\n", rounds);
}

static void transcript(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	mutexes();
	conditions();
	locks();
	semaphores();
	GIVES(pthread_once(&once, initialize));
	GIVES(pthread_once(&once, initialize));
	printf("initialized %d times\n", inits);
	keys();
	attributes();
	this_thread();

	atexit(at_exit);
	pthread_cleanup_push(clean, "outer");
	pthread_cleanup_push(clean, "not run");
	pthread_cleanup_pop(0);
	pthread_cleanup_push(clean, "run");
	pthread_cleanup_pop(1);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	pthread_testcancel();
	pthread_cleanup_pop(0);
	printf("never here\n");
}
