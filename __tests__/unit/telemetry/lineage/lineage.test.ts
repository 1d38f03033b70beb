/** Lineage: which attempt made an artifact, across steps and runs, and how that is printed. */
import { describe, expect, it } from "vitest";
import { digestUpstream } from "../../../../src/changeset/upstream-changes.ts";
import type { ArtifactRef, EventPayload, WaveEvent } from "../../../../src/core/event.ts";
import { projectRun } from "../../../../src/store/project-run.ts";
import { findArtifact, isDigestLike } from "../../../../src/telemetry/lineage/find-artifact.ts";
import { type FindRun, findProduction } from "../../../../src/telemetry/lineage/find-producer.ts";
import type { Lineage, Production, RunWithEvents } from "../../../../src/telemetry/lineage/lineage.ts";
import { lineageAsInToto } from "../../../../src/telemetry/lineage/lineage-as-in-toto.ts";
import { lineageAsMermaid } from "../../../../src/telemetry/lineage/lineage-as-mermaid.ts";
import { renderLineage } from "../../../../src/telemetry/lineage/render-lineage.ts";
import { traceLineage } from "../../../../src/telemetry/lineage/trace-lineage.ts";
import { artifact, digest } from "../../../rig/plan-fixtures.ts";
import { attemptRecord, attemptStarted, fingerprint, result, runRecord, started, stepRecord } from "../../../rig/run-events.ts";
import { changesRef, closed, failed, finished, journals, redefined, resumed } from "../../../rig/run-histories.ts";
import { must } from "../../../rig/state-rig.ts";

/** Runs by their ids; each is the journals of one. */
function runs(histories: Readonly<Record<string, readonly WaveEvent[]>>): FindRun {
  const known = new Map<string, RunWithEvents>();
  for (const [id, given] of Object.entries(histories)) {
    const events = given.map((event) => ({ ...event, run: id }));
    const record = projectRun(events, () => false);
    if (record !== undefined) known.set(id, { record, events });
  }
  return async (id) => ({ ok: true, value: known.get(id) });
}

const passed = (step: string, attempt: number, left: readonly ArtifactRef[], changes?: string): EventPayload => ({
  ...{ type: "attempt-passed", step, attempt, durationMs: 10, artifacts: [...left] },
  ...(changes === undefined ? {} : { changes: changesRef(changes) }),
});
const begun = (
  step: string,
  attempt: number,
  inputs: readonly [ArtifactRef, string][],
  builtOn: Record<string, string> = {},
): EventPayload => {
  const changes = digestUpstream(new Map(Object.entries(builtOn).map(([id, word]) => [id, digest(word)])));
  return {
    ...(attemptStarted(step, attempt) as EventPayload & { type: "attempt-started" }),
    inputs: inputs.map(([{ name, digest: of }, from]) => ({ name, digest: of, from })),
    fingerprint: { ...fingerprint, parts: changes === undefined ? {} : { changes } },
  };
};
const reused = (step: string, run: string, attempt: number, left: readonly ArtifactRef[]): EventPayload => ({
  ...{ type: "step-reused", step, from: { run, attempt }, fingerprint, artifacts: [...left] },
});

const [facts, fix, report] = [artifact("facts"), artifact("fix"), artifact("report")];
/** survey → fix (at its second attempt) → report, which also takes the facts. */
const first = journals([
  started({ survey: [], fix: [], report: ["fix"] }),
  begun("survey", 1, []),
  passed("survey", 1, [facts], "surveyed"),
  begun("fix", 1, [[facts, "survey"]], { survey: "surveyed" }),
  failed("fix", 1, 2),
  begun("fix", 2, [[facts, "survey"]], { survey: "surveyed" }),
  { type: "contract-checked", step: "fix", attempt: 2, result: result("shape") },
  passed("fix", 2, [fix], "fixed"),
  begun(
    "report",
    1,
    [
      [fix, "fix"],
      [facts, "survey"],
    ],
    { survey: "surveyed", fix: "fixed" },
  ),
  passed("report", 1, [report]),
  finished("passed"),
  closed,
]);
const start = { step: "report", digest: report.digest, artifact: report };
const madeOf = ({ nodes }: Lineage, name: string): Production | undefined => nodes.find((node) => node.artifact.name === name)?.made;

describe("traceLineage", () => {
  it("leads through inputs to attempts and the changes that they built on, each artifact once", async () => {
    const lineage = must(await traceLineage(runs({ one: first }), { ...start, run: "one" }));
    expect(lineage.nodes.map((node) => [node.artifact.name, node.made?.attempt])).toEqual([
      ["report", 1],
      ["fix", 2],
      ["facts", 1],
    ]);
    const made = madeOf(lineage, "report");
    expect(made).toMatchObject({ run: "one", step: "report", persona: "worker", adapter: "command", manifest: digest("manifest") });
    expect(made?.builtOn.map(({ step }) => step)).toEqual(["survey", "fix"]);
    expect(lineage.nodes.map((node) => node.made?.upstreamUnchanged)).toEqual([true, true, true]);
    expect(made?.inputs.map(({ node }) => node)).toEqual(lineage.nodes.slice(1).map(({ id }) => id));
    expect(madeOf(lineage, "fix")?.contracts).toEqual([{ name: "shape", type: "json_schema", verdict: "pass" }]);
  });

  it("follows reused work into the run that did it, through others that took it over", async () => {
    const steps = started({ survey: [], fix: [], report: ["fix"] });
    const taker = (from: string) =>
      journals([
        steps,
        reused("survey", from, 1, [facts]),
        reused("fix", from, 2, [fix]),
        reused("report", from, 1, [report]),
        finished("passed"),
        closed,
      ]);
    const lineage = must(await traceLineage(runs({ one: first, two: taker("one"), three: taker("two") }), { ...start, run: "three" }));
    expect(lineage.nodes[0]).toMatchObject({ reusedBy: ["three", "two"], made: { run: "one" } });
    expect(renderLineage(lineage, { color: false })).toContain("reused by run three, from run two\n");
  });

  it("goes on behind work that was only judged again", async () => {
    const again = journals([
      started({ survey: [] }),
      begun("survey", 1, []),
      passed("survey", 1, [facts]),
      reused("survey", "one", 1, [facts]),
      finished("passed"),
      closed,
    ]);
    const place = { run: "two", step: "survey", digest: facts.digest };
    const { reusedBy, found } = must(await findProduction(runs({ one: first, two: again }), place));
    expect([reusedBy, found?.run.record.id]).toEqual([["two"], "one"]);
  });

  it("prefers reused work to attempts of the run that do not count", async () => {
    const left = { ...(failed("survey", 1) as EventPayload & { type: "attempt-failed" }), artifacts: [facts] };
    const mixed = journals([started({ survey: [] }), begun("survey", 1, []), left], [resumed, reused("survey", "one", 1, [facts]), closed]);
    const place = { run: "two", step: "survey", digest: facts.digest };
    expect(must(await findProduction(runs({ one: first, two: mixed }), place)).found?.run.record.id).toBe("one");
  });

  it("reports what is missing, and detects circles", async () => {
    const circle = journals([started({ report: [] }), reused("report", "two", 1, [report]), closed]);
    for (const [histories, gap] of [
      [{ two: journals([started({ report: [] }), reused("report", "gone", 1, [report]), closed]) }, /run gone is no longer in the store/],
      [{ two: circle }, /in a circle/],
      [{ two: journals([started({ other: [] }), closed]) }, /no longer has step report/],
      [{ two: journals([started({ report: [] }), closed]) }, /no attempt of report/],
    ] as const) {
      const lineage = must(await traceLineage(runs(histories as Record<string, WaveEvent[]>), { ...start, run: "two" }));
      expect(lineage.nodes).toMatchObject([{ artifact: { name: "report" }, gap: expect.stringMatching(gap) }]);
      expect(lineageAsInToto(lineage)).toMatchObject({ ok: false, error: { reason: "usage", message: expect.stringMatching(gap) } });
    }
  });

  it("names the definition under which an attempt began, and says when what it built on was undone", async () => {
    const later = journals(
      [started({ survey: [], report: ["survey"] }), begun("survey", 1, []), passed("survey", 1, [facts], "surveyed"), closed],
      [
        redefined({ survey: [], report: ["survey"] }),
        begun("report", 1, [], { survey: "surveyed" }),
        passed("report", 1, [report]),
        closed,
      ],
      [{ ...resumed, again: ["survey"] } as EventPayload, begun("survey", 2, []), passed("survey", 2, [facts], "otherwise"), closed],
    );
    const lineage = must(await traceLineage(runs({ one: later }), { ...start, run: "one" }));
    expect(madeOf(lineage, "report")).toMatchObject({ manifest: digest("other manifest"), upstreamUnchanged: false });
    expect(renderLineage(lineage, { color: false })).toContain("it started from other changes than these");
    const survey = must(await traceLineage(runs({ one: later }), { run: "one", step: "survey", digest: facts.digest, artifact: facts }));
    expect(survey.nodes[0]?.made).toMatchObject({ attempt: 2, manifest: digest("other manifest") });
  });
});

describe("findArtifact", () => {
  const twice = artifact("out", "same");
  const run = runRecord({
    steps: [
      stepRecord("a", { artifacts: [twice] }),
      stepRecord("b", { artifacts: [twice, facts], attempts: [attemptRecord({ artifacts: [artifact("draft")] })] }),
    ],
  });

  it("takes a name, STEP/NAME and the beginning of a digest", () => {
    expect(must(findArtifact(run, "facts"))).toEqual({ step: "b", artifact: facts });
    expect(must(findArtifact(run, "b/out"))).toEqual({ step: "b", artifact: twice });
    for (const text of [facts.digest, facts.digest.slice(7), facts.digest.slice(7, 13)])
      expect(must(findArtifact(run, text)).artifact).toEqual(facts);
    expect(must(findArtifact(run, artifact("draft").digest)).artifact.name).toBe("draft");
  });

  it("says which there are when it is not one", () => {
    expect(findArtifact(run, "out")).toMatchObject({ ok: false, error: { hint: "name one of a/out, b/out" } });
    expect(findArtifact(run, "none")).toMatchObject({ ok: false, error: { hint: "its artifacts: a/out, b/out, b/facts" } });
    expect(findArtifact(run, facts.digest.slice(7, 12))).toMatchObject({ ok: false });
    expect(findArtifact(runRecord({ steps: [] }), "none")).toMatchObject({ error: { hint: "the run has no artifacts" } });
  });

  it("knows a digest from a name", () => {
    expect([facts.digest, facts.digest.slice(7), facts.digest.slice(0, 20)].map(isDigestLike)).toEqual([true, true, true]);
    expect(["deadbeef", "report", "sha256:"].map(isDigestLike)).toEqual([false, false, false]);
  });
});

describe("what is printed", () => {
  it("tells each artifact once, and never prints what a name would do to a terminal or a chart", async () => {
    const evil = { ...artifact("report"), name: 'r"]\u001b[31m--> x' };
    const lineage = must(await traceLineage(runs({ one: first }), { ...start, artifact: evil, run: "one" }));
    const text = renderLineage(lineage, { color: false });
    expect(text).not.toContain("\u001b");
    expect(text.match(/see above/g)).toHaveLength(1);
    const chart = lineageAsMermaid(lineage);
    const lines = chart.trimEnd().split("\n");
    expect(new Set(lines).size).toBe(lines.length);
    for (const line of lines.slice(1))
      expect(line).toMatch(
        /^ {2}(?:n\d+(?:\[|\(\[|\[\(|\[\/)"[^"[\]]*"(?:\]|\]\)|\)\]|\/\]):::\w+|n\d+ -->(?:\|"[^"|]*"\|)? n\d+|classDef .+)$/,
      );
  });

  it("stays readable, and quick, for long chains", async () => {
    const ids = Array.from({ length: 300 }, (_, at) => `s${at}`);
    const above = (at: number) => ids.slice(Math.max(0, at - 1), at);
    const built = (at: number) => Object.fromEntries(ids.slice(0, at).map((id) => [id, `changed by ${id}`]));
    const out = (at: number) => artifact("out", `made by ${at}`);
    const steps = ids.flatMap((id, at) => [
      begun(
        id,
        1,
        above(at).map((from): [ArtifactRef, string] => [out(at - 1), from]),
        built(at),
      ),
      passed(id, 1, [out(at)], `changed by ${id}`),
    ]);
    const chain = journals([started(Object.fromEntries(ids.map((id, at) => [id, above(at)]))), ...steps, closed]);
    const place = { run: "one", step: "s299", digest: out(299).digest, artifact: out(299) };
    const lineage = must(await traceLineage(runs({ one: chain }), place));
    expect(lineage.nodes).toHaveLength(300);
    expect(lineage.nodes.every(({ made }) => made?.upstreamUnchanged)).toBe(true);
    const lines = renderLineage(lineage, { color: false }).split("\n");
    expect(lines).toContain("    on the changes of 291 more steps before these:");
    expect(lines.length).toBeLessThan(300 * 15);
    expect(Math.max(...lines.map((line) => line.search(/\S/)))).toBeLessThan(50);
  });

  it("is an in-toto statement with SLSA provenance", async () => {
    const lineage = must(await traceLineage(runs({ one: first }), { ...start, run: "one" }));
    const statement = must(lineageAsInToto(lineage));
    expect(statement).toMatchObject({
      _type: "https://in-toto.io/Statement/v1",
      subject: [{ name: "report", digest: { sha256: report.digest.slice(7) } }],
      predicateType: "https://slsa.dev/provenance/v1",
      predicate: {
        buildDefinition: { externalParameters: { pipeline: "demo", step: "report", files: ["wave.yaml"] } },
        runDetails: {
          builder: { id: "pkg:npm/%40wave/run", version: { wave: "0.0.0", node: "v20" } },
          metadata: { invocationId: "one/report/1", startedOn: expect.stringMatching(/Z$/) },
        },
      },
    });
    const { buildType, resolvedDependencies } = statement.predicate.buildDefinition;
    expect(() => new URL(buildType)).not.toThrow();
    expect(resolvedDependencies.map(({ name }) => name)).toEqual([
      ...["tree", "manifest", "fix", "facts"],
      ...["changes of survey", "changes of fix"],
    ]);
    for (const { digest: digests } of resolvedDependencies)
      expect(Object.values(digests)).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
  });
});
