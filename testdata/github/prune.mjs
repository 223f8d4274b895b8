// Cuts GitHub's published OpenAPI description down to the operations that Tidegate calls.
//
//   npm install @octokit/openapi@23.0.2
//   node prune.mjs node_modules/@octokit/openapi/generated/api.github.com.json > openapi.json
//
// Parameters and request bodies stay as they are published, but for prose: every request of Tidegate is checked against
// them. What describes a response stays too, so that the double's own answers can be checked.

import { readFileSync } from "node:fs";

const repository = "/repos/{owner}/{repo}";
const operations = {
  "/deployments": ["get", "post"],
  "/deployments/{deployment_id}": ["get"],
  "/deployments/{deployment_id}/statuses": ["get", "post"],
  "/statuses/{sha}": ["post"],
  "/commits/{ref}": ["get"],
  "/commits/{ref}/statuses": ["get"],
  "/check-runs": ["post"],
  "/check-runs/{check_run_id}": ["get", "patch"],
  "/contents/{path}": ["get"],
  "/environments/{environment_name}": ["get"],
  "/issues/{issue_number}/comments": ["get", "post"],
  "/issues/comments/{comment_id}": ["patch"],
};

// Said for people and for GitHub's own tools, and no part of the contract.
const prose = new Set([
  "description",
  "summary",
  "tags",
  "example",
  "examples",
  "externalDocs",
  "x-github",
  "x-github-breaking-changes",
  "x-octokit",
  "deprecated",
]);

// Keys under which the keys are somebody's names: a field may be called `description`, and is none.
const named = new Set(["properties", "paths", "schemas", "parameters", "responses", "headers", "content", "mapping"]);

function trim(node, names = false) {
  if (Array.isArray(node)) return node.map((n) => trim(n));
  if (node === null || typeof node !== "object") return node;
  const out = {};
  for (const [key, value] of Object.entries(node)) {
    if (!names && prose.has(key)) continue;
    out[key] = trim(value, !names && named.has(key) && !Array.isArray(value));
  }
  return out;
}

// OpenAPI wants a description of every response, be it a word.
function describe(responses) {
  for (const [key, response] of Object.entries(responses)) {
    if (!response.$ref) responses[key] = { description: key, ...response };
  }
  return responses;
}

const source = JSON.parse(readFileSync(process.argv[2], "utf8"));
const paths = {};
for (const [path, methods] of Object.entries(operations)) {
  const item = {};
  for (const method of methods) {
    const operation = source.paths[repository + path]?.[method];
    if (!operation) throw new Error(`${method} ${path} is not in ${process.argv[2]}: it was renamed or removed.`);
    item[method] = trim(operation);
    describe(item[method].responses);
  }
  paths[repository + path] = item;
}

// What the operations refer to, and what that refers to.
const components = {};
const seen = new Set();
function collect(node) {
  if (node === null || typeof node !== "object") return;
  if (typeof node.$ref === "string" && !seen.has(node.$ref)) {
    seen.add(node.$ref);
    const [, , kind, name] = node.$ref.split("/");
    components[kind] ??= {};
    components[kind][name] = trim(source.components[kind][name]);
    collect(components[kind][name]);
  }
  Object.values(node).forEach(collect);
}
collect(paths);
describe(components.responses);

const sorted = {};
for (const kind of Object.keys(components).sort()) {
  sorted[kind] = Object.fromEntries(Object.entries(components[kind]).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const { title, version, license } = source.info;
const pruned = { openapi: source.openapi, info: { title, version, license }, servers: source.servers, paths, components: sorted };
process.stdout.write(JSON.stringify(pruned, null, 1) + "\n");
