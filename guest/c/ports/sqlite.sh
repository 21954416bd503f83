# SQLite's shell with a database in a directory, against sqlite3.
published sqlite3
# Its sources are put together on the machine that compiles.
build ./configure --disable-tcl --disable-readline
build make sqlite3.c shell.c
build wasport cc -I. -O1 -DSQLITE_THREADSAFE=0 -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_OMIT_WAL \
	-DSQLITE_OMIT_POPEN -DSQLITE_NOHAVE_SYSTEM sqlite3.c shell.c -o shell

mkdir "$work/data"
# WASI has no locks of files: the shell is told to do without, and must be its file's only user.
shell=(wasport run --timeout 1m --dir "$work/data::/data" shell)
sql() { "${shell[@]}" -vfs unix-none /data/db "$@" </dev/null; }
check "creating and inserting" says "2|two" \
	sql "create table t(a, b); insert into t values(1, 'one'), (2, 'two'); select * from t"
check "sqlite3 reads the file" says "1|one" sqlite3 "$work/data/db" "select * from t"
sqlite3 "$work/data/db" "insert into t values(3, 'three')"
check "and writes it" says "3|three" sql "select * from t"
check "a transaction that is rolled back" says "3|3" \
	sql "begin; delete from t; rollback; select count(*), max(a) from t"
lacks "locks, which other programs with the file would see" "disk I/O error" \
	"${shell[@]}" -vfs unix /data/db "create table other(a)"
missing() { ! sql "select * from missing"; }
check "an error" says "no such table: missing" missing
check "a dump" says "INSERT INTO t VALUES(3,'three');" sql .dump
import() {
	printf '4,four\n5,"fi,ve"\n' >"$work/data/csv"
	sql "create table u(a, b)" ".import --csv /data/csv u" "select * from u"
}
check "importing CSV" says "5|fi,ve" import
check "a backup" sql ".backup /data/backup"
check "which sqlite3 reads" says "5|fi,ve" sqlite3 "$work/data/backup" "select * from u"

# The transaction is larger than the cache: the file has a part of it when the program is killed.
mkfifo "$work/stdin"
touch "$work/inserted"
exec 8<>"$work/stdin"
"${shell[@]}" -vfs unix-none /data/db <&8 >"$work/inserted" &
killed=$!
cat >&8 <<-END
	pragma cache_size = 2;
	begin;
	with recursive n(i) as (select 4 union all select i + 1 from n where i < 20000)
		insert into t select i, 'lost' from n;
	select 'inserted';
END
while kill -0 $killed && ! grep -q inserted "$work/inserted"; do sleep 0.05; done
kill -9 $killed
wait $killed 2>"$work/out" || true
cp -r "$work/data" "$work/copy"
check "killed within a transaction, it leaves a journal" grep -q lost "$work/data/db"
check "it recovers" says "3|ok" sql "select count(*), 'ok' from t"
check "it is whole" says "ok" sqlite3 "$work/data/db" "pragma integrity_check"
check "sqlite3 recovers it" says "3" sqlite3 "$work/copy/db" "select count(*) from t"
