/** `wave trace` and `wave metrics` through the built binary, on the pipeline of docs/trace.md; what the page shows is what they print. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { Ajv } from "ajv";
import formats from "ajv-formats";
import { beforeAll, describe, expect, it } from "vitest";
import { inTotoStatement } from "../rig/in-toto-schema.ts";
import { type Finished, project, repository } from "../rig/project.ts";

const page = readFileSync(path.join(repository, "docs/trace.md"), "utf8");

/** The fenced block after a marker comment. */
function blockAfter(marker: string): string {
  return new RegExp(`<!-- ${marker} -->\\n+\`\`\`\\w*\\n([\\s\\S]*?)\`\`\``).exec(page)?.[1] ?? "";
}

/** Ids, times, bars and the machine are not part of what is shown. */
function steady(text: string): string {
  return text
    .replace(/sha256:[0-9a-f]{64}/g, "DIGEST")
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/g, "INSTANT")
    .replace(/run [0-9a-f]{10}/g, "run RUN")
    .replace(/process \d+ on \S+,/g, "process PID on HOST,")
    .replace(/\b\d+(?:\.\d+)?(?:ms|s)\b/g, "TIME")
    .replace(/[█▒·]+$/gm, "")
    .replace(/ +/g, " ")
    .replace(/\s+$/gm, "");
}

interface Printed {
  readonly runs: readonly string[];
  readonly outputs: Readonly<Record<string, string>>;
}

let printed: Printed;

/** One project for all: a run that fails and is resumed, then one that reuses its work. */
beforeAll(async () => {
  const wave = project({ "wave.yaml": blockAfter("file: wave.yaml"), "fixes.schema.json": '{"type":"array"}', "notes.md": "notes\n" });
  const outputs: Record<string, string> = {};
  const keep = async (name: string, code: number, ...words: string[]): Promise<Finished> => {
    const finished = await wave.wave(...words);
    expect(finished, name).toMatchObject({ code });
    outputs[name] = finished.code === 0 ? finished.stdout : finished.stderr;
    return finished;
  };
  await keep("run", 1, "run");
  await keep("failed", 0, "trace", "--json");
  await keep("resume", 0, "resume");
  await keep("trace", 0, "trace");
  await keep("otlp", 0, "trace", "--format", "otlp");
  await keep("run", 0, "run", "--reuse");
  await keep("reused", 0, "trace");
  await keep("reused otlp", 0, "trace", "--format", "otlp");
  await keep("lineage", 0, "trace", "--lineage", "report");
  await keep("graph", 0, "trace", "--lineage", "report/report", "--json");
  const { lineage } = JSON.parse(outputs["graph"] ?? "");
  const { digest } = lineage.nodes[0].artifact;
  await keep("by digest", 0, "trace", "--lineage", digest.slice(7, 23));
  await keep("mermaid", 0, "trace", "--lineage", "report", "--format", "mermaid");
  await keep("in-toto", 0, "trace", "--lineage", digest, "--format", "in-toto");
  await keep("metrics", 0, "metrics");
  await keep("metrics json", 0, "metrics", "--format", "json");
  await keep("unknown", 2, "trace", "--lineage", "nothing");
  await keep("two formats", 2, "trace", "--format", "in-toto");
  printed = { runs: [...new Set(wave.events().map(({ run }) => run))], outputs };
}, 120_000);

const json = (name: string) => JSON.parse(printed.outputs[name] ?? "");

describe("docs/trace.md", () => {
  it.each(["trace", "reused", "lineage"])("shows what is printed: %s", (name) => {
    expect(steady(printed.outputs[name] ?? "")).toBe(steady(blockAfter(`output: ${name}`)));
  });

  it("lists every metric", () => {
    const { metrics } = json("metrics json");
    for (const { name, type } of metrics) expect(page).toContain(`| \`${name}\` | ${type} |`);
  });
});

describe("wave trace", () => {
  it("tells of a failed run that its last step failed, and of nothing after it", () => {
    const { trace } = json("failed");
    expect(trace).toMatchObject({ status: "failed", processes: [{ role: "began", closed: true }] });
    expect(trace.steps.map(({ id, status }: { id: string; status: string }) => [id, status])).toEqual([
      ["survey", "passed"],
      ["style", "passed"],
      ["fix", "passed"],
      ["report", "failed"],
    ]);
    expect(trace.steps[2].attempts).toMatchObject([
      { attempt: 1, status: "failed", waitedFor: "dependency", after: "survey", checks: [{ verdict: "fail" }] },
      { attempt: 2, status: "passed", waitedFor: "retry", checks: [{ verdict: "pass" }], artifacts: 1, changes: { changed: 1 } },
    ]);
  });

  it("prints spans whose parents and links are there", () => {
    const spansOf = (name: string) => json(name).resourceSpans[0].scopeSpans[0].spans;
    const spans = spansOf("otlp");
    const ids = new Set(spans.map(({ spanId }: { spanId: string }) => spanId));
    expect(ids.size).toBe(spans.length);
    for (const { parentSpanId } of spans.slice(1)) expect(ids).toContain(parentSpanId);
    expect(spans[0]).not.toHaveProperty("parentSpanId");
    const links = spansOf("reused otlp").flatMap((span: { links?: { traceId: string; spanId: string }[] }) => span.links ?? []);
    expect(links).toHaveLength(4);
    for (const { traceId, spanId } of links) {
      expect(traceId).toBe(spans[0].traceId);
      expect(ids).toContain(spanId);
    }
  });

  it("finds an artifact by name, step and digest, and leads to the run that made it", () => {
    expect(printed.outputs["by digest"]).toBe(printed.outputs["lineage"]);
    const [first, second] = printed.runs;
    const { nodes } = json("graph").lineage;
    expect(nodes).toHaveLength(4);
    expect(new Set(nodes.map(({ made }: { made: { run: string } }) => made.run)).size).toBe(1);
    expect([first, second]).toContain(nodes[0].made.run);
    expect(nodes[0].reusedBy).toEqual([[first, second].find((run) => run !== nodes[0].made.run)]);
    expect(printed.outputs["mermaid"]).toMatch(/^flowchart TD\n/);
    const statement = json("in-toto");
    const ajv = formats.default(new Ajv({ strict: false, allErrors: true }));
    expect(ajv.validate(inTotoStatement, statement) ? [] : ajv.errors).toEqual([]);
    expect(statement.subject).toMatchObject([{ name: "report", digest: { sha256: nodes[0].artifact.digest.slice(7) } }]);
    expect(statement.predicate.runDetails.metadata.invocationId).toBe(`${nodes[0].made.run}/report/2`);
  });

  it("says what there is instead of an unknown artifact, and which format is for what", () => {
    expect(printed.outputs["unknown"]).toContain("its artifacts: survey/facts, style/style, fix/fixes, report/report");
    expect(printed.outputs["two formats"]).toContain("--format in-toto needs --lineage");
  });
});

describe("wave metrics", () => {
  it("counts what happened", () => {
    const lines = (printed.outputs["metrics"] ?? "").split("\n");
    expect(lines).toEqual(
      expect.arrayContaining([
        'wave_runs{pipeline="review",status="passed"} 2',
        'wave_attempts_total{pipeline="review",step="fix",outcome="failed"} 1',
        'wave_attempt_failures_total{pipeline="review",step="report",reason="adapter-exit"} 1',
        'wave_steps_reused_total{pipeline="review",step="report"} 1',
        'wave_contract_verdicts_total{pipeline="review",type="json_schema",verdict="fail"} 1',
        'wave_queue_wait_seconds_count{pipeline="review"} 6',
      ]),
    );
  });
});
