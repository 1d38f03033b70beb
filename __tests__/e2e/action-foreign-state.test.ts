/** State that another job left brings nothing to execution: neither commands nor settings, permissions or secrets. Through the bundle, on the rig. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Change, forgedPack, packOf, uploadArtifact } from "../rig/actions/forged-state.ts";
import { gitRemote } from "../rig/actions/remote.ts";
import { type ResultsService, startResultsService } from "../rig/actions/results-service.ts";
import { type JobRequest, type JobResult, runJob } from "../rig/actions/runner.ts";
import { type GitHubServer, startGitHub } from "../rig/github/server.ts";
import { project } from "../rig/project.ts";

let service: ResultsService;
let github: GitHubServer;
let outside: string;
beforeAll(async () => {
  [service, github] = await Promise.all([startResultsService(), startGitHub()]);
});
afterAll(() => Promise.all([service.close(), github.close()]));
beforeEach(() => {
  for (const list of [service.artifacts, service.caches, service.faults, github.requests]) list.splice(0);
  outside = mkdtempSync(path.join(tmpdir(), "wave-outside-"));
});
afterEach(() => {
  rmSync(outside, { recursive: true, force: true });
  expect(github.invalid.splice(0)).toEqual([]);
});

const begun = ({ log }: JobResult) => [...log.matchAll(/▶ (\w+) started/g)].map(([, step]) => step);
const messages = ({ annotations }: JobResult) => annotations.map(({ message }) => message);

/** The steps `one`, which passes, and `two`, which runs the given command. */
const manifest = (two: string, more = "") => `
${more}
personas:
  one: { command: 'echo made > $WAVE_OUTPUT_DIR/first.txt' }
  two: { command: '${two}', secrets: [TOKEN] }
pipeline:
  name: ci
  steps:
    - { id: one, persona: one, artifacts: [first] }
    - { id: two, persona: two, dependencies: [one] }
`;

const benign = manifest("exit 1").replace(", secrets: [TOKEN]", "");

/** A checkout, a hostile commit that another job of the workflow run was given, and a job on either. */
function repository(options: { readonly fork?: boolean; readonly ours?: string } = {}) {
  const remote = gitRemote();
  github.state.repository = remote.directory;
  const base = remote.commit("main", { "wave.yaml": options.ours ?? benign });
  const theirs = manifest(`echo "$TOKEN" >> ${outside}/stolen; exit 1`, "sandbox: off");
  const hostile = remote.commit("hostile", { "wave.yaml": theirs }, "main");
  const head = options.fork === true ? hostile : base;
  const ref = options.fork === true ? "refs/pull/7/merge" : "refs/heads/main";
  const pull = {
    number: 7,
    head: { sha: head, repo: { full_name: "stranger/demo" } },
    base: { sha: base, ref: "main", repo: { full_name: "octo/demo" } },
    user: { login: "mallory" },
  };
  const event = options.fork === true ? { eventName: "pull_request", event: { pull_request: pull } } : {};
  const at = (sha: string, name: string, changes: Partial<JobRequest>) => {
    const identity = { runId: 100, job: name, attempt: changes.attempt ?? 1, ref };
    const environment = { apiUrl: github.url, service: service.environment(identity), env: { TOKEN: "a-secret-of-the-job" } };
    return runJob({ workspace: remote.checkout(sha), sha, ref, job: name, ...event, ...environment, ...changes });
  };
  return {
    victim: (changes: Partial<JobRequest> = {}) => at(head, "build", changes),
    /** Leaves state with the hostile manifest pinned, under the id of the victim's run. */
    async rogue() {
      const left = await runJob({
        ...{ workspace: remote.checkout(hostile), sha: hostile, job: "rogue", apiUrl: github.url, env: { TOKEN: "a-secret-of-the-job" } },
        service: service.environment({ runId: 100, job: "rogue", attempt: 1, ref }),
      });
      expect(existsSync(`${outside}/stolen`)).toBe(true);
      rmSync(`${outside}/stolen`);
      return left;
    },
  };
}

describe.each([
  ["of the repository's own code", false],
  ["of a fork", true],
])("a job %s", (_whose, fork) => {
  it("starts a new run where the pinned manifest is another, names the file that differs, and executes nothing of it", async () => {
    const { victim, rogue } = repository({ fork });
    const left = await rogue();
    const result = await victim({ inputs: { reuse: "false" } });
    expect({ code: result.code, begun: begun(result), stolen: existsSync(`${outside}/stolen`) }).toEqual({
      code: 1,
      begun: ["one", "two"],
      stolen: false,
    });
    expect(result.outputs["run-id"]).toBe(`${left.outputs["run-id"]}-2`);
    expect(messages(result)).toContainEqual(
      expect.stringMatching(/^Cannot resume run [0-9a-f]+ here: its `wave\.yaml` differs from this job's \(.*\)\. Starting a new run\.$/),
    );
    expect(result.log).not.toContain("sandbox: off");
  });

  it.each([
    ["`resume: RUN`", "run"],
    ["`command: resume`", "resume"],
  ])("refuses %s for it with both digests, and exits with 2", async (_what, command) => {
    const { victim, rogue } = repository({ fork });
    const left = await rogue();
    const run = left.outputs["run-id"] ?? "";
    const result = await victim({ inputs: command === "run" ? { resume: run } : { command } });
    expect({ code: result.code, begun: begun(result), stolen: existsSync(`${outside}/stolen`) }).toEqual({
      code: 2,
      begun: [],
      stolen: false,
    });
    expect(messages(result)).toContainEqual(expect.stringContaining(`cannot resume run ${run} here: its \`wave.yaml\` differs`));
    expect(result.log).toMatch(new RegExp(`^ {2}run ${run}: sha256:[0-9a-f]{64}$`, "m"));
    expect(result.log).toMatch(/^ {2}this job: sha256:[0-9a-f]{64}$/m);
  });
});

describe("a forged run with the job's own manifest", () => {
  /** A first attempt of the victim, whose state is then replaced by a changed copy. */
  async function forged(change: Change) {
    const { victim } = repository({ ours: manifest("exit 1") });
    const first = await victim();
    const run = first.outputs["run-id"] ?? "";
    const { stateDir } = JSON.parse(first.state["state"] ?? "{}") as { stateDir: string };
    const pack = packOf(stateDir);
    for (const list of [service.artifacts, service.caches]) list.splice(0);
    await uploadArtifact(service, { runId: 100, name: `wave-state-${run}-a1-rogue-1` }, forgedPack(pack, change));
    return { run, result: await victim({ attempt: 2 }) };
  }

  it.each<[string, string, Readonly<Record<string, unknown>>]>([
    ["environment", "its environment differs", { environment: "staging" }],
    ["adapter", "its adapter differs", { adapter: "replay" }],
    ["manifest", "its manifest differs", { files: ["first.yaml"] }],
    ["input", "its input differs", { input: `sha256:${"ab".repeat(32)}` }],
  ])("is not resumed under another %s", async (_what, message, options) => {
    const { run, result } = await forged((event) =>
      event.type === "run-started" ? { ...event, options: { ...event.options, ...options } } : event,
    );
    expect({ code: result.code, begun: begun(result), run: result.outputs["run-id"] }).toEqual({
      code: 1,
      begun: ["one", "two"],
      run: `${run}-2`,
    });
    expect(messages(result).join("\n")).toContain(message);
  });

  it("is not resumed with other steps, nor taken for passed", async () => {
    const { run, result } = await forged((event) => {
      if (event.type === "run-started") return { ...event, nodes: event.nodes.filter(({ id }) => id === "one") };
      if (event.type === "run-finished") return { ...event, status: "passed", failure: undefined };
      return "step" in event && event.step === "two" ? undefined : event;
    });
    expect({ code: result.code, begun: begun(result) }).toEqual({ code: 1, begun: ["one", "two"] });
    expect(result.outputs["run-id"]).toMatch(new RegExp(`^${run}(?:-2)?$`));
  });

  it("is resumed where nothing differs, so that the cases above fail for their reason", async () => {
    const { run, result } = await forged((event) => event);
    expect({ code: result.code, begun: begun(result), run: result.outputs["run-id"] }).toEqual({ code: 1, begun: ["two"], run });
  });
});

it("resumes on a laptop with the pinned manifest, since local state is its own", async () => {
  const place = project({ "wave.yaml": manifest("test -e ok").replace(", secrets: [TOKEN]", "") });
  expect((await place.wave("run")).code).toBe(1);
  place.write({ ok: "", "wave.yaml": manifest("exit 1").replace(", secrets: [TOKEN]", "") });
  expect((await place.wave("resume")).code).toBe(0);
  expect(readFileSync(path.join(place.root, "wave.yaml"), "utf8")).toContain("exit 1");
});
