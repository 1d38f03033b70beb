/**
 * The `api` adapter through the built binary, on a mock model that speaks Anthropic's and OpenAI's APIs: its tools hold to permissions, its counts are those of
 * the service, and bad days of a model become failures of a kind.
 */
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { type AgentUnderTest, agentRig, badDays, deniedWrite, endlessTools, onePipeline, usage } from "../agents/agent-rig.ts";
import { connectProxy } from "../rig/connect-proxy.ts";
import { artifactText, project } from "../rig/project.ts";

const call = (name: string, input: object) => [{ name, arguments: JSON.stringify(input) }];
const writing = (file: string, content: string) => call("write_file", { path: file, content });

const openai: AgentUnderTest = {
  ...{ name: "api", key: "OPENAI_API_KEY", model: "gpt-5", base: "/v1", endpoint: "/v1/chat/completions" },
  shell: () => [],
  write: writing,
};
const anthropic: AgentUnderTest = { ...openai, key: "ANTHROPIC_API_KEY", model: "anthropic/claude-sonnet-4-5", endpoint: "/v1/messages" };

describe.each([
  ["OpenAI's", openai],
  ["Anthropic's", anthropic],
])("on %s API", (_, under) => {
  const rig = agentRig(under);

  test("one pipeline: analyze, implement, test; what fails first is tried again with what was wrong; every token is counted", async () => {
    await onePipeline(rig, under);
  });

  test("a write that the step may not do is refused, and counted; nothing is written", async () => {
    await deniedWrite(rig, (file) => writing(file, "x"));
  });

  test("a model that never stops calling tools is stopped at the step's turns", async () => {
    await endlessTools(rig, (file) => call("read_file", { path: file }));
  });

  test("a wrong key is a failure that is not tried again", async () => {
    await badDays(rig, 401, "auth", 1);
  });
});

describe.each([
  [429, "rate-limit", 5],
  [500, "network", 2],
] as const)("HTTP %d from the model", (status, kind, attempts) => {
  const rig = agentRig(openai);
  test(`is a failure of kind ${kind}, which may pass: it is tried ${attempts} times`, async () => {
    await badDays(rig, status, kind, attempts);
  });
});

describe("the tools", () => {
  const rig = agentRig(openai);

  /** Has the model call tools one after the other, then answer; gives what each call was answered. */
  async function called(steps: string, files: Readonly<Record<string, string>>, calls: readonly ReturnType<typeof call>[]) {
    const wave = project({ "wave.yaml": rig.manifest(steps), ...files });
    const model = rig.mock();
    for (const [at, toolCalls] of calls.entries()) model.on({ turnIndex: at }, { toolCalls, usage: usage(10, 1) });
    model.on({ turnIndex: calls.length }, { content: "Done.", usage: usage(10, 1) });
    const ran = await rig.run(wave);
    const last = model.getRequests().at(-1)?.body as { messages: { role: string; content: string }[] } | undefined;
    return { wave, ran, answers: (last?.messages ?? []).filter(({ role }) => role === "tool").map(({ content }) => content) };
  }

  test("list, read, search, edit and write what the step may, and nothing else", async () => {
    const rules = `permissions: { allow: ["file_read:src/**", "file_write:src/**"], deny: ["file_read:src/private/**", "network_access:*"] }`;
    const files = { "src/a.txt": "one\ntwo\nthree\n", "src/private/key.txt": "two\n", "other.txt": "two\n" };
    const { wave, ran, answers } = await called(`    - { id: look, persona: craftsman, task: Look, ${rules} }\n`, files, [
      call("list_files", { glob: "**" }),
      call("read_file", { path: "src/a.txt", from: 2, lines: 1 }),
      call("read_file", { path: "src/private/key.txt" }),
      call("read_file", { path: "src/../other.txt" }),
      call("read_file", { path: "../../etc/passwd" }),
      call("search_files", { text: "two" }),
      call("edit_file", { path: "src/a.txt", before: "two", after: "$& 2" }),
      call("edit_file", { path: "src/a.txt", before: "e", after: "E" }),
      call("write_file", { path: "src/new/b.txt", content: "new" }),
      call("write_file", { path: ".git/hooks/pre-commit", content: "evil" }),
      call("read_file", { path: 7 }),
    ]);
    expect(ran, ran.stderr).toMatchObject({ code: 0 });
    expect(answers).toEqual([
      "src/a.txt",
      "two",
      "denied by `file_read:src/private/**`: reading src/private/key.txt. The step's permissions do not allow this.",
      "denied by `file_read:src/**`: reading src/../other.txt. The step's permissions do not allow this.",
      "denied by `file_read:src/**`: reading ../../etc/passwd. The step's permissions do not allow this.",
      "src/a.txt:2: two",
      "wrote 15 bytes to src/a.txt",
      "error: the text to replace occurs 3 times in src/a.txt; it must occur exactly once",
      "wrote 3 bytes to src/new/b.txt",
      "denied by `file_write:src/**`: writing .git/hooks/pre-commit. The step's permissions do not allow this.",
      expect.stringMatching(/^(?:denied|error)/),
    ]);
    expect(readFileSync(path.join(wave.root, "src/a.txt"), "utf8")).toBe("one\n$& 2\nthree\n");
    expect(readFileSync(path.join(wave.root, "src/new/b.txt"), "utf8")).toBe("new");
    expect(wave.events().find(({ type }) => type === "attempt-passed")).toMatchObject({ usage: { turns: 12, toolCalls: 11 } });
  });

  test("read nothing of a repository's own, whatever the step may read", async () => {
    const files = { ".git/config": "[http] extraheader = token\n", "a.txt": "token\n" };
    const { answers } = await called("    - { id: look, persona: navigator, task: Look }\n", files, [
      call("read_file", { path: ".git/config" }),
      call("read_file", { path: "x/../.GIT/config" }),
      call("search_files", { text: "token" }),
    ]);
    expect(answers).toEqual([
      "denied: reading .git/config. The step's permissions do not allow this.",
      "denied: reading x/../.GIT/config. The step's permissions do not allow this.",
      "a.txt:1: token",
    ]);
  });

  test("reach inputs and output where the prompt says that they are; inputs are read-only", async () => {
    const steps = `
    - { id: make, persona: maker, task: Make, artifacts: [{ name: word, source: message }] }
    - { id: look, persona: craftsman, task: "Look into {{ inputs.word }}", inputs: [{ artifact: word, from: make }], artifacts: [report] }
`;
    const wave = project({
      "wave.yaml": `${rig.manifest(steps)}personas: { maker: { command: "echo the word" } }\n`,
    });
    const where = /Look into ([^\s"\\]+)/;
    const model = rig.mock();
    const pathIn = (body: unknown) => where.exec(JSON.stringify(body))?.[1] ?? "";
    model.on({ turnIndex: 0 }, (request: unknown) => ({ toolCalls: call("read_file", { path: pathIn(request) }), usage: usage(10, 1) }));
    model.on({ turnIndex: 1 }, (request: unknown) => ({ toolCalls: writing(pathIn(request), "no"), usage: usage(10, 1) }));
    const output = (request: unknown) => pathIn(request).replace(/inputs\/word$/, "output/report.md");
    model.on({ turnIndex: 2 }, (request: unknown) => ({ toolCalls: writing(output(request), "reported"), usage: usage(10, 1) }));
    model.on({ turnIndex: 3 }, { content: "Done.", usage: usage(10, 1) });
    const ran = await rig.run(wave);
    expect(ran, ran.stderr).toMatchObject({ code: 0 });
    const last = model.getRequests().at(-1)?.body as { messages: { role: string; content: string }[] };
    const answers = last.messages.filter(({ role }) => role === "tool").map(({ content }) => content);
    expect(answers).toEqual([
      "the word\n",
      expect.stringMatching(/^denied: writing .*, a read-only input/),
      expect.stringMatching(/^wrote 8 bytes/),
    ]);
    const passed = wave.events().find((event) => event.type === "attempt-passed" && event.step === "look");
    const digest = passed?.type === "attempt-passed" ? passed.artifacts[0]?.digest : undefined;
    expect(artifactText(wave.root, digest ?? "")).toBe("reported");
  });
});

describe("an answer that a contract judges", () => {
  const rig = agentRig(openai);
  const schema = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    required: ["n"],
    properties: { n: { type: "integer" } },
  };

  test("is asked for by the contract's schema, which stands in the request", async () => {
    const handover = `handover: { contract: { type: json_schema, schema: n.schema.json } }`;
    const wave = project({
      "wave.yaml": rig.manifest(`    - { id: count, persona: navigator, task: Count, ${handover} }\n`),
      "n.schema.json": JSON.stringify(schema),
    });
    rig.mock().on({}, { content: '{"n": 3}', usage: usage(10, 1) });
    const ran = await rig.run(wave);
    expect(ran, ran.stderr).toMatchObject({ code: 0 });
    const { $schema: _, ...asked } = schema;
    expect(rig.mock().getRequests()[0]?.body).toMatchObject({
      response_format: { type: "json_schema", json_schema: { schema: asked } },
      messages: [
        { role: "system", content: expect.stringContaining("navigator") },
        { role: "user", content: expect.stringContaining("# Task") },
      ],
    });
  });
});

describe("before any work", () => {
  const rig = agentRig(openai);

  test.each([
    ["no model", (text: string) => text.replace(", model: gpt-5", ""), "adapter `api` has no model"],
    ["no key declared", (text: string) => text.replace("secrets: [OPENAI_API_KEY]", ""), "adapter `api` has no key"],
    ["a key that is not set", (text: string) => text.replace("OPENAI_API_KEY", "GEMINI_API_KEY"), "GEMINI_API_KEY is not set"],
    [
      "a cost that nobody tells",
      (text: string) => text.replace("task: Look", "task: Look, resources: { max_cost: 1 }"),
      "`max_cost` cannot be enforced",
    ],
  ])("exit 4 with %s", async (_, change, said) => {
    const wave = rig.oneStep(", changes: optional");
    wave.write({ "wave.yaml": change(readFileSync(path.join(wave.root, "wave.yaml"), "utf8")) });
    const ran = await rig.run(wave);
    expect([ran.code, ran.stderr.includes(said), existsSync(path.join(wave.root, ".wave/state/journals"))], ran.stderr).toEqual([
      4,
      true,
      false,
    ]);
  });
});

describe("a proxy that the environment names", () => {
  const rig = agentRig(openai);

  /** A pipeline of one step whose model has a name that only the proxy knows. */
  function beyond() {
    const wave = rig.oneStep(", changes: optional");
    const text = readFileSync(path.join(wave.root, "wave.yaml"), "utf8");
    wave.write({ "wave.yaml": text.replace("127.0.0.1", "model.invalid") });
    rig.mock().on({}, { content: "Seen.", usage: usage(10, 1) });
    return wave;
  }

  test("leads to the model", async () => {
    const proxy = await connectProxy();
    const ran = await rig.run(beyond(), ["run"], { HTTP_PROXY: proxy.address });
    expect(ran, ran.stderr).toMatchObject({ code: 0 });
    expect(proxy.asked).toEqual([{ host: `model.invalid:${new URL(rig.mock().url).port}`, credentials: undefined }]);
  });

  test("is not there, and is told so without its password: a failure of its setting, tried once", async () => {
    const wave = beyond();
    const ran = await rig.run(wave, ["run"], { HTTP_PROXY: "ftp://me:pass-word@proxy" });
    expect([ran.code, ran.stderr.includes("pass-word")]).toEqual([1, false]);
    const failed = wave.events().filter(({ type }) => type === "attempt-failed");
    expect(failed).toMatchObject([
      { failure: { reason: "agent-failed", kind: "config", detail: "HTTP_PROXY is not the address of an HTTP proxy" } },
    ]);
  });
});

describe("a model that does not answer", () => {
  const rig = agentRig(openai);

  test("is waited for as long as the step may take", async () => {
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const wave = rig.oneStep(", resources: { timeout: 1s }");
    const text = readFileSync(path.join(wave.root, "wave.yaml"), "utf8");
    wave.write({ "wave.yaml": text.replace(rig.mock().url, `http://127.0.0.1:${(server.address() as AddressInfo).port}`) });
    const ran = await rig.run(wave);
    server.closeAllConnections();
    server.close();
    expect(ran, ran.stderr).toMatchObject({ code: 1 });
    expect(wave.events().find(({ type }) => type === "attempt-failed")).toMatchObject({ failure: { reason: "timeout", limitMs: 1000 } });
  });

  test("since nobody listens there, is a failure of the network, tried twice", async () => {
    const wave = rig.oneStep(", changes: optional");
    await rig.mock().stop();
    const ran = await rig.run(wave);
    await rig.mock().start();
    expect(ran, ran.stderr).toMatchObject({ code: 1 });
    const failed = wave.events().filter((event) => event.type === "attempt-failed");
    expect(failed).toMatchObject([1, 2].map(() => ({ failure: { reason: "agent-failed", kind: "network" } })));
  });
});
