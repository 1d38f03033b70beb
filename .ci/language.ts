/**
 * The language and vocabulary check: `node .ci/run-ts.mjs .ci/language.ts [--list] [PATH…]`. It counts constructions of
 * `language-rules.ts` in comments, messages and docs, and retired names. `--list` prints each place. Paths are files or
 * directories; without them, everything is checked. Exits with 1 if a limit is exceeded.
 */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { report } from "./language-report.ts";
import { readMarkdown, readTypeScript, readYaml, type Source } from "./language-texts.ts";

const root = path.resolve(path.dirname(process.argv[1] ?? ""), "..");
const args = process.argv.slice(2);
const { lines, passed } = report(
  filesOf(args.filter((arg) => !arg.startsWith("-"))).map((file) => readSource(file, readFileSync(path.join(root, file), "utf8"))),
  { list: args.includes("--list"), folders: args.includes("--folders") },
);
console.log(lines.join("\n"));
process.exitCode = passed ? 0 : 1;

function filesOf(paths: readonly string[]): readonly string[] {
  const wanted = paths.map((given) => path.relative(root, path.resolve(given)).split(path.sep).join("/"));
  const listed = (directory: string) =>
    readdirSync(path.join(root, directory), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).split(path.sep).join("/"));
  const files = [
    ...listed("src").filter((file) => file.endsWith(".ts") && !/(?:^|\/)generated\/|\.generated\./.test(file)),
    ...["docs", "examples"].flatMap(listed).filter((file) => /\.(?:md|ya?ml)$/.test(file) && !file.includes("/.wave/")),
    ...["README.md", "CHANGELOG.md", "SECURITY.md", ".github/CONTRIBUTING.md", "action.yml"],
  ].sort();
  return wanted.length === 0
    ? files
    : files.filter((file) => wanted.some((one) => one === "" || file === one || file.startsWith(`${one}/`)));
}

function readSource(file: string, text: string): Source {
  if (file.endsWith(".ts")) return readTypeScript(file, text);
  return { texts: file.endsWith(".md") ? readMarkdown(file, text) : readYaml(file, text), names: [] };
}
