package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"sync"
)

const (
	defaultUsers = 1000
	// defaultBurst is how many requests a browser has under way to one host over HTTP/1.1.
	defaultBurst = 6
)

// UserOptions say who comes. The Rate is that of the requests of all users together.
type UserOptions struct {
	Options
	// Users is how many there are: 1000 when 0. They come for the first time one by one, every other visit being that of
	// a user who has been there.
	Users int
	// Burst is how many requests are sent at once: 6 when 0. Every first visit is that, and every fourth later one.
	Burst int
	// Seed makes the order of later visits another one.
	Seed uint64
}

// Users are people with browsers: each keeps the cookies that the answers set and comes back with them. The requests of a
// first visit are sent together, so that none of them has a cookie that another one's answer sets. A user comes back when
// every answer of the visit before is there. It is safe for concurrent use.
type Users struct {
	sender
	burst int
	site  *url.URL // what cookies are kept for
	stop  context.CancelFunc
	done  chan struct{} // closed when every answer is recorded

	mu    sync.Mutex
	users []user
	met   int // how many have come
}

// user is one of them.
type user struct {
	jar     *cookiejar.Jar
	flying  int // requests under way
	visits  int
	history History // in the order of the answers
}

// StartUsers lets users in until Stop, or until ctx ends; those under way then still get their answers.
func StartUsers(ctx context.Context, o UserOptions) (*Users, error) {
	to, err := newSender(ctx, o.Options)
	if err != nil {
		return nil, err
	}
	if o.Users < 0 || o.Burst < 0 {
		return nil, fmt.Errorf("load: %d users who send %d requests at once: want more than 0, or 0 for the usual", o.Users, o.Burst)
	}
	u := &Users{sender: to, burst: o.Burst, done: make(chan struct{})}
	if u.site, err = url.Parse(to.target); err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	if o.Host != "" {
		u.site.Host = o.Host // a browser knows the site by its name, not by an address
	}
	if u.burst == 0 {
		u.burst = defaultBurst
	}
	if o.Users == 0 {
		o.Users = defaultUsers
	}
	if u.users, err = newcomers(o.Users); err != nil {
		return nil, err
	}
	sending, stop := context.WithCancel(ctx)
	u.stop = stop
	go u.run(sending, context.WithoutCancel(ctx), rand.New(rand.NewPCG(o.Seed, 0)))
	return u, nil
}

func newcomers(n int) ([]user, error) {
	users := make([]user, n)
	for i := range users {
		jar, err := cookiejar.New(nil)
		if err != nil {
			return nil, fmt.Errorf("load: %w", err)
		}
		users[i].jar = jar
	}
	return users, nil
}

// run keeps the schedule: a visit is due when all requests before it were. So the rate holds over any time longer than a
// burst.
func (u *Users) run(sending, answering context.Context, chance *rand.Rand) {
	defer close(u.done)
	defer u.client.CloseIdleConnections()
	var flying sync.WaitGroup
	defer flying.Wait()
	start, sent := u.clock.Now(), 0
	for visit := 0; ; visit++ {
		if err := u.due(sending, start, sent); err != nil {
			return
		}
		who, requests := u.next(visit, chance)
		if who < 0 {
			sent++ // everyone who could come waits for an answer
			continue
		}
		cookies := u.users[who].jar.Cookies(u.site)
		for range requests {
			flying.Go(func() { u.ask(answering, who, cookies) })
		}
		sent += requests
	}
}

// next is who comes now, and with how many requests; -1 when nobody can.
func (u *Users) next(visit int, chance *rand.Rand) (who, requests int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if who = -1; visit%2 == 1 || u.met == len(u.users) {
		who = u.idle(chance)
	}
	if who < 0 && u.met < len(u.users) {
		who = u.met
		u.met++
	}
	if who < 0 {
		return who, 0
	}
	requests = 1
	if u.users[who].visits%4 == 0 {
		requests = u.burst
	}
	u.users[who].visits++
	u.users[who].flying = requests
	return who, requests
}

// idle is somebody who has been there and waits for no answer, or -1 when a few tries find none.
func (u *Users) idle(chance *rand.Rand) int {
	for range min(u.met, 20) {
		if who := chance.IntN(u.met); u.users[who].flying == 0 {
			return who
		}
	}
	return -1
}

func (u *Users) ask(ctx context.Context, who int, cookies []*http.Cookie) {
	a := u.send(ctx, cookies, func(set []*http.Cookie) { u.users[who].jar.SetCookies(u.site, set) })
	u.mu.Lock()
	defer u.mu.Unlock()
	u.users[who].flying--
	u.users[who].history = append(u.users[who].history, a)
}

// Met is how many users have come so far.
func (u *Users) Met() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.met
}

// Histories are those of the users who have come so far.
func (u *Users) Histories() Histories {
	u.mu.Lock()
	defer u.mu.Unlock()
	all := make(Histories, u.met)
	for i := range all {
		all[i] = slices.Clone(u.users[i].history)
		inOrder(all[i])
	}
	return all
}

// Stop lets nobody come any more, waits for the answers under way, at most the Timeout, and returns all of them in the
// order in which the requests were sent. It may be called again.
func (u *Users) Stop() []Answer {
	u.stop()
	<-u.done
	return u.Snapshot()
}

// Snapshot returns the answers so far, in the order in which the requests were sent.
func (u *Users) Snapshot() []Answer { return u.Histories().Answers() }

// Counts summarizes the answers so far.
func (u *Users) Counts() Summary { return Summarize(u.Snapshot()) }
