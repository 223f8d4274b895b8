package github

import (
	"fmt"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"
)

// longestComment is in characters.
const longestComment = 65536

// Comment is one on a pull request, as it was edited last.
type Comment struct {
	ID                   int64
	Issue                int64 // number of the pull request
	Body, Author         string
	CreatedAt, UpdatedAt time.Time
}

type commentInput struct {
	Body string `json:"body"`
}

// commentBody is what was sent, or the answer that it is refused with.
func commentBody(c *call) (body string, refused reply, ok bool) {
	body = decode[commentInput](c).Body
	if utf8.RuneCountInString(body) > longestComment {
		return "", c.invalid("IssueComment", "data", "unprocessable", "Body is too long (maximum is 65536 characters)"), false
	}
	return body, reply{}, true
}

func (s *Server) createComment(c *call) reply {
	body, refused, ok := commentBody(c)
	if !ok {
		return refused
	}
	comment := Comment{
		ID: int64(len(s.state.comments) + 1), Issue: c.id("issue_number"), Body: body, Author: bot, CreatedAt: c.now, UpdatedAt: c.now,
	}
	s.state.comments = append(s.state.comments, comment)
	return c.created(c.comment(comment))
}

func (s *Server) updateComment(c *call) reply {
	id := c.id("comment_id")
	if id < 1 || id > int64(len(s.state.comments)) {
		return c.notFound()
	}
	body, refused, ok := commentBody(c)
	if !ok {
		return refused
	}
	comment := &s.state.comments[id-1]
	comment.Body, comment.UpdatedAt = body, c.now
	return c.replied(http.StatusOK, c.comment(*comment))
}

func (s *Server) listComments(c *call) reply {
	since, _ := time.Parse(time.RFC3339, c.URL.Query().Get("since")) // without it, of all times
	var found []Comment
	for _, comment := range s.state.comments {
		if comment.Issue == c.id("issue_number") && s.visible(c, comment.CreatedAt) && !comment.UpdatedAt.Before(since) {
			found = append(found, comment)
		}
	}
	return listed(c, found, c.comment)
}

func (c *call) comment(comment Comment) object {
	return object{
		"id": comment.ID, "node_id": fmt.Sprintf("IC_%d", comment.ID), "url": c.api("/issues/comments/%d", comment.ID),
		"html_url": c.html("/pull/%d#issuecomment-%d", comment.Issue, comment.ID), "issue_url": c.api("/issues/%d", comment.Issue),
		"body": comment.Body, "user": c.user(), "author_association": "NONE", "performed_via_github_app": nil,
		"created_at": stamp(comment.CreatedAt), "updated_at": stamp(comment.UpdatedAt),
	}
}

// Comments are those that were made, oldest first.
func (s *Server) Comments() []Comment {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.state.comments)
}
