package service

import (
	"fmt"
	"strconv"
	"time"
)

// DefaultGrace is how long a polite service goes on serving after SIGTERM: longer than routers need to notice.
const DefaultGrace = 3 * time.Second

// Config is one version's behaviour. The zero value, but for a Version, is a good one without grace.
type Config struct {
	// Version is what every answer says in its body and in X-Version.
	Version string
	// ErrorRate is the part of user requests answered 500, from 0 to 1.
	ErrorRate float64
	// ErrorAfter delays the errors: they start this long after the first user request.
	ErrorAfter time.Duration
	// Delay is added to every answer to a user.
	Delay time.Duration
	// Unready never lets the readiness check pass.
	Unready bool
	// Crash ends the process shortly after its start, with last words on stderr.
	Crash bool
	// Rude exits at once on SIGTERM.
	Rude bool
	// Grace is how long SIGTERM leaves users served before the shutdown.
	Grace time.Duration
}

// FromEnv reads a Config from VERSION, ERROR_RATE, ERROR_AFTER, DELAY_MS, UNREADY, CRASH, RUDE and GRACE. What is unset
// has its default: version "dev", [DefaultGrace]. Its errors name the variable.
func FromEnv(getenv func(string) string) (Config, error) {
	c := Config{Version: "dev", Grace: DefaultGrace}
	if v := getenv("VERSION"); v != "" {
		c.Version = v
	}
	e := env{getenv: getenv}
	e.rate("ERROR_RATE", &c.ErrorRate)
	e.duration("ERROR_AFTER", &c.ErrorAfter)
	e.milliseconds("DELAY_MS", &c.Delay)
	e.boolean("UNREADY", &c.Unready)
	e.boolean("CRASH", &c.Crash)
	e.boolean("RUDE", &c.Rude)
	e.duration("GRACE", &c.Grace)
	return c, e.err
}

// env reads variables and keeps the first error.
type env struct {
	getenv func(string) string
	err    error
}

func (e *env) lookup(name string) (string, bool) {
	v := e.getenv(name)
	return v, v != "" && e.err == nil
}

func (e *env) fail(name, value, want string) {
	e.err = fmt.Errorf("%s=%q: want %s", name, value, want)
}

func (e *env) rate(name string, to *float64) {
	v, ok := e.lookup(name)
	if !ok {
		return
	}
	f, err := strconv.ParseFloat(v, 64)
	if err != nil || !(f >= 0 && f <= 1) {
		e.fail(name, v, "a number from 0 to 1, such as 0.3")
		return
	}
	*to = f
}

func (e *env) duration(name string, to *time.Duration) {
	v, ok := e.lookup(name)
	if !ok {
		return
	}
	d, err := time.ParseDuration(v)
	if err != nil || d < 0 {
		e.fail(name, v, "a duration, such as 3s")
		return
	}
	*to = d
}

func (e *env) milliseconds(name string, to *time.Duration) {
	v, ok := e.lookup(name)
	if !ok {
		return
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 {
		e.fail(name, v, "a whole number of milliseconds, such as 300")
		return
	}
	*to = time.Duration(n) * time.Millisecond
}

func (e *env) boolean(name string, to *bool) {
	v, ok := e.lookup(name)
	if !ok {
		return
	}
	b, err := strconv.ParseBool(v)
	if err != nil {
		e.fail(name, v, "true or false")
		return
	}
	*to = b
}
