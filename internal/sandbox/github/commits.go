package github

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// mostCommitStatuses is for one sha and context: documented, with its 422.
const mostCommitStatuses = 1000

// CommitStatus is one that was posted.
type CommitStatus struct {
	ID                                                   int64
	SHA, Context, State, Description, TargetURL, Creator string
	At                                                   time.Time
}

// AddRef lets a branch or tag stand at a commit.
func (s *Server) AddRef(name, sha string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.refs[short(name)] = sha
}

// AddFile puts a file into the commit that a ref ("" for main) stands at. A ref that is not there is created.
func (s *Server) AddFile(ref, path, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sha, ok := s.resolve(ref)
	if !ok {
		sha = madeUp(short(ref))
		s.state.refs[short(ref)] = sha
	}
	if s.state.files[sha] == nil {
		s.state.files[sha] = map[string]string{}
	}
	s.state.files[sha][path] = text
}

// short is a ref without what says whether it is a branch or a tag.
func short(ref string) string {
	ref = strings.TrimPrefix(ref, "refs/")
	for _, kind := range []string{"heads/", "tags/"} {
		if name, ok := strings.CutPrefix(ref, kind); ok {
			return name
		}
	}
	return ref
}

// resolve is the commit that a ref means. Every full sha is one: the double does not know history.
func (s *Server) resolve(ref string) (string, bool) {
	if ref == "" {
		ref = defaultBranch
	}
	if sha, ok := s.state.refs[short(ref)]; ok {
		return sha, true
	}
	return ref, isSHA(ref)
}

func isSHA(text string) bool {
	_, err := hex.DecodeString(text)
	return err == nil && len(text) == 40
}

type commitStatusInput struct {
	State       string  `json:"state"`
	TargetURL   string  `json:"target_url"`
	Description string  `json:"description"`
	Context     *string `json:"context"`
}

func (s *Server) createCommitStatus(c *call) reply {
	const resource = "Status"
	sha, in := c.params["sha"], decode[commitStatusInput](c)
	context := valueOr(in.Context, "default")
	if !isSHA(sha) {
		return c.invalid(resource, "sha", "custom", "sha must be a 40 character SHA1")
	}
	if utf8.RuneCountInString(in.Description) > longestDescription {
		return c.invalid(resource, "description", "custom", "description is too long (maximum is 140 characters)")
	}
	if notWeb("target_url", in.TargetURL) != "" {
		return c.invalid(resource, "target_url", "custom", "target_url must use http(s) scheme")
	}
	n := 0
	for _, before := range s.state.statuses[sha] {
		if before.Context == context {
			n++
		}
	}
	if n >= mostCommitStatuses {
		return c.invalid(resource, "", "custom", "This SHA and context has reached the maximum number of statuses.")
	}
	s.state.commitCount++
	status := CommitStatus{
		ID: int64(s.state.commitCount), SHA: sha, Context: context, State: in.State, Description: in.Description, TargetURL: in.TargetURL,
		Creator: bot, At: c.now,
	}
	s.state.statuses[sha] = append(s.state.statuses[sha], status)
	return c.created(c.commitStatus(status))
}

func (s *Server) listCommitStatuses(c *call) reply {
	sha, ok := s.resolve(c.params["ref"])
	if !ok {
		return c.notFound()
	}
	var found []CommitStatus
	for _, status := range slices.Backward(s.state.statuses[sha]) {
		if s.visible(c, status.At) {
			found = append(found, status)
		}
	}
	return listed(c, found, c.commitStatus)
}

func (c *call) commitStatus(status CommitStatus) object {
	user := c.user()
	return object{
		"id": status.ID, "node_id": fmt.Sprintf("SC_%d", status.ID), "url": c.api("/statuses/%s", status.SHA), "avatar_url": user["avatar_url"],
		"state": status.State, "description": status.Description, "target_url": status.TargetURL, "context": status.Context,
		"creator": user, "created_at": stamp(status.At), "updated_at": stamp(status.At),
	}
}

// CommitStatuses are those of a commit, oldest first.
func (s *Server) CommitStatuses(sha string) []CommitStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.state.statuses[sha])
}

func (s *Server) getCommit(c *call) reply {
	sha, ok := s.resolve(c.params["ref"])
	if !ok {
		return c.failed(http.StatusUnprocessableEntity, "No commit found for SHA: "+c.params["ref"])
	}
	if strings.Contains(c.Header.Get("Accept"), "sha") {
		return c.replied(http.StatusOK, []byte(sha)).with("Content-Type", "application/vnd.github.sha; charset=utf-8")
	}
	at := c.api("/commits/%s", sha)
	return c.replied(http.StatusOK, object{
		"sha": sha, "node_id": "C_" + sha[:12], "url": at, "html_url": c.html("/commit/%s", sha), "comments_url": at + "/comments",
		"author": nil, "committer": nil, "parents": []object{}, "commit": object{
			"url": c.api("/git/commits/%s", sha), "author": nil, "committer": nil, "message": "Commit " + sha[:7], "comment_count": 0,
			"tree": object{"sha": sha, "url": c.api("/git/trees/%s", sha)},
		},
	})
}

func (s *Server) getContent(c *call) reply {
	ref := c.URL.Query().Get("ref")
	sha, ok := s.resolve(ref)
	if !ok {
		return c.failed(http.StatusNotFound, "No commit found for the ref "+ref)
	}
	name := c.params["path"]
	text, ok := s.state.files[sha][name]
	if !ok {
		for other := range s.state.files[sha] {
			if strings.HasPrefix(other, name+"/") {
				s.problem(c, "this is a folder, which GitHub would list and the double does not: ask for a file")
				break
			}
		}
		return c.notFound()
	}
	if strings.Contains(c.Header.Get("Accept"), ".raw") {
		return c.replied(http.StatusOK, []byte(text)).with("Content-Type", "application/vnd.github.raw+json; charset=utf-8")
	}
	blob := sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(text), text))
	at := c.api("/contents/%s", escaped(name))
	git, page := c.api("/git/blobs/%x", blob), c.html("/blob/%s/%s", sha, escaped(name))
	return c.replied(http.StatusOK, object{
		"type": "file", "encoding": "base64", "content": wrapped(text), "size": len(text), "name": path.Base(name), "path": name,
		"sha": hex.EncodeToString(blob[:]), "url": at, "git_url": git, "html_url": page, "download_url": nil,
		"_links": object{"self": at, "git": git, "html": page},
	})
}

// wrapped is base64 in lines of sixty, as GitHub sends it: who does not expect the line ends fails here already.
func wrapped(text string) string {
	var b strings.Builder
	for line := range slices.Chunk([]byte(base64.StdEncoding.EncodeToString([]byte(text))), 60) {
		b.Write(line)
		b.WriteByte('\n')
	}
	return b.String()
}

// escaped is a path for an address, its slashes kept.
func escaped(path string) string { return (&url.URL{Path: path}).EscapedPath() }
