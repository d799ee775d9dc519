"""Replays what real clients send, client by client, on PostgreSQL and on Quorate, and compares what comes back.

    replay.py STATEMENTS.jsonl POSTGRES QUORATE [-v]

STATEMENTS has lines {"t": client, "q": statement}; the others are connection strings of two servers whose database may
be emptied. A statement with parameters is prepared and run with NULLs. Equal are: success, the names and type OIDs of
the columns, and the rows, in order where the statement orders them. Values that differ by nature (OIDs of user objects,
ports, sizes, the time, random UUIDs, who built the server) are masked. Prints a line per client and the shares; -v prints each
statement that differs. Both databases should have the same name.
"""
import json
import re
import sys
from datetime import date, datetime, timezone

from psycopg import pq

MASKED = re.compile(
    r"\b(1[6-9]\d{3}|[2-9]\d{4,9}|1\d{9})\b"
    r"|[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    r"|(?<=^PostgreSQL 15)\.\d+ \(.*$"
)
TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d(:?\d\d)?)?")
FIRST_USER_OID = 16384


def masked(value):
    def near(found):
        # Of a time that was not told by the client, only that it is now.
        return "now" if found[0][:10] in (date.today().isoformat(), utc) else found[0]

    utc = datetime.now(timezone.utc).date().isoformat()
    return MASKED.sub("#", TIME.sub(near, value))


def connect(info):
    conn = pq.PGconn.connect(info.encode())
    if conn.status != pq.ConnStatus.OK:
        sys.exit(f"{info}: {conn.error_message.decode()}")
    return conn


def run(conn, text):
    """(sqlstate or None, columns, rows)"""
    query = text.encode()
    if re.search(r"\$\d", text):
        count = max(int(n) for n in re.findall(r"\$(\d+)", text))
        result = conn.prepare(b"", query)
        if result.status == pq.ExecStatus.COMMAND_OK:
            result = conn.exec_prepared(b"", [None] * count)
    else:
        result = conn.exec_(query)
    if result.status in (pq.ExecStatus.COPY_IN, pq.ExecStatus.COPY_OUT):
        if result.status == pq.ExecStatus.COPY_IN:
            conn.put_copy_end(None)
        else:
            while conn.get_copy_data(0)[0] > 0:
                pass
        while conn.get_result():
            pass
        return None, [], []
    if result.status in (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE):
        return (result.error_field(pq.DiagnosticField.SQLSTATE) or b"?").decode(), [], [], result.error_message.decode("utf8", "replace").strip()
    types = [oid if oid < FIRST_USER_OID else "own" for oid in map(result.ftype, range(result.nfields))]
    columns = [(result.fname(i).decode(), types[i]) for i in range(result.nfields)]
    rows = []
    for r in range(result.ntuples):
        values = (result.get_value(r, c) for c in range(result.nfields))
        rows.append(tuple(None if v is None else masked(v.decode("utf8", "replace")) for v in values))
    return None, columns, rows


def fresh(info):
    conn = connect(info)
    for text in (b"DROP SCHEMA IF EXISTS public CASCADE", b"CREATE SCHEMA public"):
        conn.exec_(text)
    return conn


def main():
    verbose = "-v" in sys.argv
    path, postgres, quorate = [a for a in sys.argv[1:] if a != "-v"]
    clients = {}
    for line in open(path):
        item = json.loads(line)
        clients.setdefault(item["t"], []).append(item["q"])
    total = ok = equal = 0
    for client, texts in clients.items():
        ours, theirs = fresh(quorate), fresh(postgres)
        n = good = same = 0
        for text in texts:
            if re.match(r"\s*(create|drop|alter)\s+(database|role|user|group|tablespace)\b", text, re.I):
                continue
            expected, got = run(theirs, text), run(ours, text)
            if ours.status != pq.ConnStatus.OK:
                ours = connect(quorate)
            if theirs.status != pq.ConnStatus.OK:
                theirs = connect(postgres)
            if expected[0] is not None:
                # A failed block of one must not differ from the other's.
                continue
            n += 1
            if got[0] is not None:
                if verbose:
                    print(f"-- {client}: {got[3]}\n   {text[:600]!r}")
                continue
            good += 1
            ordered = re.search(r"order\s+by", text, re.I)
            rows = lambda r: r if ordered else sorted(r, key=repr)
            if expected[1] == got[1] and rows(expected[2]) == rows(got[2]):
                same += 1
            elif verbose:
                print(f"-- {client}: differs: {text[:600]!r}")
                if expected[1] != got[1]:
                    print(f"   columns {expected[1]}\n   ours    {got[1]}")
                else:
                    extra = [r for r in got[2] if r not in expected[2]][:3]
                    missing = [r for r in expected[2] if r not in got[2]][:3]
                    print(f"   rows {len(expected[2])} and {len(got[2])}; missing {missing}; extra {extra}")
        print(f"{client:24} {n:4} succeed on PostgreSQL, {good:4} here, {same:4} equal")
        total, ok, equal = total + n, ok + good, equal + same
    print(f"{total} statements: {100 * ok / total:.1f} % succeed, {100 * equal / total:.1f} % equal")


if __name__ == "__main__":
    main()
