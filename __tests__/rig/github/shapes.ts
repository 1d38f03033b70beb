/** Answers in the shapes that GitHub's description asks for: what it requires is filled with samples, and what matters is laid over them. */
import { readFileSync } from "node:fs";
import path from "node:path";
import type { CheckState, CommentState, GitHubState, PullState, ReviewState } from "./answers.ts";

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly nullable?: boolean;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}

type Value = Readonly<Record<string, unknown>>;

const schemas = (
  JSON.parse(readFileSync(path.join(import.meta.dirname, "api.github.com.json"), "utf8")) as {
    components: { schemas: Record<string, Schema> };
  }
).components.schemas;

const known = new Map<string, Value>();

function sampleOf(name: string): Value {
  const sample = known.get(name) ?? (required(schemas[name] ?? {}) as Value);
  known.set(name, sample);
  return sample;
}

/** What a schema requires, and no more. */
function required(schema: Schema): unknown {
  if (schema.$ref !== undefined) return required(schemas[schema.$ref.split("/").at(-1) ?? ""] ?? {});
  const types = typeof schema.type === "string" ? [schema.type] : (schema.type ?? []);
  if (schema.nullable === true || types.includes("null")) return null;
  if (schema.enum !== undefined) return schema.enum[0];
  const [first] = schema.oneOf ?? schema.anyOf ?? [];
  if (first !== undefined) return required(first);
  if (schema.allOf !== undefined) return Object.assign({}, ...schema.allOf.map(required));
  if (schema.properties !== undefined || types.includes("object"))
    return Object.fromEntries((schema.required ?? []).map((name) => [name, required(schema.properties?.[name] ?? {})]));
  if (types.includes("array")) return [];
  if (types.includes("integer") || types.includes("number")) return 1;
  if (types.includes("boolean")) return false;
  return schema.format === "date-time" ? "2026-01-01T00:00:00Z" : schema.format === "uri" ? "https://example.com/x" : "x";
}

/** An account; those whose names end in `[bot]` are bots. */
export function userOf(login: string): Value {
  return { ...sampleOf("simple-user"), login, type: login.endsWith("[bot]") ? "Bot" : "User" };
}

/** The answer about a user's own account. */
export function accountOf(login: string): Value {
  return { ...sampleOf("private-user"), login, type: "User" };
}

export function checkOf({ annotations, ...check }: CheckState): Value {
  const output = {
    text: null,
    annotations_count: annotations.length,
    annotations_url: "https://example.com/x",
    ...check.output,
  };
  return { ...sampleOf("check-run"), ...check, output, pull_requests: [] };
}

export function commentOf({ id, issue, login, body }: CommentState): Value {
  const place = `https://github.com/octo/demo/pull/${issue}`;
  return { ...sampleOf("issue-comment"), id, body, user: userOf(login), html_url: `${place}#issuecomment-${id}` };
}

export function reviewOf({ id, pull, login, body, commit_id }: ReviewState): Value {
  const html_url = `https://github.com/octo/demo/pull/${pull}#pullrequestreview-${id}`;
  return { ...sampleOf("pull-request-review"), id, body, commit_id, user: userOf(login), state: "COMMENTED", html_url };
}

export function pullFileOf({ filename, patch }: PullState["files"][number]): Value {
  return { ...sampleOf("diff-entry"), filename, status: "modified", ...(patch === undefined ? {} : { patch }) };
}

export function pullOf({ number, head, base, fork }: PullState): Value {
  const sample = sampleOf("pull-request");
  const repo = (full_name: string) => ({ ...sampleOf("repository"), full_name });
  const end = (sha: string, ref: string, name: string) => ({ label: ref, ref, sha, user: userOf("mona"), repo: repo(name) });
  return {
    ...sample,
    number,
    user: userOf("mona"),
    head: end(head, "feature", fork ? "stranger/demo" : "octo/demo"),
    base: end(base, "main", "octo/demo"),
  };
}

export function permissionOf(permission: string, user: Value): Value {
  return { permission, role_name: permission, user: { ...user, role_name: permission } };
}

export function artifactOf({ id, name, size, hash }: GitHubState["artifacts"][number]): Value {
  const digest = hash === undefined ? {} : { digest: hash };
  return { ...sampleOf("artifact"), id, name, size_in_bytes: size, expired: false, created_at: "2026-01-01T00:00:00Z", ...digest };
}

/** `lines` are those of `git ls-tree -l`. */
export function treeOf(sha: string, lines: readonly string[], truncated: boolean): Value {
  const tree = lines.map((line) => {
    const [, mode = "", type = "", id = "", size = "", path = ""] = /^(\d+) (\w+) (\w+) +(\d+|-)\t(.+)$/s.exec(line) ?? [];
    return { path, mode, type, sha: id, ...(size === "-" ? {} : { size: Number(size) }), url: "https://example.com/x" };
  });
  return { ...sampleOf("git-tree"), sha, tree, truncated };
}

/** GitHub wraps the lines of base64. */
export function blobOf(sha: string, bytes: Buffer): Value {
  const content = bytes.toString("base64").replace(/.{60}/g, "$&\n");
  return { ...sampleOf("blob"), sha, size: bytes.length, content, encoding: "base64" };
}

export function workflowRunOf(id: number, { event, head }: { readonly event: string; readonly head: number }): Value {
  const repository = (number: number) => ({ ...sampleOf("minimal-repository"), id: number });
  return { ...sampleOf("workflow-run"), id, event, repository: repository(1), head_repository: repository(head) };
}
