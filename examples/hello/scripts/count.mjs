/** Counts the files and lines under the working directory by file type. Hidden directories and binary files are left out. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

const census = { files: 0, lines: 0, byType: {}, longest: { path: "", lines: 0 } };
visit(".");

const output = process.env.WAVE_OUTPUT_DIR;
if (output === undefined) {
  console.error("WAVE_OUTPUT_DIR is not set: this script is a step of wave.yaml");
  process.exit(1);
}
mkdirSync(output, { recursive: true });
writeFileSync(path.join(output, "census.json"), `${JSON.stringify(census, null, 2)}\n`);
console.log(`${census.lines} lines in ${census.files} files; the longest is ${census.longest.path}`);

function visit(directory) {
  const entries = readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const file = path.posix.join(directory, entry.name);
    if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
    if (entry.isDirectory()) visit(file);
    else if (entry.isFile()) count(file);
  }
}

function count(file) {
  const bytes = readFileSync(file);
  if (bytes.includes(0)) return;
  const text = bytes.toString("utf8");
  const lines = text === "" ? 0 : text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
  const type = path.extname(file) || "(none)";
  census.byType[type] ??= { files: 0, lines: 0 };
  for (const sum of [census, census.byType[type]]) {
    sum.files += 1;
    sum.lines += lines;
  }
  if (lines > census.longest.lines) census.longest = { path: file, lines };
}
