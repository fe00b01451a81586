// One member of a groupcache: gets what it is told to get, and says what it loaded.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/golang/groupcache"
)

type order struct {
	Keys     []string `json:"keys"`
	InFlight int      `json:"inFlight"`
	Passes   int      `json:"passes"`
}

var (
	mutex  sync.Mutex
	loaded = []string{}
)

// A key is "SIZE:NAME"; one whose name begins with "herd" takes a while to load.
func load(_ context.Context, key string, sink groupcache.Sink) error {
	size, name, _ := strings.Cut(key, ":")
	bytes, err := strconv.Atoi(size)
	if err != nil {
		return err
	}
	mutex.Lock()
	loaded = append(loaded, key)
	mutex.Unlock()
	if strings.HasPrefix(name, "herd") {
		time.Sleep(200 * time.Millisecond)
	}
	value := make([]byte, bytes)
	for i := range value {
		value[i] = 7
	}
	return sink.SetBytes(value)
}

func get(group *groupcache.Group, wish order) {
	count := int64(len(wish.Keys) * wish.Passes)
	var next atomic.Int64
	var workers sync.WaitGroup
	began := time.Now()
	for i := 0; i < wish.InFlight; i++ {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for {
				at := next.Add(1) - 1
				if at >= count {
					return
				}
				var value []byte
				key := wish.Keys[at%int64(len(wish.Keys))]
				if err := group.Get(context.Background(), key, groupcache.AllocatingByteSliceSink(&value)); err != nil {
					panic(err)
				}
			}
		}()
	}
	workers.Wait()
	fmt.Printf("{\"ops\":%d,\"ms\":%f}\n", count, float64(time.Since(began).Microseconds())/1000)
}

func main() {
	self, all := os.Args[1], os.Args[2:]
	urls := []string{}
	for _, address := range all {
		urls = append(urls, "http://"+address)
	}
	pool := groupcache.NewHTTPPool("http://" + self)
	pool.Transport = func(context.Context) http.RoundTripper { return transport }
	pool.Set(urls...)
	group := groupcache.NewGroup("bench", 30_000*10<<10*9/8, groupcache.GetterFunc(load))
	go func() { panic(http.ListenAndServe(self, pool)) }()
	fmt.Printf("{\"members\":%d}\n", len(all))

	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var wish order
		if err := json.Unmarshal(lines.Bytes(), &wish); err != nil {
			panic(err)
		}
		if wish.Keys != nil {
			get(group, wish)
			continue
		}
		mutex.Lock()
		text, _ := json.Marshal(map[string][]string{"loaded": loaded})
		loaded = []string{}
		mutex.Unlock()
		fmt.Println(string(text))
	}
}

// Go keeps two idle connections to a host as a rule, and connects anew for each further call at a time.
var transport = func() *http.Transport {
	tuned := http.DefaultTransport.(*http.Transport).Clone()
	tuned.MaxIdleConnsPerHost = 512
	return tuned
}()
