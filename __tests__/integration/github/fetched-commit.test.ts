/** Fetches one commit without a token, and ends a fetch that gets no answer. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CommitFetch, fetchCommit } from "../../../src/github/fetched-commit.ts";
import { gitRemote } from "../../rig/actions/remote.ts";
import { type GitServer, startGitServer } from "../../rig/github/git-server.ts";

let directory: string;
let server: GitServer;
let commit: string;

beforeEach(async () => {
  const remote = gitRemote();
  commit = remote.commit("main", { "wave.yaml": "name: x\n", "sub/a file.txt": "text\n" });
  server = await startGitServer(remote.directory);
  directory = mkdtempSync(path.join(tmpdir(), "wave-fetch-"));
});
afterEach(async () => {
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

function request(changes: Partial<CommitFetch> = {}): CommitFetch {
  const { signal } = new AbortController();
  return { serverUrl: server.url, owner: "octo", repo: "demo", commit, directory, env: { PATH: process.env["PATH"] }, signal, ...changes };
}

describe("a fetched commit", () => {
  it("lists its files with their sizes, and returns their bytes", async () => {
    const fetched = await fetchCommit(request());
    if (!fetched.ok) throw new Error(JSON.stringify(fetched.error));
    const tree = await fetched.value.readTree(commit, true);
    expect(tree).toMatchObject({
      ok: true,
      value: {
        truncated: false,
        entries: [
          { path: "sub", kind: "directory" },
          { path: "sub/a file.txt", kind: "file", size: 5 },
          { path: "wave.yaml", kind: "file", size: 8 },
        ],
      },
    });
    const file = tree.ok ? tree.value.entries.find(({ path: name }) => name === "sub/a file.txt") : undefined;
    const bytes = await fetched.value.readBlob(file?.id ?? "");
    expect(bytes.ok ? Buffer.from(bytes.value).toString() : bytes.error).toBe("text\n");
  });

  it("leaves nothing in its directory after it is closed", async () => {
    const fetched = await fetchCommit(request());
    expect(readdirSync(directory)).toHaveLength(1);
    if (fetched.ok) await fetched.value.close();
    expect(readdirSync(directory)).toEqual([]);
  });

  it("is not fetched from another repository's path", async () => {
    for (const repo of ["..", ".", "demo/../../x", "de mo", "demo?x", ""])
      expect(await fetchCommit(request({ repo }))).toMatchObject({ ok: false, error: { reason: "usage" } });
    expect(server.requests).toEqual([]);
  });
});

describe("a fetch without an answer", () => {
  it("ends when the job is cancelled, and leaves nothing", async () => {
    server.refuseWith = "hang";
    const controller = new AbortController();
    const fetching = fetchCommit(request({ signal: controller.signal }));
    await server.asked;
    controller.abort("SIGINT");
    expect(await fetching).toEqual({ ok: false, error: { reason: "cancelled", by: "SIGINT" } });
    expect(readdirSync(directory)).toEqual([]);
  });

  it("does not start after the job was cancelled", async () => {
    const cancelled = await fetchCommit(request({ signal: AbortSignal.abort("SIGTERM") }));
    expect(cancelled).toEqual({ ok: false, error: { reason: "cancelled", by: "SIGTERM" } });
    expect(server.requests).toEqual([]);
  });
});

describe("a commit that the repository does not have", () => {
  it("is reported as missing", async () => {
    const fetched = await fetchCommit(request({ commit: "0123456789".repeat(4) }));
    expect(fetched).toMatchObject({ ok: false, error: { reason: "github-failed", hint: "the commit is no longer in octo/demo" } });
  });
});
