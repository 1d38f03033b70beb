/** The text of failures through the real binary: each names its place, its cause and the next step. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { artifactText, type Project, project } from "../rig/project.ts";

const worker = (command: string) => `personas: { worker: { command: ${JSON.stringify(command)} } }\n`;
const step = (id: string, more = "") => `  - { id: ${id}, persona: worker${more === "" ? "" : `, ${more}`} }\n`;
const oneStep = (command: string, more = "") => project({ "wave.yaml": `${worker(command)}steps:\n${step("a", more)}` });

/** The last failure of an attempt. */
function failureOf(wave: Project) {
  const failed = wave.events().findLast(({ type }) => type === "attempt-failed");
  return failed?.type === "attempt-failed" ? failed.failure : undefined;
}

describe("a denied connection", () => {
  let server: Server;
  let port = 0;
  beforeEach(async () => {
    server = createServer((_request, response) => response.end("ok"));
    await new Promise<void>((up) => server.listen(0, "127.0.0.1", up));
    port = (server.address() as AddressInfo).port;
  });
  afterEach(() => new Promise((closed) => server.close(closed)));

  it("is named with its host and rule in the failure, in the log and in the feedback of the next attempt", async () => {
    const get = `http_proxy=$HTTP_PROXY node -e 'const { hostname, port } = new URL(process.env.HTTP_PROXY); require("http").get({ host: hostname, port, path: "http://127.0.0.1:${port}/" }, (r) => process.exit(r.statusCode === 200 ? 0 : 7))'`;
    const command = `if [ "$WAVE_ATTEMPT" = 2 ]; then cp "$WAVE_TASK_FILE" "$WAVE_OUTPUT_DIR/prompt"; exit; fi; ${get}`;
    const wave = oneStep(
      command,
      `task: go, artifacts: [prompt], permissions: { allow: ["network_access:api.example.com"] }, handover: { contract: { type: test_suite, command: "true", on_failure: retry, max_retries: 1, backoff_strategy: none } }`,
    );
    const run = await wave.wave("run");
    expect(run.code).toBe(0);
    const line = `denied by \`network_access:api.example.com\`: connecting to 127.0.0.1:${port}`;
    expect(run.stderr + run.stdout).toContain(line);
    expect(failureOf(wave)).toMatchObject({
      denied: [{ access: `connecting to 127.0.0.1:${port}`, rules: ["network_access:api.example.com"] }],
    });
    expect((await wave.wave("logs", "a", "--attempt", "1")).stdout).toContain(line);
    const passed = wave.events().find(({ type }) => type === "attempt-passed");
    const prompt = passed?.type === "attempt-passed" ? passed.artifacts[0]?.digest : undefined;
    expect(artifactText(wave.root, prompt ?? "")).toContain(line);
  });

  it("is named if the step has no network and the program reports an unknown host", async () => {
    const wave = oneStep("echo 'curl: (6) Could not resolve host: example.com' >&2; exit 6", `permissions: { deny: ["network_access:*"] }`);
    const run = await wave.wave("run");
    expect(run.code).toBe(1);
    expect(run.stderr + run.stdout).toContain("denied by `network_access:*`: connecting to example.com");
  });
});

describe("a denied file", () => {
  it("that is hidden is named with its rule instead of only as missing", async () => {
    const wave = oneStep("cat .env", `permissions: { deny: ["file_read:.env"] }`);
    wave.write({ ".env": "KEY=1\n" });
    const run = await wave.wave("run");
    expect(run.code).toBe(1);
    expect(run.stderr + run.stdout).toContain("denied by `file_read:.env`: reading .env, which is hidden from this step");
  });

  it("that the step wrote is named with its rule, and the next step is to change the task or the rule", async () => {
    const wave = oneStep("echo x > package.json", `permissions: { allow: ["file_write:src/**"] }`);
    const run = await wave.wave("run");
    expect(run.code).toBe(1);
    expect(run.stderr + run.stdout).toMatch(/denied by `file_write:src\/\*\*`: writing package\.json[\s\S]*hint: [^\n]*`file_write`/);
  });
});

describe("an exceeded limit", () => {
  it("of an artifact's size is shown in one unit, next to a different amount", async () => {
    const wave = oneStep(
      `head -c 41943040 /dev/zero > "$WAVE_OUTPUT_DIR/a"`,
      "artifacts: [a], handover: { contract: { type: json_schema, schema: s.json } }",
    );
    wave.write({ "s.json": "{}" });
    const run = await wave.wave("run");
    expect(run.code).toBe(1);
    expect(run.stderr + run.stdout).toContain("it has 41.9MB, more than the limit of 32MB");
  });

  it("of disk space names the setting to raise", async () => {
    const wave = oneStep("head -c 3000000 /dev/zero > big; sleep 20", "resources: { disk_limit: 2MB }");
    const run = await wave.wave("run");
    expect(run.code).toBe(1);
    const found = /the attempt used (\S+) of disk space, more than the limit of (\S+)\n/.exec(run.stderr + run.stdout);
    expect(found?.[2]).toBe("2MB");
    expect(found?.[1]).toMatch(/^[\d.]+MB$/);
    expect(found?.[1]).not.toBe(found?.[2]);
    expect(run.stderr + run.stdout).toContain("raise `resources.disk_limit`");
  });
});

describe("a changed manifest", () => {
  it("is reported first by `wave resume`, with the command that uses it", async () => {
    const wave = oneStep("exit 3");
    expect((await wave.wave("run")).code).toBe(1);
    wave.write({ "wave.yaml": `${worker("true")}steps:\n${step("a")}` });
    const resumed = await wave.wave("resume");
    expect(resumed.code).toBe(1);
    const started = wave.events().find(({ type }) => type === "run-started");
    const [first] = resumed.stderr.split("\n");
    expect(first).toMatch(/manifest changed.*its own/);
    expect(first).toContain(`wave resume --update ${started?.run}`);
    expect((await wave.wave("resume", "--update")).code).toBe(0);
  });

  it("is not reported if only other files changed", async () => {
    const wave = oneStep("exit 3");
    expect((await wave.wave("run")).code).toBe(1);
    wave.write({ "other.txt": "x\n" });
    expect((await wave.wave("resume")).stderr).not.toContain("manifest changed");
  });
});

describe("a model API", () => {
  it("that answers 404 is reported with the model and the access of the key", async () => {
    const server = createServer((_request, response) => response.writeHead(404, { "content-type": "application/json" }).end('{"error":{"message":"no such model"}}')); // biome-ignore format: one thought
    await new Promise<void>((up) => server.listen(0, "127.0.0.1", up));
    try {
      const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
      const wave = project({
        "wave.yaml": `adapters: { api: { base_url: "${base}" } }\nsecrets: [OPENAI_API_KEY]\npersonas: { p: { adapter: api, model: gpt-0, system_prompt: x } }\nsteps:\n  - { id: a, persona: p, task: t, artifacts: [o] }\n`,
      });
      const run = await wave.start(["run"], { OPENAI_API_KEY: "sk-abcdefghijklmnop" }).finished;
      expect(run.code).toBe(1);
      expect(run.stderr + run.stdout).toMatch(/the model does not exist, or the key may not use it \(HTTP 404\)[\s\S]*hint: [^\n]*`model`/);
    } finally {
      await new Promise((closed) => server.close(closed));
    }
  });
});
