/** `wave test`: replays recordings of pipelines, and compares what comes of them with what tests expect. */

import { writeFile } from "node:fs/promises";
import path from "node:path";
import { defined } from "../core/defined.ts";
import type { Failure } from "../core/failure.ts";
import { exitCodeOf } from "../core/failures.ts";
import type { TestResult } from "../core/pipeline-test.ts";
import { locateProject } from "../engine/open-project.ts";
import { describeIoError } from "../platform/files.ts";
import { renderDiagnostics } from "../reporters/diagnostics/render-diagnostics.ts";
import {
  type Command,
  fail,
  flag,
  frameTexts,
  type Invocation,
  jsonOption,
  manifestOptions,
  printJson,
  textOption,
  warn,
} from "./define-command.ts";
import { manifestTexts } from "./manifest-texts.ts";
import { projectRequest } from "./project-request.ts";

const formats = ["text", "json", "github"] as const;

export const testCommand: Command = {
  name: "test",
  summary: "Replay recordings of pipelines, and check what comes of them",
  details:
    "Tests are the files in `.wave/tests/`; `wave run --record DIR` makes recordings. No model is asked and no key is needed: personas do what was recorded, contracts are evaluated as ever. The project is not changed, nothing is published, and no run is remembered. Exits 0 when all is as expected, 1 when something is not.",
  arguments: [{ name: "[tests...]", description: "names of tests (default: all)" }],
  options: [
    ...manifestOptions,
    { flags: "--pipeline <name>", description: "only the tests of this pipeline" },
    { flags: "--update", description: "write snapshots instead of comparing them" },
    { flags: "--junit <file>", description: "write the results as JUnit XML, too" },
    { flags: "--format <format>", description: "how results are printed; github adds annotations", choices: formats, default: "text" },
    { ...jsonOption, description: "the same as --format json" },
  ],
  examples: ["wave test", "wave test happy-path --update", "wave test --junit results.xml"],
  run: test,
};

async function test(invocation: Invocation): Promise<number> {
  const { io } = invocation;
  const json = flag(invocation, "json") || textOption(invocation, "format") === "json";
  const request = projectRequest(invocation);
  const located = locateProject(request);
  if (!located.ok) return fail(io, located.error, { json });
  const { testPipelines } = await import("../engine/test-pipelines.ts");
  const { renderTest, renderTestCounts, testAnnotations } = await import("../reporters/tests/render-tests.ts");
  const options = { color: io.stdout.color, textOf: frameTexts(io, manifestTexts(request)) };
  const pipeline = textOption(invocation, "pipeline");
  const tested = await testPipelines({
    ...request,
    ...defined({ pipeline }),
    names: invocation.arguments.filter((name) => name !== undefined),
    update: flag(invocation, "update"),
    signal: io.signal,
    onResult: (result) => (json ? undefined : io.stdout.write(renderTest(result, options))),
  });
  const clean = <T>(value: T) => io.secrets.redactor().value(value);
  const base = path.relative(io.env["GITHUB_WORKSPACE"] ?? located.value.root, located.value.root);
  const annotates = textOption(invocation, "format") === "github";
  if (!tested.ok) {
    if (annotates && tested.error.reason === "manifest-invalid")
      io.stdout.writeControl(renderDiagnostics(clean(tested.error.diagnostics), options.textOf, "github", { color: false, base }));
    return fail(io, tested.error, { json, fileText: options.textOf });
  }
  const { results, diagnostics } = tested.value;
  if (json) printJson(io, { ok: results.every(isGood), tests: results });
  else {
    warn(io, diagnostics, options.textOf);
    io.stdout.write(renderTestCounts(results, options));
    if (annotates) io.stdout.writeControl(testAnnotations(clean(results), base));
  }
  const written = await writeJunit(textOption(invocation, "junit"), request.cwd, clean(results));
  return written === undefined ? statusOf(results) : fail(io, written, { json });
}

function isGood({ mismatches, error }: TestResult): boolean {
  return mismatches.length === 0 && error === undefined;
}

/** What kept tests from telling anything comes before what they told. */
function statusOf(results: readonly TestResult[]): number {
  const errors = results.flatMap(({ error }) => (error === undefined ? [] : [exitCodeOf(error)]));
  return errors.length > 0 ? Math.max(...errors) : results.every(isGood) ? 0 : 1;
}

async function writeJunit(name: string | undefined, cwd: string, results: readonly TestResult[]): Promise<Failure | undefined> {
  if (name === undefined) return undefined;
  const { testsAsJunit } = await import("../reporters/junit.ts");
  const file = path.resolve(cwd, name);
  try {
    await writeFile(file, testsAsJunit(results));
    return undefined;
  } catch (error) {
    return { reason: "state-unwritable", path: file, ...describeIoError(error) };
  }
}
