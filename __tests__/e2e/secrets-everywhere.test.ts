/** A secret in any place that a step, a repository or a command line can put it is in no output, and in nothing that is stored. */
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runJob } from "../rig/actions/runner.ts";
import { type GitHubServer, startGitHub } from "../rig/github/server.ts";
import { project } from "../rig/project.ts";
import { declared, deeds, filesWith, holds, leakingProject, undeclared } from "../rig/secret-places.ts";

/** Takes traces. */
const received: Buffer[] = [];
const collector = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  received.push(Buffer.concat(chunks));
  response.end("{}");
});
let github: GitHubServer;
beforeAll(async () => {
  github = await startGitHub();
  await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  collector.closeAllConnections();
  collector.close();
  await github.close();
});

const secrets = { declared, undeclared } as const;
const kinds = ["declared", "undeclared"] as const;

/** What is printed of a run, a plan and a project. `SECRET` is the secret. */
const asked: readonly (readonly string[])[] = [
  ...[["run", "--input", "SECRET", "--json"], ["resume"], ["plan", "--input", "SECRET"], ["plan", "--input", "SECRET", "--json"]],
  ...[
    ["plan", "--show-prompt", "prints-it", "--input", "SECRET"],
    ["plan", "--show-prompt", "prints-it", "--input", "SECRET", "--json"],
  ],
  ...[["plan", "SECRET"], ["config"], ["config", "--json"], ["persona", "show", "SECRET"], ["status"], ["status", "latest"]],
  ...[["status", "latest", "--json"], ["logs"], ["logs", "--json"], ["logs", "--errors"], ["trace"], ["trace", "--json"]],
  ...[["trace", "--format", "otlp"], ["trace", "--lineage", "names-an-artifact-s-file-by-it/report", "--format", "in-toto"], ["artifacts"]],
  ...[["artifacts", "--json"], ["artifacts", "latest", "--changes"], ["artifacts", "latest", "--patch"], ["metrics"], ["doctor"]],
  ...[
    ["artifacts", "latest", "--export", "exported"],
    ["rollback", "SECRET"],
    ["cancel", "SECRET"],
    ["state", "verify", "--json"],
  ],
  ...[["test"], ["test", "--json"], ["test", "--format", "github", "--junit", "junit.xml"]],
];

/** Words that are printed again by commands that read no manifest: those know no declared secret, and tokens by their shape. */
const echoed: readonly (readonly string[])[] = [
  ...[
    ["status", "SECRET"],
    ["status", "SECRET", "--json"],
    ["logs", "SECRET"],
    ["trace", "--lineage", "SECRET"],
    ["workspace", "SECRET"],
  ],
  ...[["cleanup", "--status", "SECRET"], ["state", "SECRET"], ["SECRET"], ["status", "--SECRET"], ["validate", "-f", "SECRET.yaml"]],
];

it.each(kinds)(
  "%s secrets that steps put everywhere are printed, stored, recorded and sent nowhere",
  async (kind) => {
    const secret = secrets[kind];
    const wave = leakingProject(kind);
    received.splice(0);
    const env = {
      TOKEN: declared,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_RESOURCE_ATTRIBUTES: `vcs.ref.head.name=b-${secret}`,
    };
    const ran = await wave.start(
      ["run", "--record", "recording", "--input", `about ${secret}`, "--verbose", "--on-failure", "keep-going"],
      env,
    ).finished;
    expect(ran, ran.stderr).toMatchObject({ code: 0 });
    const names = (await wave.start(["logs", "prints-the-names-of-its-variables"], env).finished).stdout.split("\n");
    expect(names.includes("TOKEN")).toBe(kind === "declared");
    wave.write({
      ".wave/tests/leaks.yaml": `recordings: recording\nexpect: { steps: { prints-it: { changes: [${secret}] } } }\n`,
      [`${secret}.yaml`]: "steps: 1\n",
    });
    const leaks: string[] = holds(ran.stdout + ran.stderr, secret) ? ["run"] : [];
    for (const words of [...asked, ...(kind === "declared" ? [] : echoed)]) {
      const { code, stdout, stderr } = await wave.start(
        words.map((word) => word.replace("SECRET", secret)),
        env,
      ).finished;
      if (code === 70 || holds(stdout + stderr, secret)) leaks.push(words.join(" "));
    }
    // Workspaces of failed attempts are what the steps left there. They never leave the machine, nor does the index of the project's files.
    const state = readdirSync(`${wave.root}/.wave/state`).filter((name) => name !== "workspaces" && name !== "base-index.json");
    expect(state).toEqual(expect.arrayContaining(["journals", "blobs", "wave.db"]));
    const stored = [...state.map((name) => `.wave/state/${name}`), "recording", "exported", "junit.xml"];
    leaks.push(...stored.flatMap((name) => filesWith(wave.root, name, secret)));
    expect(received.length).toBeGreaterThan(0);
    if (received.some((body) => holds(body, secret))) leaks.push("OTLP");
    expect(leaks).toEqual([]);
  },
  180_000,
);

/** Secrets written into a manifest, by place. No diagnostic prints them. */
const written = (secret: string): Readonly<Record<string, string>> => ({
  "a wrong value": `steps: [{ id: a, persona: p, resources: { timeout: "${secret}" } }]`,
  "an unknown key": `steps: [{ id: a, persona: p, "${secret}": 1 }]`,
  "an unknown persona": `steps: [{ id: a, persona: "${secret}" }]`,
  "a file that is not there": `steps: [{ id: a, persona: p, task_file: "${secret}" }]\n`,
  "text that is not YAML": `steps: [{ id: a, persona: p, task: "${secret} ]`,
});

describe.each(kinds)("a manifest that holds a %s secret", (kind) => {
  const secret = secrets[kind];
  const head = 'name: p\nsecrets: [TOKEN]\npersonas: { p: { command: "true" } }\n';

  it.each(Object.keys(written("")))("as %s is refused without printing it, in every format", async (place) => {
    const wave = project({ "wave.yaml": `${head}${written(secret)[place]}\n` });
    const leaks: string[] = [];
    for (const words of [
      ["validate"],
      ...["json", "sarif", "github"].map((format) => ["validate", "--format", format]),
      ["plan"],
      ["run", "--json"],
    ]) {
      const { code, stdout, stderr } = await wave.start(words, { TOKEN: declared }).finished;
      expect(code).toBe(2);
      if (holds(stdout + stderr, secret)) leaks.push(words.join(" "));
    }
    expect(leaks).toEqual([]);
  });

  it("as a task, a prompt, a description or a variable is shown without it", async () => {
    const persona = `{ command: "true", description: "d ${secret}", system_prompt: "s ${secret}", env: { X: "${secret}" } }`;
    const task = `${"long ".repeat(12)}${secret}`;
    const wave = project({
      "wave.yaml": `secrets: [TOKEN]\nsteps: [{ id: a, persona: p, task: "${task}" }]\npersonas: { p: ${persona} }\n`,
    });
    const leaks: string[] = [];
    const shown = [["config"], ["config", "--json"], ["plan"], ["plan", "--json"], ["plan", "--show-prompt", "a"], ["persona", "list"]];
    for (const words of [
      ...shown,
      ["persona", "show", "p"],
      ["persona", "show", "p", "--json"],
      ["validate"],
      ["run"],
      ["status", "latest", "--json"],
    ]) {
      const { code, stdout, stderr } = await wave.start(words, { TOKEN: declared }).finished;
      // A literal token is an error (W111); the value of a declared variable cannot be recognized by its shape.
      expect([words, code], stderr).toEqual([words, kind === "declared" ? 0 : 2]);
      // Not even a part of it, where a line is cut.
      if (holds(stdout + stderr, secret.slice(0, 12))) leaks.push(words.join(" "));
    }
    expect(leaks).toEqual([]);
  });
});

it.each(kinds)(
  "%s secrets are in nothing that a job prints, reports and hands on",
  async (kind) => {
    const secret = secrets[kind];
    const wave = leakingProject(kind);
    const sha = "a".repeat(40);
    github.state.pulls.set(7, { number: 7, head: sha, base: sha, fork: false, files: [] });
    github.requests.splice(0);
    const repo = { full_name: "octo/demo" };
    const event = { pull_request: { number: 7, head: { sha, repo }, base: { sha, ref: "main", repo }, user: { login: "mona" } } };
    const job = await runJob({
      ...{ workspace: wave.root, sha, eventName: "pull_request", event, apiUrl: github.url, ref: `refs/heads/b-${secret}` },
      env: { TOKEN: declared },
      inputs: { comment: "true", input: `about ${secret}` },
    });
    expect(job.code, job.log).toBe(0);
    expect(github.requests.length).toBeGreaterThan(Object.keys(deeds).length);
    const report = readFileSync(job.outputs["report"] ?? "");
    const { log, summary, outputs, state, annotations, post } = job;
    const shown = { log, summary, outputs, state, annotations, post, report: report.toString(), github: github.requests };
    // The rig's log has masks applied; what is handed on has not.
    const leaks = Object.entries(shown).flatMap(([name, value]) => (holds(JSON.stringify(value), secret) ? [name] : []));
    expect(leaks).toEqual([]);
  },
  60_000,
);
