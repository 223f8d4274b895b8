package github

import "strings"

// operation is how one is answered, the permission it needs in the words of the header that tells it, and the page that
// GitHub's errors refer to.
type operation struct {
	handle      func(*Server, *call) reply
	needs, docs string
}

// operations are GitHub's names. The needs are what GitHub's reference names for a private repository.
func operations() map[string]operation {
	const (
		deployments = "deployments/deployments#"
		progress    = "deployments/statuses#"
		statuses    = "commits/statuses#"
		comments    = "issues/comments#"
		runs        = "checks/runs#"
		readComment = "issues=read; pull_requests=read"
		comment     = "issues=write; pull_requests=write"
	)
	return map[string]operation{
		"repos/create-deployment":            {(*Server).createDeployment, "deployments=write", deployments + "create-a-deployment"},
		"repos/list-deployments":             {(*Server).listDeployments, "deployments=read", deployments + "list-deployments"},
		"repos/get-deployment":               {(*Server).getDeployment, "deployments=read", deployments + "get-a-deployment"},
		"repos/create-deployment-status":     {(*Server).createDeploymentStatus, "deployments=write", progress + "create-a-deployment-status"},
		"repos/list-deployment-statuses":     {(*Server).listDeploymentStatuses, "deployments=read", progress + "list-deployment-statuses"},
		"repos/get-environment":              {(*Server).getEnvironment, "actions=read", "deployments/environments#get-an-environment"},
		"repos/create-commit-status":         {(*Server).createCommitStatus, "statuses=write", statuses + "create-a-commit-status"},
		"repos/list-commit-statuses-for-ref": {(*Server).listCommitStatuses, "statuses=read", statuses + "list-commit-statuses-for-a-reference"},
		"repos/get-commit":                   {(*Server).getCommit, "contents=read", "commits/commits#get-a-commit"},
		"repos/get-content":                  {(*Server).getContent, "contents=read", "repos/contents#get-repository-content"},
		"checks/create":                      {(*Server).createCheckRun, "checks=write", runs + "create-a-check-run"},
		"checks/get":                         {(*Server).getCheckRun, "checks=read", runs + "get-a-check-run"},
		"checks/update":                      {(*Server).updateCheckRun, "checks=write", runs + "update-a-check-run"},
		"issues/create-comment":              {(*Server).createComment, comment, comments + "create-an-issue-comment"},
		"issues/list-comments":               {(*Server).listComments, readComment, comments + "list-issue-comments"},
		"issues/update-comment":              {(*Server).updateComment, comment, comments + "update-an-issue-comment"},
	}
}

// permits tells whether the token has what an operation needs. Of several the last counts: GitHub names issues for
// comments too, but on a pull request, and here everything is one, only pull_requests helps.
func (s *Server) permits(needs string) bool {
	if s.options.Permissions == nil {
		return true
	}
	name, level, _ := strings.Cut(needs[strings.LastIndexByte(needs, ' ')+1:], "=")
	has := s.options.Permissions[strings.ReplaceAll(name, "_", "-")]
	return has == "write" || has == level
}
