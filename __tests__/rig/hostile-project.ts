/** A project whose every free text and name is hostile, with a run that failed, a run that passed, and a recording. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { expect } from "vitest";
import { hostileLine, hostileNames, hostileText, payloads } from "./hostile-text.ts";
import { type Project, project } from "./project.ts";

/** Bytes that a child prints: every payload, and an 8-bit CSI, which is not UTF-8. */
export const printed = Buffer.concat([Buffer.from(`${payloads.join("\n")}\n`), Buffer.from([0x9b, 0x32, 0x4a, 0x0a])]);

/** In quotes, with every character but ASCII as an escape: a YAML file may hold any text in this form. */
export function quoted(text: string): string {
  return JSON.stringify(text).replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

const personas = `
personas:
  writer:
    description: ${quoted(hostileText)}
    system_prompt: ${quoted(hostileText)}
    model: ${quoted(hostileLine)}
    command: [node, write.mjs, ${quoted(hostileLine.replaceAll("\0", ""))}]
    permissions: { allow: ["file_read:**", ${quoted(`command:${hostileLine.replace(/[\u2028\u2029\r]/g, "")}`)}] }
  judge: { adapter: command, command: [node, judge.mjs] }
`;

const writeStep = `
    - id: write
      persona: writer
      task: ${quoted(hostileText)}
      labels: { note: ${quoted(hostileText)} }
      env: { NOTE: ${quoted(hostileLine.replaceAll("\0", ""))} }
      artifacts: [report, { name: doc, path: out/doc.md }]
`;

const failing = `
pipeline:
  name: bad
  description: ${quoted(hostileText)}
  steps:${writeStep}
    - id: judged
      persona: judge
      dependencies: [write]
      inputs: [report]
      artifacts: [verdict]
      handover:
        contracts:
          - { type: json_schema, name: shape, schema: shape.json, artifact: verdict, on_failure: warn }
          - { type: test_suite, name: suite, command: "node print.mjs; exit 1", on_failure: warn }
    - { id: crash, persona: crash, dependencies: [write] }
    - { id: after, persona: judge, dependencies: [crash] }
${personas}
  crash: { command: "node print.mjs; exit 3" }
`;

const passing = `
pipeline:
  name: good
  description: ${quoted(hostileText)}
  steps:${writeStep}
${personas}
`;

const files = {
  "wave.yaml": failing,
  "good.yaml": passing,
  "shape.json": JSON.stringify({ type: "object", additionalProperties: false, properties: { kind: { enum: [hostileText] } } }),
  "write.mjs": [
    'import { mkdirSync, readFileSync, writeFileSync } from "node:fs";',
    'process.stdout.write(readFileSync("printed.bin"));',
    'mkdirSync("out", { recursive: true });',
    'writeFileSync("out/doc.md", readFileSync("printed.bin"));',
    'mkdirSync("made", { recursive: true });',
    'for (const name of JSON.parse(readFileSync("names.json", "utf8"))) writeFileSync(`made/${name}`, readFileSync("printed.bin"));',
    'writeFileSync(`${process.env.WAVE_OUTPUT_DIR}/report.txt`, readFileSync("printed.bin"));',
  ].join("\n"),
  "print.mjs": 'import { readFileSync } from "node:fs";\nprocess.stderr.write(readFileSync("printed.bin"));\n',
  "judge.mjs": [
    'import { readFileSync, writeFileSync } from "node:fs";',
    'const text = readFileSync("hostile.txt", "utf8");',
    "writeFileSync(`${process.env.WAVE_OUTPUT_DIR}/verdict.json`, JSON.stringify({ kind: text, [text]: 1 }));",
  ].join("\n"),
  "hostile.txt": hostileText,
  "names.json": JSON.stringify(hostileNames),
  ".wave/tests/differs.yaml": `recordings: recording\nexpect: { steps: { write: { artifacts: { report: ${quoted(hostileText)} } } } }\n`,
  // Raw control characters, unknown keys and wrong values.
  "broken.yaml": `pipeline:\n  name: "\u001b]52;c;b3duZWQ=\u0007\u009b\u202e::error::owned"\n  ${quoted(hostileText)}: ${quoted(hostileText)}\n  steps:\n    - { id: ${quoted(hostileLine)}, persona: ${quoted(hostileLine)}, "\u202e##[error]owned": 1 }\n`,
  "torn.yaml": `pipeline: { name: "\u001b[2J ##[error]owned \u202e\n::error::owned: [\n`,
};

/** The name of a manifest that a user may have. */
export const hostileFile = `m ${hostileLine.replaceAll("/", "_").slice(0, 90)}.yaml`;

/** Runs both pipelines, through the built binary. */
export async function hostileProject(): Promise<Project> {
  const wave = project({ ...files, [hostileFile]: files["broken.yaml"] });
  writeFileSync(path.join(wave.root, "printed.bin"), printed);
  const git = (...words: readonly string[]) => execFileSync("git", ["-C", wave.root, ...words], { stdio: "pipe" });
  git("init", "-q");
  git("checkout", "-q", "-b", "b\u202e\u200b##owned\u009b");
  git("add", "-A");
  const author = `${hostileLine.replace(/[<>]/g, "")} <a@b.c>`;
  git("-c", "user.name=owned\u202e##[error]", "-c", "user.email=a@b.c", "commit", "-q", "--author", author, "-m", hostileLine);
  writeFileSync(path.join(wave.root, ".git/info/exclude"), ".wave/state/\n");
  const good = await wave.wave("run", "-f", "good.yaml", "--record", "recording");
  expect(good, good.stderr).toMatchObject({ code: 0 });
  const bad = await wave.wave("run");
  expect(bad, bad.stderr).toMatchObject({ code: 1 });
  return wave;
}
