/** Renders test results for people, and as annotations for GitHub. Pure. Texts end in a line break. */
import { describeFailure } from "../../core/failures.ts";
import type { JsonValue } from "../../core/json.ts";
import type { Mismatch, TestResult } from "../../core/pipeline-test.ts";
import { printable } from "../../text/printable.ts";
import { counted, formatDuration } from "../../text/quantity.ts";
import { workflowCommand } from "../../text/workflow-command.ts";
import { detailLines, failureTitle } from "../console/failure-lines.ts";
import { paletteOf } from "../console/palette.ts";
import { codeFrame, defaultColumns, type FrameStyle } from "../diagnostics/code-frame.ts";
import { repositoryPath } from "../sarif.ts";

export interface TestOptions {
  readonly color: boolean;
  /** The terminal's width. Defaults to 100 columns. */
  readonly columns?: number;
  /** Returns the text of a test file. Undefined if it is unknown or must not be shown. */
  readonly textOf: (file: string) => string | undefined;
}

/** Whether the test ran and met all expectations. */
export function hasPassed({ mismatches, error }: TestResult): boolean {
  return mismatches.length === 0 && error === undefined;
}

/** The result of one test. */
export function renderTest(result: TestResult, { color, columns = defaultColumns, textOf }: TestOptions): string {
  const paint = paletteOf(color);
  const frameStyle = { paint, tint: paint.red, columns: columns - 8 };
  const { test, mismatches, failures, error, snapshot, durationMs } = result;
  const mark = hasPassed(result) ? paint.green("✓") : paint.red("✗");
  const note = snapshot === "written" ? " (snapshot written)" : "";
  return [
    `${mark} ${paint.bold(printable(test.name))} ${paint.dim(`${printable(test.pipeline)}, ${formatDuration(durationMs)}${note}`)}`,
    ...mismatches.flatMap((mismatch) => mismatchLines(mismatch, textOf(mismatch.origin.file), frameStyle)),
    ...(error === undefined ? [] : [`    ${failureTitle(error)}`, ...detailLines(describeFailure(error), 6, paint)]),
    ...failures.flatMap(({ step, failure }) => [
      `    ${printable(step)}: ${failureTitle(failure)}`,
      ...detailLines(describeFailure(failure), 6, paint),
    ]),
    "",
  ].join("\n");
}

function mismatchLines({ message, origin, expected, actual }: Mismatch, text: string | undefined, style: FrameStyle): string[] {
  const { file, range } = origin;
  const { paint } = style;
  const frame = text === undefined ? [] : codeFrame(text, range, style);
  return [
    `    ${printable(message)}`,
    `      ${paint.dim("at")} ${printable(file)}:${range.start.line}:${range.start.column}`,
    ...frame.map((line) => `        ${line}`),
    ...(expected === undefined ? [] : [`      ${paint.green("expected")} ${valueText(expected)}`]),
    ...(expected === undefined && actual === undefined ? [] : [`      ${paint.red("found   ")} ${valueText(actual)}`]),
  ];
}

function valueText(value: JsonValue | undefined): string {
  return value === undefined ? "nothing" : printable(JSON.stringify(value));
}

/** `2 tests passed, 1 failed`. */
export function renderTestCounts(results: readonly TestResult[], { color }: Pick<TestOptions, "color">): string {
  const paint = paletteOf(color);
  const passed = results.filter(hasPassed).length;
  const failed = results.length - passed;
  const words = [paint.green(`${counted(passed, "test")} passed`), ...(failed === 0 ? [] : [paint.red(`${failed} failed`)])];
  return `${words.join(", ")}\n`;
}

/** Workflow commands that annotate the expectations that were not met. `base`: the project's root relative to the repository's. */
export function testAnnotations(results: readonly TestResult[], base?: string): string {
  const lines = results.flatMap(({ test, mismatches, error }) => [
    ...mismatches.map(({ message, origin: { file, range }, expected, actual }) => {
      const values = expected === undefined && actual === undefined ? "" : `: expected ${valueText(expected)}, found ${valueText(actual)}`;
      const place = { file: repositoryPath(file, base), line: range.start.line, col: range.start.column, title: `wave test ${test.name}` };
      return workflowCommand("error", place, `${message}${values}`);
    }),
    ...(error === undefined
      ? []
      : [workflowCommand("error", { file: repositoryPath(test.file, base), title: `wave test ${test.name}` }, failureTitle(error))]),
  ]);
  return lines.map((line) => `${line}\n`).join("");
}
