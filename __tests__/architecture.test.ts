/**
 * The house, as data: which part of src/ may import which, and the rules about files that no compiler checks.
 * Static, dynamic and type imports count alike. Generated files are bound by the import table only.
 */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseAst } from "rolldown/parseAst";
import { describe, expect, test } from "vitest";
import { largeParameters } from "./rig/large-parameters.ts";
import { isNode, type SyntaxNode, walk } from "./rig/syntax-tree.ts";

const root = path.resolve(import.meta.dirname, "..");
const source = path.join(root, "src");

/** Part of src/ → the parts it may import besides itself. `entry` is the files directly in src/. */
const allowed: Readonly<Record<string, readonly string[] | "everything">> = {
  text: [],
  core: ["text"],
  "manifest/schema": ["core"],
  "manifest/load": ["core", "text", "manifest/schema", "platform"],
  "manifest/validate": ["core", "text", "manifest/schema"],
  planner: ["core", "text", "changeset"],
  executor: ["core", "text", "changeset", "prompt"],
  adapters: ["core", "text", "platform"],
  prompt: ["core", "text", "manifest/schema"],
  contracts: ["core", "text", "changeset"],
  redaction: ["core", "text"],
  changeset: ["core", "text", "platform"],
  sandbox: ["core", "text", "platform", "changeset"],
  workspace: ["core", "text", "platform", "changeset", "sandbox"],
  blobs: ["core", "text", "platform"],
  store: ["core", "text", "platform", "changeset"],
  reporters: ["core", "text", "changeset"],
  telemetry: ["core", "text", "platform", "changeset", "reporters"],
  github: ["core", "text", "platform", "reporters", "manifest/schema"],
  platform: ["core", "text", "redaction"],
  engine: "everything",
  cli: ["core", "text", "engine", "reporters", "telemetry"],
  action: "everything",
  entry: ["cli", "action", "contracts", "core", "platform"],
};

/** The files that list a directory themselves, each a single one. A walk of a tree belongs to platform/walk.ts. */
const listing = new Set([
  "blobs/import-blobs.ts",
  "blobs/blob-files.ts",
  "action/local-state.ts",
  "manifest/load/disk-source.ts",
  "engine/open-rollback.ts",
  "adapters/replay/recording-files.ts",
  "platform/actions/toolkit-clients.ts",
  "platform/memory-group.ts",
  "platform/process-group.ts",
  "platform/walk.ts",
  "store/import-journals.ts",
  "store/read-journal.ts",
  "store/run-locks.ts",
  "store/leftovers.ts",
  "store/scan-journals.ts",
  "engine/cleanup.ts",
  "engine/test-pipelines.ts",
  "changeset/disk.ts",
  "sandbox/proc-lines.ts",
  "workspace/orphans.ts",
]);

interface Module {
  /** Relative to src/, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
  readonly exportedNames: readonly string[];
  readonly breaks: readonly string[];
}

const modules = readdirSync(source, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.(?:[cm]?[jt]s|tsx)$/.test(entry.name))
  .map((entry) => readModule(path.relative(source, path.join(entry.parentPath, entry.name)).split(path.sep).join("/")))
  .sort((a, b) => (a.path < b.path ? -1 : 1));
const written = modules.filter((module) => !/(?:^|\/)generated\/|\.generated\./.test(module.path));

describe("imports", () => {
  test("there are modules, and imports between them", () => {
    expect(modules.length).toBeGreaterThan(10);
    expect(modules.flatMap(importedModules).length).toBeGreaterThan(10);
  });

  test("every part of src/ stands in the table", () => {
    expect([...new Set(modules.map((module) => partOf(module.path)))].filter((part) => !(part in allowed))).toEqual([]);
  });

  test("no part imports what it may not", () => {
    expect(modules.flatMap(forbiddenImports)).toEqual([]);
  });

  test("no modules import each other in a cycle, types included", () => {
    expect(cyclesOf(new Map(modules.map((module) => [module.path, importedModules(module)])))).toEqual([]);
  });

  test("a cycle is found behind other modules", () => {
    const graph = { a: ["b"], b: ["c", "d"], c: ["e"], d: [], e: ["b"], f: ["a", "f"] };
    expect(cyclesOf(new Map(Object.entries(graph)))).toEqual(["b, c, e", "f"]);
  });

  test("our own modules are imported by relative paths with `.ts` endings, inside src/", () => {
    const odd = written.flatMap((module) =>
      module.imports
        .filter((name) => name.startsWith(".") || name.startsWith("/"))
        .filter((name) => !/\.(?:ts|js|json)$/.test(name) || path.posix.join(module.path, "..", name).startsWith(".."))
        .map((name) => `${module.path} imports ${name}`),
    );
    expect(odd).toEqual([]);
  });

  test("the check sees what it is there to see", () => {
    const text = [
      'import { a } from "../load/a.ts";',
      'import type { B } from "../../planner/b.ts";',
      'export { c } from "../../core/c.ts";',
      'export * from "../../store/d.ts";',
      'const e = await import("../../reporters/e.ts");',
      'type F = import("../../cli/f.ts").F;',
      "// import g from '../../executor/g.ts'",
    ].join("\n");
    const found = forbiddenImports(moduleOf("manifest/validate/example.ts", text));
    expect(found).toEqual(
      ["manifest/load", "planner", "store", "reporters", "cli"].map((part) => `manifest/validate/example.ts imports ${part}/`),
    );
  });
});

describe("git", () => {
  /** The one module that starts git; it hands git a private directory in place of a repository's configuration. */
  const runner = "platform/git.ts";

  test("is started by one module", () => {
    expect(written.filter(({ path: file }) => file !== runner).flatMap(gitWords)).toEqual([]);
    expect(gitWords(modules.find(({ path: file }) => file === runner) ?? moduleOf(runner, "")).length).toBeGreaterThan(1);
  });

  test("is found in each way in which a module could start it", () => {
    const starts = [
      'capture({ command: ["git", "status"] })',
      'spawn("git", [])',
      'const program = "git";',
      'execFile("/usr/bin/git", [])',
      'const script = "cd x && git ls-files -z";',
      "const script = `exec git -C ${place} status`;",
      'const script = "x=$(git rev-parse HEAD)";',
      'const script = ["set -e", "git --no-pager log"].join(";");',
    ];
    for (const text of starts) expect([text, gitWords(moduleOf("workspace/example.ts", text)).length]).toEqual([text, 1]);
    const mentions = [
      'const base = { kind: "git" };',
      'if (kind === "git") throw new Error("git is not installed");',
      'const hint = "run `git config --global --add safe.directory /x`";',
      'const places = [".git", ".gitignore"];',
      'const hint = "`wave artifacts RUN --patch | git apply` takes them over";',
    ];
    for (const text of mentions) expect([text, gitWords(moduleOf("workspace/example.ts", text))]).toEqual([text, []]);
  });
});

describe("files", () => {
  test("names are kebab-case and name a thing", () => {
    expect(
      modules
        .filter(
          (module) => !/^(?:[a-z0-9]+(?:-[a-z0-9]+)*\/)*[a-z0-9]+(?:-[a-z0-9]+)*(?:\.generated)?(?:\.d)?\.[cm]?[jt]s$/.test(module.path),
        )
        .map((module) => module.path),
    ).toEqual([]);
    const words = /(?:^|[/-])(?:utils?|managers?|misc|common)(?=[-./])/;
    expect(modules.filter((module) => words.test(module.path)).map((module) => module.path)).toEqual([]);
  });

  test("exports are not called manager or util", () => {
    const words = /^(?:utils?|managers?)(?![a-z])|(?:Utils?|Managers?)(?![a-z])/;
    expect(
      written.flatMap((module) => module.exportedNames.filter((name) => words.test(name)).map((name) => `${module.path}: ${name}`)),
    ).toEqual([]);
  });

  test("an exported name is defined once", () => {
    expect(definedTwice(written)).toEqual([]);
  });

  test("a second definition is found, except of the names that contract types, adapters and commands share", () => {
    const texts = { "a/a.ts": "export const one = 1;", "a/b.ts": "export type one = 2;", "b/c.ts": "export { one } from '../a/a.ts';" };
    const shared = { "contracts/a.ts": "export const check = 1;", "contracts/b.ts": "export function check() {}" };
    expect(definedTwice(Object.entries(texts).map(([file, text]) => moduleOf(file, text)))).toEqual(["one: a/a.ts, a/b.ts"]);
    expect(definedTwice(Object.entries(shared).map(([file, text]) => moduleOf(file, text)))).toEqual([]);
  });

  test("no parameter has more than 10 members", () => {
    expect(largeParameters(written)).toEqual([]);
  });

  test("a large parameter is found through its name, its parents and utility types", () => {
    const six = (letter: string) => `{ ${[1, 2, 3, 4, 5, 6].map((index) => `${letter}${index}: string;`).join(" ")} }`;
    const shapes = moduleOf(
      "a/shapes.ts",
      `export interface A ${six("a")}\nexport interface B extends A ${six("b")}\nexport type Step = B;`,
    );
    const found = (parameter: string) => largeParameters([shapes, moduleOf("a/f.ts", `export const f = (x: ${parameter}) => x;`)]);
    for (const large of ["B", `A & ${six("c")}`, 'Omit<B, "a1">', "Readonly<B>", "Partial<B> | undefined"]) {
      expect([large, found(large).length]).toEqual([large, 1]);
    }
    for (const small of ["A", 'Pick<B, "a1" | "b1">', 'Omit<B, "a1" | "a2">', "Step", six("c"), "string"]) {
      expect([small, found(small)]).toEqual([small, []]);
    }
  });

  test("directories are listed by the walker and by the files in the table, and by no other", () => {
    expect(modules.filter((module) => listsDirectories(module.text)).map((module) => module.path)).toEqual([...listing].sort());
    expect(["readdirSync(a)", "fs.promises.opendir(a)", "await readdir(a)"].every(listsDirectories)).toBe(true);
  });

  test("no file is over 350 lines, and no test over 500", () => {
    const tests = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
    const long = [
      ...written.filter((module) => lines(module.text) > 350).map((module) => `src/${module.path}`),
      ...tests.filter((name) => lines(readFileSync(path.join(import.meta.dirname, name), "utf8")) > 500),
    ];
    expect(long).toEqual([]);
  });

  test("no default exports, no enums, no barrels, no imports by computed names", () => {
    expect(written.flatMap((module) => module.breaks.map((what) => `${module.path}: ${what}`))).toEqual([]);
  });

  test("paths are compared for containment in platform/paths.ts alone", () => {
    const own = /startsWith\(`\.\.\$\{path\.sep\}`\)/;
    expect(modules.filter(({ text }) => own.test(text)).map((module) => module.path)).toEqual(["platform/paths.ts"]);
  });

  test("commands print JSON by the one function that makes it safe to print", () => {
    const loose = modules.filter(
      ({ path, text }) => path.startsWith("cli/") && /JSON\.stringify|stdout\.write\(`?\$?\{?jsonText/.test(text),
    );
    expect(loose.map((module) => module.path)).toEqual([]);
  });

  test("nothing is left for later", () => {
    expect(written.filter((module) => /\b(?:TODO|FIXME|XXX|HACK)\b/.test(module.text)).map((module) => module.path)).toEqual([]);
  });
});

function listsDirectories(text: string): boolean {
  return /\b(?:readdir|opendir)(?:Sync)?\b|\bglob(?:Sync)?\b.* from "node:fs/.test(text);
}

/** A word of a command, or a command in the text of a shell script. What people read has a backtick before it. */
const gitCommand =
  /(?:^|[\n;&|({]\s*|\b(?:exec|then|do|else|command|env)\s+)git\s+(?:-|(?:add|apply|cat-file|check-ignore|checkout|clone|commit|config|diff|diff-tree|fetch|hash-object|init|log|ls-files|ls-tree|merge-file|pull|push|read-tree|reset|rev-list|rev-parse|show|status|submodule|update-index|worktree|write-tree)\b(?!\\?`))/;

/** Where a module names git as a program: in a command's words, as a program's name, or in a script. */
function gitWords(module: Module): string[] {
  const found: string[] = [];
  const isProgram = (node: unknown) => isNode(node) && typeof node.value === "string" && /^(?:.*\/)?git(?:\.exe)?$/.test(node.value);
  const listed = (node: SyntaxNode): unknown[] => {
    if (node.type === "ArrayExpression") return node.elements as unknown[];
    if (node.type === "CallExpression" || node.type === "NewExpression") return node.arguments as unknown[];
    return [node.type === "VariableDeclarator" ? node.init : node.type === "AssignmentExpression" ? node.right : undefined];
  };
  walk(parseAst(module.text, { lang: /\.[cm]?js$/.test(module.path) ? "js" : "ts", sourceType: "module" }, module.path), (node) => {
    if (!module.path.startsWith("core/") && listed(node).some(isProgram)) found.push(`${module.path}: git as a program`);
    const text =
      node.type === "TemplateElement" ? (node.value as { readonly raw?: unknown }).raw : node.type === "Literal" ? node.value : undefined;
    if (typeof text === "string" && gitCommand.test(text)) found.push(`${module.path}: ${text}`);
  });
  return found;
}

function readModule(file: string): Module {
  return moduleOf(file, readFileSync(path.join(source, file), "utf8"));
}

function moduleOf(file: string, text: string): Module {
  const imports: string[] = [];
  const exportedNames: string[] = [];
  const breaks: string[] = [];
  const program = parseAst(text, { lang: /\.[cm]?js$/.test(file) ? "js" : "ts", sourceType: "module" }, file);
  walk(program, (node) => {
    if (isNode(node.source) || node.type === "TSImportType" || node.type === "ImportExpression") {
      const name = (node.source as SyntaxNode | undefined)?.value;
      if (typeof name === "string") imports.push(name);
      else breaks.push("an import by a computed name");
    }
    if (node.type === "ExportDefaultDeclaration") breaks.push("a default export");
    if (node.type === "TSEnumDeclaration") breaks.push("an enum");
    if (node.type === "ExportNamedDeclaration") exportedNames.push(...declaredNames(node.declaration));
  });
  const body = program.body as unknown as readonly SyntaxNode[];
  if (body.length > 0 && body.every((node) => isNode(node.source) && node.type.startsWith("Export"))) breaks.push("a barrel");
  return { path: file, text, imports, exportedNames, breaks };
}

function declaredNames(declaration: unknown): string[] {
  if (!isNode(declaration)) return [];
  const declarators = Array.isArray(declaration.declarations) ? (declaration.declarations as readonly SyntaxNode[]) : [declaration];
  return declarators.map((declarator) => (declarator.id as SyntaxNode | undefined)?.name).filter((name) => typeof name === "string");
}

function importedModules(module: Module): string[] {
  return module.imports.filter((name) => name.startsWith(".")).map((name) => path.posix.join(path.posix.dirname(module.path), name));
}

/** The groups of modules that import each other, and the modules that import themselves: their paths, sorted. */
function cyclesOf(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const reachable = (from: string) => {
    const seen = new Set<string>();
    const open = [...(graph.get(from) ?? [])];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (seen.has(next)) continue;
      seen.add(next);
      open.push(...(graph.get(next) ?? []));
    }
    return seen;
  };
  const reached = new Map([...graph.keys()].map((name) => [name, reachable(name)]));
  const inCycle = [...graph.keys()].filter((name) => reached.get(name)?.has(name) === true).sort();
  const groups = inCycle.map((name) =>
    inCycle.filter((other) => other === name || (reached.get(name)?.has(other) && reached.get(other)?.has(name))),
  );
  return [...new Set(groups.map((group) => group.join(", ")))];
}

/** The names that every module of a kind has to export: `check` and `verify` of contract types, `run` of adapters and commands. */
const sharedNames: readonly { readonly name: string; readonly in: RegExp }[] = [
  { name: "check", in: /^contracts\// },
  { name: "verify", in: /^contracts\// },
  { name: "run", in: /^(?:adapters|cli)\// },
];

/** The exported names that several modules define. A name that is exported again from another module has one definition. */
function definedTwice(among: readonly Module[]): string[] {
  const files = new Map<string, string[]>();
  for (const { path: file, exportedNames } of among) {
    for (const name of new Set(exportedNames)) {
      if (!sharedNames.some((shared) => shared.name === name && shared.in.test(file))) files.set(name, [...(files.get(name) ?? []), file]);
    }
  }
  return [...files].filter(([, places]) => places.length > 1).map(([name, places]) => `${name}: ${places.join(", ")}`);
}

function forbiddenImports(module: Module): string[] {
  const part = partOf(module.path);
  const may = allowed[part] ?? [];
  return importedModules(module)
    .map(partOf)
    .filter((target) => target === "entry" || (target !== part && may !== "everything" && !may.includes(target)))
    .map((target) => `${module.path} imports ${target === "entry" ? "an entry" : `${target}/`}`);
}

function partOf(file: string): string {
  const [first = "", second, third] = file.split("/");
  if (second === undefined) return "entry";
  return third !== undefined && `${first}/${second}` in allowed ? `${first}/${second}` : first;
}

function lines(text: string): number {
  return text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}
