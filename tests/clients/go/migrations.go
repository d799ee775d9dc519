package main

import (
	"context"
	"database/sql"
	"fmt"
	"testing/fstest"

	"github.com/golang-migrate/migrate/v4"
	"github.com/golang-migrate/migrate/v4/database"
	"github.com/golang-migrate/migrate/v4/database/pgx/v5"
	"github.com/golang-migrate/migrate/v4/database/postgres"
	"github.com/golang-migrate/migrate/v4/source/iofs"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

func runGoose(url string) {
	ctx := context.Background()
	db := must(sql.Open("pgx", url))
	must(db.Exec("DROP SCHEMA IF EXISTS gs CASCADE; CREATE SCHEMA gs"))
	db.Close()
	db = must(sql.Open("pgx", url+"&search_path=gs"))
	files := fstest.MapFS{
		"00001_start.sql": {Data: []byte("-- +goose Up\nCREATE TABLE post (id serial PRIMARY KEY, title text UNIQUE);\nINSERT INTO post (title) VALUES ('a'), ('b;c');\n-- +goose Down\nDROP TABLE post;\n")},
		"00002_block.sql": {Data: []byte("-- +goose Up\n-- +goose StatementBegin\nDO $$\nBEGIN\n  IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'gs_kind') THEN\n    CREATE TYPE gs_kind AS ENUM ('x', 'y');\n  END IF;\nEND $$;\n-- +goose StatementEnd\nALTER TABLE post ADD COLUMN kind gs_kind NOT NULL DEFAULT 'x';\n-- +goose Down\nALTER TABLE post DROP COLUMN kind;\nDROP TYPE gs_kind;\n")},
		"00003_index.sql": {Data: []byte("-- +goose NO TRANSACTION\n-- +goose Up\nCREATE INDEX CONCURRENTLY post_kind ON post (kind, title);\n-- +goose Down\nDROP INDEX CONCURRENTLY post_kind;\n")},
		"00004_wrong.sql": {Data: []byte("-- +goose Up\nCREATE TABLE half (a int);\nINSERT INTO post (title) VALUES ('a');\n-- +goose Down\nDROP TABLE half;\n")},
	}
	locker := must(lock.NewPostgresSessionLocker())
	p := must(goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSessionLocker(locker)))
	step("status", func() (any, error) { s, err := p.Status(ctx); return len(s), err })
	step("up to 3", func() (any, error) { r, err := p.UpTo(ctx, 3); return len(r), err })
	step("one that fails", func() (any, error) { r, err := p.Up(ctx); return len(r), err })
	step("nothing is left of it", func() (any, error) { return all(db.Query("SELECT to_regclass('half')")) })
	step("version", func() (any, error) { v, err := p.GetDBVersion(ctx); return v, err })
	step("down", func() (any, error) { r, err := p.Down(ctx); return fmt.Sprint(r.Source.Version), err })
	step("down to 1", func() (any, error) { r, err := p.DownTo(ctx, 1); return len(r), err })
	step("by one", func() (any, error) { r, err := p.UpByOne(ctx); return fmt.Sprint(r.Source.Version), err })
	step("redo", func() (any, error) {
		if _, err := p.ApplyVersion(ctx, 2, false); err != nil {
			return nil, err
		}
		_, err := p.ApplyVersion(ctx, 2, true)
		return "done", err
	})
	step("two at once", func() (any, error) {
		errs := make(chan error, 2)
		for n := 0; n < 2; n++ {
			go func() {
				d := must(sql.Open("pgx", url+"&search_path=gs"))
				defer d.Close()
				q := must(goose.NewProvider(goose.DialectPostgres, d, files, goose.WithSessionLocker(locker)))
				_, err := q.UpTo(ctx, 3)
				errs <- err
			}()
		}
		if err := <-errs; err != nil {
			return nil, err
		}
		return "done", <-errs
	})
	step("data", func() (any, error) { return all(db.Query("SELECT * FROM post ORDER BY id")) })
	step("history", func() (any, error) {
		return all(db.Query("SELECT version_id, is_applied FROM goose_db_version ORDER BY id"))
	})
	step("reset", func() (any, error) { r, err := p.DownTo(ctx, 0); return len(r), err })
}

func runMigrate(url string) {
	db := must(sql.Open("pgx", url))
	files := fstest.MapFS{
		"1_start.up.sql": {Data: []byte("CREATE TABLE gm (id serial PRIMARY KEY, a text); INSERT INTO gm (a) VALUES ('x'), ('y'); CREATE INDEX gm_a ON gm (a);")}, "1_start.down.sql": {Data: []byte("DROP TABLE gm;")},
		"2_more.up.sql": {Data: []byte("BEGIN; ALTER TABLE gm ADD COLUMN b int DEFAULT 3; UPDATE gm SET b = id; COMMIT;")}, "2_more.down.sql": {Data: []byte("ALTER TABLE gm DROP COLUMN b;")},
		"3_wrong.up.sql": {Data: []byte("CREATE TABLE gm_half (a int); SELECT 1/0;")}, "3_wrong.down.sql": {Data: []byte("DROP TABLE IF EXISTS gm_half;")},
	}
	for _, driver := range []string{"postgres", "pgx"} {
		must(db.Exec("DROP SCHEMA IF EXISTS gm CASCADE; CREATE SCHEMA gm"))
		d := must(sql.Open(driver, url+"&search_path=gm"))
		var into database.Driver
		var err error
		if driver == "pgx" {
			into, err = pgx.WithInstance(d, &pgx.Config{})
		} else {
			into, err = postgres.WithInstance(d, &postgres.Config{})
		}
		if err != nil {
			fmt.Println(driver, told(err))
			continue
		}
		m := must(migrate.NewWithInstance("iofs", must(iofs.New(files, ".")), driver, into))
		step(driver+" up", func() (any, error) { return "done", m.Steps(2) })
		step(driver+" fails", func() (any, error) { return nil, m.Up() })
		step(driver+" version", func() (any, error) { v, dirty, err := m.Version(); return fmt.Sprint(v, dirty), err })
		step(driver+" forced", func() (any, error) { return "done", m.Force(2) })
		step(driver+" down", func() (any, error) { return "done", m.Steps(-1) })
		step(driver+" up again", func() (any, error) { return "done", m.Migrate(2) })
		step(driver+" data", func() (any, error) { return all(d.Query("SELECT * FROM gm ORDER BY id")) })
		step(driver+" drop", func() (any, error) { return "done", m.Drop() })
	}
}
