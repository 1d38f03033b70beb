/**
 * Writes test results as JUnit XML: one suite per pipeline, one case per test. Pure. Valid against junit-10.xsd of Jenkins' xUnit plugin,
 * the strictest schema in use.
 */
import { describeFailure } from "../core/failures.ts";
import type { TestResult } from "../core/pipeline-test.ts";

export function testsAsJunit(results: readonly TestResult[]): string {
  const pipelines = [...new Set(results.map(({ test }) => test.pipeline))];
  const suites = pipelines.map((name) => [name, results.filter(({ test }) => test.pipeline === name)] as const);
  const all = counts(results);
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="wave test"${all}>`,
    ...suites.flatMap(([pipeline, members]) => [
      `  <testsuite${attribute("name", pipeline)}${counts(members)}>`,
      ...fileProperties(members),
      ...members.flatMap(caseLines),
      "  </testsuite>",
    ]),
    "</testsuites>",
  ];
  return `${lines.join("\n")}\n`;
}

function counts(results: readonly TestResult[]): string {
  const errors = results.filter(({ error }) => error !== undefined).length;
  const failures = results.filter(({ error, mismatches }) => error === undefined && mismatches.length > 0).length;
  const seconds = results.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1000;
  return ` tests="${results.length}" failures="${failures}" errors="${errors}" time="${seconds.toFixed(3)}"`;
}

/** The files of tests are properties of the suite, because a case has no attribute for its file in Jenkins' schema. */
function fileProperties(members: readonly TestResult[]): string[] {
  const properties = members.map(
    ({ test }) => `      <property${attribute("name", `file:${test.name}`)}${attribute("value", test.file)}/>`,
  );
  return ["    <properties>", ...properties, "    </properties>"];
}

function caseLines({ test, mismatches, failures, error, durationMs }: TestResult): string[] {
  const head = `    <testcase${attribute("name", test.name)}${attribute("classname", test.pipeline)} time="${(durationMs / 1000).toFixed(3)}"`;
  if (error !== undefined) {
    const { title, detail } = describeFailure(error);
    return [`${head}>`, `      <error${attribute("message", title)}>${text(detail.join("\n"))}</error>`, "    </testcase>"];
  }
  const [first] = mismatches;
  if (first === undefined) return [`${head}/>`];
  const body = mismatches.map(({ message, origin: { file, range }, expected, actual }) =>
    [
      `${file}:${range.start.line}:${range.start.column}: ${message}`,
      ...(expected === undefined ? [] : [`expected ${JSON.stringify(expected)}`]),
      ...(actual === undefined ? [] : [`found    ${JSON.stringify(actual)}`]),
    ].join("\n"),
  );
  const why = failures.map(({ step, failure }) =>
    [`${step}: ${describeFailure(failure).title}`, ...describeFailure(failure).detail].join("\n"),
  );
  return [
    `${head}>`,
    `      <failure${attribute("message", first.message)}>${text([...body, ...why].join("\n\n"))}</failure>`,
    "    </testcase>",
  ];
}

function attribute(name: string, value: string): string {
  return ` ${name}="${text(value).replaceAll('"', "&quot;").replaceAll("\n", "&#10;")}"`;
}

/** XML 1.0 can represent neither most control characters nor lone surrogates. */
function text(value: string): string {
  const writable = value.replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "\uFFFD");
  return writable.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
