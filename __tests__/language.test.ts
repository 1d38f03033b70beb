/** The language check: what it finds, and what it accepts. */
import { describe, expect, it } from "vitest";
import { findingsIn, limits, report, retiredIn } from "../.ci/language-report.ts";
import { readMarkdown, readTypeScript, readYaml, type Text } from "../.ci/language-texts.ts";

const plain = `/** Resolves the options of a command to a validated project. */
import { open } from "./open.ts";

/** The newest entry, or undefined if there is none. Fails with \`state-locked\` while another process holds the lock. */
export function newestEntry(directory: string): string {
  // GitHub answers 404 to a token without access, so the request is repeated once.
  return open(directory) ?? "no entry matches the directory; start a run with \`wave run\`";
}
`;

describe("a planted sentence", () => {
  it("fails the check in a comment", () => {
    const source = readTypeScript("src/a.ts", `${plain}\n// What the child wrote goes on anew.\nconst one = 1;\n`);
    expect(report([source]).passed).toBe(false);
    expect(found(source.texts)).toEqual(["src/a.ts:10: what", "src/a.ts:10: goes-on", "src/a.ts:10: anew"]);
  });

  it("fails the check in a message", () => {
    const source = readTypeScript("src/a.ts", `${plain}\nconst hint = \`run \${plain} cannot be gone on with, nobody knows why\`;\n`);
    expect(report([source]).passed).toBe(false);
    expect(found(source.texts)).toEqual(["src/a.ts:10: who", "src/a.ts:10: goes-on"]);
  });

  it("fails the check in a page if no more places are allowed", () => {
    const texts = readMarkdown("docs/a.md", "# What it does\n\nThe log of a step\nlies in `logs/`, one file a step.\n");
    expect(found(texts)).toEqual(["docs/a.md:4: lies", "docs/a.md:4: a-step"]);
    expect(report([{ texts, names: [] }], {}, { ...limits, docsPlaces: 1 }).passed).toBe(false);
    expect(report([{ texts, names: [] }], {}, { ...limits, docsPlaces: 2 }).passed).toBe(true);
  });

  it("is found in a description and a comment of YAML", () => {
    const texts = readYaml("action.yml", "# Whoever may start a job.\ninputs:\n  file:\n    description: Manifests. Absent, wave.yaml.\n");
    expect(found(texts)).toEqual(["action.yml:1: who", "action.yml:4: absent"]);
  });

  it.each([
    "Gives the lock back.",
    "The outcome is told to nobody.",
    "Use what the manifest says.",
    "git is asked once for all paths.",
    "Nothing where the file is missing.",
    "Where a step has no artifact, the changes count.",
    "A rule that stands in a manifest.",
    "All files but for the ignored ones.",
    "Returns the bytes, also when the file is empty.",
    "A value that is no number.",
    "The rest of the files, of which one is kept.",
    "The file stays as it is.",
    "Those that failed run again.",
    "The child is fenced.",
    "A contract is a gate on the output.",
    "Undoing a run takes a lock.",
    "Workspaces and logs go, of all runs but the newest.",
    "At least so long between two updates.",
  ])("is found: %s", (sentence) => {
    expect(findingsIn({ kind: "docs", file: "docs/a.md", line: 1, text: sentence })).not.toEqual([]);
  });
});

describe("plain English", () => {
  it("passes the check with its comments and messages", () => {
    const source = readTypeScript("src/a.ts", plain);
    expect(source.texts.map(({ kind, line }) => `${line} ${kind}`)).toEqual(["1 header", "4 docstring", "6 inline", "7 message"]);
    expect(found(source.texts)).toEqual([]);
    expect(report([source]).passed).toBe(true);
  });

  it.each([
    "The plan tells you what Terraform will do. What happens if it fails?",
    "If no path is given, the current directory is used. There is no limit.",
    "Wraps the text in a code fence, so that Markdown shows it as written.",
    "A deleted branch cannot be undone. The CI gate is green; promises are settled.",
    "The process may use 2 GiB of memory. No memory is shared with other processes.",
    "The flag tells the compiler to stop, and asks the user for confirmation.",
    "`FOO` stands for the name of a step. The steps go on the queue.",
    "The lock holds two values, neither of which is empty. It takes one second a day at most.",
    "Shows where the output of a run goes. Report a problem if the task says so.",
    "The specification says that the value is optional, and it was no longer read.",
  ])("passes the check: %s", (sentence) => {
    expect(findingsIn({ kind: "docs", file: "docs/a.md", line: 1, text: sentence })).toEqual([]);
  });

  it("is not looked for in code, code spans, links and directives", () => {
    const page = "See [the page](https://example.com/what-goes-on) and `nobody says so`.\n\n```ts\nconst told = nobody;\n```\n";
    const code =
      'const pattern = /\\/\\/ nobody/;\nconst url = "https://nobody";\n// biome-ignore lint/a: nobody says so\nconst a = `// nobody`;\n';
    expect(found([...readMarkdown("docs/a.md", page), ...readTypeScript("src/a.ts", code).texts])).toEqual([]);
  });
});

describe("a retired name", () => {
  it("is found where it is declared, and fails the check", () => {
    const code = "export const fencedSpawn = 1;\nfunction a({ b: gateFiles }: { readonly isHollow: boolean }, announce = gateFiles) {}\n";
    const source = readTypeScript("src/a.ts", code);
    expect(retiredIn(source).map(({ line, text }) => `${line} ${text}`)).toEqual([
      "1 fencedSpawn",
      "2 gateFiles",
      "2 isHollow",
      "2 announce",
    ]);
    expect(report([source]).passed).toBe(false);
  });

  it("is found in the name of a file", () => {
    expect(retiredIn(readTypeScript("src/run-hollow.ts", "")).map(({ text }) => text)).toEqual(["runHollow"]);
  });

  it("is not found in names that have the letters or another meaning", () => {
    const code = "const memoryLimitBytes = 1, defence = 2, navigate = 3, aggregated = 4, bedroom = 5, settled = 6, relayed = a.fence;\n";
    expect(retiredIn(readTypeScript("src/a.ts", code))).toEqual([]);
    expect(retiredIn(readTypeScript("src/text/markdown.ts", "const openingFence = 1;\n"))).toEqual([]);
  });
});

function found(texts: readonly Text[]): readonly string[] {
  return texts.flatMap(findingsIn).map(({ file, line, rule }) => `${file}:${line}: ${rule}`);
}
