package runner

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// environment is what a step's process gets, with the host's paths.
func (j *Job) environment(a Action, inputs, state map[string]string, f files) []string {
	j.mu.Lock()
	env := maps.Clone(j.carried)
	j.mu.Unlock()
	for name, value := range state {
		env["STATE_"+name] = value
	}
	for name, value := range inputs {
		env["INPUT_"+strings.ToUpper(strings.ReplaceAll(name, " ", "_"))] = value
	}
	for name, value := range a.Runs.Env {
		if _, set := env[name]; !set {
			env[name] = evaluate(value, func(e string) string { return inputs[strings.TrimPrefix(e, "inputs.")] })
		}
	}
	maps.Copy(env, j.contexts())
	maps.Copy(env, j.Env)
	maps.Copy(env, f.env())
	env["HOME"] = j.Home()
	env["GITHUB_ACTIONS"] = "true"
	var list []string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}

// contexts are the variables of a push to the main branch of octo/shop, or what follows from Env.
func (j *Job) contexts() map[string]string {
	get := func(name, otherwise string) string { return cmp.Or(j.Env[name], otherwise) }
	repository, ref := get("GITHUB_REPOSITORY", "octo/shop"), get("GITHUB_REF", "refs/heads/main")
	sha, actor := get("GITHUB_SHA", "6dcb09b5b57875f334f61aebed695e2e4193db5e"), get("GITHUB_ACTOR", "octocat")
	server := get("GITHUB_SERVER_URL", "https://github.com")
	api := "https://api.github.com"
	graphql := api + "/graphql"
	if server != "https://github.com" {
		api, graphql = server+"/api/v3", server+"/api/graphql"
	}
	owner, _, _ := strings.Cut(repository, "/")
	kind, name := refName(ref)
	env := map[string]string{
		"CI": "true", "PATH": imagePath,
		"GITHUB_ACTION": "__tidegate_tidegate", "GITHUB_ACTION_REPOSITORY": "tidegate/tidegate", "GITHUB_ACTION_REF": "v1",
		"GITHUB_ACTOR": actor, "GITHUB_ACTOR_ID": "583231", "GITHUB_TRIGGERING_ACTOR": actor,
		"GITHUB_API_URL": api, "GITHUB_GRAPHQL_URL": graphql, "GITHUB_SERVER_URL": server,
		"GITHUB_BASE_REF": "", "GITHUB_HEAD_REF": "", "GITHUB_REF": ref, "GITHUB_REF_NAME": name, "GITHUB_REF_TYPE": kind,
		"GITHUB_REF_PROTECTED": "true", "GITHUB_SHA": sha,
		"GITHUB_REPOSITORY": repository, "GITHUB_REPOSITORY_ID": "1296269", "GITHUB_REPOSITORY_OWNER": owner,
		"GITHUB_REPOSITORY_OWNER_ID": "583231", "GITHUB_RETENTION_DAYS": "90",
		"GITHUB_RUN_ID": "1658821493", "GITHUB_RUN_NUMBER": "17", "GITHUB_RUN_ATTEMPT": "1",
		"GITHUB_JOB": "deploy", "GITHUB_WORKFLOW": "deploy", "GITHUB_WORKFLOW_SHA": sha,
		"GITHUB_WORKFLOW_REF": repository + "/.github/workflows/deploy.yml@" + ref,
		"GITHUB_EVENT_NAME":   j.EventName, "GITHUB_EVENT_PATH": j.event(), "GITHUB_WORKSPACE": j.Workspace(),
		"RUNNER_OS": "Linux", "RUNNER_ARCH": "X64", "RUNNER_NAME": "GitHub Actions 1", "RUNNER_ENVIRONMENT": "github-hosted",
		"RUNNER_TEMP": j.Temp(), "RUNNER_TOOL_CACHE": "/opt/hostedtoolcache", "RUNNER_WORKSPACE": j.Dir,
	}
	return env
}

func refName(ref string) (kind, name string) {
	if tag, ok := strings.CutPrefix(ref, "refs/tags/"); ok {
		return "tag", tag
	}
	if pull, ok := strings.CutPrefix(ref, "refs/pull/"); ok {
		return "branch", pull
	}
	return "branch", strings.TrimPrefix(ref, "refs/heads/")
}
