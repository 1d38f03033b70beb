/**
 * Fetches one commit for a job without a token, from the server and repository in the runner's variables, into an empty bare
 * repository. Git ignores the configuration of the machine, the account and the checkout, and may use only https.
 */
import { mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import type { CommitEntry, CommitObjects } from "../core/commit.ts";
import type { Failure } from "../core/failure.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { Captured } from "../platform/capture.ts";
import { describeIoError } from "../platform/files.ts";
import { runPrivateGit } from "../platform/git.ts";

export interface CommitFetch {
  /** `https://github.com`; `http:` only if the host is this machine. */
  readonly serverUrl: string;
  readonly owner: string;
  readonly repo: string;
  readonly commit: string;
  /** An existing directory. The private directory is created in it. */
  readonly directory: string;
  /** The runner's variables. Only `PATH` and those for proxies and certificates are used. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Cancels the fetch, which then fails with `cancelled`. */
  readonly signal: AbortSignal;
}

export interface FetchedCommit extends CommitObjects {
  /** Removes the private directory. */
  close(): Promise<void>;
}

/** Time limit of the fetch, in milliseconds. */
const limitMs = 120_000;
/** Maximum size of the list of files, in bytes. */
const listingLimit = 200_000_000;

/** The only variables passed to git. Others, including most `GIT_*`, could change its behavior. */
const passed = /^(?:PATH|LD_LIBRARY_PATH|SYSTEMROOT|SSL_CERT_FILE|SSL_CERT_DIR|CURL_CA_BUNDLE|GIT_SSL_CAINFO|(?:HTTPS?|ALL|NO)_PROXY)$/i;

const settings = {
  "core.hooksPath": "/dev/null",
  "credential.helper": "",
  "fetch.recurseSubmodules": "false",
  "fetch.fsckObjects": "true",
  "gc.auto": "0",
  "maintenance.auto": "false",
  "http.followRedirects": "initial",
};

/** Fetches the commit with all its files. Fails with `github-failed`, and with `spawn-failed` if git is missing. */
export async function fetchCommit(request: CommitFetch): Promise<Result<FetchedCommit>> {
  const url = addressOf(request);
  if (!url.ok) return url;
  const directory = await privateDirectory(request.directory);
  if (!directory.ok) return directory;
  const passing = Object.entries(request.env).filter(([name]) => passed.test(name));
  const { signal } = request;
  const protocol = new URL(url.value).protocol.slice(0, -1);
  const privately = {
    directory: directory.value,
    protocol,
    env: Object.fromEntries(passing),
    settings,
    signal,
    limitMs,
    limit: listingLimit,
  };
  const git = (...args: string[]) => runPrivateGit(privately, args);
  const close = () => rm(directory.value, { recursive: true, force: true, maxRetries: 3 });
  const format = request.commit.length === 64 ? ["--object-format=sha256"] : [];
  const fetch = ["fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--depth=1", "--", url.value, request.commit];
  for (const args of [["init", "--quiet", "--bare", "--template=", ...format, directory.value], fetch]) {
    const ran = await git(...args);
    const failure = ran.ok ? failureOf(request, url.value, ran.value) : ran.error;
    if (failure === undefined) continue;
    await close();
    return err(failure);
  }
  return ok({
    close,
    async readTree(id, recursive) {
      const listed = await git("ls-tree", "-l", "-z", ...(recursive ? ["-r", "-t"] : []), id);
      if (!listed.ok) return listed;
      if (listed.value.code !== 0) return err(unreadable(listed.value));
      return ok({ entries: listed.value.stdout.toString("utf8").split("\0").flatMap(entryOf), truncated: false });
    },
    async readBlob(id) {
      const read = await git("cat-file", "blob", id);
      if (!read.ok) return read;
      return read.value.code === 0 ? ok(read.value.stdout) : err(unreadable(read.value));
    },
  });
}

/** The repository's URL on the server. A URL from a git configuration is never used. */
function addressOf({ serverUrl, owner, repo }: CommitFetch): Result<string, Failure> {
  const url = URL.canParse(serverUrl) ? new URL(serverUrl) : undefined;
  const isLocal = url !== undefined && ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  const isPlain = url?.username === "" && url.password === "" && url.search === "" && url.hash === "";
  if (url === undefined || !isPlain || !(url.protocol === "https:" || (url.protocol === "http:" && isLocal)))
    return err({ reason: "usage", message: "GITHUB_SERVER_URL is not the https address of a server" });
  if (![owner, repo].every((name) => /^[A-Za-z0-9_.-]+$/.test(name) && !/^\.+$/.test(name)))
    return err({ reason: "usage", message: `GITHUB_REPOSITORY does not name a repository: ${owner}/${repo}` });
  return ok(`${url.origin}${url.pathname.replace(/\/+$/, "")}/${owner}/${repo}`);
}

async function privateDirectory(directory: string): Promise<Result<string, Failure>> {
  try {
    return ok(await mkdtemp(path.join(directory, "commit-")));
  } catch (error) {
    return err({ reason: "file-unreadable", path: directory, ...describeIoError(error) });
  }
}

/** `100644 blob 3f9a…     120<tab>path` */
function entryOf(line: string): CommitEntry[] {
  const match = /^(\d+) \w+ ([0-9a-f]+) +(\d+|-)\t(.+)$/s.exec(line);
  if (match === null) return [];
  const [, mode = "", id = "", size = "", name = ""] = match;
  const kind = mode.startsWith("100") ? "file" : mode === "120000" ? "link" : mode === "040000" ? "directory" : "submodule";
  return [{ path: name, kind, id, size: Number(size) || 0, ...(mode === "100755" ? { executable: true } : {}) }];
}

/** Undefined if git succeeded. */
function failureOf({ owner, repo, commit, signal }: CommitFetch, url: string, { code, stderr }: Captured): Failure | undefined {
  if (code === 0) return undefined;
  if (signal.aborted) return { reason: "cancelled", by: String(signal.reason) };
  const doing = `fetch commit ${commit.slice(0, 12)} from ${url}`;
  if (code === undefined) return { reason: "github-failed", doing, detail: `no answer within ${limitMs / 1000} s`, hint: retryHint };
  const detail = stderr.trim().split("\n").at(-1) ?? "";
  const failure = { reason: "github-failed", doing, detail } as const;
  if (/could not read (?:Username|Password)|Authentication failed|returned error: 40[134]|not found/i.test(stderr))
    return { ...failure, hint: `set \`github-token\`: without a token, ${owner}/${repo} can only be read if it is public` };
  if (/not our ref|unadvertised object/i.test(stderr)) return { ...failure, hint: `the commit is no longer in ${owner}/${repo}` };
  return { ...failure, hint: retryHint };
}

const retryHint = "run the job again, or set `github-token` to read the commit through the REST API";

function unreadable({ code, stderr }: Captured): Failure {
  const detail = code === undefined ? "git was stopped" : (stderr.trim().split("\n").at(-1) ?? "");
  return { reason: "github-failed", doing: "read a fetched commit", detail };
}
