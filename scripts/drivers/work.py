"""psycopg through whatever a connection string says, for a while: connects anew when a connection is lost."""
import sys, time, psycopg

way, dsn, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
end, n, lost, pause, last, db = time.time() + seconds, 0, 0, 0, time.time(), None
while time.time() < end:
    try:
        # Prepared statements are the server's session's, which a pool in transaction mode shares.
        db = db or psycopg.connect(dsn, autocommit=True, prepare_threshold=None)
        db.execute("INSERT INTO through VALUES (%s, %s)", (way, n))
        n += 1
        pause, last = max(pause, time.time() - last), time.time()
    except psycopg.Error as e:
        lost += 1
        if not db or db.closed:
            db = None
        time.sleep(0.02)
pause = max(pause, time.time() - last)
rows = psycopg.connect(dsn).execute("SELECT count(DISTINCT n) FROM through WHERE way = %s", (way,)).fetchone()[0]
print(f"{way}: {n} writes acknowledged, {lost} attempts failed meanwhile, longest pause {pause * 1000:.0f} ms")
# One whose answer was lost may be there under the same number as the next one.
assert n > 0 and rows >= n and pause < 15, (n, rows)
