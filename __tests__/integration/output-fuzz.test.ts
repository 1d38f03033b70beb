/** Names and texts of any kind through every output: command lines, manifests, and runs as each report shows them. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { commands } from "../../src/cli/commands.ts";
import { buildProgram } from "../../src/cli/program.ts";
import { plainReporter } from "../../src/reporters/console/plain.ts";
import { changesLines } from "../../src/reporters/console/render-changes.ts";
import { renderRun, renderRuns } from "../../src/reporters/console/render-status.ts";
import { renderSummary } from "../../src/reporters/console/render-summary.ts";
import { plainText, tamedBlock } from "../../src/text/markdown.ts";
import { markdownText } from "../../src/text/markdown-text.ts";
import { quoted } from "../rig/hostile-project.ts";
import { commandsIn, controlsIn, payloads } from "../rig/hostile-text.ts";
import { artifact, digest } from "../rig/plan-fixtures.ts";
import fc from "../rig/property.ts";
import { type Destination, recordedIo } from "../rig/recorded-io.ts";
import { removeDirectory } from "../rig/remove-directory.ts";
import { attemptRecord, attemptStarted, events, result, runRecord, started, stepRecord } from "../rig/run-events.ts";
import { thorough } from "../rig/thorough.ts";

/** As many cases as fit into the time: seconds in each pull request, minutes at night. */
const bounded = { numRuns: 1_000_000, interruptAfterTimeLimit: thorough ? 120_000 : 1_500, markInterruptAsFailure: false } as const;
const limitMs = bounded.interruptAfterTimeLimit + 30_000;

const piece = fc.oneof(
  fc.constantFrom(...payloads),
  fc.constantFrom(
    "::",
    ":",
    "#",
    "##",
    "[",
    "]",
    "error",
    "\n",
    "\r",
    "\t",
    "\u001b",
    "\u009b",
    "\u202e",
    "\u200b",
    "`",
    "|",
    "<!--",
    "@a",
    " ",
  ),
  fc.string({ unit: "binary", maxLength: 8 }),
);
const text = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join(""));
/** As the operating system hands over words: no NUL, no halves of surrogate pairs. */
const word = text.map((given) => given.replace(/\0|\p{Cs}/gu, ""));
const destination = fc.constantFrom<Destination>("terminal", "runner", "pipe");

const root = mkdtempSync(path.join(tmpdir(), "wave-fuzz-"));
afterAll(() => removeDirectory(root));

/** What is wrong with what a command printed; annotations of `--format github` are Wave's own commands. */
async function faultsOf(words: readonly string[], where: Destination): Promise<readonly string[]> {
  const { io, stdout, stderr } = recordedIo(where, root);
  await buildProgram(io).main(words);
  const printed = [stdout().toString(), stderr().toString()];
  const found = where === "runner" ? printed.flatMap(commandsIn).filter((line) => !/^::(?:error|warning) file=/.test(line)) : [];
  return [...printed.flatMap((shown) => controlsIn(shown, where === "terminal" ? "colors" : "none")), ...found];
}

describe("what a command prints", () => {
  it(
    "of any word of its command line obeys nothing in it",
    async () => {
      const names = fc.constantFrom(...commands.map(({ name }) => name).filter((name) => name !== "doctor"));
      await fc.assert(
        fc.asyncProperty(names, fc.array(word, { maxLength: 3 }), fc.boolean(), destination, async (name, words, json, where) => {
          // Options would be read from the disk, or wait for input.
          const safe = words.map((given) => given.replace(/^-/, "x"));
          expect(await faultsOf([name, ...safe, ...(json ? ["--json"] : [])], where)).toEqual([]);
        }),
        bounded,
      );
    },
    limitMs,
  );

  it(
    "of any manifest obeys nothing in it",
    async () => {
      const file = path.join(root, "wave.yaml");
      const asked = fc.constantFrom(
        ...[["validate"], ["validate", "--json"], ["validate", "--format", "sarif"], ["validate", "--format", "github"]],
        ...[
          ["persona", "list"],
          ["persona", "show", "p"],
          ["persona", "show", "p", "--json"],
          ["config", "--json"],
        ],
      );
      const manifest = fc.oneof(
        fc.tuple(text, text, text).map(([description, task, key]) => {
          const persona = `{ command: [${quoted(task)}], description: ${quoted(description)}, system_prompt: ${quoted(task)} }`;
          return `steps: [{ id: a, persona: p, task: ${quoted(task)}, labels: { ${quoted(key)}: ${quoted(description)} } }]\npersonas: { p: ${persona} }\n`;
        }),
        fc
          .tuple(text, text)
          .map(([key, value]) => `${quoted(key)}: ${quoted(value)}\nsteps: [{ id: ${quoted(value)}, ${quoted(key)}: 1 }]\n`),
        // Not even YAML.
        text.map((raw) => `steps: [${raw}`),
      );
      await fc.assert(
        fc.asyncProperty(manifest, asked, destination, async (yaml, words, where) => {
          writeFileSync(file, yaml);
          expect(await faultsOf(words, where)).toEqual([]);
        }),
        bounded,
      );
    },
    limitMs,
  );
});

/** A run whose every free text is the given one. */
function runWith(given: string) {
  const violation = { message: given, pointer: given, rule: given, location: { file: given, line: 1, column: 1 } };
  const contract = result(given, { verdict: "fail", violations: [violation], tail: given });
  const failure = { reason: "adapter-exit", exitCode: 3, tail: given } as const;
  const attempt = attemptRecord({ status: "failed", model: given, failure, contracts: [contract] });
  const steps = [
    stepRecord(given, { persona: given, status: "failed", failure, attempts: [attempt] }),
    stepRecord("b", { because: given, status: "skipped", dependencies: [given], artifacts: [artifact(given)], attempts: [] }),
  ];
  return runRecord({ pipeline: given, status: "failed", failure: { reason: "run-failed", run: "3f9a", steps: [given] }, steps });
}

describe("what a report shows of any text", () => {
  it(
    "obeys nothing in it on a terminal, in a log and in a file",
    () => {
      fc.assert(
        fc.property(text, destination, fc.boolean(), (given, where, verbose) => {
          const { io, stderr } = recordedIo(where, root);
          const { write, writeControl, color } = io.stderr;
          const run = runWith(given);
          const groups = where === "runner";
          const reporter = plainReporter({ write, writeControl, color, groups, verbose });
          const contract = result(given, { verdict: "fail", violations: [{ message: given }] });
          const failure = { reason: "adapter-exit", exitCode: 3, tail: given } as const;
          const happened = events(
            [0, started({ [given]: [] }, given)],
            [1, attemptStarted(given)],
            [2, { type: "contract-checked", step: given, attempt: 1, result: contract }],
            [3, { type: "attempt-failed", step: given, attempt: 1, durationMs: 1, failure, artifacts: [] }],
            [4, { type: "step-finished", step: given, status: "failed", failure }],
          );
          for (const event of happened) {
            if (event.type === "contract-checked") reporter.onOutput?.({ step: given, attempt: 1, text: given });
            reporter.onEvent(event);
          }
          write(renderRun(run, { color }));
          write(
            renderRuns([{ ...run, archived: false, steps: { cancelled: 0, failed: 1, passed: 0, pending: 0, running: 0, skipped: 1 } }], {
              color,
            }),
          );
          write(renderSummary(run, { color, resume: given, command: (args) => [given, ...args].join(" ") }));
          const state = { mode: "100644", digest: digest("x"), size: 1 } as const;
          write(`${changesLines([{ path: given, after: state }], { color }).join("\n")}\n`);
          const shown = stderr().toString();
          expect(controlsIn(shown, where === "terminal" ? "colors" : "none")).toEqual([]);
          const own = /^::(?:group::.*: output of attempt 1|endgroup::)$/;
          if (groups) expect(commandsIn(shown).filter((line) => !own.test(line))).toEqual([]);
        }),
        bounded,
      );
    },
    limitMs,
  );

  it(
    "is no mark, no mention and no markup on GitHub, and can be sent",
    () => {
      fc.assert(
        fc.property(text, (given) => {
          const block = markdownText(tamedBlock(given));
          for (const shown of [block, markdownText(plainText(given))]) expect(shown).not.toMatch(/[^\P{Cc}\n\t]|\p{Cs}|<!-- ?wave:/u);
          expect(plainText(given)).not.toMatch(/[<>@`|[\]]|&#64;(?!\u200b)/);
        }),
        bounded,
      );
    },
    limitMs,
  );
});
