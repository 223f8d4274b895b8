// Makes example event payloads, as a workflow finds them at GITHUB_EVENT_PATH, from those that the community published.
//
//   npm install @octokit/webhooks-examples@7.6.1
//   node events.mjs node_modules/@octokit/webhooks-examples/api.github.com/index.json events

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [, , from, to] = process.argv;
const events = JSON.parse(readFileSync(from, "utf8"));

function example(name, want = () => true) {
  const found = events.find((e) => e.name === name)?.examples.find(want);
  if (!found) throw new Error(`There is no such example of ${name} in ${from}.`);
  return structuredClone(found);
}

// Addresses of every list that GitHub has, and flags of features: most of a payload, and read by nobody here.
const kept = new Set(["html_url", "clone_url", "log_url", "target_url", "environment_url"]);
const dropped = new Set(["node_id", "_links", "site_admin", "assignee", "assignees", "requested_reviewers", "installation"]);
function trim(node) {
  if (Array.isArray(node)) return node.map(trim);
  if (node === null || typeof node !== "object") return node;
  const out = {};
  for (const [key, value] of Object.entries(node)) {
    if (dropped.has(key) || key.startsWith("has_") || key.startsWith("allow_") || key.endsWith("_count")) continue;
    if ((key.endsWith("_url") && !kept.has(key)) || key === "gravatar_id" || key.startsWith("watchers") || key === "forks") continue;
    out[key] = trim(value);
  }
  return out;
}

function write(name, payload) {
  writeFileSync(join(to, name + ".json"), JSON.stringify(trim(payload), null, 2) + "\n");
}

const action = (name) => (e) => e.action === name;

const push = example("push", (e) => e.ref === "refs/heads/master" && e.head_commit);
push.created = false;
push.before = "9049f1265b7d61be4a8904a9a27120d2064dab3b";
write("push", push);

write("workflow_dispatch", { ...example("workflow_dispatch"), inputs: { environment: "production" } });
write("schedule", { schedule: "0 3 * * *", workflow: ".github/workflows/previews.yml", repository: push.repository });

const opened = example("pull_request", action("opened"));
write("pull_request_opened", opened);
write("pull_request_synchronize", example("pull_request", action("synchronize")));
write("pull_request_closed", example("pull_request", action("closed")));

const fork = structuredClone(opened);
const ofStranger = (node) => JSON.parse(JSON.stringify(node).replaceAll(opened.repository.owner.login, "stranger"));
const stranger = { ...ofStranger(fork.pull_request.head.user), id: 4711 };
fork.pull_request.user = fork.sender = stranger;
fork.pull_request.author_association = "FIRST_TIME_CONTRIBUTOR";
fork.pull_request.head = {
  ...fork.pull_request.head,
  label: "stranger:" + fork.pull_request.head.ref,
  user: stranger,
  repo: { ...ofStranger(fork.pull_request.head.repo), id: 186853999, owner: stranger, fork: true },
};
write("pull_request_fork", fork);

write("release_published", example("release", action("published")));
write("deployment_status", example("deployment_status"));
write("workflow_run_completed", example("workflow_run", action("completed")));

// What tells a comment on a pull request from one on an issue is this field.
const { url, html_url } = opened.pull_request;
let comment = example("issue_comment", action("created"));
comment = JSON.parse(JSON.stringify(comment).replaceAll("/issues/" + comment.issue.number, "/issues/" + opened.number));
comment.issue = { ...comment.issue, number: opened.number, title: opened.pull_request.title, html_url, pull_request: { url, html_url } };
comment.comment.html_url = comment.comment.html_url.replace("/issues/", "/pull/");
write("issue_comment_created", comment);
