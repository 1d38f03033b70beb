/**
 * Cuts GitHub's own description of its REST API down to what wave calls: `npm pack @octokit/openapi@23.0.2`, unpack it (it takes 400 MB), then
 * `node __tests__/rig/github/reduce-description.mjs package/generated/api.github.com.json`. The result is committed.
 */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

const wanted = {
  "/repos/{owner}/{repo}/check-runs": ["post"],
  "/repos/{owner}/{repo}/check-runs/{check_run_id}": ["get", "patch"],
  "/repos/{owner}/{repo}/commits/{ref}/check-runs": ["get"],
  "/repos/{owner}/{repo}/issues/{issue_number}/comments": ["get", "post"],
  "/repos/{owner}/{repo}/issues/comments/{comment_id}": ["delete", "patch"],
  "/repos/{owner}/{repo}/pulls/{pull_number}": ["get"],
  "/repos/{owner}/{repo}/pulls/{pull_number}/files": ["get"],
  "/repos/{owner}/{repo}/pulls/{pull_number}/reviews": ["get", "post"],
  "/repos/{owner}/{repo}/collaborators/{username}/permission": ["get"],
  "/repos/{owner}/{repo}/git/blobs/{file_sha}": ["get"],
  "/repos/{owner}/{repo}/git/trees/{tree_sha}": ["get"],
  "/repos/{owner}/{repo}/actions/runs/{run_id}": ["get"],
  "/repos/{owner}/{repo}/actions/caches": ["get"],
  "/repos/{owner}/{repo}/actions/runs/{run_id}/artifacts": ["get"],
  "/repos/{owner}/{repo}/actions/artifacts/{artifact_id}/{archive_format}": ["get"],
  "/user": ["get"],
};

const [file = ""] = process.argv.slice(2);
const full = JSON.parse(readFileSync(file, "utf8"));
const reduced = {
  openapi: full.openapi,
  info: { title: full.info.title, version: full.info.version, license: full.info.license },
  paths: {},
  components: {},
};
for (const [route, methods] of Object.entries(wanted)) {
  const { parameters } = full.paths[route];
  reduced.paths[route] = { ...(parameters === undefined ? {} : { parameters: lean(parameters) }) };
  for (const method of methods) reduced.paths[route][method] = lean(full.paths[route][method]);
}
for (let missing = references(reduced); missing.length > 0; missing = references(reduced)) {
  for (const reference of missing) {
    const [, , kind = "", name = ""] = reference.split("/");
    reduced.components[kind] ??= {};
    reduced.components[kind][name] = { ...lean(full.components[kind][name]), ...(kind === "responses" ? { description: "" } : {}) };
  }
}
writeFileSync(path.join(import.meta.dirname, "api.github.com.json"), `${JSON.stringify(reduced)}\n`);

/** Without what nobody validates. Members of `properties` may have any name. */
function lean(value, names = false) {
  if (Array.isArray(value)) return value.map((item) => lean(item));
  if (typeof value !== "object" || value === null) return value;
  const dropped = names ? [] : ["description", "summary", "example", "examples", "externalDocs", "x-github", "x-multi-segment", "tags"];
  const kept = Object.entries(value).filter(([name]) => !dropped.includes(name));
  const leaned = Object.fromEntries(
    kept.map(([name, member]) => [name, lean(member, !names && (name === "properties" || name === "responses"))]),
  );
  if ("responses" in leaned) for (const response of Object.values(leaned.responses)) if (!("$ref" in response)) response.description ??= "";
  // Validators take `enum` at its word.
  if (leaned.nullable === true && Array.isArray(leaned.enum)) leaned.enum = [...leaned.enum, null];
  return leaned;
}

function references(document) {
  const all = new Set([...JSON.stringify(document).matchAll(/"\$ref":"(#\/components\/[^"]+)"/g)].map(([, reference]) => reference));
  return [...all].filter((reference) => {
    const [, , kind, name] = reference.split("/");
    return document.components[kind]?.[name] === undefined;
  });
}
