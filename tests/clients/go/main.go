// Applications with Go's clients: go run . PORT NAME [DATABASE]. Each step prints what it saw, or the error that it met.
package main

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/lib/pq"
)

func step(name string, f func() (any, error)) {
	defer func() {
		if r := recover(); r != nil {
			fmt.Println(name+": panic", r)
		}
	}()
	v, err := f()
	if err != nil {
		fmt.Println(name+":", told(err))
		return
	}
	fmt.Println(name+":", v)
}

// An error as a program tells one from another.
func told(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return strings.TrimSpace(e.Code + " " + e.ConstraintName + " " + e.Message)
	}
	var q *pq.Error
	if errors.As(err, &q) {
		return strings.TrimSpace(string(q.Code) + " " + q.Constraint + " " + q.Message)
	}
	return "error " + strings.SplitN(err.Error(), "\n", 2)[0]
}

func must[T any](v T, err error) T {
	if err != nil {
		fmt.Println("FATAL", told(err))
		os.Exit(1)
	}
	return v
}

func all(rows *sql.Rows, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, _ := rows.Columns()
	out := []string{}
	for rows.Next() {
		cells := make([]any, len(names))
		for n := range cells {
			cells[n] = new(any)
		}
		if err := rows.Scan(cells...); err != nil {
			return nil, err
		}
		row := []string{}
		for _, cell := range cells {
			v := *cell.(*any)
			if b, ok := v.([]byte); ok {
				v = string(b)
			}
			row = append(row, fmt.Sprint(v))
		}
		out = append(out, strings.Join(row, ","))
	}
	return strings.Join(out, " | "), rows.Err()
}

func main() {
	database := "quorate"
	if len(os.Args) > 3 {
		database = os.Args[3]
	}
	url := fmt.Sprintf("postgres://quorate@127.0.0.1:%s/%s?sslmode=disable", os.Args[1], database)
	switch os.Args[2] {
	case "pgx":
		runPgx(url)
	case "pq":
		runPq(url)
	case "gorm":
		runGorm(url)
	case "goose":
		runGoose(url)
	case "golang-migrate":
		runMigrate(url)
	default:
		fmt.Println("no application", os.Args[2])
		os.Exit(1)
	}
}
