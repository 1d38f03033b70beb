/** Which state a job uses follows from GitHub's answers about what carried it, and from signatures. Through the bundles, on the rig. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { forgedPack, packOf, saveEntry, tarOf, uploadArtifact } from "../rig/actions/forged-state.ts";
import { gitRemote } from "../rig/actions/remote.ts";
import { type ResultsService, startResultsService } from "../rig/actions/results-service.ts";
import { type JobRequest, type JobResult, runJob } from "../rig/actions/runner.ts";
import { type GitHubServer, startGitHub } from "../rig/github/server.ts";

let service: ResultsService;
let github: GitHubServer;
beforeAll(async () => {
  service = await startResultsService();
  github = await startGitHub({ caches: service.caches });
});
afterAll(() => Promise.all([service.close(), github.close()]));
beforeEach(() => {
  for (const list of [service.artifacts, service.caches, service.faults, github.requests, github.faults, github.state.artifacts])
    list.splice(0);
  github.state.workflowRuns.clear();
});
afterEach(() => {
  expect(github.invalid.splice(0)).toEqual([]);
});

const begun = ({ log }: JobResult) => [...log.matchAll(/▶ (\w+) started/g)].map(([, step]) => step);
const messages = ({ annotations }: JobResult) => annotations.map(({ message }) => message);
const asked = (operation: string) => github.requests.filter((request) => request.operation === operation).length;
const stateOf = ({ state }: JobResult) => (JSON.parse(state["state"] ?? "{}") as { stateDir: string }).stateDir;

const manifest = `
personas:
  one: { command: 'echo made > $WAVE_OUTPUT_DIR/first.txt' }
  two: { command: 'test "$MOOD" = good-secret-value', secrets: [MOOD] }
pipeline:
  name: ci
  steps:
    - { id: one, persona: one, artifacts: [first] }
    - { id: two, persona: two, dependencies: [one] }
`;

type Job = Partial<JobRequest> & { readonly mood?: string };

function repository(files: Readonly<Record<string, string>> = {}) {
  const remote = gitRemote();
  github.state.repository = remote.directory;
  const base = remote.commit("main", { "wave.yaml": manifest, ...files });
  const run = (sha: string, ref: string, { mood = "good-secret-value", ...changes }: Job) => {
    const { attempt = 1, runId = 100, job = "build" } = changes;
    const identity = service.environment({ runId, job, attempt, ref });
    const env = { MOOD: mood, ...changes.env };
    return runJob({ workspace: remote.checkout(sha), sha, ref, apiUrl: github.url, service: identity, ...changes, env });
  };
  const pull = (head: string, fork: boolean) => ({
    number: 7,
    head: { sha: head, repo: { full_name: fork ? "stranger/demo" : "octo/demo" } },
    base: { sha: base, ref: "main", repo: { full_name: "octo/demo" } },
    user: { login: "mallory" },
  });
  return {
    remote,
    base,
    /** On the branch `main`. */
    push: (changes: Job = {}) => run(base, "refs/heads/main", changes),
    /** On pull request 7. */
    pull(changes: Job & { readonly fork?: boolean; readonly head?: string } = {}) {
      const { fork = true, head = base, ...rest } = changes;
      return run(head, "refs/pull/7/merge", { eventName: "pull_request", event: { pull_request: pull(head, fork) }, ...rest });
    },
    pullEvent: pull,
    run,
  };
}

describe("artifacts of an earlier workflow run", () => {
  /** A job of workflow run 100 whose state knows of work of workflow run 55, the blob of which only an artifact of 55 has. */
  async function reuse(answer: { readonly event: string; readonly head: number } | undefined, changes: Job = {}) {
    const { push } = repository();
    const first = await push({ runId: 55 });
    const artifacts = service.artifacts.splice(0);
    for (const { id, name, size, hash, blob } of artifacts) {
      const url = () => service.storage.signedUrl(blob, "read", { type: "application/zip", name: `${name}.zip` });
      github.state.artifacts.push({ id, runId: 55, name, size, ...(hash === undefined ? {} : { hash }), url });
    }
    const [entry] = service.caches.splice(0);
    if (entry === undefined) throw new Error("a job saves a cache entry");
    const journals = Object.entries(packOf(stateOf(first))).filter(([name]) => name.startsWith("journals/"));
    await saveEntry(service, entry, { key: entry.key, ref: entry.ref }, tarOf(Object.fromEntries(journals)));
    if (answer !== undefined) github.state.workflowRuns.set(55, answer);
    github.requests.splice(0);
    return push({ inputs: { reuse: "true" }, ...changes });
  }

  it.each([
    ["a push to this repository", { event: "push", head: 1 }],
    ["a pull request of this repository", { event: "pull_request", head: 1 }],
  ])("are used if it ran for %s", async (_what, answer) => {
    const result = await reuse(answer);
    expect({ code: result.code, begun: begun(result), asked: asked("actions/get-workflow-run") }).toEqual({ code: 0, begun: [], asked: 1 });
  });

  it.each([
    ["a pull request of a fork", { event: "pull_request", head: 2 }],
    ["a comment", { event: "issue_comment", head: 1 }],
  ])("are not used if it ran for %s", async (_what, answer) => {
    const result = await reuse(answer);
    expect({ code: result.code, begun: begun(result) }).toEqual({ code: 0, begun: ["one"] });
    expect(messages(result)).toContainEqual(expect.stringMatching(/^the artifacts of workflow run 55 are not used: it ran for a fork/));
    expect(asked("actions/list-workflow-run-artifacts")).toBe(1);
  });

  it("are not used if GitHub does not answer", async () => {
    const result = await reuse(undefined);
    expect({ code: result.code, begun: begun(result) }).toEqual({ code: 0, begun: ["one"] });
    expect(messages(result)).toContainEqual(
      "the artifacts of workflow run 55 are not used: GitHub did not report whose code it ran (this needs `actions: read`)",
    );
  });

  it("are not used without a token", async () => {
    const result = await reuse({ event: "push", head: 1 }, { inputs: { reuse: "true", "github-token": "" } });
    expect({ code: result.code, begun: begun(result), asked: github.requests.length }).toEqual({
      code: 0,
      begun: ["one"],
      asked: 0,
    });
  });
});

describe("the database of a cache entry", () => {
  /** A cache entry on `ref`, whose database has a run that has no journal. */
  async function entryOn(ref: string, push: (changes: Job) => Promise<JobResult>) {
    const first = await push({});
    const state = stateOf(first);
    const [entry] = service.caches.splice(0);
    service.artifacts.splice(0);
    if (entry === undefined) throw new Error("a job saves a cache entry");
    const database = readFileSync(path.join(state, "wave.db"));
    await saveEntry(service, entry, { key: entry.key, ref }, tarOf({ "wave.db": database }));
    return first.outputs["run-id"] ?? "";
  }

  it("is used by a job of the same level", async () => {
    const { push } = repository();
    const run = await entryOn("refs/heads/main", push);
    expect((await push({ runId: 101, inputs: { command: "status" } })).log).toContain(run);
  });

  it("is not used by a fork's job if the entry is the base branch's", async () => {
    const { push, pull } = repository();
    const run = await entryOn("refs/heads/main", push);
    const shown = await pull({ runId: 101, inputs: { command: "status" } });
    expect(shown.code).toBe(0);
    expect(shown.log).not.toContain(run);
    expect(asked("actions/get-actions-cache-list")).toBe(1);
  });

  it("is used by a fork's job if the entry is its own pull request's", async () => {
    const { pull } = repository();
    const run = await entryOn("refs/pull/7/merge", pull);
    expect((await pull({ runId: 101, inputs: { command: "status" } })).log).toContain(run);
  });

  it("is not used by a fork's job if GitHub does not say whose entry it is", async () => {
    const { pull } = repository();
    const run = await entryOn("refs/pull/7/merge", pull);
    github.faults.push({ operation: "actions/get-actions-cache-list", status: 403 });
    expect((await pull({ runId: 101, inputs: { command: "status" } })).log).not.toContain(run);
  });

  it("is not used where journals are signed", async () => {
    const { push } = repository();
    const inputs = { "state-key": "a-key-of-the-repository" };
    const run = await entryOn("refs/heads/main", (changes) => push({ ...changes, inputs }));
    expect((await push({ runId: 101, inputs: { ...inputs, command: "status" } })).log).not.toContain(run);
  });
});

it("keeps what a job on a fork's code saw out of the default branch's cache", async () => {
  const { base, run, pullEvent } = repository();
  const event = { pull_request: pullEvent(base, true) };
  const inputs = { "allow-pull-request-target": "true" };
  const result = await run(base, "refs/heads/main", { eventName: "pull_request_target", event, inputs });
  expect({ code: result.code, saved: service.caches.length }).toEqual({ code: 0, saved: 0 });
});

describe("state in the checkout", () => {
  async function committed(fork: boolean) {
    const { remote, pull, push } = repository();
    const first = await push();
    const forged = forgedPack(packOf(stateOf(first)), (event) => event);
    const files = Object.entries(forged).map(([name, content]) => [`.wave/state/${name}`, String(content)]);
    for (const list of [service.artifacts, service.caches]) list.splice(0);
    const head = remote.commit("feature", Object.fromEntries(files), "main");
    const workspace = remote.checkout(head);
    return { workspace, job: (changes: Job) => pull({ fork, head, workspace, runId: 101, ...changes }) };
  }

  it.each([true, false])("that a commit brought is not used, by a pull request of a fork: %s", async (fork) => {
    const { workspace, job } = await committed(fork);
    const result = await job({ inputs: { reuse: "true" } });
    expect({ code: result.code, begun: begun(result), resumed: result.outputs["resumed"] }).toEqual({
      code: 0,
      begun: ["one", "two"],
      resumed: "false",
    });
    expect(messages(result)).toContainEqual(
      "state in the checkout was not written by this job and is not used; it was moved to .wave/state/refused",
    );
    expect(existsSync(path.join(workspace, ".wave/state/refused/journals"))).toBe(true);
  });

  it("that an earlier use in the same job left is used", async () => {
    const { remote, base, push } = repository();
    const workspace = remote.checkout(base);
    const runnerTemp = mkdtempSync(path.join(tmpdir(), "wave-runner-temp-"));
    try {
      const changes = { workspace, runnerTemp, inputs: { artifacts: "false", cache: "false" } };
      const first = await push({ ...changes, mood: "bad" });
      const second = await push(changes);
      expect({ codes: [first.code, second.code], begun: begun(second) }).toEqual({ codes: [1, 0], begun: ["two"] });
    } finally {
      rmSync(runnerTemp, { recursive: true, force: true });
    }
  });

  it("that is a link to another place is not followed", async () => {
    const { remote, base, push } = repository();
    const workspace = remote.checkout(base);
    const elsewhere = mkdtempSync(path.join(tmpdir(), "wave-elsewhere-"));
    try {
      mkdirSync(path.join(workspace, ".wave"));
      symlinkSync(elsewhere, path.join(workspace, ".wave/state"));
      expect((await push({ workspace })).code).toBe(0);
      expect(readdirSync(elsewhere)).toEqual([]);
      rmSync(path.join(workspace, ".wave"), { recursive: true });
      symlinkSync(elsewhere, path.join(workspace, ".wave"));
      const refused = await push({ workspace, runId: 101 });
      expect({ code: refused.code, begun: begun(refused) }).toEqual({ code: 4, begun: [] });
      expect(readdirSync(elsewhere)).toEqual([]);
    } finally {
      rmSync(elsewhere, { recursive: true, force: true });
    }
  });
});

describe("a state-key", () => {
  const key = "correct-horse-battery-staple";
  const signed = (changes: Job = {}): Job => ({ ...changes, inputs: { "state-key": key, ...changes.inputs } });

  it("lets the attempts of a workflow run trust each other", async () => {
    const { push } = repository();
    const first = await push(signed({ mood: "bad" }));
    const second = await push(signed({ attempt: 2 }));
    expect({ codes: [first.code, second.code], begun: begun(second), warnings: messages(second) }).toEqual({
      codes: [1, 0],
      begun: ["two"],
      warnings: [],
    });
    const journals = Object.entries(packOf(stateOf(second))).filter(([name]) => name.endsWith(".jsonl"));
    const lines = journals.flatMap(([, bytes]) => bytes.toString().trimEnd().split("\n"));
    expect(journals).toHaveLength(2);
    expect(lines.filter((line) => !/"sig":"v1:[0-9a-f]{64}"\}$/.test(line))).toEqual([]);
  });

  it.each<[string, Job, string]>([
    ["no key", {}, "line 1 is not signed, and `state-key` is set"],
    ["another key", { inputs: { "state-key": "another-key" } }, "line 1 has a signature that `state-key` did not make"],
  ])("refuses what a job with %s left, by name", async (_what, left, why) => {
    const { push } = repository();
    await push({ mood: "bad", ...left });
    const second = await push(signed({ attempt: 2 }));
    expect({ code: second.code, begun: begun(second) }).toEqual({ code: 0, begun: ["one", "two"] });
    const refusals = messages(second).filter((text) => text.includes("refused"));
    expect(refusals.length).toBeGreaterThan(0);
    for (const text of refusals) expect(text).toMatch(/journal [0-9a-f]+\/[^ ]+\.jsonl (?:was|and \d+ more were) refused: /);
    expect(refusals.every((text) => text.endsWith(why))).toBe(true);
  });

  it("refuses a signed journal that was changed and sealed again", async () => {
    const { push } = repository();
    const first = await push(signed({ mood: "bad" }));
    const pack = packOf(stateOf(first));
    for (const list of [service.artifacts, service.caches]) list.splice(0);
    const run = first.outputs["run-id"] ?? "";
    const changed = forgedPack(pack, (event) => (event.type === "run-finished" ? { ...event, status: "passed" } : { ...event }));
    await uploadArtifact(service, { runId: 100, name: `wave-state-${run}-a1-rogue-1` }, changed);
    const second = await push(signed({ attempt: 2 }));
    expect({ code: second.code, begun: begun(second) }).toEqual({ code: 0, begun: ["one", "two"] });
    expect(messages(second).join("\n")).toContain("is not signed, and `state-key` is set");
  });

  it("is masked, reaches no step, no child and no service", async () => {
    const text = manifest.replace("echo made >", "sh spy.sh; echo made >");
    const spy = "env; env | grep -c staple; for file in /proc/*/environ; do tr '\\0' '\\n' < $file 2>/dev/null; done\n";
    const { push } = repository({ "wave.yaml": text, "spy.sh": spy });
    const result = await push(signed());
    expect(result.code).toBe(0);
    expect(result.masks).toContain(key);
    expect(result.log).toContain("PATH=");
    expect(`${result.log}${result.post?.log ?? ""}${JSON.stringify(result.state)}`).not.toContain(key);
    expect((await service.everything()).includes(key)).toBe(false);
    expect(JSON.stringify(github.requests)).not.toContain(key);
  });

  it("is removed from what a step prints, even if it knows it from elsewhere", async () => {
    const text = manifest.replace("echo made >", `echo ${key}; echo made >`);
    const { push } = repository({ "wave.yaml": text });
    const result = await push(signed());
    const logs = Object.entries(packOf(stateOf(result))).filter(([name]) => name.startsWith("blobs/"));
    const printed = logs.filter(([, bytes]) => bytes.includes(key) && !bytes.includes("personas"));
    expect({ code: result.code, printed: printed.map(([name]) => name) }).toEqual({ code: 0, printed: [] });
  });

  it("puts state of the same job aside that an earlier use left unsigned", async () => {
    const { remote, base, push } = repository();
    const workspace = remote.checkout(base);
    const runnerTemp = mkdtempSync(path.join(tmpdir(), "wave-runner-temp-"));
    try {
      const inputs = { artifacts: "false", cache: "false" };
      await push({ workspace, runnerTemp, inputs, mood: "bad" });
      const second = await push(signed({ workspace, runnerTemp, inputs }));
      expect({ code: second.code, begun: begun(second) }).toEqual({ code: 0, begun: ["one", "two"] });
    } finally {
      rmSync(runnerTemp, { recursive: true, force: true });
    }
  });
});
