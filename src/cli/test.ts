/** `wave test`: replays recordings of pipelines and compares the results with the tests' expectations. */
import path from "node:path";
import { defined } from "../core/defined.ts";
import { exitCodeOf } from "../core/failures.ts";
import type { TestResult } from "../core/pipeline-test.ts";
import { ok } from "../core/result.ts";
import { locateProject } from "../engine/open-project.ts";
import { renderDiagnostics } from "../reporters/diagnostics/render-diagnostics.ts";
import { defineCommand, frameOptions, frameTexts, printDiagnostics } from "./define-command.ts";
import { manifestTexts } from "./manifest-texts.ts";

export const testCommand = defineCommand({
  name: "test",
  summary: "Replay recordings of pipelines and check the results",
  details:
    "Tests are the files in `.wave/tests/`; `wave run --record DIR` creates recordings. No model is called and no key is needed: steps repeat what was recorded, and contracts are evaluated as usual. The project is not changed, nothing is published, and no run is recorded. Exits with 0 if every result is as expected, and with 1 if not.",
  args: [{ name: "[tests...]", description: "names of tests (default: all)" }],
  options: [
    { flags: "--pipeline <name>", description: "run only the tests of this pipeline" },
    { flags: "--update", description: "write snapshots instead of comparing them" },
    { flags: "--junit <file>", description: "write the results to this file as JUnit XML" },
    {
      flags: "--format <format>",
      description: "output format; `github` adds annotations",
      choices: ["text", "json", "github"],
      default: "text",
    },
  ],
  examples: ["wave test", "wave test happy-path --update", "wave test --junit results.xml"],
  run: async ({ io, json, request, args, text, flag, print }) => {
    const located = locateProject(request);
    if (!located.ok) return located;
    const { testPipelines, writeJunit } = await import("../engine/test-pipelines.ts");
    const { renderTest, renderTestCounts, testAnnotations } = await import("../reporters/tests/render-tests.ts");
    const textOf = frameTexts(io, manifestTexts(request));
    const tested = await testPipelines({
      project: request,
      ...defined({ pipeline: text("pipeline") }),
      names: args,
      update: flag("update"),
      signal: io.signal,
      onResult: (result) => print({ text: (output) => renderTest(result, { ...frameOptions(output), textOf }) }),
    });
    const clean = <T>(value: T) => io.secrets.redactor().value(value);
    const { root } = located.value;
    const base = path.relative(io.env["GITHUB_WORKSPACE"] ?? root, root);
    const annotates = text("format") === "github";
    if (!tested.ok) {
      if (annotates && tested.error.reason === "manifest-invalid")
        io.stdout.writeControl(renderDiagnostics(clean(tested.error.diagnostics), textOf, "github", { color: false, base }));
      return tested;
    }
    const { results, diagnostics } = tested.value;
    if (!json) printDiagnostics(io, diagnostics, textOf);
    print({ json: { ok: results.every(isGood), tests: results }, text: ({ color }) => renderTestCounts(results, { color }) });
    if (annotates && !json) io.stdout.writeControl(testAnnotations(clean(results), base));
    const junit = text("junit");
    const written = junit === undefined ? ok(undefined) : await writeJunit(path.resolve(request.cwd, junit), clean(results));
    return written.ok ? ok({ code: exitCodeFor(results) }) : written;
  },
});

function isGood({ mismatches, error }: TestResult): boolean {
  return mismatches.length === 0 && error === undefined;
}

/** A test that could not run decides before one with unexpected results. */
function exitCodeFor(results: readonly TestResult[]): number {
  const errors = results.flatMap(({ error }) => (error === undefined ? [] : [exitCodeOf(error)]));
  return errors.length > 0 ? Math.max(...errors) : results.every(isGood) ? 0 : 1;
}
