"""asyncpg: pool, prepared statements, types, COPY, cursors, listeners, reset."""
import sys, asyncio, asyncpg, datetime, decimal, uuid, json
port=sys.argv[1]
async def main():
    pool = await asyncpg.create_pool(host='127.0.0.1', port=port, user='quorate', database='quorate', min_size=2, max_size=5)
    async with pool.acquire() as c:
        await c.execute('drop table if exists ap'); await c.execute('create table ap (id serial primary key, n numeric, t timestamptz, d date, u uuid, j jsonb, a int[], b bytea, iv interval, s text unique)')
        row = await c.fetchrow('insert into ap (n,t,d,u,j,a,b,iv,s) values ($1,$2,$3,$4,$5,$6,$7,$8,$9) returning *', decimal.Decimal('1.50'), datetime.datetime(2020,1,2,tzinfo=datetime.timezone.utc), datetime.date(2020,1,1), uuid.UUID(int=5), json.dumps({'a':1}), [1,2,None], b'\x00\xff', datetime.timedelta(days=1,seconds=3), 'x')
        assert row['n']==decimal.Decimal('1.50') and row['a']==[1,2,None] and row['b']==b'\x00\xff' and row['iv']==datetime.timedelta(days=1,seconds=3), row
        r = await c.copy_records_to_table('ap', records=[(str(i),) for i in range(100)], columns=['s']); assert r=='COPY 100', r
        try: await c.execute("insert into ap(s) values('x')"); assert False
        except asyncpg.UniqueViolationError as e: assert e.constraint_name=='ap_s_key'
        async with c.transaction():
            n=0
            async for r in c.cursor('select * from ap order by id', prefetch=10): n+=1
            assert n==101
            try:
                async with c.transaction(): await c.execute("insert into ap(s) values('x')")
            except asyncpg.UniqueViolationError: pass
            await c.execute("insert into ap(s) values('y')")
        st = await c.prepare('select s from ap where id = any($1::int[]) order by id'); assert len(await st.fetch([1,2,3]))==3
        await c.executemany('update ap set n=$1 where s=$2', [(1,'y'),(2,'x')])
        assert await c.fetchval('select sum(n) from ap')==3
        import io; out=io.BytesIO(); await c.copy_from_query('select s from ap where id<3', output=out, format='csv'); assert out.getvalue().startswith(b'x')
        await c.set_type_codec('jsonb', encoder=json.dumps, decoder=json.loads, schema='pg_catalog'); assert await c.fetchval("select j from ap where s='x'")=={'a':1}
        await c.execute('alter table ap add column z int'); assert (await c.fetchrow('select * from ap limit 1'))['z'] is None
        got=asyncio.Event(); res=[]
        await c.add_listener('ap_ch', lambda *a: (res.append(a[3]), got.set()))
        async with pool.acquire() as c2: await c2.execute("notify ap_ch, 'hello'")
        await asyncio.wait_for(got.wait(), 5); assert res==['hello']
        await c.execute('drop type if exists ap_mood'); await c.execute("create type ap_mood as enum ('a','b')"); assert await c.fetchval("select $1::ap_mood", 'b')=='b'
        assert await c.fetchval("select row(1,'x')") is not None
        await c.execute('select pg_advisory_lock(77)'); 
    async with pool.acquire() as c: assert await c.fetchval('select 1')==1
    await pool.close(); print('ok')
asyncio.run(main())
