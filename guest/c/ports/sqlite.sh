# A program with SQLite and its database in a directory, against sqlite3.
published sqlite3
# Its sources are put together on the machine that compiles.
build ./configure --disable-tcl --disable-readline
build make sqlite3.c
# WASI has neither owners, permissions nor locks of files; so the program must be its file's only
# user.
cat >wasi.h <<-END
	#include <sys/types.h>
	enum { F_GETLK = 5, F_SETLK, F_RDLCK = 0, F_WRLCK, F_UNLCK };
	int fchmod(int, mode_t), fchown(int, uid_t, gid_t);
END
cat >statements.c <<-END
	#include <stdio.h>
	#include <sqlite3.h>

	int fchmod(int fd, mode_t mode) { return 0; }
	int fchown(int fd, uid_t owner, gid_t group) { return 0; }

	static int print(void *unused, int columns, char **values, char **names)
	{
		for (int i = 0; i < columns; i++)
			printf("%s%c", values[i], i + 1 < columns ? '|' : '\n');
		return 0;
	}

	/* statements VFS STATEMENT...: executes them, and waits for the end of stdin. */
	int main(int argc, char **argv)
	{
		sqlite3 *db;
		int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
		int failed = sqlite3_open_v2("/data/db", &db, flags, argv[1]);
		for (int i = 2; i < argc && !failed; i++)
			failed = sqlite3_exec(db, argv[i], print, NULL, NULL);
		if (failed)
			fprintf(stderr, "%s\n", sqlite3_errmsg(db));
		fflush(stdout);
		getchar();
		sqlite3_close(db);
		return failed;
	}
END
build wasport cc -include wasi.h -I. -DSQLITE_THREADSAFE=0 -DSQLITE_OMIT_LOAD_EXTENSION \
	-DSQLITE_OMIT_WAL sqlite3.c statements.c -o statements

mkdir "$work/data"
statements=(wasport run --timeout 1m --dir "$work/data::/data" statements)
sql() { "${statements[@]}" unix-none "$@" </dev/null; }
check "creating and inserting" says "2|two" \
	sql "create table t(a, b)" "insert into t values(1, 'one'), (2, 'two')" "select * from t"
check "sqlite3 reads the file" says "1|one" sqlite3 "$work/data/db" "select * from t"
sqlite3 "$work/data/db" "insert into t values(3, 'three')"
check "and writes it" says "3|three" sql "select * from t"
check "a transaction that is rolled back" says "3|3" \
	sql begin "delete from t" rollback "select count(*), max(a) from t"
lacks "locks, which other programs with the file would see" "disk I/O error" \
	"${statements[@]}" unix "create table other(a)"
missing() { ! sql "select * from missing"; }
check "an error" says "no such table: missing" missing

# The transaction is larger than the cache: the file has a part of it when the program is killed.
mkfifo "$work/stdin"
touch "$work/inserted"
exec 8<>"$work/stdin"
"${statements[@]}" unix-none "pragma cache_size = 2" begin \
	"with recursive n(i) as (select 4 union all select i + 1 from n where i < 20000)
		insert into t select i, 'lost' from n" \
	"select 'inserted'" <&8 >"$work/inserted" &
killed=$!
while kill -0 $killed && ! grep -q inserted "$work/inserted"; do sleep 0.05; done
kill -9 $killed
wait $killed 2>"$work/out" || true
cp -r "$work/data" "$work/copy"
check "killed within a transaction, it leaves a journal" grep -q lost "$work/data/db"
check "it recovers" says "3|ok" sql "select count(*), 'ok' from t"
check "it is whole" says "ok" sqlite3 "$work/data/db" "pragma integrity_check"
check "sqlite3 recovers it" says "3" sqlite3 "$work/copy/db" "select count(*) from t"
