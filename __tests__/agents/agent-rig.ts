/** What the suites of agents share: a mock model on loopback, and one pipeline that every adapter has to bring to the same end. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { LLMock } from "@copilotkit/aimock";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Project, project } from "../rig/project.ts";

/** What differs between agents. */
export interface AgentUnderTest {
  readonly name: string;
  readonly key: string;
  readonly model: string;
  /** The model API's address below the mock's. */
  readonly base: string;
  /** The path of its requests. */
  readonly endpoint: string;
  /** Its tool that runs a shell command, called. */
  shell(command: string): { readonly name: string; readonly arguments: string }[];
  /** Its tool that writes a file, called; absent: the shell does. */
  write?(file: string, text: string): { readonly name: string; readonly arguments: string }[];
}

export interface AgentRig {
  readonly mock: () => LLMock;
  manifest(steps: string): string;
  /** A project with one step and nothing else; `more` is added to the step. */
  oneStep(more: string): Project;
  run(
    wave: Project,
    words?: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): Promise<{ readonly code: number | null; readonly stderr: string }>;
}

export const usage = (input: number, output: number) => ({
  ...{ input_tokens: input, output_tokens: output },
  ...{ prompt_tokens: input, completion_tokens: output },
});

/** A mock model for each test. */
export function agentRig({ name, key, model, base }: AgentUnderTest): AgentRig {
  let mock: LLMock;
  beforeEach(async () => {
    mock = new LLMock({ port: 0 });
    await mock.start();
  });
  afterEach(() => mock.stop());
  const manifest = (steps: string) => `
secrets: [${key}]
adapters: { ${name}: { base_url: "${mock.url}${base}", model: ${model} } }
defaults: { adapter: ${name} }
pipeline:
  name: feature
  steps:
${steps}`;
  return {
    mock: () => mock,
    manifest,
    oneStep(more) {
      const wave = project({ "a.txt": "1\n" });
      wave.write({
        "wave.yaml": manifest(`    - { id: look, persona: navigator, task: Look${more}, permissions: { deny: ["network_access:*"] } }\n`),
      });
      return wave;
    },
    run: (wave, words = ["run"], env = {}) => wave.start(words, { ...machine(), [key]: "sk-test-key", ...env }).finished,
  };
}

/** What npm and the agents need of this machine: its certificates, and where their cache is. */
function machine(): Record<string, string> {
  const wanted = /^(?:HOME|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|WAVE_CACHE_DIR|XDG_CACHE_HOME|https?_proxy|no_proxy|npm_config_.*)$/i;
  const kept = Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value !== undefined && wanted.test(name) ? [[name, value]] : [])),
  );
  // The mock model is on this machine.
  const direct = [kept["no_proxy"] ?? kept["NO_PROXY"], "127.0.0.1"].filter((hosts) => hosts !== undefined).join(",");
  return { ...kept, NO_PROXY: direct, no_proxy: direct };
}

const steps = `
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
`;

/**
 * Analyze, implement, test: both steps fail their contract at first and are tried again with what was wrong. The same attempts, files, tokens and
 * requests for every agent. Gives what the attempts used.
 */
export async function onePipeline({ mock, manifest, run }: AgentRig, { shell, endpoint, write: writeFile }: AgentUnderTest) {
  const right = "export const add = (a, b) => a + b;\n";
  const wave = project({
    "src/add.mjs": "export const add = (a, b) => a - b;\n",
    "test.mjs": 'import { add } from "./src/add.mjs";\nif (add(2, 2) !== 4) throw new Error("2 + 2 is " + add(2, 2));\n',
    "fault.schema.json": '{ "type": "object", "required": ["fault"], "properties": { "fault": { "type": "string" } } }',
    "wave.yaml": manifest(steps),
  });
  const write = (text: string) => writeFile?.("src/add.mjs", text) ?? shell(`cat > src/add.mjs <<'X'\n${text}X`);
  const wrong = write("export const add = (a, b) => a * b + 1;\n");
  const model = mock();
  model.on({ userMessage: /Analyze[\s\S]*Feedback on attempt 1/ }, { content: '{"fault":"it subtracts"}', usage: usage(300, 9) });
  model.on({ userMessage: /Analyze/ }, { content: "It subtracts, I think.", usage: usage(200, 8) });
  model.on({ userMessage: /Implement[\s\S]*Feedback/, hasToolResult: false }, { toolCalls: write(right), usage: usage(500, 20) });
  model.on({ userMessage: /Implement[\s\S]*Feedback/, hasToolResult: true }, { content: "Mended.", usage: usage(520, 2) });
  model.on({ userMessage: /Implement/, hasToolResult: false }, { toolCalls: wrong, usage: usage(400, 19) });
  model.on({ userMessage: /Implement/, hasToolResult: true }, { content: "Done.", usage: usage(420, 2) });
  const ran = await run(wave);
  expect(ran, ran.stderr).toMatchObject({ code: 0 });
  expect(readFileSync(path.join(wave.root, "src/add.mjs"), "utf8")).toBe(right);
  const ended = wave.events().flatMap((event) => (event.type === "attempt-passed" || event.type === "attempt-failed" ? [event] : []));
  expect(
    ended.map(({ type, step, attempt, usage: used }) => [
      ...[type, step, attempt, used?.turns, used?.toolCalls, used?.denials, used?.inputTokens, used?.outputTokens],
    ]),
  ).toEqual([
    ["attempt-failed", "analyze", 1, 1, 0, 0, 200, 8],
    ["attempt-passed", "analyze", 2, 1, 0, 0, 300, 9],
    ["attempt-failed", "implement", 1, 2, 1, 0, 820, 21],
    ["attempt-passed", "implement", 2, 2, 1, 0, 1020, 22],
  ]);
  expect(model.getRequests().map(({ path: asked }) => asked.split("?")[0])).toEqual(Array(6).fill(endpoint));
  return ended.map(({ usage: used }) => used);
}

type ToolCalls = ReturnType<AgentUnderTest["shell"]>;

const failure = (wave: Project) => wave.events().find(({ type }) => type === "attempt-failed");

/** A tool that writes, used outside of where the step may: the agent is told no, and an attempt of which that is all has done nothing. */
export async function deniedWrite(rig: AgentRig, write: (file: string) => ToolCalls): Promise<void> {
  const wave = rig.oneStep("");
  const rules = `permissions: { allow: ["file_write:src/**"], deny: ["network_access:*"] }`;
  wave.write({ "wave.yaml": rig.manifest(`    - { id: look, persona: navigator, task: Write, ${rules} }\n`) });
  await refused(rig, wave, write(path.join(wave.root, "b.txt")));
}

/** The same of a command, where the step may run none. */
export async function deniedShell(rig: AgentRig, { shell }: AgentUnderTest): Promise<void> {
  const wave = rig.oneStep("");
  wave.write({
    "wave.yaml": rig.manifest(
      `    - { id: look, persona: navigator, task: Write, permissions: { deny: ["command:*", "network_access:*"] } }\n`,
    ),
  });
  await refused(rig, wave, shell("echo x > b.txt"));
}

async function refused(rig: AgentRig, wave: Project, toolCalls: ToolCalls): Promise<void> {
  rig.mock().on({ hasToolResult: false }, { toolCalls, usage: usage(10, 1) });
  rig.mock().on({ hasToolResult: true }, { content: "I could not.", usage: usage(20, 1) });
  const ran = await rig.run(wave);
  expect(ran, ran.stderr).toMatchObject({ code: 1 });
  expect(failure(wave)).toMatchObject({
    failure: { reason: "empty-output", detail: expect.stringMatching(/^its only tool call.* was denied/) },
    usage: { toolCalls: 1, denials: 1 },
  });
}

/** A model that only ever calls a tool that reads. */
export async function endlessTools(rig: AgentRig, read: (file: string) => ToolCalls): Promise<void> {
  const wave = rig.oneStep(", resources: { max_turns: 3 }");
  rig.mock().on({}, { toolCalls: read(path.join(wave.root, "a.txt")), usage: usage(10, 1) });
  const ran = await rig.run(wave);
  expect(ran, ran.stderr).toMatchObject({ code: 1 });
  expect(failure(wave)).toMatchObject({ failure: { reason: "budget-exceeded", what: "turns", limit: 3 } });
}

/** A model that answers everything with an error. */
export async function badDays(rig: AgentRig, status: number, kind: string, attempts: number): Promise<void> {
  const wave = rig.oneStep("");
  rig.mock().on({}, { error: { message: "no; try again in 10ms", type: "x" }, status });
  const ran = await rig.run(wave);
  expect(ran, ran.stderr).toMatchObject({ code: 1 });
  expect(failure(wave)).toMatchObject({ failure: { reason: "agent-failed", kind, status } });
  expect(wave.events().filter((event) => event.type === "attempt-started")).toHaveLength(attempts);
}

/** The tests of an agent whose commands wave's rules name to it, and that tries a failing model again as often as wave tells it. */
export function shellAgentTests(
  agent: AgentUnderTest,
  read: (file: string) => { readonly name: string; readonly arguments: string }[],
): void {
  const rig = agentRig(agent);

  test("one pipeline: analyze, implement, test; what fails first is tried again with what was wrong; every token is counted", async () => {
    await onePipeline(rig, agent);
  });

  test("a command that the step may not run is refused, and counted", async () => {
    await deniedShell(rig, agent);
  });

  test("a model that never stops calling tools is stopped at the step's turns", async () => {
    await endlessTools(rig, read);
  });

  test.each([
    [401, "auth", 1],
    [429, "rate-limit", 5],
    [500, "network", 2],
  ] as const)("HTTP %d from the model is a failure of kind %s, after %d attempts", async (status, kind, attempts) => {
    await badDays(rig, status, kind, attempts);
  });
}
