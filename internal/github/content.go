package github

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"

	gh "github.com/google/go-github/v60/github"
)

// ReadFile reads a file of the repository as it is at a commit, through the API: what the workspace holds does not
// matter. A file that does not exist is an fs.ErrNotExist.
func (a Access) ReadFile(ctx context.Context, path, sha string) ([]byte, error) {
	c, err := a.client()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	file, _, _, err := c.api().Repositories.GetContents(ctx, c.owner, c.repo, path, &gh.RepositoryContentGetOptions{Ref: sha})
	resp, message := answer(err)
	switch {
	case resp != nil && resp.StatusCode == http.StatusNotFound:
		return nil, fmt.Errorf("%s at %s: %w", path, sha, fs.ErrNotExist)
	case resp != nil:
		return nil, fmt.Errorf("read %s at %s through GitHub's API: %d %s; the job needs the permission `contents: read`",
			path, sha, resp.StatusCode, message)
	case err != nil:
		return nil, fmt.Errorf("read %s at %s through GitHub's API: %w", path, sha, err)
	case file == nil:
		return nil, fmt.Errorf("%s at %s is a directory", path, sha)
	}
	text, err := file.GetContent()
	if err != nil {
		return nil, errors.New("GitHub gave " + path + " in an encoding that is not known; files over 1 MB are not read")
	}
	return []byte(text), nil
}

// Resolve gives the commit that a branch, a tag or an abbreviated id names.
func (a Access) Resolve(ctx context.Context, ref string) (string, error) {
	c, err := a.client()
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	sha, _, err := c.api().Repositories.GetCommitSHA1(ctx, c.owner, c.repo, ref, "")
	if err != nil {
		if resp, message := answer(err); resp != nil {
			return "", fmt.Errorf("GitHub does not know the commit of %q: %d %s", ref, resp.StatusCode, message)
		}
		return "", fmt.Errorf("ask GitHub for the commit of %q: %w", ref, err)
	}
	return sha, nil
}
