/**
 * How fast output is scrubbed: a log of 1,000,000 lines (over 100 MB) in chunks of 64 KB, with a secret across every border between
 * chunks, through a redactor with 10 declared secrets and all shapes of tokens. Prints MB/s beside two floors: copying the
 * chunks, and looking at each byte once. Fails when a secret is left, or another byte was changed.
 *
 *   node bench/redact.mjs [LINES]
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { rolldown } from "rolldown";

const chunkSize = 65_536;
const rounds = 3;
const lines = Number(process.argv[2] ?? 1_000_000);

let seed = 42;
const random = () => {
  seed = (seed * 1_664_525 + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
};
const pick = (list) => list[Math.floor(random() * list.length)];
const alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const text = (length, of = alphanumeric) => Array.from({ length }, () => pick(of)).join("");

const declared = Array.from({ length: 10 }, (_, index) => text(8 + index * 4));
const json = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
// Put together here, so that this file holds nothing that looks like a token.
const planted = [
  ...declared.map((secret) => [secret, "***"]),
  ...declared.map((secret) => [`Basic ${Buffer.from(`user:${secret}`).toString("base64")}`, undefined]),
  [`${"gh"}p_${text(36)}`, "[github-token]"],
  [`${"sk"}-ant-api03-${text(95)}`, "[anthropic-key]"],
  [`${"AK"}IA${text(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")}`, "[aws-access-key]"],
  [`${json({ alg: "HS256", typ: "JWT" })}.${json({ sub: text(9) })}.${text(43)}`, "[jwt]"],
  [`${"-".repeat(5)}BEGIN PRIVATE KEY-----\n${`${text(64)}\n`.repeat(26)}-----END PRIVATE KEY-----`, "[private-key]"],
];

const { createRedactor } = await loadRedactor();
const { input, secrets } = log();
const chunks = [];
for (let at = 0; at < input.length; at += chunkSize) chunks.push(input.subarray(at, at + chunkSize));
const redactor = createRedactor(declared);

console.log(`${lines} lines, ${(input.length / 1e6).toFixed(1)} MB, ${chunks.length - 1} borders; node ${process.version}`);
verify();
report("copy the chunks", (chunk) => Buffer.from(chunk).length);
report("look at each byte", (chunk) => {
  let sum = 0;
  for (let at = 0; at < chunk.length; at++) sum ^= chunk[at];
  return sum;
});
report("redact, no declared secret", redacting(createRedactor([])));
report("redact, 10 declared secrets", redacting(redactor));

function redacting(given) {
  const stream = given.stream();
  return (chunk) => stream.push(chunk).length;
}

function report(name, work) {
  let best = 0;
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    for (const chunk of chunks) work(chunk);
    best = Math.max(best, input.length / 1000 / (performance.now() - started));
  }
  console.log(`${name.padEnd(28)} ${best.toFixed(0).padStart(6)} MB/s`);
}

function verify() {
  const stream = redactor.stream();
  const output = Buffer.concat([...chunks.map((chunk) => Buffer.from(stream.push(chunk))), stream.flush()]);
  let at = 0;
  let from = 0;
  for (const { start, secret, mark } of secrets) {
    // What is before the secret comes through unchanged.
    const honest = input.subarray(from, start);
    if (!output.subarray(at, at + honest.length).equals(honest)) throw new Error(`text before byte ${start} was changed`);
    at += honest.length;
    from = start + secret.length;
    if (mark !== undefined) {
      if (output.toString("latin1", at, at + mark.length) !== mark) throw new Error(`${mark} was expected for the secret at byte ${start}`);
      at += mark.length;
    } else at = output.indexOf(" ", at + "Basic ".length);
  }
  for (const [secret] of planted) if (output.includes(secret)) throw new Error("a secret is left in the output");
  if (!output.subarray(at).equals(input.subarray(from))) throw new Error("text behind the last secret was changed");
  console.log(`${secrets.length} secrets replaced, everything else unchanged`);
}

/** The log, and what was planted in it: across each border another secret, cut at another place. */
function log() {
  const rows = Array.from({ length: 5000 }, row);
  const buffer = Buffer.from(Array.from({ length: lines }, () => pick(rows)).join("\n"));
  const found = [];
  for (let border = chunkSize; border < buffer.length - chunkSize; border += chunkSize) {
    const [secret, mark] = pick(planted);
    const start = border - 1 - Math.floor(random() * (secret.length - 1));
    buffer.write(` ${secret} `, start - 1, "latin1");
    found.push({ start, secret, mark });
  }
  return { input: buffer, secrets: found };
}

function row() {
  const time = new Date(1_700_000_000_000 + Math.floor(random() * 1e10)).toISOString();
  const words =
    "the of compiling module task-force disk-usage resolved package dependency error warning test passed failed in through runner src/redaction/redactor.ts node_modules/@types/node/index.d.ts this that with from cache hit miss took 12ms POST GET 200 404 -> --- npm_config_cache request handled".split(
      " ",
    );
  const sentence = (length) => Array.from({ length }, () => pick(words)).join(" ");
  const kind = random();
  if (kind < 0.05) return `${time} digest sha256:${text(64, "0123456789abcdef")} of commit ${text(40, "0123456789abcdef")}`;
  if (kind < 0.15) return `${time} GET https://registry.example.com/${pick(words)}/-/${text(6)}-4.17.21.tgz 200 ${sentence(4)}`;
  if (kind < 0.25) return JSON.stringify({ time, level: "info", id: text(21), message: sentence(8) });
  return `${time} [${pick(["info", "debug", "warn"])}] ${sentence(6 + Math.floor(random() * 10))}`;
}

async function loadRedactor() {
  const bundle = await rolldown({
    input: path.join(import.meta.dirname, "../src/redaction/redactor.ts"),
    platform: "node",
    tsconfig: false,
  });
  const { output } = await bundle.generate({ format: "esm" });
  await bundle.close();
  const directory = await mkdtemp(path.join(tmpdir(), "wave-bench-"));
  const file = path.join(directory, "redact.mjs");
  await writeFile(file, output[0].code);
  try {
    return await import(pathToFileURL(file).href);
  } finally {
    await rm(directory, { recursive: true });
  }
}
