"""psycopg 3: pipeline, COPY in both forms, server cursors, notifications, types."""
import sys, psycopg, datetime, decimal
from psycopg.types.json import Jsonb
from psycopg.rows import dict_row
port=sys.argv[1]
with psycopg.connect(f'host=127.0.0.1 port={port} user=quorate dbname=quorate') as c:
    c.execute('drop table if exists pp'); c.execute('create table pp (id bigint generated always as identity primary key, v text, j jsonb)')
    with c.cursor() as cur:
        cur.executemany('insert into pp (v,j) values (%s,%s)', [(f'v{i}', Jsonb({'i':i})) for i in range(50)])
        with cur.copy('copy pp (v) from stdin') as cp:
            for i in range(100): cp.write_row((f'c{i}',))
        with cur.copy('copy pp (v) from stdin (format binary)') as cp:
            cp.set_types(['text'])
            for i in range(10): cp.write_row((f'b{i}',))
        with cur.copy('copy (select id, v from pp order by id limit 5) to stdout (format binary)') as cp:
            cp.set_types(['int8','text']); rows=list(cp.rows()); assert rows[0]==(1,'v0'), rows
        cur.execute('select count(*) from pp'); assert cur.fetchone()[0]==160
    c.commit()
    with c.cursor(name='srv', binary=True) as cur:
        cur.execute('select id, v from pp order by id'); assert cur.fetchmany(3)[0]==(1,'v0'); assert len(cur.fetchall())==157
    c.commit()
    with c.pipeline():
        a=c.execute('select 1'); b=c.execute('select 2'); c.execute("insert into pp (v) values ('p')")
    assert a.fetchone()==(1,) and b.fetchone()==(2,)
    c.commit()
    with c.cursor(row_factory=dict_row) as cur: cur.execute("select v, j->>'i' i from pp where j @> %s", [Jsonb({'i':7})]); assert cur.fetchone()=={'v':'v7','i':'7'}
    with c.transaction():
        try:
            with c.transaction(): c.execute('insert into pp (id) overriding system value values (1)')
        except psycopg.errors.UniqueViolation as e: assert e.diag.constraint_name=='pp_pkey' and e.diag.table_name=='pp'
    c.commit(); c.autocommit=True
    c.execute('listen pch')
    with psycopg.connect(f'host=127.0.0.1 port={port} user=quorate dbname=quorate', autocommit=True) as d: d.execute("select pg_notify('pch','p1')")
    n = next(c.notifies(timeout=5)); assert n.payload=='p1'
    assert c.execute('select %s::date, %s::interval, %s::numeric', [datetime.date(2024,2,29), datetime.timedelta(hours=30), decimal.Decimal('NaN')]).fetchone()[0]==datetime.date(2024,2,29)
print('ok')
