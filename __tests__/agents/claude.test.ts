/**
 * Claude Code itself, on a mock model on loopback: one pipeline with files really changed, and the bad days of a model. The program is installed by
 * wave, from npm, into its cache; the first run of this file downloads it.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { LLMock } from "@copilotkit/aimock";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { WaveEvent } from "../../src/model/event.ts";
import { type Project, project } from "../rig/project.ts";
import { machine } from "./machine.ts";

let mock: LLMock;

beforeEach(async () => {
  mock = new LLMock({ port: 0 });
  await mock.start();
});
afterEach(() => mock.stop());

const call = (name: string, input: object) => [{ name, arguments: JSON.stringify(input) }];
const usage = (input: number, output: number) => ({ input_tokens: input, output_tokens: output });

const schema = '{ "type": "object", "required": ["fault"], "properties": { "fault": { "type": "string" } } }';

function manifest(steps: string): string {
  return `
secrets: [ANTHROPIC_API_KEY]
adapters: { claude: { base_url: "${mock.url}", model: claude-sonnet-4-5 } }
defaults: { adapter: claude }
pipeline:
  name: feature
  steps:
${steps}`;
}

function run(wave: Project, ...words: string[]) {
  return wave.start(words, { ...machine(), ANTHROPIC_API_KEY: "sk-test-key" }).finished;
}

const ends = (events: readonly WaveEvent[]) =>
  events.flatMap((event) =>
    event.type === "attempt-passed" || event.type === "attempt-failed" ? [[event.type, event.step, event.attempt] as const] : [],
  );

test("one pipeline: analyze, implement, test; what fails first is tried again with what was wrong; every token is counted", async () => {
  const wave = project({
    "src/add.mjs": "export const add = (a, b) => a - b;\n",
    "test.mjs": 'import { add } from "./src/add.mjs";\nif (add(2, 2) !== 4) throw new Error("2 + 2 is " + add(2, 2));\n',
    "fault.schema.json": schema,
  });
  wave.write({
    "wave.yaml": manifest(`
    - id: analyze
      persona: navigator
      task: Analyze src/add.mjs
      artifacts: [{ name: fault, media_type: application/json }]
      permissions: { deny: ["network_access:*"] }
      handover: { contract: { type: json_schema, schema: fault.schema.json, artifact: fault, on_failure: retry, backoff_base: 10ms } }
    - id: implement
      persona: craftsman
      task: Implement addition
      dependencies: [analyze]
      inputs: [fault]
      permissions: { allow: ["file_write:src/**"], deny: ["network_access:*"] }
      handover: { contract: { type: test_suite, command: [node, test.mjs], on_failure: retry, backoff_base: 10ms } }
`),
  });
  const file = path.join(wave.root, "src/add.mjs");
  const right = "export const add = (a, b) => a + b;\n";
  const wrong = "export const add = (a, b) => a * b + 1;\n";
  mock.on({ userMessage: /Analyze[\s\S]*Feedback on attempt 1/ }, { content: '{"fault":"it subtracts"}', usage: usage(300, 9) });
  mock.on({ userMessage: /Analyze/ }, { content: "It subtracts, I think.", usage: usage(200, 8) });
  mock.on(
    { userMessage: /Implement[\s\S]*Feedback/, hasToolResult: false },
    { toolCalls: call("Bash", { command: `cat > src/add.mjs <<'X'\n${right}X` }), usage: usage(500, 20) },
  );
  mock.on({ userMessage: /Implement[\s\S]*Feedback/, hasToolResult: true }, { content: "Mended.", usage: usage(520, 2) });
  mock.on(
    { userMessage: /Implement/, hasToolResult: false },
    { toolCalls: call("Bash", { command: `cat > src/add.mjs <<'X'\n${wrong}X` }), usage: usage(400, 19) },
  );
  mock.on({ userMessage: /Implement/, hasToolResult: true }, { content: "Done.", usage: usage(420, 2) });
  const ran = await run(wave, "run");
  expect(ran, ran.stderr).toMatchObject({ code: 0 });
  expect(ends(wave.events())).toEqual([
    ["attempt-failed", "analyze", 1],
    ["attempt-passed", "analyze", 2],
    ["attempt-failed", "implement", 1],
    ["attempt-passed", "implement", 2],
  ]);
  expect(readFileSync(file, "utf8")).toBe(right);
  const used = wave.events().flatMap((event) => ("usage" in event && event.usage !== undefined ? [event.usage] : []));
  expect(
    used.map(({ turns, toolCalls, denials, inputTokens, outputTokens }) => [turns, toolCalls, denials, inputTokens, outputTokens]),
  ).toEqual([
    [1, 0, 0, 200, 8],
    [1, 0, 0, 300, 9],
    [2, 1, 0, 820, 21],
    [2, 1, 0, 1020, 22],
  ]);
  for (const { costUsd } of used) expect(costUsd).toBeGreaterThan(0);
  expect(mock.getRequests().map(({ path: asked }) => asked.split("?")[0])).toEqual(Array(6).fill("/v1/messages"));
});

test("a write that the step may not do is refused, and counted", async () => {
  const wave = project({ "a.txt": "1\n" });
  wave.write({
    "wave.yaml": manifest(
      `    - { id: look, persona: navigator, task: Write, permissions: { allow: ["file_write:src/**"], deny: ["network_access:*"] } }\n`,
    ),
  });
  mock.on(
    { hasToolResult: false },
    { toolCalls: call("Write", { file_path: path.join(wave.root, "b.txt"), content: "x" }), usage: usage(10, 1) },
  );
  mock.on({ hasToolResult: true }, { content: "I could not.", usage: usage(20, 1) });
  expect((await run(wave, "run")).code).toBe(1);
  const failed = wave.events().find(({ type }) => type === "attempt-failed");
  expect(failed).toMatchObject({
    failure: { reason: "hollow", detail: "all 1 tool calls were denied" },
    usage: { toolCalls: 1, denials: 1 },
  });
});

test("a model that never stops calling tools is stopped at the step's turns", async () => {
  const wave = project({ "a.txt": "1\n" });
  wave.write({
    "wave.yaml": manifest(
      `    - { id: look, persona: navigator, task: Look, resources: { max_turns: 3 }, permissions: { deny: ["network_access:*"] } }\n`,
    ),
  });
  mock.on({}, { toolCalls: call("Read", { file_path: path.join(wave.root, "a.txt") }), usage: usage(10, 1) });
  expect((await run(wave, "run")).code).toBe(1);
  expect(wave.events().find(({ type }) => type === "attempt-failed")).toMatchObject({
    failure: { reason: "budget-exceeded", what: "turns", limit: 3 },
  });
});

test.each([
  [401, "authentication_error", "auth", 1],
  [429, "rate_limit_error", "rate-limit", 2],
  [500, "api_error", "network", 2],
  [529, "overloaded_error", "rate-limit", 2],
] as const)("HTTP %d from the model is %s: a failure of kind %s, after %d attempts", async (status, type, kind, attempts) => {
  const wave = project({ "a.txt": "1\n" });
  wave.write({
    "wave.yaml": manifest(`    - { id: look, persona: navigator, task: Look, permissions: { deny: ["network_access:*"] } }\n`),
  });
  mock.on({}, { error: { message: "no", type }, status });
  expect((await run(wave, "run")).code).toBe(1);
  expect(wave.events().filter((event) => event.type === "attempt-started")).toHaveLength(attempts);
  expect(wave.events().find((event) => event.type === "attempt-failed")).toMatchObject({
    failure: { reason: "agent-failed", kind, status },
  });
});

test("a model that cannot be reached", async () => {
  const wave = project({ "a.txt": "1\n" });
  wave.write({ "wave.yaml": manifest(`    - { id: look, persona: navigator, task: Look }\n`) });
  await mock.stop();
  expect((await run(wave, "run")).code).toBe(1);
  expect(wave.events().find((event) => event.type === "attempt-failed")).toMatchObject({
    failure: { reason: "agent-failed", kind: "network" },
  });
  await mock.start();
});
