package main

import (
	"database/sql"
	"fmt"
	"time"

	"github.com/lib/pq"
)

func runPq(url string) {
	db := must(sql.Open("postgres", url))
	db.SetMaxOpenConns(1)
	must(db.Exec("DROP SCHEMA IF EXISTS lp CASCADE; CREATE SCHEMA lp; SET search_path = lp"))
	step("schema", func() (any, error) {
		_, err := db.Exec("CREATE TABLE a (id serial PRIMARY KEY, name text UNIQUE, tags text[], raw bytea, at timestamptz, n numeric, ok bool); CREATE TABLE b (id int PRIMARY KEY, a_id int REFERENCES a)")
		return nil, err
	})
	step("insert", func() (any, error) {
		return all(db.Query("INSERT INTO a (name, tags, raw, at, n, ok) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id, name, tags, raw, at AT TIME ZONE 'UTC', n, ok", "x", pq.Array([]string{"p", "q,r"}), []byte{0, 1}, time.Unix(1000, 0), "1.50", true))
	})
	step("unique", func() (any, error) { return db.Exec("INSERT INTO a (name) VALUES ($1)", "x") })
	step("foreign key", func() (any, error) { return db.Exec("INSERT INTO b VALUES (1, 99)") })
	step("any", func() (any, error) {
		return all(db.Query("SELECT id FROM a WHERE id = ANY ($1)", pq.Array([]int64{1, 2})))
	})
	step("copy", func() (any, error) {
		tx, err := db.Begin()
		if err != nil {
			return nil, err
		}
		defer tx.Rollback()
		s, err := tx.Prepare(pq.CopyInSchema("lp", "a", "name", "tags", "ok"))
		if err != nil {
			return nil, err
		}
		for n := 0; n < 1000; n++ {
			if _, err := s.Exec(fmt.Sprint("copy", n), pq.Array([]string{"z"}), n%2 == 0); err != nil {
				return nil, err
			}
		}
		if _, err := s.Exec(); err != nil {
			return nil, err
		}
		if err := s.Close(); err != nil {
			return nil, err
		}
		if err := tx.Commit(); err != nil {
			return nil, err
		}
		return all(db.Query("SELECT count(*), count(*) FILTER (WHERE ok) FROM a"))
	})
	step("savepoint", func() (any, error) {
		tx, _ := db.Begin()
		tx.Exec("SAVEPOINT s")
		_, err := tx.Exec("INSERT INTO a (name) VALUES ('x')")
		fmt.Println("  inner:", told(err))
		tx.Exec("ROLLBACK TO s")
		tx.Exec("INSERT INTO b VALUES (1, 1)")
		return nil, tx.Commit()
	})
	step("listener", func() (any, error) {
		l := pq.NewListener(url, time.Second, time.Second, nil)
		defer l.Close()
		if err := l.Listen("pq"); err != nil {
			return nil, err
		}
		db.Exec("NOTIFY pq, 'there'")
		select {
		case n := <-l.Notify:
			return n.Extra, nil
		case <-time.After(5 * time.Second):
			return "nothing", nil
		}
	})
	step("binary parameters", func() (any, error) {
		d := must(sql.Open("postgres", url+"&binary_parameters=yes"))
		defer d.Close()
		return all(d.Query("SELECT $1::int + 1, $2::text, $3::bytea, $4::bool", 1, "t", []byte("b"), true))
	})
}
