package github

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// bot is who acts with GITHUB_TOKEN.
const bot = "github-actions[bot]"

// object is JSON that is answered.
type object = map[string]any

// call is one request on its way to an answer.
type call struct {
	*http.Request
	raw                []byte
	now                time.Time
	prefix, repository string
	docs               string
	params             map[string]string
}

// id is a parameter of the path that is a number.
func (c *call) id(name string) int64 {
	n, _ := strconv.ParseInt(c.params[name], 10, 64) // the description said that it is one
	return n
}

// decode reads the body, which the description has been held against.
func decode[T any](c *call) T {
	var in T
	_ = json.Unmarshal(c.raw, &in)
	return in
}

// host is the address of the API, as the client sees it.
func (c *call) host() string {
	scheme := "http"
	if c.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + c.Host + c.prefix
}

// api is an address below the repository's.
func (c *call) api(format string, args ...any) string {
	return c.host() + "/repos/" + c.repository + fmt.Sprintf(format, args...)
}

// html is a page of the repository.
func (c *call) html(format string, args ...any) string {
	return "https://github.com/" + c.repository + fmt.Sprintf(format, args...)
}

func (c *call) user() object {
	const name = "github-actions%5Bbot%5D"
	u := object{
		"login": bot, "id": 41898282, "node_id": "MDM6Qm90NDE4OTgyODI=", "gravatar_id": "", "type": "Bot", "site_admin": false,
		"avatar_url": "https://avatars.githubusercontent.com/in/15368?v=4", "html_url": "https://github.com/apps/github-actions",
		"url": c.host() + "/users/" + name,
	}
	for _, list := range strings.Fields("followers following gists starred subscriptions organizations repos events received_events") {
		u[list+"_url"] = c.host() + "/users/" + name + "/" + list
	}
	return u
}

// reply is an answer. A body of bytes is sent as it is, everything else as JSON.
type reply struct {
	status int
	header http.Header
	body   any
}

func (c *call) replied(status int, body any) reply {
	return reply{status, http.Header{"Content-Type": {"application/json; charset=utf-8"}}, body}
}

func (c *call) created(o object) reply {
	return c.replied(http.StatusCreated, o).with("Location", fmt.Sprint(o["url"]))
}

func (r reply) with(key, value string) reply {
	r.header.Set(key, value)
	return r
}

func (r reply) write(w http.ResponseWriter) {
	for key, values := range r.header {
		w.Header()[key] = values
	}
	body, raw := r.body.([]byte)
	if !raw {
		body, _ = json.Marshal(r.body)
	}
	w.WriteHeader(r.status)
	_, _ = w.Write(body) // a client that went away has its own error
}

// failed is an error as GitHub writes it.
func (c *call) failed(status int, message string) reply {
	docs := "https://docs.github.com/rest"
	if c.docs != "" {
		docs += "/" + c.docs
	}
	return c.replied(status, object{"message": message, "documentation_url": docs, "status": strconv.Itoa(status)})
}

func (c *call) notFound() reply { return c.failed(http.StatusNotFound, "Not Found") }

// invalid is a violation of a rule that the description does not know. A field may be "".
func (c *call) invalid(resource, field, code, message string) reply {
	violation := object{"resource": resource, "code": code, "message": message}
	if field != "" {
		violation["field"] = field
	}
	r := c.failed(http.StatusUnprocessableEntity, "Validation Failed")
	r.body.(object)["errors"] = []object{violation}
	return r
}

// listed is one page of a list, with the addresses of the others.
func listed[T any](c *call, all []T, show func(T) object) reply {
	const usual, most = 30, 100
	query := c.URL.Query()
	size, page := numberOr(query, "per_page", usual), numberOr(query, "page", 1)
	size = min(size, most)
	last := max(1, (len(all)+size-1)/size)
	shown := []object{}
	for i := (page - 1) * size; i >= 0 && i < min(page*size, len(all)); i++ {
		shown = append(shown, show(all[i]))
	}
	r := c.replied(http.StatusOK, shown)
	var links []string
	link := func(rel string, to int, there bool) {
		if there {
			query.Set("page", strconv.Itoa(to))
			links = append(links, fmt.Sprintf(`<%s%s?%s>; rel="%s"`, strings.TrimSuffix(c.host(), c.prefix), c.URL.EscapedPath(), query.Encode(), rel))
		}
	}
	link("prev", page-1, page > 1)
	link("next", page+1, page < last)
	link("last", last, page < last)
	link("first", 1, page > 1)
	if links == nil {
		return r
	}
	return r.with("Link", strings.Join(links, ", "))
}

func numberOr(query url.Values, name string, otherwise int) int {
	if n, err := strconv.Atoi(query.Get(name)); err == nil && n > 0 {
		return n
	}
	return otherwise
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
