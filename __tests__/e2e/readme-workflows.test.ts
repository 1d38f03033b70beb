/** The README's workflows, as they stand there, on the rig: every job in the order of its `needs`, through the bundle. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parse } from "yaml";
import { gitRemote } from "../rig/actions/remote.ts";
import { type ResultsService, startResultsService } from "../rig/actions/results-service.ts";
import { type JobResult, runJob } from "../rig/actions/runner.ts";
import { type GitHubServer, startGitHub } from "../rig/github/server.ts";
import { repository } from "../rig/project.ts";

interface Step {
  readonly uses?: string;
  readonly with?: Readonly<Record<string, string | number | boolean>>;
  readonly env?: Readonly<Record<string, string>>;
}

interface Workflow {
  readonly name: string;
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<
    Record<string, { readonly needs?: string; readonly permissions: Readonly<Record<string, string>>; readonly steps: readonly Step[] }>
  >;
}

/** A manifest with the three pipelines that the workflows name. */
const files = {
  "wave.yaml":
    'pipelines: { review: review.yaml, audit: audit.yaml, feature: feature.yaml }\npersonas:\n  say: { command: \'cat > $WAVE_OUTPUT_DIR/said.md; test -z "$EXPECT" || test "$ANTHROPIC_API_KEY" = key\', secrets: [ANTHROPIC_API_KEY] }\n  edit: { command: \'echo "$WAVE_STEP_ID" >> log.txt\' }\n',
  "review.yaml":
    "pipeline:\n  name: review\n  publish: [{ pr_comment: { artifact: said } }]\n  steps:\n    - { id: look, persona: say, task: 'Review {{ input }}', artifacts: [said] }\n",
  "audit.yaml":
    "pipeline:\n  name: audit\n  steps:\n    - { id: audit, persona: say, task: Audit., env: { EXPECT: key }, artifacts: [said] }\n",
  "feature.yaml":
    "pipeline:\n  name: feature\n  steps:\n    - { id: analyze, persona: say, task: Analyze., artifacts: [said] }\n    - { id: implement, persona: edit, dependencies: [analyze] }\n    - { id: document, persona: edit, dependencies: [implement] }\n    - { id: test, persona: edit, dependencies: [document] }\n",
};

const readme = readFileSync(path.join(repository, "README.md"), "utf8");
const workflows = [...readme.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)]
  .map(([, text = ""]) => text)
  .filter((text) => /^jobs:/m.test(text))
  .map((text) => parse(text) as Workflow);

let service: ResultsService;
let github: GitHubServer;
beforeAll(async () => {
  [service, github] = await Promise.all([startResultsService(), startGitHub()]);
});
afterAll(() => Promise.all([service.close(), github.close()]));

it("are three, with the permissions that each needs", () => {
  const permissions = workflows.map(({ name, jobs }) => [name, Object.values(jobs).map((job) => Object.keys(job.permissions))]);
  expect(permissions).toEqual([
    ["review", [["contents", "checks", "pull-requests", "actions"]]],
    ["audit", [["contents", "checks"]]],
    ["feature", Array.from({ length: 3 }, () => ["contents", "checks", "actions"])],
  ]);
  expect(workflows.map(({ permissions: outer }) => outer)).toEqual([{}, {}, {}]);
});

it("keep no credentials in the checkout that steps can read", () => {
  const checkouts = workflows.flatMap(({ jobs }) =>
    Object.values(jobs).flatMap(({ steps }) => steps.filter(({ uses }) => uses?.startsWith("actions/checkout@"))),
  );
  expect(checkouts.map((step) => step.with?.["persist-credentials"])).toEqual([false, false, false, false, false]);
});

it.each(workflows.map(({ name }, index) => [name, index] as const))("%s does what it says", async (name, index) => {
  const remote = gitRemote();
  const base = remote.commit("main", files);
  const sha = remote.commit("feature", { "src/a.js": "1;\n" }, "main");
  github.state.pulls.set(7, { number: 7, head: sha, base, fork: false, files: [] });
  const repo = { full_name: "octo/demo" };
  const event = {
    pull_request: { number: 7, title: "Add a.js", head: { sha, repo }, base: { sha: base, ref: "main", repo }, user: { login: "mona" } },
  };
  const results: (JobResult & { readonly workspace: string })[] = [];
  const done = new Set<string>();
  for (const [job, { needs, steps }] of Object.entries(workflows[index]?.jobs ?? {})) {
    expect(needs === undefined || done.has(needs)).toBe(true);
    done.add(job);
    const step = steps.find(({ uses }) => uses === "wave/run@v1");
    const workspace = remote.checkout(sha);
    const inputs = Object.fromEntries(Object.entries(step?.with ?? {}).map(([key, value]) => [key, evaluated(String(value))]));
    const env = Object.fromEntries(Object.entries(step?.env ?? {}).map(([key, value]) => [key, evaluated(value)]));
    const pull = name === "review" ? { eventName: "pull_request", event, ref: "refs/pull/7/merge" } : {};
    const identity = service.environment({ runId: index, job, attempt: 1, ref: pull.ref ?? "refs/heads/main" });
    results.push({
      ...(await runJob({ workspace, sha, inputs, env, job, runId: index, apiUrl: github.url, service: identity, ...pull })),
      workspace,
    });
  }
  expect(results.map(({ code, log }) => (code === 0 ? 0 : log))).toEqual(results.map(() => 0));
  expect(results.at(-1)?.outputs["status"]).toBe("passed");
  expect(github.invalid.splice(0)).toEqual([]);
  if (name === "review") expect(github.state.comments.map(({ body }) => body).join("\n")).toContain("Add a.js");
  if (name === "feature")
    expect(readFileSync(path.join(results.at(-1)?.workspace ?? "", "log.txt"), "utf8")).toBe("implement\ndocument\ntest\n");
});

/** The expressions that the README uses. */
function evaluated(text: string): string {
  return text.replace(/\$\{\{ *(.+?) *\}\}/g, (_whole, expression: string) => {
    if (expression === "github.event.pull_request.title") return "Add a.js";
    if (expression === "secrets.ANTHROPIC_API_KEY") return "key";
    throw new Error(`the README uses an expression that this test does not know: ${expression}`);
  });
}
