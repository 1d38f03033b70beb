/**
 * Records `examples/feature-development` again, with Claude Code on a mock model that returns fixed answers, and compares the result with the committed
 * recording. `WAVE_TEST_RECORD=yes npm run test:agents` writes the recording; do this after changes to the example, its personas or the recording format.
 */
import { cpSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { contentsBelow } from "../rig/contents-below.ts";
import { project, repository } from "../rig/project.ts";
import { agentRig, usage } from "./agent-rig.ts";

const example = path.join(repository, "examples/feature-development");
const committed = path.join(example, ".wave/recordings/slugify");
const rig = agentRig({
  ...{ name: "claude", key: "ANTHROPIC_API_KEY", model: "claude-sonnet-4-5", base: "", endpoint: "/v1/messages" },
  shell: () => [],
});

const analysis = {
  summary: "src/ has no slugs yet. `words` already splits a title; a slug is its words in lower case, without accents, joined by hyphens.",
  files: [
    { path: "src/slugify.mjs", change: "add" },
    { path: "test/slugify.test.mjs", change: "add" },
  ],
  cases: ["several words", "accents", "nothing but punctuation"],
};

const slugify = (body: string) => `import { words } from "./words.mjs";

/** A title as a part of a URL: its words in lower case, without accents, joined by hyphens. */
export function slugify(title) {
  return ${body};
}
`;

const tests = `import assert from "node:assert/strict";
import { test } from "node:test";
import { slugify } from "../src/slugify.mjs";

test("a title becomes its words, joined by hyphens", () => {
  assert.equal(slugify("Hello, wide world!"), "hello-wide-world");
});

test("accents go", () => {
  assert.equal(slugify("Crème brûlée"), "creme-brulee");
});
`;

const edges = `import assert from "node:assert/strict";
import { test } from "node:test";
import { slugify } from "../src/slugify.mjs";

test("a text without words is the empty text", () => {
  assert.equal(slugify(""), "");
  assert.equal(slugify("¡…!"), "");
});

test("letters that have no plain form stay", () => {
  assert.equal(slugify("東京 2020"), "東京-2020");
});
`;

const coverage = `# Coverage

- the empty text, and a text of punctuation alone: both give the empty text
- letters without a plain form: they stay as they are
`;

/** Sets the tool calls and the final message of an attempt. */
function answers(asked: RegExp, root: string, files: Readonly<Record<string, string>>, answer: string, tokens: number): void {
  const toolCalls = Object.entries(files).map(([file, content]) => ({
    name: "Write",
    arguments: JSON.stringify({ file_path: path.join(root, file), content }),
  }));
  const model = rig.mock();
  if (toolCalls.length > 0) model.on({ userMessage: asked, hasToolResult: false }, { toolCalls, usage: usage(tokens, 180) });
  model.on({ userMessage: asked, hasToolResult: toolCalls.length > 0 }, { content: answer, usage: usage(tokens + 260, 24) });
}

test("the example's recording matches a run of Claude Code", async () => {
  const wave = project({});
  cpSync(example, wave.root, { recursive: true, filter: (file) => !file.includes("/.wave/") });
  const model = "adapters:\n  claude: { ";
  const manifest = readFileSync(path.join(wave.root, "wave.yaml"), "utf8");
  wave.write({ "wave.yaml": manifest.replace(model, `${model}base_url: "${rig.mock().url}", `) });
  answers(/Requested feature[\s\S]*Feedback on attempt 1/, wave.root, {}, JSON.stringify(analysis, undefined, 2), 1460);
  answers(/Requested feature/, wave.root, {}, "There is no function for slugs yet; it would build on `words`.", 1210);
  const plain = slugify('words(title).join("-").toLowerCase()');
  const fixed = slugify('words(title.normalize("NFD").replace(/\\p{M}/gu, "")).join("-").toLowerCase()');
  const files = (source: string) => ({ "src/slugify.mjs": source, "test/slugify.test.mjs": tests });
  answers(
    /Implement the analysis[\s\S]*Feedback on attempt 1/,
    wave.root,
    files(fixed),
    "Accents are taken off before the words are split.",
    1730,
  );
  answers(/Implement the analysis/, wave.root, files(plain), "Added `slugify`, with tests.", 1480);
  answers(/Test the edge cases/, wave.root, { "test/edges.test.mjs": edges }, coverage, 1390);
  const record = process.env.WAVE_TEST_RECORD === "yes" ? committed : path.join(wave.root, "recording");
  const words = ["run", "--no-apply", "--input", "a function that makes slugs of titles", "--record", record];
  const ran = await rig.run(wave, words);
  expect(ran, ran.stderr).toMatchObject({ code: 0 });
  expect(contentsBelow(record)).toEqual(contentsBelow(committed));
});
