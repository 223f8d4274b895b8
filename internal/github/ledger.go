package github

import (
	"encoding/json"
	"slices"
	"strings"
)

// Topics that are told. Each gate has a topic of its own: topicGate and its name.
const (
	topicDeployment = "deployment"
	topicRollout    = "rollout"
	topicGate       = "gate/"
	topicCheck      = "check"
	topicOlder      = "older" // deployments before ours are inactive
)

// Ledger is what GitHub should know of one rollout and what it has been told. It is plain data: it travels with the
// rollout's record to whoever carries the rollout on, and from the job's main step to its post step.
type Ledger struct {
	Rollout     string `json:"rollout,omitempty"` // ID
	SHA         string `json:"sha"`
	Environment string `json:"environment"`
	Name        string `json:"name"` // of the deploy spec
	Deployment  int64  `json:"deployment,omitempty"`
	Check       int64  `json:"check,omitempty"`
	// Older are the deployments of this service and environment that may still be active, newest first.
	Older []int64 `json:"older,omitempty"`
	// Listed says that Older, and what else stands at this commit, was asked for.
	Listed bool            `json:"listed,omitempty"`
	Wanted map[string]Post `json:"wanted,omitempty"`
	Told   map[string]Post `json:"told,omitempty"`
	// Requests is how many requests all runs made for this rollout.
	Requests int `json:"requests,omitempty"`
}

// Post is what one topic says.
type Post struct {
	State string `json:"state"`
	Text  string `json:"text,omitempty"`
	// Closing marks what must be told at the end; the rest may be left out when the budget of requests is small.
	Closing bool `json:"closing,omitempty"`
}

// note is the ledger as the record keeps it, under noteKey.
const noteKey = "github"

func (l *Ledger) note() string {
	kept := *l
	kept.Wanted = nil // whoever carries the rollout on knows better
	data, err := json.Marshal(kept)
	if err != nil {
		return "" // plain data always can
	}
	return string(data)
}

// adopt continues with what an earlier run of the same rollout had told. Its commit and environment stay: who aborts
// from another workflow run speaks about the commit that was deployed.
func (l *Ledger) adopt(note string) {
	var old Ledger
	if json.Unmarshal([]byte(note), &old) != nil || old.SHA == "" {
		return
	}
	wanted, requests := l.Wanted, l.Requests
	*l = old
	l.Wanted = wanted
	l.Requests += requests
	l.Listed = l.Listed && l.Deployment != 0 // it may have been made, and its ID lost with the run
}

func (l *Ledger) want(topic string, p Post) {
	if l.Wanted == nil {
		l.Wanted = map[string]Post{}
	}
	l.Wanted[topic] = p
}

func (l *Ledger) told(topic string, p Post) {
	if l.Told == nil {
		l.Told = map[string]Post{}
	}
	l.Told[topic] = p
}

// untold are the topics that GitHub does not know the latest of, the most important first: what closes, then what
// people look at most.
func (l *Ledger) untold() []string {
	var topics []string
	for topic, p := range l.Wanted {
		if l.Told[topic] != p {
			topics = append(topics, topic)
		}
	}
	slices.SortFunc(topics, func(a, b string) int {
		if l.Wanted[a].Closing != l.Wanted[b].Closing {
			if l.Wanted[a].Closing {
				return -1
			}
			return 1
		}
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	return topics
}

// Heard tells whether GitHub knows everything that it should.
func (l Ledger) Heard() bool { return len(l.untold()) == 0 }

func rank(topic string) int {
	switch topic {
	case topicDeployment:
		return 0
	case topicRollout:
		return 1
	case topicCheck:
		return 3
	case topicOlder:
		return 4
	}
	return 2
}

// copy is the ledger for who keeps it while the reporter goes on.
func (l *Ledger) copy() Ledger {
	kept := *l
	kept.Older = slices.Clone(l.Older)
	kept.Wanted, kept.Told = map[string]Post{}, map[string]Post{}
	for topic, p := range l.Wanted {
		kept.Wanted[topic] = p
	}
	for topic, p := range l.Told {
		kept.Told[topic] = p
	}
	return kept
}
