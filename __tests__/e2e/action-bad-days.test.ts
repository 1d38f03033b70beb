/** Bad days of the cache and artifact services: none changes a verdict, each is said. Through the bundles, on the rig. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { gitRemote } from "../rig/actions/remote.ts";
import { type ResultsService, startResultsService } from "../rig/actions/results-service.ts";
import { type JobRequest, type JobResult, runJob } from "../rig/actions/runner.ts";
import { type GitHubServer, startGitHub } from "../rig/github/server.ts";
import { zipOf } from "../rig/zip.ts";

const manifest = `
personas:
  one: { command: 'echo made > $WAVE_OUTPUT_DIR/first.txt; echo changed > made.txt' }
  two: { command: 'test "$MOOD" = good', secrets: [MOOD] }
pipeline:
  name: two
  steps:
    - { id: one, persona: one, artifacts: [first] }
    - { id: two, persona: two, dependencies: [one] }
`;

let service: ResultsService;
let github: GitHubServer;
beforeAll(async () => {
  [service, github] = await Promise.all([startResultsService(), startGitHub()]);
});
afterAll(() => Promise.all([service.close(), github.close()]));
beforeEach(() => {
  for (const list of [service.artifacts, service.caches, service.faults, service.calls, github.state.artifacts]) list.splice(0);
});
afterEach(() => {
  expect(github.invalid.splice(0)).toEqual([]);
});

const begun = ({ log }: JobResult) => [...log.matchAll(/▶ (\w+) started/g)].map(([, step]) => step);
const said = ({ annotations }: JobResult) => annotations.map(({ message }) => message);
const identity = (attempt: number) => ({ runId: 100, job: "build", attempt, ref: "refs/heads/main" });

function machines(files: Readonly<Record<string, string>> = {}) {
  const remote = gitRemote();
  const sha = remote.commit("main", { "wave.yaml": manifest, ...files });
  return async (attempt: number, mood: "bad" | "good", changes: Partial<JobRequest> = {}) => {
    const workspace = remote.checkout(sha);
    return runJob({
      workspace,
      sha,
      attempt,
      env: { MOOD: mood },
      apiUrl: github.url,
      service: service.environment(identity(attempt)),
      ...changes,
    });
  };
}

describe("the cache", () => {
  it.each([
    ["is down", { method: "GetCacheEntryDownloadURL", status: 500 }, 0],
    // The client takes that for a cache without an entry, so each job still tries to save one, once.
    ["is busy", { method: "GetCacheEntryDownloadURL", status: 429 }, 1],
  ])(
    "%s: the job runs, and its artifacts carry the state",
    async (_what, fault, saves) => {
      const machine = machines();
      service.faults.push({ ...fault }, { method: "CreateCacheEntry", status: fault.status });
      const first = await machine(1, "bad");
      expect({ code: first.code, begun: begun(first) }).toEqual({ code: 1, begun: ["one", "two"] });
      const second = await machine(2, "good");
      expect({ code: second.code, begun: begun(second) }).toEqual({ code: 0, begun: ["two"] });
      // A cache that was given up is not waited for again, neither at the end of the job nor by `post`.
      expect(service.calls.filter((method) => method === "CreateCacheEntry")).toHaveLength(2 * saves);
    },
    120_000,
  );

  it("hangs: the job goes on without it after its own deadline", async () => {
    service.faults.push({ method: "GetCacheEntryDownloadURL", hang: true });
    const result = await machines()(1, "good");
    expect(result.code).toBe(0);
    expect(said(result)).toEqual(["state was not restored from the cache: no answer within 6 s"]);
  }, 120_000);

  it("is read-only: one warning, and the same verdict", async () => {
    const readOnly = { service: service.environment({ ...identity(1), cacheReadOnly: true }) };
    const result = await machines()(1, "good", readOnly);
    expect(result.code).toBe(0);
    expect(said(result)).toEqual([
      expect.stringMatching(/^state was not saved in the cache: the service stored nothing; .*read-only \(Failed to save: .*\)$/),
    ]);
    expect(service.caches).toEqual([]);
  });

  it("gives an archive that is none, or holds somebody else's files: it is told, and does not count", async () => {
    const machine = machines();
    await machine(1, "bad");
    service.artifacts.splice(0);
    for (const { blob } of service.caches) await service.storage.write(blob, Buffer.from("no archive"));
    const second = await machine(2, "good");
    expect({ code: second.code, begun: begun(second) }).toEqual({ code: 0, begun: ["one", "two"] });
    expect(said(second).join("\n")).toContain("Attempt 2 starts a new run");
    expect(said(second)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^state was not restored from the cache: Failed to restore: .*tar/)]),
    );
  }, 60_000);
});

describe("artifacts", () => {
  const single = () => service.artifacts.filter(({ name }) => !name.startsWith("wave-state-"));

  it("service is down: they stay on the machine, the cache carries the state", async () => {
    const machine = machines();
    service.faults.push({ method: "CreateArtifact", status: 400, message: "no" }, { method: "ListArtifacts", status: 400, message: "no" });
    const first = await machine(1, "bad");
    expect({ code: first.code, artifacts: service.artifacts }).toEqual({ code: 1, artifacts: [] });
    expect(said(first)).toEqual(expect.arrayContaining([expect.stringMatching(/^artifact `first` of step `one` was not uploaded: /)]));
    const second = await machine(2, "good");
    expect({ code: second.code, begun: begun(second) }).toEqual({ code: 0, begun: ["two"] });
  }, 60_000);

  it("are there already under their names: nothing is wrong with that", async () => {
    const machine = machines();
    await machine(1, "good");
    const again = await machine(1, "good");
    expect({ code: again.code, said: said(again) }).toEqual({ code: 0, said: [] });
  });

  it("vanished: their step is executed again, and the log says why", async () => {
    const machine = machines();
    await machine(1, "bad");
    service.caches.splice(0);
    for (const { blob } of single()) await service.storage.remove(blob);
    const second = await machine(2, "good");
    expect({ code: second.code, begun: begun(second) }).toEqual({ code: 0, begun: ["one", "two"] });
    expect(second.log).toContain("one runs again its output is missing or damaged");
  }, 120_000);

  it("are lost to the artifact service alone: the REST API has them", async () => {
    const machine = machines();
    await machine(1, "bad");
    service.caches.splice(0);
    for (const { id, runId, name, size, hash, blob } of service.artifacts) {
      const url = () => service.storage.signedUrl(blob, "read", { type: "application/zip", name: `${name}.zip` });
      github.state.artifacts.push({ id, runId, name, size, ...(hash === undefined ? {} : { hash }), url });
    }
    service.faults.push({ method: "GetSignedArtifactURL", status: 404 });
    const second = await machine(2, "good");
    expect({ code: second.code, begun: begun(second) }).toEqual({ code: 0, begun: ["two"] });
  }, 60_000);

  it("were altered: they are refused by name, and their step is executed again", async () => {
    const machine = machines();
    await machine(1, "bad");
    service.caches.splice(0);
    for (const entry of single()) {
      delete entry.hash;
      await service.storage.write(entry.blob, zipOf({ "first.txt": "forged" }));
    }
    const second = await machine(2, "good");
    expect({ code: second.code, begun: begun(second) }).toEqual({ code: 0, begun: ["one", "two"] });
    expect(said(second)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^artifact wave-.* was refused: its bytes do not match its name$/)]),
    );
  }, 60_000);

  it("hold names that lead out of them, or links: nothing is written, and everything begins anew", async () => {
    const outside = mkdtempSync(path.join(tmpdir(), "wave-outside-"));
    try {
      const machine = machines();
      await machine(1, "bad");
      service.caches.splice(0);
      const hostile = [
        zipOf({ "../../../../../../../../tmp/wave-escaped": "x" }),
        zipOf({ "journals/a/b.jsonl": { link: "/etc/passwd" } }),
      ];
      // How many parts there are depends on how fast the steps were: one more makes sure of two.
      const states = service.artifacts.filter(({ name }) => name.startsWith("wave-state-"));
      const [one] = states;
      if (one === undefined) throw new Error("a run uploads its state");
      const extra = { ...one, id: service.artifacts.length + 1, name: `${one.name}9`, blob: "extra" };
      service.artifacts.push(extra);
      const all = [...states, extra];
      for (const [index, entry] of all.entries()) {
        delete entry.hash;
        await service.storage.write(entry.blob, hostile[index % 2] ?? Buffer.alloc(0));
      }
      const second = await machine(2, "good");
      expect({ code: second.code, begun: begun(second) }).toEqual({ code: 0, begun: ["one", "two"] });
      expect(said(second).filter((text) => text.includes("was refused"))).toHaveLength(all.length);
      expect(() => readFileSync("/tmp/wave-escaped")).toThrow("ENOENT");
    } finally {
      rmSync(outside, { recursive: true, force: true });
    }
  }, 60_000);

  it("hold a journal with a changed byte: it is refused by name", async () => {
    const machine = machines();
    await machine(1, "bad");
    service.caches.splice(0);
    for (const entry of service.artifacts.filter(({ name }) => name.startsWith("wave-state-"))) {
      delete entry.hash;
      await service.storage.write(entry.blob, zipOf({ "journals/abc/w1.jsonl": '{"v":1}\n' }));
    }
    const second = await machine(2, "good");
    expect({ code: second.code, begun: begun(second) }).toEqual({ code: 0, begun: ["one", "two"] });
    expect(said(second)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^artifact wave-state-.*: journal abc\/w1\.jsonl was refused: line 1: it does not end with a hash$/),
      ]),
    );
  }, 60_000);
});

describe("the runner", () => {
  it("is cancelled while artifacts are on their way: it ends in time, and the next attempt has what passed", async () => {
    const machine = machines();
    service.faults.push({ method: "CreateArtifact", hang: true, times: 2 });
    const first = await machine(1, "bad", { cancelAt: (line) => line.includes("✗ run failed") });
    expect(first.cancelledInMs).toBeLessThan(5000);
    expect(said(first)).toContain("some artifacts were not uploaded before the job had to end");
    expect(service.caches).toHaveLength(1);
    service.faults.splice(0);
    const second = await machine(2, "good");
    expect({ code: second.code, begun: begun(second) }).toEqual({ code: 0, begun: ["two"] });
  }, 60_000);

  it.each([
    ["no repository", false],
    ["one, of which git would tell what it ignores: that is a warning", true],
  ])("has no git, and a checkout that is %s; the work is done all the same", async (_, inRepository) => {
    const workspace = mkdtempSync(path.join(tmpdir(), "wave-plain-"));
    const bin = path.join(workspace, "..", `${path.basename(workspace)}-bin`);
    try {
      writeFileSync(path.join(workspace, "wave.yaml"), manifest);
      if (inRepository) execFileSync("git", ["init", "-q"], { cwd: workspace });
      mkdirSync(bin);
      for (const place of ["/bin", "/usr/bin", "/sbin", "/usr/sbin"]) {
        for (const name of existsSync(place) ? readdirSync(place) : []) {
          if (!name.startsWith("git") && !existsSync(path.join(bin, name))) symlinkSync(path.join(place, name), path.join(bin, name));
        }
      }
      const result = await runJob({
        workspace,
        apiUrl: github.url,
        service: service.environment(identity(1)),
        env: { MOOD: "good", PATH: bin },
      });
      expect({ code: result.code, log: result.code === 0 ? "" : result.log }).toEqual({ code: 0, log: "" });
      expect(readFileSync(path.join(workspace, "made.txt"), "utf8")).toBe("changed\n");
      const why = "(git was not found: install it, or add it to PATH)";
      expect(said(result).filter((text) => text.includes("git"))).toEqual(
        inRepository ? [`ignored files count as project files because git cannot list them ${why}`] : [],
      );
    } finally {
      for (const directory of [workspace, bin]) rmSync(directory, { recursive: true, force: true });
    }
  });

  it("sets no runtime token: the job runs, nothing is kept, and that is said once a service", async () => {
    const result = await machines()(1, "good", { service: {} });
    expect(result.code).toBe(0);
    expect(said(result)).toEqual([
      "state was not restored from the cache: the runner did not set ACTIONS_RUNTIME_TOKEN",
      "artifacts are not uploaded: the runner did not set ACTIONS_RUNTIME_TOKEN",
    ]);
  });

  it("hands no secret of its own to a step", async () => {
    const names = ["ACTIONS_RUNTIME_TOKEN", "INPUT_GITHUB-TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "GITHUB_OUTPUT"];
    const env = { MOOD: "good", ACTIONS_ID_TOKEN_REQUEST_TOKEN: "oidc-token-value" };
    const text = manifest.replace("echo made >", "sh spy.sh; echo made >");
    const result = await machines({ "wave.yaml": text, "spy.sh": "env; cat /proc/*/environ | tr '\\0' '\\n'\n" })(1, "good", { env });
    expect(result.code).toBe(0);
    expect(result.log).toContain("PATH=");
    for (const name of names) expect(result.log).not.toContain(`${name}=`);
  });

  it("has inputs that are wrong: the input is named, and nothing is run", async () => {
    const machine = machines();
    const wrong = await machine(1, "good", { inputs: { concurrency: "many" } });
    expect({ code: wrong.code, status: wrong.outputs["status"], said: said(wrong), begun: begun(wrong) }).toEqual({
      code: 2,
      status: "error",
      said: ["input `concurrency` takes a whole number from 1 to 256, not `many`"],
      begun: [],
    });
    const misspelt = await machine(1, "good", { inputs: { command: "rnu" } });
    expect(said(misspelt)[0]).toContain("input `command` takes one of run, plan, ");
    const outside = await machine(1, "good", { inputs: { "working-directory": ".." } });
    expect(said(outside)).toContain("input `working-directory` is outside the checkout: ..");
  });

  it("shows a broken manifest on its lines", async () => {
    const result = await machines({ "wave.yaml": manifest.replace("persona: two", "persona: tow") })(1, "good", {
      inputs: { checks: "none" },
    });
    expect(result.code).toBe(2);
    expect(result.annotations).toEqual([
      expect.objectContaining({ level: "error", properties: expect.objectContaining({ file: "wave.yaml", line: "9" }) }),
    ]);
  });

  it("plans, validates and tells what is known, with outputs", async () => {
    const machine = machines();
    const planned = await machine(1, "good", { inputs: { command: "plan" } });
    expect({ code: planned.code, status: planned.outputs["status"] }).toEqual({ code: 0, status: "passed" });
    expect(JSON.parse(planned.outputs["plan"] ?? "")).toMatchObject({ pipeline: { name: "two" } });
    expect((await machine(1, "good", { inputs: { command: "validate" } })).code).toBe(0);
    await machine(1, "good");
    const status = await machine(1, "good", { inputs: { command: "status" } });
    expect(status.code).toBe(0);
    expect(status.log).toContain("passed");
  });

  it("runs tests: what is not as expected is annotated on its line, and the report is JUnit", async () => {
    const recording = {
      "rec/recording.json": JSON.stringify({ v: 1, pipeline: "two" }),
      ".wave/tests/two.yaml": "recordings: rec\nexpect:\n  status: failed\n  steps: { one: { attempts: 2 } }\n",
    };
    const result = await machines(recording)(1, "good", { inputs: { command: "test", pipeline: "two" } });
    expect({ code: result.code, status: result.outputs["status"] }).toEqual({ code: 1, status: "failed" });
    expect(result.annotations).toMatchObject([
      {
        level: "error",
        message: expect.stringContaining("made another number of attempts"),
        properties: { file: ".wave/tests/two.yaml", line: "4" },
      },
    ]);
    expect(readFileSync(result.outputs["report"] ?? "", "utf8")).toContain('<testsuite name="two" tests="1" failures="1" errors="0"');
  });
});

describe("jobs that share a run", () => {
  it("execute their parts side by side, and the last one has everything", async () => {
    const text = `
personas:
  make: { command: 'echo "$WAVE_STEP_ID" > "$WAVE_STEP_ID.txt"; echo "$WAVE_STEP_ID" > $WAVE_OUTPUT_DIR/$WAVE_STEP_ID.txt' }
  join: { command: 'cat left.txt right.txt "$WAVE_INPUTS_DIR"/* > joined.txt' }
pipeline:
  name: shared
  steps:
    - { id: left, persona: make, artifacts: [left] }
    - { id: right, persona: make, artifacts: [right] }
    - { id: join, persona: join, inputs: [{ artifact: left, from: left }, { artifact: right, from: right }] }
`;
    const remote = gitRemote();
    const sha = remote.commit("main", { "wave.yaml": text });
    const job = async (name: string, steps: string, changes: Partial<JobRequest> = {}) => {
      const workspace = remote.checkout(sha);
      const env = service.environment({ ...identity(1), job: name });
      return {
        ...(await runJob({ workspace, sha, job: name, apiUrl: github.url, service: env, inputs: { steps, apply: "true" }, ...changes })),
        workspace,
      };
    };
    const early = await job("early", "join");
    expect({ code: early.code, said: said(early)[0] }).toEqual({
      code: 1,
      said: expect.stringContaining("step `join` depends on `left`, which has not passed in a new run"),
    });
    const [left, right] = await Promise.all([job("left", "left"), job("right", "right")]);
    expect([left.code, right.code, left.outputs["run-id"] === right.outputs["run-id"]]).toEqual([0, 0, true]);
    const last = await job("join", "join");
    expect({ code: last.code, begun: begun(last), status: last.outputs["status"] }).toEqual({ code: 0, begun: ["join"], status: "passed" });
    expect(readFileSync(path.join(last.workspace, "joined.txt"), "utf8")).toBe("left\nright\nleft\nright\n");
  }, 60_000);
});

describe.runIf(existsSync("/dev/full"))("a full disk under the runner's files", () => {
  const withFiles = (files: Readonly<Record<string, string>>) =>
    machines()(1, "good", { service: { ...service.environment(identity(1)), ...files } });

  it("for the end of the job: that is said, and the verdict stands", async () => {
    const result = await withFiles({ GITHUB_STATE: "/dev/full" });
    expect({ code: result.code, begun: begun(result), outputs: result.outputs["status"] }).toEqual({
      code: 0,
      begun: ["one", "two"],
      outputs: "passed",
    });
    expect(said(result)).toEqual([
      "cannot save data for the end of the job, so state that is not uploaded before is lost: no space is left on the device (ENOSPC)",
    ]);
    expect(result.post).toMatchObject({ code: 0, annotations: [] });
  }, 60_000);

  it("for outputs: no success, since steps that come count on them, and no bug", async () => {
    const result = await withFiles({ GITHUB_OUTPUT: "/dev/full" });
    expect({ code: result.code, begun: begun(result) }).toEqual({ code: 4, begun: ["one", "two"] });
    expect(said(result)).toEqual(["ENOSPC: no space left on device, write"]);
    expect(result.log).toContain("✓ two passed");
    expect(result.log).not.toContain("bug");
  }, 60_000);
});
