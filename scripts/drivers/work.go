// pgx with all hosts in one string, for a while: connects anew when a connection is lost.
//
//	mkdir pgx && cp scripts/drivers/work.go pgx/main.go && cd pgx && go mod init through && go get github.com/jackc/pgx/v5 && go build -o work
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

func main() {
	seconds, _ := strconv.ParseFloat(os.Args[2], 64)
	end := time.Now().Add(time.Duration(seconds * float64(time.Second)))
	var db *pgx.Conn
	var err error
	n, lost, last, pause := 0, 0, time.Now(), time.Duration(0)
	for time.Now().Before(end) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		if db == nil || db.IsClosed() {
			db, err = pgx.Connect(ctx, os.Args[1])
		}
		if err == nil {
			_, err = db.Exec(ctx, "INSERT INTO through VALUES ($1, $2)", "pgx", n)
		}
		cancel()
		if err != nil {
			lost, err = lost+1, nil
			if db != nil && db.IsClosed() {
				db = nil
			}
			time.Sleep(20 * time.Millisecond)
			continue
		}
		n, pause, last = n+1, max(pause, time.Since(last)), time.Now()
	}
	fmt.Printf("pgx: %d writes acknowledged, %d attempts failed meanwhile, longest pause %d ms\n", n, lost, pause.Milliseconds())
	if n == 0 || pause > 15*time.Second {
		os.Exit(1)
	}
}
