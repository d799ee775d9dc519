// Uses kine as Kubernetes' API server does: create if absent, update and delete if unchanged, list by pages, watch.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const rounds, keys = 12, 20

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	client := must(clientv3.New(clientv3.Config{Endpoints: os.Args[1:], DialTimeout: time.Minute}))

	for { // It listens once its table is there.
		short, done := context.WithTimeout(ctx, time.Second)
		_, err := client.Get(short, "/registry/health")
		done()
		if err == nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}

	// Every change is seen by a watch, once and in the order of revisions.
	var seen sync.Map
	var last int64
	count := make(chan int, 10000)
	go func() {
		for answer := range client.Watch(ctx, "/registry/pods/", clientv3.WithPrefix(), clientv3.WithPrevKV()) {
			for _, event := range answer.Events {
				if event.Kv.ModRevision <= last {
					log.Fatalf("revision %d after %d", event.Kv.ModRevision, last)
				}
				last = event.Kv.ModRevision
				seen.Store(event.Kv.ModRevision, true)
				count <- 1
			}
		}
	}()

	changes := 0
	for round := range rounds {
		for n := range keys {
			key := fmt.Sprintf("/registry/pods/default/pod-%02d-%02d", round, n)
			create := func() *clientv3.TxnResponse {
				return must(client.Txn(ctx).If(clientv3.Compare(clientv3.ModRevision(key), "=", 0)).Then(clientv3.OpPut(key, "made")).
					Else(clientv3.OpGet(key)).Commit())
			}
			if !create().Succeeded || create().Succeeded {
				log.Fatalf("%s was to be made once", key)
			}
			at := must(client.Get(ctx, key)).Kvs[0].ModRevision
			update := func(at int64) *clientv3.TxnResponse {
				return must(client.Txn(ctx).If(clientv3.Compare(clientv3.ModRevision(key), "=", at)).Then(clientv3.OpPut(key, fmt.Sprint("changed in ", round))).
					Else(clientv3.OpGet(key)).Commit())
			}
			if !update(at).Succeeded || update(at).Succeeded {
				log.Fatalf("%s was to be changed once", key)
			}
			changes += 2
			if n%4 == 3 {
				at = must(client.Get(ctx, key)).Kvs[0].ModRevision
				gone := must(client.Txn(ctx).If(clientv3.Compare(clientv3.ModRevision(key), "=", at)).Then(clientv3.OpDelete(key)).
					Else(clientv3.OpGet(key)).Commit())
				if !gone.Succeeded {
					log.Fatalf("%s was to be deleted", key)
				}
				changes++
			}
		}
		// The list of a page, and the next one at the same revision.
		page := must(client.Get(ctx, "/registry/pods/", clientv3.WithRange(clientv3.GetPrefixRangeEnd("/registry/pods/")), clientv3.WithLimit(10)))
		next := string(page.Kvs[len(page.Kvs)-1].Key) + "\x00"
		rest := must(client.Get(ctx, next, clientv3.WithRange(clientv3.GetPrefixRangeEnd("/registry/pods/")), clientv3.WithRev(page.Header.Revision)))
		if total := len(page.Kvs) + len(rest.Kvs); total != (round+1)*keys*3/4 {
			log.Fatalf("%d keys in round %d", total, round)
		}
		fmt.Printf("round %d: %d changes\n", round, changes)
	}
	for got := 0; got < changes; got++ {
		select {
		case <-count:
		case <-time.After(30 * time.Second):
			log.Fatalf("the watch has seen %d of %d changes", got, changes)
		}
	}
	all := must(client.Get(ctx, "/registry/pods/", clientv3.WithPrefix()))
	for _, kv := range all.Kvs {
		var round, n int
		fmt.Sscanf(string(kv.Key), "/registry/pods/default/pod-%d-%d", &round, &n)
		if string(kv.Value) != fmt.Sprint("changed in ", round) {
			log.Fatalf("%s is %s", kv.Key, kv.Value)
		}
	}
	fmt.Printf("%d changes of %d keys, each seen once by the watch\n", changes, rounds*keys)
}
