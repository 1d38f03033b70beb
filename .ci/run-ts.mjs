/**
 * Runs a TypeScript file: `node .ci/run-ts.mjs FILE [ARGUMENT]…`. The file is bundled with what it imports from this tree
 * into node_modules/.cache; packages are imported from node_modules as they are. `process.argv` is as if node ran FILE.
 */
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { rolldown } from "rolldown";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const [file, ...words] = process.argv.slice(2);
if (file === undefined) throw new Error("usage: node .ci/run-ts.mjs FILE [ARGUMENT]…");
const source = path.resolve(file);

const bundle = await rolldown({
  cwd: root,
  input: source,
  platform: "node",
  tsconfig: false,
  // GitHub's language service imports JSON as bundlers allow it and Node does not.
  external: (id) =>
    /^[^./\0]/.test(id) && !path.isAbsolute(id) && !/^@actions\/(?:languageservice|workflow-parser|expressions)(?:\/|$)/.test(id),
  // The generator reaches code that imports what it generates: a new export is not there yet when it is first needed.
  shimMissingExports: true,
});
const { output } = await bundle.generate({ format: "esm", codeSplitting: false });
await bundle.close();

const directory = path.join(root, "node_modules/.cache/wave");
// The process id keeps two checks that run at once apart.
const target = path.join(directory, `${path.basename(source, ".ts")}.${process.pid}.mjs`);
await mkdir(directory, { recursive: true });
await writeFile(target, output[0].code);
process.argv = [process.argv[0], source, ...words];
try {
  await import(pathToFileURL(target).href);
} finally {
  await rm(target, { force: true });
}
