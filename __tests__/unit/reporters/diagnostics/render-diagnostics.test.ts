import { describe, expect, test } from "vitest";
import { type Diagnostic, diagnosticCodes } from "../../../../src/core/diagnostic.ts";
import { renderDiagnostics } from "../../../../src/reporters/diagnostics/render-diagnostics.ts";
import { cellWidth } from "../../../../src/text/printable.ts";

const text = "pipeline:\n  name: demo\n  steps:\n    - id: a\n      pesona: navigator\n      task: |\n        one\n        two\n";

function at(line: number, column: number, endLine: number, endColumn: number, file = "wave.yaml") {
  return { file, range: { start: { line, column }, end: { line: endLine, column: endColumn } } };
}

const unknownKey: Diagnostic = {
  code: "W201",
  severity: "error",
  message: "the key `pesona` is unknown here",
  origin: at(5, 7, 5, 13),
  hint: "did you mean `persona`?",
  fix: "persona",
  related: [{ message: "the step begins here", origin: at(4, 7, 4, 12) }],
};
const noEffect: Diagnostic = { code: "W403", severity: "warning", message: "a rule, 100% idle", origin: at(6, 13, 9, 1) };
const elsewhere: Diagnostic = { code: "W303", severity: "error", message: "gone", origin: at(1, 1, 1, 2, "other.yaml") };

const render = (diagnostics: readonly Diagnostic[], format: "text" | "json" | "github" | "sarif", base?: string) =>
  renderDiagnostics(diagnostics, (file) => (file === "wave.yaml" ? text : undefined), format, {
    color: false,
    ...(base === undefined ? {} : { base }),
  });

describe("text", () => {
  test("shows each problem on its lines, with hint, fix and related places", () => {
    expect(render([noEffect, unknownKey, elsewhere], "text")).toBe(`error[W303] gone
  at other.yaml:1:1

error[W201] the key \`pesona\` is unknown here
  at wave.yaml:5:7
    4 |     - id: a
    5 |       pesona: navigator
      |       ~~~~~~
  hint: did you mean \`persona\`?
  fix: write \`persona\`
  see: the step begins here
    at wave.yaml:4:7
      3 |   steps:
      4 |     - id: a
        |       ~~~~~

warning[W403] a rule, 100% idle
  at wave.yaml:6:13
    5 |       pesona: navigator
    6 |       task: |
      |             ~
    7 |         one
      |         ~~~
    8 |         two
      |         ~~~

2 errors, 1 warning
`);
  });

  test("says nothing when there is nothing to say", () => {
    expect([render([], "text"), render([], "github")]).toEqual(["", ""]);
  });

  test("underlines the right columns after tabs, wide characters and in long lines", () => {
    const lines = `\tx: "日本" bad\n${"y".repeat(300)} bad ${"z".repeat(300)}`;
    const frame = (origin: Diagnostic["origin"]) =>
      renderDiagnostics([{ ...elsewhere, origin }], () => lines, "text", { color: false })
        .split("\n")
        .slice(2, 5);
    expect(frame(at(1, 10, 1, 13))).toEqual(['    1 |   x: "日本" bad', "      |             ~~~", ""]);
    const [, long = "", squiggle = ""] = frame(at(2, 302, 2, 305));
    expect(long.slice(squiggle.indexOf("~"), squiggle.lastIndexOf("~") + 1)).toBe("bad");
    expect(long.length).toBeLessThanOrEqual(100);
  });

  test.each([40, 60, 120])("keeps frames within a terminal of %i columns, with the underline below the range", (columns) => {
    const wide = `${"日本 ".repeat(60)}bad ${"z".repeat(300)}`;
    const lines = `${"y".repeat(300)} bad ${"z".repeat(300)}\n${wide}\n${"x".repeat(400)}\nbad${"c".repeat(200)}`;
    const ranges = [at(1, 302, 1, 305), at(2, 181, 2, 184), at(3, 1, 3, 401), at(4, 1, 4, 4)];
    for (const origin of ranges) {
      const related = [{ message: "see", origin }];
      const shown = renderDiagnostics([{ ...elsewhere, origin, related }], () => lines, "text", { color: false, columns }).split("\n");
      expect(Math.max(...shown.map(cellWidth))).toBeLessThanOrEqual(columns);
      const underline = shown.findIndex((line) => line.includes("~"));
      const [code = "", marks = ""] = [shown[underline - 1], shown[underline]];
      const marked = [...code].filter((_, index, all) => marks[cellWidth(all.slice(0, index).join(""))] === "~").join("");
      expect(marked).toMatch(origin === ranges[2] ? /^x+…$/ : /^bad$/);
    }
  });

  test("limits frames to 100 columns if the output is not a terminal", () => {
    const shown = renderDiagnostics([{ ...elsewhere, origin: at(1, 1, 1, 300) }], () => "y".repeat(400), "text", { color: false });
    expect(Math.max(...shown.split("\n").map(cellWidth))).toBeLessThanOrEqual(100);
  });

  test("what the file holds reaches the terminal as text", () => {
    const shown = renderDiagnostics([{ ...elsewhere, message: "\u001b[2J", origin: at(1, 1, 1, 4) }], () => "\u001b[31mred", "text", {
      color: false,
    });
    expect(shown.includes("\u001b")).toBe(false);
  });

  test("colours only when told to", () => {
    expect(renderDiagnostics([elsewhere], () => undefined, "text", { color: true })).toContain("\u001b[31m");
  });
});

test("json carries the diagnostics as they are, in reading order", () => {
  expect(JSON.parse(render([noEffect, unknownKey], "json"))).toEqual({ ok: false, diagnostics: [unknownKey, noEffect] });
  expect(JSON.parse(render([noEffect], "json"))).toEqual({ ok: true, diagnostics: [noEffect] });
});

test("github annotations are escaped, and have columns only on one line", () => {
  expect(
    render(
      [unknownKey, noEffect, { ...elsewhere, message: "a\n::b ##[c]", origin: at(1, 1, 1, 2, "a,b:c.yaml") }],
      "github",
      "examples/x/",
    ),
  ).toBe(
    [
      "::error file=examples/x/a%2Cb%3Ac.yaml,line=1,col=1,endColumn=2,title=wave W303::a ::b ## [c]",
      "::error file=examples/x/wave.yaml,line=5,col=7,endColumn=13,title=wave W201::the key `pesona` is unknown here%0Ahint: did you mean `persona`?",
      "::warning file=examples/x/wave.yaml,line=6,endLine=8,title=wave W403::a rule, 100%25 idle",
      "",
    ].join("\n"),
  );
});

test("sarif is a 2.1.0 log whose rules are the table of codes", () => {
  const log = JSON.parse(render([unknownKey], "sarif", "a b"));
  const [run] = log.runs;
  const location = (startLine: number, startColumn: number, endColumn: number) => ({
    physicalLocation: { artifactLocation: { uri: "a%20b/wave.yaml" }, region: { startLine, startColumn, endLine: startLine, endColumn } },
  });
  expect([log.version, log.$schema]).toEqual(["2.1.0", "https://json.schemastore.org/sarif-2.1.0.json"]);
  expect(run.tool.driver.rules.map((rule: { id: string }) => rule.id)).toEqual(Object.keys(diagnosticCodes));
  expect(run.results).toEqual([
    {
      ruleId: "W201",
      ruleIndex: Object.keys(diagnosticCodes).indexOf("W201"),
      level: "error",
      message: { text: "the key `pesona` is unknown here. did you mean `persona`?" },
      locations: [location(5, 7, 13)],
      relatedLocations: [{ ...location(4, 7, 12), message: { text: "the step begins here" } }],
      fixes: [
        {
          description: { text: "write `persona`" },
          artifactChanges: [
            {
              artifactLocation: { uri: "a%20b/wave.yaml" },
              replacements: [
                { deletedRegion: { startLine: 5, startColumn: 7, endLine: 5, endColumn: 13 }, insertedContent: { text: "persona" } },
              ],
            },
          ],
        },
      ],
    },
  ]);
});
