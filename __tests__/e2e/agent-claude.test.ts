/**
 * The `claude` adapter through the built binary, with a program on PATH that says what Claude Code says: its counts, its caps and its failures, and
 * what becomes of them. The real one is in `__tests__/agents`.
 */
import { chmodSync, existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { type Project, project, repository } from "../rig/project.ts";

const key = "sk-ant-0123456789-0123456789-0123456789-abcdefgh";

/** Speaks as Claude Code does: its version, or the lines and the rest of `said.json` after it has noted its words, its variables and its prompt. */
const program = `#!${process.execPath}
const fs = require("node:fs");
if (process.argv[2] === "--version") { console.log("2.1.330 (Claude Code)"); process.exit(0); }
fs.writeFileSync("asked.json", JSON.stringify({ words: process.argv.slice(2), env: Object.keys(process.env).sort(), key: process.env.ANTHROPIC_API_KEY, prompt: fs.readFileSync(0, "utf8") }));
const { lines, rest, exit, forever, stubborn } = JSON.parse(fs.readFileSync("said.json", "utf8"));
if (stubborn) process.on("SIGTERM", () => {});
for (const line of lines) console.log(typeof line === "string" ? line : JSON.stringify(line));
process.stdout.write(rest ?? "");
if (forever) { let n = 0; setInterval(() => console.log(JSON.stringify({ ...forever, message: { ...forever.message, id: "m" + n++ } })), 10); }
else process.exitCode = exit;
`;

const answer = (text: string, more: object = {}) => ({
  ...{ type: "result", subtype: "success", is_error: false, result: text, permission_denials: [], total_cost_usd: 0.0125 },
  usage: { input_tokens: 1000, output_tokens: 50, cache_read_input_tokens: 200, cache_creation_input_tokens: 30 },
  ...more,
});
const turn = (id: string, content: readonly object[] = []) => ({
  type: "assistant",
  message: { id, model: "m", content, usage: { input_tokens: 500, output_tokens: 25 } },
});

function manifest(more = ""): string {
  return `
secrets: [ANTHROPIC_API_KEY]
defaults: { adapter: claude, workspace: shared }
sandbox: off
pipeline:
  name: demo
  steps:
    - { id: look, persona: navigator, task: Look around, artifacts: [report]${more} }
`;
}

interface Said {
  /** Events; texts are said as they stand. */
  readonly lines: readonly (object | string)[];
  /** What comes after them, without an end of line. */
  readonly rest?: string;
  readonly exit?: number;
  readonly forever?: object;
  /** It does not end when it is told to. */
  readonly stubborn?: boolean;
}

function agent(said: Said, more?: string): Project {
  const wave = project({ "wave.yaml": manifest(more), "bin/claude": program, "said.json": JSON.stringify({ exit: 0, ...said }) });
  chmodSync(path.join(wave.root, "bin/claude"), 0o755);
  return wave;
}

function run(wave: Project, env: Readonly<Record<string, string>> = { ANTHROPIC_API_KEY: key }, ...words: string[]) {
  const search = `${path.join(wave.root, "bin")}:${process.env["PATH"]}`;
  return wave.start(words.length === 0 ? ["run"] : words, { PATH: search, ...env }).finished;
}

interface Asked {
  readonly words: readonly string[];
  readonly env: readonly string[];
  readonly key: string;
  readonly prompt: string;
}

const askedOf = (wave: Project) => JSON.parse(readFileSync(path.join(wave.root, "asked.json"), "utf8")) as Asked;

test("is asked on standard input, with its key and nothing else of wave's; its answer is the artifact, and what it used is remembered", async () => {
  const wave = agent({ lines: [turn("m1", [{ type: "text", text: "Hm." }]), turn("m2"), answer("# Report\n")] });
  const ran = await run(wave, { ANTHROPIC_API_KEY: key, OTHER_TOKEN: "x" });
  expect(ran).toMatchObject({ code: 0 });
  expect(ran.stderr).toContain("1,280 tokens, $0.013");
  const { words, env, key: given, prompt } = askedOf(wave);
  expect([words[0], given]).toEqual(["-p", key]);
  expect(prompt).toContain("You are a navigator.");
  expect(prompt).toContain("# Task\n\nLook around");
  expect(env).toEqual(expect.arrayContaining(["ANTHROPIC_API_KEY", "CLAUDE_CONFIG_DIR", "DISABLE_AUTOUPDATER", "WAVE_OUTPUT_DIR"]));
  expect(env).not.toContain("OTHER_TOKEN");
  const usage = {
    turns: 2,
    toolCalls: 0,
    denials: 0,
    inputTokens: 1000,
    outputTokens: 50,
    cacheReadTokens: 200,
    cacheWriteTokens: 30,
    costUsd: 0.0125,
  };
  const passed = wave.events().find(({ type }) => type === "attempt-passed");
  expect(passed).toMatchObject({ usage, artifacts: [{ name: "report", size: 9 }] });
  expect(JSON.stringify(wave.events())).not.toContain(key);
  const status = JSON.parse((await wave.wave("status", "latest", "--json")).stdout) as { run: { steps: { attempts: unknown[] }[] } };
  expect(status.run.steps[0]?.attempts).toMatchObject([{ adapter: "claude", usage }]);
  expect((await wave.wave("trace")).stdout).toContain("1,280 tokens, $0.013");
  const metrics = (await wave.wave("metrics")).stdout;
  expect(metrics).toContain('wave_tokens_total{pipeline="demo",step="look",kind="output"} 50');
  expect(metrics).toContain('wave_cost_usd_total{pipeline="demo",step="look"} 0.0125');
});

test("that goes on for ever is ended when its budget is spent, and what it used until then is remembered", async () => {
  const wave = agent({ lines: [], forever: turn("m") }, ", resources: { max_tokens: 5000 }");
  const ran = await run(wave);
  expect(ran.code).toBe(1);
  expect(ran.stderr).toMatch(/the attempt used 5,\d\d\d tokens, more than its budget of 5,000 tokens/);
  const failed = wave.events().find(({ type }) => type === "attempt-failed");
  expect(failed).toMatchObject({
    failure: { reason: "budget-exceeded", what: "tokens", limit: 5000 },
    usage: { inputTokens: expect.any(Number) },
  });
  expect(wave.events().filter(({ type }) => type === "attempt-started")).toHaveLength(1);
});

test("costs what the manifest says its model costs, and is bounded by it", async () => {
  const wave = agent({ lines: [turn("m1"), answer("# Report\n")] }, ", resources: { max_cost: 0.01 }");
  const prices = "prices: { big: { input: 4, output: 20, cache_read: 0.5 } }";
  const priced = (model: string) => `${manifest(", resources: { max_cost: 0.01 }")}adapters: { claude: { model: ${model}, ${prices} } }\n`;
  wave.write({ "wave.yaml": priced("big") });
  expect((await run(wave)).code).toBe(0);
  // 1000 read, 50 written, 200 from the cache, 30 to the cache: 0.004 + 0.001 + 0.0001 + 0.00012 dollars.
  expect(wave.events().find(({ type }) => type === "attempt-passed")).toMatchObject({ usage: { costUsd: expect.closeTo(0.00522, 8) } });
  // A model without a price costs what the agent says: 0.0125.
  wave.write({ "wave.yaml": priced("small") });
  const dear = await run(wave);
  expect(dear).toMatchObject({ code: 1, stderr: expect.stringContaining("the attempt used $0.013, more than its budget of $0.010") });
  wave.write({ "wave.yaml": priced("big").replace("output: 20, ", "") });
  expect(await run(wave)).toMatchObject({ code: 2, stderr: expect.stringContaining("`output`") });
});

test.each([
  [
    "a refused key, once",
    { api_error_status: 401, is_error: true, result: "Invalid API key" },
    1,
    { reason: "agent-failed", kind: "auth", status: 401 },
  ],
  [
    "a model that is busy, five times after the wait that it asks for",
    { api_error_status: 429, is_error: true, result: "rate limited, try again in 10ms" },
    5,
    { reason: "agent-failed", kind: "rate-limit" },
  ],
] as const)("fails by its own word, whatever its exit status says: %s", async (_, more, attempts, failure) => {
  const wave = agent({ lines: [answer("", more)] });
  expect((await run(wave)).code).toBe(1);
  expect(wave.events().filter(({ type }) => type === "attempt-started")).toHaveLength(attempts);
  expect(wave.events().findLast(({ type }) => type === "step-finished")).toMatchObject({ status: "failed", failure });
});

test("whose stream breaks off has failed, with what it said last; what it used until then is remembered", async () => {
  const wave = agent({ lines: [turn("m1")], rest: '{"type":"assistant","message":{"id":"m2","con', exit: 1 });
  const ran = await run(wave);
  expect(ran.code).toBe(1);
  expect(wave.events().findLast(({ type }) => type === "attempt-failed")).toMatchObject({
    failure: { reason: "agent-failed", kind: "crash", tail: expect.stringContaining('{"type":"assistant","message":{"id":"m2","con') },
    usage: { turns: 1, inputTokens: 500, outputTokens: 25 },
  });
  expect(ran.stderr).toContain('"id":"m2","con');
});

test("may say what is no event, and need not end its last line", async () => {
  const wave = agent({
    lines: ["warning: {not json", '{"type": "assistant", "message":', "[1, 2]", turn("m1")],
    rest: JSON.stringify(answer("# Report\n")),
  });
  expect(await run(wave)).toMatchObject({ code: 0, stderr: expect.stringContaining("1,280 tokens, $0.013") });
  expect(wave.events().find(({ type }) => type === "attempt-passed")).toMatchObject({ artifacts: [{ name: "report", size: 9 }] });
  expect((await wave.wave("logs", "look")).stdout).toContain("warning: {not json");
});

test("gets a task of 300 KB whole", async () => {
  const wave = agent({ lines: [turn("m1"), answer("# Report\n")] });
  const task = Array.from({ length: 30_000 }, (_, line) => `line ${line}`).join(" ");
  wave.write({ "wave.yaml": manifest().replace("Look around", JSON.stringify(`${task} end`)) });
  expect((await run(wave)).code).toBe(0);
  expect(askedOf(wave).prompt).toContain(`# Task\n\n${task} end\n`);
});

test("that did nothing is empty output", async () => {
  const wave = agent({ lines: [answer("Sure, I will.")] });
  expect((await run(wave)).code).toBe(1);
  expect(wave.events().findLast(({ type }) => type === "step-finished")).toMatchObject({ failure: { reason: "empty-output" } });
});

test("is chosen where nobody names an adapter and its key is there; without a key that is exit 4, before any work", async () => {
  const wave = agent({ lines: [turn("m1"), answer("# Report\n")] });
  wave.write({ "wave.yaml": manifest().replace("adapter: claude, ", "") });
  const none = await run(wave, {});
  expect(none).toMatchObject({ code: 4, stderr: expect.stringContaining("no adapter is chosen for it") });
  expect(none.stderr).toContain("`wave doctor` shows what is ready here");
  expect(existsSync(path.join(wave.root, ".wave/state/journals"))).toBe(false);
  expect((await run(wave, {}, "doctor")).stdout).toMatch(
    /! claude +no API key \(set ANTHROPIC_API_KEY.*\); .*bin\/claude\n(?:! (?:codex|gemini|copilot|opencode) +no API key .*\n){4}! adapter +no default adapter/,
  );
  expect((await run(wave, { ANTHROPIC_API_KEY: key }, "doctor")).stdout).toMatch(
    /✓ claude +ANTHROPIC_API_KEY is set; .*bin\/claude\n(?:! .*\n){4}✓ adapter +claude is used if the manifest does not name an adapter\n/,
  );
  expect(await run(wave)).toMatchObject({ code: 0 });
  expect(wave.events().find(({ type }) => type === "attempt-started")).toMatchObject({ adapter: "claude" });
  const planned = JSON.parse((await run(wave, { ANTHROPIC_API_KEY: key }, "plan", "--json")).stdout) as {
    steps: { adapter: unknown }[];
  };
  expect(planned.steps[0]?.adapter).toMatchObject({ name: "claude", chosenBy: "environment" });
});

test("cannot run without a declared key that is set, or without its program: exit 4, before any work", async () => {
  const wave = agent({ lines: [] });
  const unset = await run(wave, {});
  expect(unset).toMatchObject({ code: 4, stderr: expect.stringContaining("ANTHROPIC_API_KEY is not set") });
  wave.write({ "wave.yaml": manifest().replace("secrets: [ANTHROPIC_API_KEY]", "") });
  expect(await run(wave)).toMatchObject({ code: 4, stderr: expect.stringContaining("secrets: [ANTHROPIC_API_KEY]") });
  // Another version on PATH is another agent, and here is no npm to bring the wanted one.
  wave.write({ "wave.yaml": `${manifest()}adapters: { claude: { version: 9.9.9 } }\n` });
  const other = await run(wave, {
    ANTHROPIC_API_KEY: key,
    PATH: path.join(wave.root, "bin"),
    WAVE_CACHE_DIR: path.join(wave.root, "cache"),
  });
  expect(other).toMatchObject({ code: 4, stderr: expect.stringContaining("@anthropic-ai/claude-code 9.9.9 is not installed") });
  expect(existsSync(path.join(wave.root, ".wave/state/journals"))).toBe(false);
});

test("the guide's pipeline holds, and its plan shows what an agent reaches and may spend", async () => {
  const guide = readFileSync(path.join(repository, "docs/agents.md"), "utf8");
  const wave = project({ "wave.yaml": /```yaml\n([\s\S]*?)```/.exec(guide)?.[1] ?? "" });
  expect(await wave.wave("validate")).toMatchObject({ code: 0 });
  const plan = (await wave.wave("plan")).stdout;
  expect(plan).toMatch(/model API +api\.anthropic\.com:443 \(always allowed\)/);
  expect(plan).toContain("timeout 30m, 30 turns, 400,000 tokens, $1.50");
  const { steps } = JSON.parse((await wave.wave("plan", "--json")).stdout) as { steps: { adapter: unknown }[] };
  expect(steps[0]?.adapter).toMatchObject({ name: "claude", chosenBy: "defaults", version: "2.1.330", endpoint: "api.anthropic.com:443" });
});

test("is ended when the run's budget is spent; a larger one goes on from there", async () => {
  const wave = agent({ lines: [], forever: turn("m") });
  const budgeted = (tokens: number) => manifest().replace("  name: demo\n", `  name: demo\n  budget: { max_tokens: ${tokens} }\n`);
  wave.write({ "wave.yaml": budgeted(3000) });
  const ran = await run(wave);
  expect(ran.code).toBe(1);
  expect(ran.stderr).toMatch(/the run used 3,\d\d\d tokens, more than its budget of 3,000 tokens/);
  expect(ran.stderr).toContain("raise `budget.max_tokens` of the pipeline, then run `wave resume --update`");
  const types = wave.events().map(({ type }) => type);
  expect(types.filter((type) => type === "attempt-cancelled" || type === "attempt-failed")).toEqual(["attempt-cancelled"]);
  expect(wave.events().find(({ type }) => type === "run-finished")).toMatchObject({
    status: "failed",
    failure: { of: "run", limit: 3000 },
  });
  expect((await wave.start(["resume"], { PATH: `${wave.root}/bin:${process.env.PATH}`, ANTHROPIC_API_KEY: key }).finished).code).toBe(1);
  wave.write({ "wave.yaml": budgeted(100_000), "said.json": JSON.stringify({ lines: [turn("m1"), answer("# Report\n")], exit: 0 }) });
  const resumed = await wave.start(["resume", "--update"], { PATH: `${wave.root}/bin:${process.env.PATH}`, ANTHROPIC_API_KEY: key })
    .finished;
  expect(resumed.code, resumed.stderr).toBe(0);
  expect((await wave.wave("plan")).stdout).toContain("budget         100,000 tokens");
});

test("that does not end when it is told to is ended all the same", async () => {
  const wave = agent({ lines: [], forever: turn("m"), stubborn: true }, ", resources: { max_tokens: 3000 }");
  const ran = await run(wave);
  expect(ran.code).toBe(1);
  expect(wave.events().find(({ type }) => type === "attempt-failed")).toMatchObject({
    failure: { reason: "budget-exceeded", limit: 3000 },
  });
});
