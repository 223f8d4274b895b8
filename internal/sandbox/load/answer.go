package load

import (
	"net/http"
	"time"
)

// VersionHeader is how a version names itself on its answers, errors included.
const VersionHeader = "X-Version"

// Answer is what became of one request.
type Answer struct {
	// At is when the request was sent.
	At time.Time
	// Took is how long the whole answer needed.
	Took time.Duration
	// Version is who answered; empty when no version did.
	Version string
	// Status is the HTTP status; 0 when there was no answer.
	Status int
	// Err is why there was no complete answer; empty otherwise.
	Err string
}

// Lost tells that no version answered: a connection error, a time-out, or an error that the way there made up.
func (a Answer) Lost() bool {
	return a.Err != "" || a.Version == "" && (a.Status >= 500 || a.Status == http.StatusNotFound)
}

// Bad tells that a version answered with an error of its own.
func (a Answer) Bad() bool { return !a.Lost() && a.Version != "" && a.Status >= 500 }

// Summary counts answers. Sent is Served + Failed + Lost.
type Summary struct {
	Sent, Served, Failed, Lost int
	// ByVersion counts every complete answer of a version, FailedByVersion its errors.
	ByVersion, FailedByVersion map[string]int
	// FirstBad and LastBad are when the first and the last request was sent that a version failed; zero if none did.
	FirstBad, LastBad time.Time
}

// Summarize counts the answers, in any order.
func Summarize(answers []Answer) Summary {
	s := Summary{Sent: len(answers), ByVersion: map[string]int{}, FailedByVersion: map[string]int{}}
	for _, a := range answers {
		s.add(a)
	}
	return s
}

func (s *Summary) add(a Answer) {
	if a.Lost() {
		s.Lost++
		return
	}
	if a.Version != "" {
		s.ByVersion[a.Version]++
	}
	if !a.Bad() {
		s.Served++
		return
	}
	s.Failed++
	s.FailedByVersion[a.Version]++
	if s.FirstBad.IsZero() || a.At.Before(s.FirstBad) {
		s.FirstBad = a.At
	}
	if a.At.After(s.LastBad) {
		s.LastBad = a.At
	}
}
