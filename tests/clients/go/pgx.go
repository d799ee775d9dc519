package main

import (
	"context"
	"fmt"
	"math/big"
	"net/netip"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

func runPgx(url string) {
	ctx := context.Background()
	c := must(pgx.Connect(ctx, url))
	must(c.Exec(ctx, "DROP SCHEMA IF EXISTS px CASCADE; CREATE SCHEMA px"))
	must(c.Exec(ctx, "SET search_path = px"))
	exec := func(sql string, v ...any) func() (any, error) {
		return func() (any, error) { t, err := c.Exec(ctx, sql, v...); return t, err }
	}
	query := func(sql string, v ...any) (any, error) {
		rows, err := c.Query(ctx, sql, v...)
		if err != nil {
			return nil, err
		}
		got, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (string, error) {
			values, err := r.Values()
			return strings.Trim(fmt.Sprint(values), "[]"), err
		})
		return strings.Join(got, " | "), err
	}
	step("schema", exec(`CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); CREATE DOMAIN positive AS int CHECK (VALUE > 0);
		CREATE TABLE author (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL CONSTRAINT author_once UNIQUE, mood mood, moods mood[], born date);
		CREATE TABLE book (id serial PRIMARY KEY, author_id bigint NOT NULL REFERENCES author ON DELETE CASCADE, title varchar(40), price numeric(8, 2) CHECK (price > 0), tags text[], details jsonb, isbn uuid, pages positive, added timestamptz DEFAULT '2020-01-01')`))
	types := must(c.LoadTypes(ctx, []string{"px.mood", "px._mood", "px.positive"}))
	c.TypeMap().RegisterTypes(types)
	step("types", func() (any, error) { return len(types), nil })
	step("insert", func() (any, error) {
		return query("INSERT INTO author (name, mood, moods, born) VALUES ($1, $2, $3, $4) RETURNING id, mood, moods, born", "Le Guin", "ok", []string{"sad", "happy"}, time.Date(1929, 10, 21, 0, 0, 0, 0, time.UTC))
	})
	step("unique", exec("INSERT INTO author (name) VALUES ($1)", "Le Guin"))
	step("check", exec("INSERT INTO book (author_id, price) VALUES (1, $1)", -1))
	step("foreign key", exec("INSERT INTO book (author_id) VALUES ($1)", 77))
	step("domain", exec("INSERT INTO book (author_id, pages) VALUES (1, $1)", 0))
	step("bad enum", exec("INSERT INTO author (name, mood) VALUES ($1, $2)", "x", "angry"))
	step("relations", func() (any, error) {
		if _, err := c.Exec(ctx, "INSERT INTO book (author_id, title, price, tags, details, isbn, pages) VALUES (1, $1, $2, $3, $4, $5, $6), (1, 'other', 2, '{}', '{}', NULL, NULL)", "The Dispossessed", "9.50", []string{"a", "b,c"}, map[string]any{"k": []int{1}}, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", 341); err != nil {
			return nil, err
		}
		return query("SELECT a.name, count(*), sum(b.price), array_agg(b.title ORDER BY b.id), max(b.added) AT TIME ZONE 'UTC' FROM author a JOIN book b ON b.author_id = a.id WHERE a.id = ANY ($1) GROUP BY a.id", []int64{1, 2})
	})
	step("into structs", func() (any, error) {
		type book struct {
			ID      int
			Title   string
			Price   pgtype.Numeric
			Tags    []string
			Details map[string]any
			Isbn    *[16]byte
			Pages   *int32
		}
		rows, _ := c.Query(ctx, "SELECT id, title, price, tags, details, isbn, pages FROM book ORDER BY id")
		got, err := pgx.CollectRows(rows, pgx.RowToStructByName[book])
		if err != nil {
			return nil, err
		}
		return fmt.Sprint(got[0].Title, got[0].Price.Int, got[0].Price.Exp, got[0].Tags, got[0].Details, *got[0].Isbn, *got[0].Pages, got[1].Isbn), nil
	})
	for _, t := range []struct {
		name string
		v    any
	}{
		{"bool", true}, {"int2", int16(-3)}, {"int4", 5}, {"int8", int64(1 << 60)}, {"float4", float32(1.5)}, {"float8", 2.25}, {"text", "žluť"}, {"varchar", "v"}, {"bpchar", "c"}, {"name", "n"}, {"\"char\"", byte('x')},
		{"bytea", []byte{0, 255}}, {"uuid", [16]byte{1, 2}}, {"date", time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)}, {"timestamp", time.Date(2024, 2, 29, 1, 2, 3, 4000, time.UTC)}, {"time", pgtype.Time{Microseconds: 3723000004, Valid: true}},
		{"interval", pgtype.Interval{Months: 1, Days: 2, Microseconds: 3, Valid: true}}, {"numeric", pgtype.Numeric{Int: big.NewInt(123456789), Exp: -4, Valid: true}}, {"numeric", pgtype.Numeric{NaN: true, Valid: true}}, {"json", map[string]int{"a": 1}}, {"jsonb", []any{1, "x", nil}},
		{"inet", netip.MustParsePrefix("10.0.0.1/8")}, {"cidr", netip.MustParsePrefix("10.0.0.0/8")}, {"oid", uint32(7)}, {"bit(3)", pgtype.Bits{Bytes: []byte{0xa0}, Len: 3, Valid: true}}, {"varbit", pgtype.Bits{Bytes: []byte{0xa0}, Len: 5, Valid: true}}, {"int4[]", []int32{1, 2}}, {"int4[]", pgtype.Array[int32]{Elements: []int32{1, 2, 3, 4}, Dims: []pgtype.ArrayDimension{{Length: 2, LowerBound: 1}, {Length: 2, LowerBound: 1}}, Valid: true}}, {"text[]", []*string{nil}}, {"timestamptz", pgtype.Timestamptz{InfinityModifier: pgtype.Infinity, Valid: true}},
		{"date", pgtype.Date{InfinityModifier: pgtype.NegativeInfinity, Valid: true}}, {"macaddr", "08:00:2b:01:02:03"}, {"float8[]", []float64{1, 2.5}}, {"uuid[]", []string{"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}}, {"jsonb[]", []string{`{"a":1}`}}, {"numeric[]", []string{"1.50"}}, {"interval", time.Hour}, {"px.mood", "happy"}, {"px.positive", 4}, {"citext", "x"},
	} {
		for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeDescribeExec, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
			step(fmt.Sprint(t.name, " ", mode), func() (any, error) {
				return query("SELECT $1::"+t.name+", $1::"+t.name+" IS NULL", mode, t.v)
			})
		}
	}
	step("batch", func() (any, error) {
		b := &pgx.Batch{}
		for n := 0; n < 50; n++ {
			b.Queue("INSERT INTO author (name) VALUES ($1) RETURNING name", fmt.Sprint("b", n))
		}
		b.Queue("SELECT count(*) FROM author")
		r := c.SendBatch(ctx, b)
		defer r.Close()
		for n := 0; n < 50; n++ {
			var s string
			if err := r.QueryRow().Scan(&s); err != nil {
				return nil, err
			}
		}
		var n int
		err := r.QueryRow().Scan(&n)
		return n, err
	})
	step("batch with an error is undone", func() (any, error) {
		b := &pgx.Batch{}
		b.Queue("INSERT INTO author (name) VALUES ($1)", "undone")
		b.Queue("INSERT INTO author (name) VALUES ($1)", "Le Guin")
		b.Queue("INSERT INTO author (name) VALUES ($1)", "never")
		err := c.SendBatch(ctx, b).Close()
		rest, _ := query("SELECT count(*) FROM author WHERE name IN ('undone', 'never')")
		return fmt.Sprint(told(err), " ", rest), nil
	})
	step("batch of definitions", func() (any, error) {
		b := &pgx.Batch{}
		b.Queue("CREATE TABLE bt (a int)")
		b.Queue("INSERT INTO author (name) VALUES ($1)", "with ddl")
		b.Queue("SELECT 1 + $1::int", 2)
		return nil, c.SendBatch(ctx, b).Close()
	})
	step("pipeline", func() (any, error) {
		p := c.PgConn().StartPipeline(ctx)
		p.SendQueryParams("INSERT INTO author (name) VALUES ($1)", [][]byte{[]byte("p1")}, nil, nil, nil)
		p.Sync()
		p.SendQueryParams("INSERT INTO author (name) VALUES ($1)", [][]byte{[]byte("p1")}, nil, nil, nil)
		p.Sync()
		p.SendQueryParams("SELECT name FROM author WHERE name = $1", [][]byte{[]byte("p1")}, nil, nil, nil)
		p.Sync()
		out := []string{}
		for n := 0; n < 6; n++ {
			r, err := p.GetResults()
			switch x := r.(type) {
			case *pgconn.ResultReader:
				got := x.Read()
				out = append(out, fmt.Sprint(got.CommandTag, len(got.Rows), got.Err != nil))
			default:
				out = append(out, fmt.Sprintf("%T %v", r, err != nil))
			}
		}
		return out, p.Close()
	})
	step("copy", func() (any, error) {
		return c.CopyFrom(ctx, pgx.Identifier{"px", "book"}, []string{"author_id", "title", "price", "tags", "details", "isbn", "pages", "added"}, pgx.CopyFromSlice(5000, func(n int) ([]any, error) {
			return []any{int64(1), fmt.Sprint("copied ", n), pgtype.Numeric{Int: big.NewInt(int64(n + 1)), Exp: -2, Valid: true}, []string{"x", fmt.Sprint(n)}, map[string]any{"n": n}, [16]byte{byte(n)}, int32(n + 1), time.Unix(int64(n), 0)}, nil
		}))
	})
	step("copy of enums", func() (any, error) {
		return c.CopyFrom(ctx, pgx.Identifier{"px", "author"}, []string{"name", "mood", "moods"}, pgx.CopyFromRows([][]any{{"e1", "sad", []string{"ok"}}, {"e2", nil, nil}}))
	})
	step("copy that fails", func() (any, error) {
		return c.CopyFrom(ctx, pgx.Identifier{"author"}, []string{"name"}, pgx.CopyFromRows([][]any{{"e3"}, {"e1"}}))
	})
	step("copied", func() (any, error) {
		return query("SELECT count(*), sum(price), max(pages), count(DISTINCT isbn), sum((details->>'n')::int) FROM book")
	})
	step("copy to", func() (any, error) {
		var out strings.Builder
		t, err := c.PgConn().CopyTo(ctx, &out, "COPY (SELECT id, title FROM book WHERE id < 3 ORDER BY id) TO STDOUT WITH (FORMAT csv)")
		return fmt.Sprint(t, " ", strings.ReplaceAll(out.String(), "\n", "/")), err
	})
	step("transaction", func() (any, error) {
		err := pgx.BeginTxFunc(ctx, c, pgx.TxOptions{IsoLevel: pgx.Serializable, DeferrableMode: pgx.Deferrable}, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "INSERT INTO author (name) VALUES ('t1')"); err != nil {
				return err
			}
			inner := pgx.BeginFunc(ctx, tx, func(in pgx.Tx) error { _, err := in.Exec(ctx, "INSERT INTO author (name) VALUES ('t1')"); return err })
			fmt.Println("  inner:", told(inner))
			_, err := tx.Exec(ctx, "INSERT INTO author (name) VALUES ('t2')")
			return err
		})
		if err != nil {
			return nil, err
		}
		return query("SELECT name FROM author WHERE name IN ('t1', 't2') ORDER BY 1")
	})
	step("read only", func() (any, error) {
		return nil, pgx.BeginTxFunc(ctx, c, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error { _, err := tx.Exec(ctx, "DELETE FROM book"); return err })
	})
	step("locks", func() (any, error) {
		d := must(pgx.Connect(ctx, url+"&search_path=px"))
		defer d.Close(ctx)
		tx, _ := c.Begin(ctx)
		defer tx.Rollback(ctx)
		tx.Exec(ctx, "SELECT * FROM author WHERE id = 1 FOR UPDATE")
		_, nowait := d.Exec(ctx, "SELECT * FROM author WHERE id = 1 FOR SHARE NOWAIT")
		t, err := d.Exec(ctx, "SELECT * FROM author WHERE name IN ('Le Guin', 't1') FOR UPDATE SKIP LOCKED")
		return fmt.Sprint(told(nowait), " ", t), err
	})
	step("cancelled by its context", func() (any, error) {
		d := must(pgx.Connect(ctx, url))
		defer d.Close(ctx)
		short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		defer cancel()
		_, err := d.Exec(short, "SELECT pg_sleep(10)")
		return fmt.Sprint(err != nil, " ", d.IsClosed()), nil
	})
	step("cancel request", func() (any, error) {
		go func() { time.Sleep(200 * time.Millisecond); c.PgConn().CancelRequest(ctx) }()
		_, err := c.Exec(ctx, "SELECT pg_sleep(10)")
		return nil, err
	})
	step("cursor", func() (any, error) {
		tx, _ := c.Begin(ctx)
		defer tx.Rollback(ctx)
		if _, err := tx.Exec(ctx, "DECLARE k CURSOR FOR SELECT id, title FROM book ORDER BY id"); err != nil {
			return nil, err
		}
		n, last := 0, 0
		for {
			rows, _ := tx.Query(ctx, "FETCH 700 FROM k")
			got, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (int, error) {
				var id int
				var t *string
				err := r.Scan(&id, &t)
				return id, err
			})
			if err != nil {
				return nil, err
			}
			if len(got) == 0 {
				return fmt.Sprint(n, " ", last > 5000), nil
			}
			n += len(got)
			last = got[len(got)-1]
		}
	})
	step("plan that has grown old", func() (any, error) {
		must(c.Exec(ctx, "CREATE TABLE grown (a int); INSERT INTO grown VALUES (1)"))
		a, err := query("SELECT * FROM grown")
		if err != nil {
			return nil, err
		}
		must(c.Exec(ctx, "ALTER TABLE grown ADD b text DEFAULT 'new'"))
		_, stale := query("SELECT * FROM grown")
		b, err := query("SELECT * FROM grown")
		s := "none"
		if stale != nil {
			s = told(stale)
		}
		return fmt.Sprint(a, " / ", s, " / ", b), err
	})
	step("listen", func() (any, error) {
		must(c.Exec(ctx, "LISTEN news"))
		d := must(pgx.Connect(ctx, url))
		defer d.Close(ctx)
		must(d.Exec(ctx, "SELECT pg_notify('news', $1)", "hello"))
		short, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		n, err := c.WaitForNotification(short)
		if err != nil {
			return nil, err
		}
		return n.Channel + " " + n.Payload, nil
	})
	step("pool", func() (any, error) {
		config, _ := pgxpool.ParseConfig(url + "&pool_max_conns=4")
		config.ConnConfig.RuntimeParams["search_path"] = "px"
		config.ConnConfig.RuntimeParams["application_name"] = "pool"
		pool := must(pgxpool.NewWithConfig(ctx, config))
		defer pool.Close()
		done := make(chan error)
		for n := 0; n < 8; n++ {
			go func() {
				for m := 0; m < 10; m++ {
					if _, err := pool.Exec(ctx, "INSERT INTO author (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET born = now()", fmt.Sprint("pool", m)); err != nil {
						done <- err
						return
					}
				}
				done <- nil
			}()
		}
		for n := 0; n < 8; n++ {
			if err := <-done; err != nil {
				return nil, err
			}
		}
		return query("SELECT count(*) FROM author WHERE name LIKE 'pool%'")
	})
	step("advisory locks", func() (any, error) {
		return query("SELECT pg_try_advisory_lock(42), pg_advisory_unlock(42), pg_advisory_unlock(42)")
	})
	step("record", func() (any, error) { return query("SELECT ROW(1, 'a'::text), ARRAY[ROW(1, true)]") })
	step("many parameters", func() (any, error) {
		v := []any{}
		p := []string{}
		for n := 0; n < 65535; n++ {
			v = append(v, n)
			p = append(p, fmt.Sprint("$", n+1))
		}
		return query("SELECT count(*) FROM author WHERE id IN ("+strings.Join(p, ",")+") AND id < 3", v...)
	})
	step("database/sql", func() (any, error) {
		db := stdlib.OpenDB(*must(pgx.ParseConfig(url + "&search_path=px")))
		defer db.Close()
		return all(db.Query("SELECT a.name, a.moods::text[], b.added FROM author a JOIN book b ON b.author_id = a.id ORDER BY b.id LIMIT $1", 2))
	})
}
