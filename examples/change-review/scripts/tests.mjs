/**
 * Which changed sources have no changed test. A changed test belongs to a source when it has the source's name
 * (`plan.ts`: `plan.test.ts`, `test_plan.py`), or when its added lines name the source's file (an import, usually). Leaves `test-gaps.json`.
 */
import path from "node:path";
import { addedLines } from "./patch.mjs";
import { readInput, readJsonInput, readPrompt, writeOutput } from "./step.mjs";

await readPrompt();
const { files } = readJsonInput("changes");
const changed = files.filter((file) => file.change !== "deleted");
const sources = changed.filter((file) => file.kind === "source");
const tests = changed.filter((file) => file.kind === "test").map((file) => ({ ...file, text: "" }));
const byPath = new Map(tests.map((test) => [test.path, test]));
for (const { file, text } of addedLines(readInput("patch"))) {
  const test = byPath.get(file);
  if (test !== undefined) test.text += `${text}\n`;
}

const answers = sources.map((source) => ({ source, by: tests.filter((test) => belongs(test, source)).map((test) => test.path) }));
const tested = answers.filter(({ by }) => by.length > 0).map(({ source, by }) => ({ file: source.path, by }));
const gaps = answers.filter(({ by }) => by.length === 0).map(({ source: { path: file, area, added } }) => ({ file, area, added }));
writeOutput("test-gaps.json", { sources: sources.length, tests: tests.length, tested, gaps });
console.log(`${gaps.length} of ${sources.length} changed sources have no changed test`);

function belongs(test, source) {
  const name = path.posix.basename(source.path);
  if (subjectOf(test.path) === stemOf(name)) return true;
  const mentioned = new RegExp(`(?:^|[\\s/"'\`])${escapeRegex(name)}(?=["'\`\\s),;:]|$)`, "m");
  return mentioned.test(test.text);
}

/** What a test is about, by its name. */
function subjectOf(test) {
  return stemOf(path.posix.basename(test))
    .replace(/[._-](?:test|spec)$/i, "")
    .replace(/^test_/i, "");
}

function stemOf(name) {
  return name.replace(/\.[^.]+$/, "");
}

function escapeRegex(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
