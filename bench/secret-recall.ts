/**
 * How many tokens are found, by family, and how much ordinary text is taken for one. The tokens are generated from the formats in
 * `__tests__/rig/token-formats.ts`; the text is this repository, what npm installed, and generated hashes, dumps and images. Prints
 * every false alarm, and fails if there is one, or if a family's recall is below 99 %.
 *
 *   node .ci/run-ts.mjs bench/secret-recall.ts [TOKENS_PER_FORMAT]
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { ordinaryText } from "../__tests__/rig/ordinary-text.ts";
import { seeded } from "../__tests__/rig/seeded.ts";
import { tokenFormats, tokenOf } from "../__tests__/rig/token-formats.ts";
import { createRedactor } from "../src/redaction/redactor.ts";

const count = Number(process.argv[2] ?? 500);
const leastRecall = 0.99;
const root = process.cwd();
const redactor = createRedactor([]);
const random = seeded(16);

function recall(): boolean {
  let good = true;
  let total = 0;
  let foundInAll = 0;
  for (const { family, kind, formats } of tokenFormats) {
    let found = 0;
    for (const format of formats) {
      for (let round = 0; round < count; round++) {
        const redacted = redactor.text(`token ${tokenOf(format, random)} is here`);
        if (redacted.includes(`[${kind}]`)) found++;
      }
    }
    const cases = formats.length * count;
    total += cases;
    foundInAll += found;
    good &&= found / cases >= leastRecall;
    console.log(`${family.padEnd(34)} ${((found / cases) * 100).toFixed(1).padStart(6)} %  of ${cases}`);
  }
  console.log(`${"all".padEnd(34)} ${((foundInAll / total) * 100).toFixed(1).padStart(6)} %  of ${total}`);
  return good;
}

function* filesBelow(directory: string): Generator<string> {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const file = path.join(directory, entry.name);
    if (entry.isDirectory() && entry.name !== ".git") yield* filesBelow(file);
    else if (entry.isFile() && statSync(file).size < 20_000_000) yield file;
  }
}

function falseAlarms(): number {
  const sources: [string, () => Iterable<readonly [string, Uint8Array]>][] = [
    ["this repository", () => tracked()],
    ["its history", () => [["git log", execFileSync("git", ["log", "--stat", "-p", "-200"], { cwd: root, maxBuffer: 1 << 30 })]]],
    ["installed packages", () => [...filesBelow(path.join(root, "node_modules"))].map((file) => [file, readFileSync(file)] as const)],
    [
      "hashes, dumps, images",
      () => Object.entries(ordinaryText(seeded(17), 2_000_000)).map(([name, text]) => [name, Buffer.from(text)] as const),
    ],
  ];
  let alarms = 0;
  for (const [name, read] of sources) {
    let size = 0;
    let found = 0;
    for (const [file, bytes] of read()) {
      size += bytes.length;
      const kind = redactor.kindOf(bytes);
      if (kind === undefined || isExample(file, kind)) continue;
      found++;
      console.log(`  ${kind} in ${path.relative(root, file)}`);
    }
    alarms += found;
    console.log(`${name.padEnd(34)} ${String(found).padStart(6)} false alarms in ${(size / 1e6).toFixed(1)} MB`);
  }
  return alarms;
}

function tracked(): (readonly [string, Uint8Array])[] {
  const files = execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8" }).split("\0");
  return files.filter((file) => file !== "").map((file) => [file, readFileSync(path.join(root, file))] as const);
}

/** Files that contain examples of tokens, which have the whole shape of one: they are found, as they should be. */
const examples: readonly (readonly [file: RegExp, kind: string])[] = [
  [/^__tests__\/|^git log$/, "url-password"],
  [/^__tests__\/e2e\/agent-claude\.test\.ts$/, "anthropic-key"],
  [/(?:azurite|pg-connection-string)\/(?:README|CONTRIBUTION)\.md$|azurite\/package\.json$|zod\/.*\/string\.test\.ts$/, "url-password"],
  [/zod\/.*\/string\.test\.ts$/, "jwt"],
  [/auth-token\/README\.md$/, "github-token"],
];

function isExample(file: string, kind: string): boolean {
  return examples.some(([pattern, example]) => example === kind && pattern.test(file));
}

const good = recall();
const alarms = falseAlarms();
process.exitCode = good && alarms === 0 ? 0 : 1;
