/**
 * Bundles the entries of src/ into dist/, which is committed so that `node dist/cli.js` works in a bare clone.
 *
 * Everything lies flat in dist/: one file an entry, one a lazily imported chunk, `sql-wasm.wasm` beside the chunk that
 * finds it with `new URL("./sql-wasm.wasm", import.meta.url)`, and `licenses.txt` for the packages that were bundled.
 * The bytes depend on the sources and the lockfile alone, not on the directory or the time.
 *
 * `node .ci/build.mjs`          builds dist/ anew
 * `node .ci/build.mjs --check`  builds elsewhere, and fails when dist/ differs
 */
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const dist = path.join(root, "dist");
const entries = {
  cli: "src/cli.ts",
  bridge: "src/bridge.ts",
  action: "src/action.ts",
  post: "src/post.ts",
  "toolkit-thread": "src/toolkit-thread.ts",
  "evaluation-worker": "src/evaluation-worker.ts",
};

/** The modules that entries load first. Two of them start their process again before that, and must be small until then. */
const mains = { ...entries, action: "src/action/enter-action.ts", post: "src/action/enter-post.ts" };

/** Budgets of the design, in bytes: what an entry loads before it does anything, and all of dist/. */
const entryBudget = 1_500_000;
const totalBudget = 10_000_000;

/** What `@actions/core` imports for calls that no entry makes: an HTTP client, for one. It is left where it is used. */
const loadedWhenUsed =
  /node_modules[\\/](?:undici|tunnel|@actions[\\/](?:exec|io|http-client)|@actions[\\/]core[\\/]lib[\\/]oidc-utils)[\\/.]/;

/** @type {import("rolldown").InputOptions} */
const inputOptions = {
  cwd: root,
  input: entries,
  platform: "node",
  // The CommonJS half of some packages requires by computed paths; their module half can be bundled.
  resolve: {
    mainFields: ["module", "main"],
    // The module half of yaml is named for browsers; it is the same code, and what is not used of it can be left out.
    alias: { yaml: path.join(root, "node_modules/yaml/browser/dist/index.js") },
  },
  treeshake: {
    moduleSideEffects: [
      { test: loadedWhenUsed, sideEffects: false },
      { test: /node_modules[\\/]@actions[\\/]core[\\/]/, sideEffects: false },
    ],
  },
  tsconfig: false,
  // What lazy chunks share with their entry is exported by it: entries do not await at their top level.
  preserveEntrySignatures: false,
  transform: { target: "node20" },
  onLog(level, log, forward) {
    if (level === "warn") throw new Error(`${log.code ?? "warning"}: ${log.message}`);
    forward(level, log);
  },
};

/** @type {import("rolldown").OutputOptions} */
const outputOptions = {
  format: "esm",
  entryFileNames: "[name].js",
  chunkFileNames: "[name].js",
  // What an entry always loads is one file: each more costs a look-up, a read and a link.
  // A group takes what its modules import along, so those that the most entries share come first.
  codeSplitting: {
    groups: Object.keys(entries).map((_, index) => ({
      debugName: `loaded at once by ${index + 1}`,
      priority: index,
      name: (id, graph) => chunkOf(id, graph, index + 1),
    })),
  },
  minifyInternalExports: false,
  comments: { legal: false, annotation: false, jsdoc: false },
  minify: {
    compress: { keepNames: { function: true, class: true } },
    mangle: { keepNames: { function: true, class: true } },
    codegen: { removeWhitespace: true },
  },
};

const closures = new Map();

if (process.argv.includes("--check")) await check();
else await build(dist);

async function build(directory) {
  const bundle = await rolldown(inputOptions);
  const { output } = await bundle.generate(outputOptions);
  await bundle.close();
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const chunks = output.filter((item) => item.type === "chunk");
  for (const chunk of chunks) await writeFile(path.join(directory, chunk.fileName), withoutFacades(inAscii(chunk.code)));
  for (const name of Object.keys(entries)) await chmod(path.join(directory, `${name}.js`), 0o755);
  // Written, not copied: the file is executable in its package, and would be here.
  await writeFile(path.join(directory, "sql-wasm.wasm"), await readFile(path.join(root, "node_modules/sql.js/dist/sql-wasm.wasm")));
  const modules = chunks.flatMap((chunk) => chunk.moduleIds);
  await writeFile(path.join(directory, "licenses.txt"), await licensesOf([...modules, path.join(root, "node_modules/sql.js/x")]));
  await checkBudgets(directory, chunks);
}

/** The same code in ASCII, which V8 reads faster and keeps in half the memory. Outside of strings, templates and patterns nothing else stands. */
function inAscii(code) {
  if (/String\.raw`[^`]*[^\0-\x7f]/.test(code)) throw new Error("a raw template cannot be written in ASCII");
  return code.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/**
 * Node's own modules by `process.getBuiltinModule` in place of `import`. For an import Node makes a facade with all that the module exports, and
 * looks at each: some of `crypto` and `buffer` load further modules then. It is a good part of what a start costs.
 */
function withoutFacades(code) {
  // Only at the top: further down such words would be somebody's text.
  const top = /^(?:#!.*\n)?(?:import[^;]*;)*/.exec(code)?.[0] ?? "";
  const imports = /\bimport(?:\s*([\w$]+)\s*,)?\s*(?:\*\s*as\s+([\w$]+)|\{([^}]*)\}|([\w$]+))\s*from\s*"(node:[\w/]+)"/g;
  const changed = top.replaceAll(imports, (_, first, namespace, list, only, module) => {
    const builtin = `process.getBuiltinModule("${module}")`;
    const names = (list ?? "")
      .split(",")
      .filter((name) => name.trim() !== "")
      .map((name) => name.trim().split(/\s+as\s+/));
    const whole = [first, namespace, only, ...names.filter(([name]) => name === "default").map(([, local]) => local)].filter(Boolean);
    const parts = names.filter(([name]) => name !== "default").map(([name, local]) => (local === undefined ? name : `${name}:${local}`));
    return `const ${[...whole.map((name) => `${name}=${builtin}`), ...(parts.length > 0 ? [`{${parts.join()}}=${builtin}`] : [])].join()}`;
  });
  return changed + code.slice(top.length);
}

/** The chunk of a module that so many entries import statically: one for all that the same entries load. Nothing for what is loaded later. */
function chunkOf(id, graph, count) {
  const loading = Object.keys(entries).filter((name) => loadedBy(mains[name], graph).has(id));
  return loading.length !== count || count === 1 ? null : `${loading.join("-")}-main`;
}

/** An entry and all that it imports statically. */
function loadedBy(entry, graph) {
  const known = closures.get(entry);
  if (known !== undefined) return known;
  const found = new Set();
  const queue = [path.join(root, entry)];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    if (found.has(id) || loadedWhenUsed.test(id)) continue;
    found.add(id);
    queue.push(...(graph.getModuleInfo(id)?.importedIds ?? []));
  }
  closures.set(entry, found);
  return found;
}

/** Fails when an entry with all it imports statically, or dist/ as a whole, is over its budget. */
async function checkBudgets(directory, chunks) {
  const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
  const closure = (name, seen = new Set()) => {
    if (seen.has(name) || !byName.has(name)) return seen;
    seen.add(name);
    for (const imported of byName.get(name).imports) closure(imported, seen);
    return seen;
  };
  for (const name of [...Object.keys(entries), "enter-action", "enter-post"]) {
    const size = [...closure(`${name}.js`)].reduce((sum, file) => sum + Buffer.byteLength(byName.get(file).code), 0);
    if (size > entryBudget) throw new Error(`dist/${name}.js and what it imports at once are ${size} bytes; the budget is ${entryBudget}`);
  }
  let total = 0;
  for (const file of await readdir(directory)) total += (await readFile(path.join(directory, file))).length;
  if (total > totalBudget) throw new Error(`dist/ is ${total} bytes; the budget is ${totalBudget}`);
}

/** The licences of the packages that modules came from, sorted by package. */
async function licensesOf(modules) {
  const directories = new Set(modules.map(packageDirectory).filter((directory) => directory !== undefined));
  const sections = new Map();
  for (const directory of directories) {
    const { name, version, license } = JSON.parse(await readFile(path.join(directory, "package.json"), "utf8"));
    const files = (await readdir(directory)).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file)).sort();
    const texts = await Promise.all(files.map((file) => readFile(path.join(directory, file), "utf8")));
    const body = texts.map((text) => text.replace(/\r\n?/g, "\n").trim()).join("\n\n");
    sections.set(`${name} ${version} (${license ?? "see below"})`, body);
  }
  const sorted = [...sections].sort(([a], [b]) => (a < b ? -1 : 1));
  const rule = "-".repeat(80);
  const intro = "dist/ holds code of these packages.\n";
  return [intro, ...sorted.map(([title, body]) => `${rule}\n${title}\n${rule}\n\n${body}\n`)].join("\n");
}

/** `node_modules/NAME` or `node_modules/@SCOPE/NAME` that a module lies in; nothing for our own. */
function packageDirectory(module) {
  const parts = module.replace(/^\0/, "").split(/[\\/]/);
  const at = parts.lastIndexOf("node_modules");
  if (at < 0) return undefined;
  const length = parts[at + 1]?.startsWith("@") ? 3 : 2;
  return parts.slice(0, at + length).join("/");
}

async function check() {
  const directory = await mkdtemp(path.join(tmpdir(), "wave-dist-"));
  try {
    await build(directory);
    const differences = await compare(directory, dist);
    if (differences.length > 0) {
      console.error(`dist/ is not what src/ builds to: run \`npm run build\`\n${differences.map((line) => `  ${line}`).join("\n")}`);
      process.exitCode = 1;
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function compare(fresh, committed) {
  const [wanted, found] = await Promise.all([fresh, committed].map((directory) => readdir(directory).catch(() => [])));
  const differences = [];
  for (const file of [...new Set([...wanted, ...found])].sort()) {
    if (!found.includes(file)) differences.push(`${file} is missing`);
    else if (!wanted.includes(file)) differences.push(`${file} is left over`);
    else {
      const [a, b] = await Promise.all([fresh, committed].map((directory) => readFile(path.join(directory, file))));
      if (!a.equals(b)) differences.push(`${file} differs`);
    }
  }
  return differences;
}
