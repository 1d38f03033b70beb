/** Codex itself, on a mock model on loopback. The program is installed by wave, from npm, into its cache; the first run of this file downloads it. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { LLMock } from "@copilotkit/aimock";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Project, project } from "../rig/project.ts";
import { machine } from "./machine.ts";

let mock: LLMock;

beforeEach(async () => {
  mock = new LLMock({ port: 0 });
  await mock.start();
});
afterEach(() => mock.stop());

const shell = (cmd: string) => [{ name: "exec_command", arguments: JSON.stringify({ cmd }) }];
const usage = (input: number, output: number) => ({
  prompt_tokens: input,
  completion_tokens: output,
  input_tokens: input,
  output_tokens: output,
});

function manifest(steps: string): string {
  return `
secrets: [OPENAI_API_KEY]
adapters: { codex: { base_url: "${mock.url}/v1", model: gpt-5 } }
defaults: { adapter: codex }
pipeline:
  name: feature
  steps:
${steps}`;
}

const run = (wave: Project) => wave.start(["run"], { ...machine(), OPENAI_API_KEY: "sk-test-key" }).finished;
const one = (more = "") => `    - { id: look, persona: navigator, task: Look, permissions: { deny: ["network_access:*"] }${more} }\n`;

test("one pipeline: analyze, implement, test; what fails first is tried again with what was wrong; every token is counted", async () => {
  const wave = project({
    "src/add.mjs": "export const add = (a, b) => a - b;\n",
    "test.mjs": 'import { add } from "./src/add.mjs";\nif (add(2, 2) !== 4) throw new Error("2 + 2 is " + add(2, 2));\n',
    "fault.schema.json": '{ "type": "object", "required": ["fault"], "properties": { "fault": { "type": "string" } } }',
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
  const write = (text: string) => shell(`cat > src/add.mjs <<'X'\n${text}X`);
  const right = "export const add = (a, b) => a + b;\n";
  mock.on({ userMessage: /Analyze[\s\S]*Feedback on attempt 1/ }, { content: '{"fault":"it subtracts"}', usage: usage(300, 9) });
  mock.on({ userMessage: /Analyze/ }, { content: "It subtracts, I think.", usage: usage(200, 8) });
  mock.on({ userMessage: /Implement[\s\S]*Feedback/, hasToolResult: false }, { toolCalls: write(right), usage: usage(500, 20) });
  mock.on({ userMessage: /Implement[\s\S]*Feedback/, hasToolResult: true }, { content: "Mended.", usage: usage(520, 2) });
  mock.on(
    { userMessage: /Implement/, hasToolResult: false },
    { toolCalls: write("export const add = (a, b) => a * b + 1;\n"), usage: usage(400, 19) },
  );
  mock.on({ userMessage: /Implement/, hasToolResult: true }, { content: "Done.", usage: usage(420, 2) });
  const ran = await run(wave);
  expect(ran, ran.stderr).toMatchObject({ code: 0 });
  expect(readFileSync(path.join(wave.root, "src/add.mjs"), "utf8")).toBe(right);
  const ended = wave
    .events()
    .flatMap((event) =>
      event.type === "attempt-passed" || event.type === "attempt-failed"
        ? [[event.type, event.step, event.usage?.turns, event.usage?.toolCalls, event.usage?.inputTokens, event.usage?.outputTokens]]
        : [],
    );
  expect(ended).toEqual([
    ["attempt-failed", "analyze", 1, 0, 200, 8],
    ["attempt-passed", "analyze", 1, 0, 300, 9],
    ["attempt-failed", "implement", 2, 1, 820, 21],
    ["attempt-passed", "implement", 2, 1, 1020, 22],
  ]);
  expect(mock.getRequests().map(({ path: asked }) => asked.split("?")[0])).toEqual(Array(6).fill("/v1/responses"));
});

test("a model that never stops calling tools is stopped at the step's turns", async () => {
  const wave = project({ "a.txt": "1\n" });
  wave.write({ "wave.yaml": manifest(one(", resources: { max_turns: 3 }")) });
  mock.on({}, { toolCalls: shell("true"), usage: usage(10, 1) });
  expect((await run(wave)).code).toBe(1);
  expect(wave.events().find(({ type }) => type === "attempt-failed")).toMatchObject({
    ...{ failure: { reason: "budget-exceeded", what: "turns", limit: 3, used: 4 }, usage: { toolCalls: 4 } },
  });
});

test.each([
  [401, "auth", 1],
  [429, "rate-limit", 2],
] as const)("HTTP %d from the model is a failure of kind %s, after %d attempts", async (status, kind, attempts) => {
  const wave = project({ "a.txt": "1\n" });
  wave.write({ "wave.yaml": manifest(one()) });
  mock.on({}, { error: { message: "no", type: "x" }, status });
  expect((await run(wave)).code).toBe(1);
  expect(wave.events().filter((event) => event.type === "attempt-started")).toHaveLength(attempts);
  expect(wave.events().find((event) => event.type === "attempt-failed")).toMatchObject({
    failure: { reason: "agent-failed", kind, status },
  });
});

test("a cost that nobody tells is no budget: exit 4, before any work", async () => {
  const wave = project({ "a.txt": "1\n" });
  wave.write({ "wave.yaml": manifest(one(", resources: { max_cost: 1 }")) });
  expect(await run(wave)).toMatchObject({ code: 4, stderr: expect.stringContaining("`max_cost` cannot be held to") });
});
