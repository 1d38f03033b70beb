/** Through the built binary: a step prints its secret in every encoding, and what Wave stores and prints contains none of them. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundledChild, type Fixture } from "../rig/bundled-child.ts";
import { type Project, project } from "../rig/project.ts";
import { secretEncodings } from "../rig/secret-encodings.ts";

let printer: Fixture;
beforeAll(async () => {
  printer = await bundledChild(new URL("../rig/print-secret.ts", import.meta.url));
});
afterAll(() => printer.close());

/** Put together at run time, so that this repository contains no text that looks like a secret. */
const secret = ["kV7q", "Wm2x", "@ss/w+rd", "\"ü'&<1>", "Zr9d"].join("");
const twin = ["lW8r", "Xn3y", "@tt/x+se", "\"ü'&<2>", "As0e"].join("");
const environment = { SECRET: secret };

/** A project whose step prints the secret; with `report`, it also writes it into that artifact. */
const printing = (report?: object) =>
  project({
    "print.mjs": readFileSync(printer.file, "utf8"),
    "wave.yaml": JSON.stringify({
      secrets: ["SECRET"],
      personas: { print: { command: [process.execPath, "print.mjs", ...(report === undefined ? [] : ["report"])] } },
      pipeline: {
        name: "print",
        steps: [{ id: "print", persona: "print", ...(report && { artifacts: [{ name: "report", ...report }] }) }],
      },
    }),
  });

/** The middle of what an encoding makes of the secret. */
function traces(): (readonly [name: string, trace: Buffer])[] {
  return secretEncodings.map(({ name, encode }) => {
    const around = (value: string) => Buffer.from(encode(`some text before ${value} and after`));
    const encoded = around(secret);
    const other = around(twin);
    const first = encoded.findIndex((byte, at) => byte !== other[at]);
    const last = encoded.length - [...encoded].reverse().findIndex((byte, at) => byte !== other[other.length - 1 - at]);
    const quarter = Math.floor((last - first) / 4);
    return [name, encoded.subarray(first + quarter, last - quarter)] as const;
  });
}

function filesOf(directory: string): (readonly [file: string, bytes: Buffer])[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => [path.join(entry.parentPath, entry.name), readFileSync(path.join(entry.parentPath, entry.name))] as const);
}

function leaks(sources: readonly (readonly [name: string, bytes: Buffer])[]): string[] {
  return traces().flatMap(([name, trace]) =>
    sources.filter(([, bytes]) => bytes.includes(trace)).map(([source]) => `${name} in ${source}`),
  );
}

/** Everything in state, without the workspace of a failed attempt, which is kept as the attempt left it. */
const stateOf = (wave: Project) => filesOf(path.join(wave.root, ".wave/state")).filter(([file]) => !file.includes("/workspaces/"));

test("each trace is in the output of the child, and long enough to mean something", async () => {
  const child = spawnSync(process.execPath, [printer.file], { env: environment });
  for (const [name, trace] of traces()) {
    expect(child.stdout.includes(trace), name).toBe(true);
    expect(trace.length, name).toBeGreaterThanOrEqual(8);
  }
});

test("output in any encoding is redacted in logs, state and on the console", async () => {
  const wave = printing();
  const ran = await wave.start(["run"], environment).finished;
  expect(ran.code, ran.stderr).toBe(0);
  const logs = await wave.start(["logs", "--json"], environment).finished;
  expect(logs.stdout).toContain(`== ${secretEncodings.at(-1)?.name}`);
  const printed = [
    ran.stdout,
    ran.stderr,
    logs.stdout,
    (await wave.wave("logs")).stdout,
    (await wave.wave("status", "latest", "--json")).stdout,
  ];
  expect(leaks([...stateOf(wave), ["the terminal", Buffer.from(printed.join("\n"))]])).toEqual([]);
});

test("an artifact is scrubbed of every encoding if it asks for that", async () => {
  const wave = printing({ on_secret: "scrub" });
  const ran = await wave.start(["run"], environment).finished;
  expect(ran.code, ran.stderr).toBe(0);
  expect(leaks(stateOf(wave))).toEqual([]);
});

test("an artifact that contains an encoded secret fails its step and is not stored", async () => {
  const wave = printing({});
  const ran = await wave.start(["run"], environment).finished;
  expect(ran.code).toBe(1);
  expect(ran.stderr + ran.stdout).toContain("declared secret");
  expect(leaks(stateOf(wave))).toEqual([]);
});

/** Programs that are installed wherever the tests run, so that their own output is tested and not only our idea of it. */
test.each([
  ["base64", 'printf "%s" "text before $SECRET after" | base64'],
  ["base64 in short lines", 'printf "%s" "text before $SECRET after" | base64 -w 30'],
  ["base64 twice", 'printf "%s" "text before $SECRET after" | base64 | base64'],
  ["od", 'printf "%s" "text before $SECRET after" | od -An -tx1'],
  ["od in octal escapes", `printf "%s" "$SECRET" | od -An -v -to1 | tr -d '\\n' | tr ' ' '\\\\'`],
  ["printf %q", `bash -c 'printf "%q" "$SECRET"'`],
  ["set -x", `bash -xc ': "$SECRET"'`],
  ["declare", "bash -c 'declare -p SECRET'"],
  ["env", "env"],
  ["fold", 'printf "%s" "text before $SECRET after" | fold -w 20'],
  ["JSON.stringify", `node -p 'JSON.stringify(JSON.stringify(process.env))'`],
  ["util.inspect", `node -p 'process.env'`],
  ["encodeURIComponent", `node -p 'encodeURIComponent(encodeURIComponent(process.env.SECRET))'`],
  ["a buffer", `node -p 'Buffer.from(process.env.SECRET)'`],
  ["a buffer in JSON", `node -p 'JSON.stringify(Buffer.from(process.env.SECRET))'`],
])("what %s prints is redacted", async (_, command) => {
  const wave = project({
    "wave.yaml": JSON.stringify({
      secrets: ["SECRET"],
      personas: { print: { command: `exec 2>&1; echo begin; ${command}; echo; echo end` } },
      pipeline: { name: "print", steps: [{ id: "print", persona: "print" }] },
    }),
  });
  const ran = await wave.start(["run"], environment).finished;
  expect(ran.code, ran.stderr).toBe(0);
  const logs = (await wave.wave("logs")).stdout;
  expect(logs).toMatch(/begin[\s\S]*\*\*\*[\s\S]*end/);
  expect(leaks([...stateOf(wave), ["logs", Buffer.from(logs)]])).toEqual([]);
});
