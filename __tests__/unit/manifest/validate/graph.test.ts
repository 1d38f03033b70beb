/** Steps and their edges, and where inputs come from. */

import { describe, expect, it } from "vitest";
import fc from "../../../rig/property.ts";
import { pipelineOf, problemsOf, stepOf, validateFiles } from "../../../rig/validated.ts";

/** Everything that a step depends on. */
function ancestors(id: string, edges: (id: string) => readonly string[]): Set<string> {
  const found = new Set(edges(id));
  for (const next of found) for (const edge of edges(next)) found.add(edge);
  return found;
}

/** One step a line: `id < dependencies ? inputs > artifacts`, lists separated by commas. */
function manifest(...lines: string[]): string {
  const steps = lines.map((line) => {
    const [, id, up, inputs, artifacts] = /^(\S+)(?: < (\S+))?(?: \? (.+?))?(?: > (\S+))?$/.exec(line) ?? [];
    const parts = [
      `id: ${id}`,
      "persona: tester",
      up && `dependencies: [${up}]`,
      inputs && `inputs: [${inputs}]`,
      artifacts && `artifacts: [${artifacts}]`,
    ];
    return `  - { ${parts.filter(Boolean).join(", ")} }`;
  });
  return `steps:\n${steps.join("\n")}\n`;
}

describe("edges", () => {
  it("come from dependencies and from `from`, each once, in order", async () => {
    const pipeline = await pipelineOf(manifest("a > x", "b > y", "c < b ? {artifact: x, from: a},{artifact: y, from: b}"));
    expect(stepOf(pipeline, "c").dependencies).toEqual(["b", "a"]);
  });

  it("lead to known steps, and not to the step itself", async () => {
    expect(await problemsOf(manifest("build", "b < biuld,b,zzz"))).toEqual([
      "W302 3:46 there is no step `biuld` (did you mean `build`?) [build]",
      "W402 3:52 the step `b` depends on itself (remove the dependency)",
      "W302 3:54 there is no step `zzz` (use a step of this pipeline)",
    ]);
  });

  it("must not form cycles: one finding per group of steps, with its path and every edge", async () => {
    const { diagnostics } = await validateFiles({
      "wave.yaml": manifest("x < a", "a < b", "b < c", "c < a", "p < q", "q ? {artifact: r, from: p}", "r > r"),
    });
    const circles = diagnostics.filter(({ code }) => code === "W401");
    expect(
      circles.map(({ message, origin, related }) => [
        message,
        origin.range.start.line,
        related?.map((edge) => `${edge.origin.range.start.line} ${edge.message}`),
      ]),
    ).toEqual([
      ["dependency cycle: a -> b -> c -> a", 3, ["3 `a` depends on `b`", "4 `b` depends on `c`", "5 `c` depends on `a`"]],
      ["dependency cycle: p -> q -> p", 6, ["6 `p` depends on `q`", "7 `q` depends on `p`"]],
    ]);
    expect(diagnostics).toHaveLength(3);
  });

  it("require unique step ids", async () => {
    expect(await problemsOf(manifest("a", "a < nowhere"))).toEqual([
      "W312 3:11 two steps are named `a`",
      "W302 3:46 there is no step `nowhere` (use a step of this pipeline)",
    ]);
  });
});

describe("inputs", () => {
  const fromOf = async (id: string, ...lines: string[]) =>
    stepOf(await pipelineOf(manifest(...lines)), id).inputs.map(({ name, from }) => `${name}<${from}`);

  it("come from the nearest upstream step", async () => {
    expect(await fromOf("d", "a > r", "b < a > r", "c < b", "d < c ? r")).toEqual(["r<b"]);
    expect(await fromOf("d", "a > r", "b < a > r", "c < a > s", "d < b,c,a ? r,s")).toEqual(["r<b", "s<c"]);
  });

  it("add no edge, and may be renamed", async () => {
    const pipeline = await pipelineOf(manifest("a > r", "b < a", "c < b ? {artifact: r, as: report}"));
    expect(stepOf(pipeline, "c")).toMatchObject({
      dependencies: ["b"],
      inputs: [{ name: "report", artifact: "r", from: "a", optional: false }],
    });
  });

  it("are ambiguous if no producer depends on the other", async () => {
    expect(await problemsOf(manifest("a > r", "b > r", "c < a,b ? r"))).toEqual([
      "W307 4:61 `r` is produced by `a` and `b`, and neither depends on the other (choose one: `{ artifact: r, from: a }`)",
    ]);
    expect(await fromOf("d", "a > r", "b > r", "c < a,b > r", "d < a,b,c ? r")).toEqual(["r<c"]);
    expect(await fromOf("c", "a > r", "b > r", "c < a,b ? {artifact: r, from: b}")).toEqual(["r<b"]);
  });

  it("are produced upstream, or the finding names a fix", async () => {
    expect(await problemsOf(manifest("a > report", "b ? report", "c ? reprot", "d ? own > own"))).toEqual([
      "W306 3:40 `report` is produced by `a`, on which `b` does not depend (add `dependencies: [a]` to the step, or write the input as `{ artifact: report, from: a }`)",
      "W305 4:40 no step produces `reprot` (did you mean `report`?) [report]",
      "W306 5:40 `own` is produced by `d` itself (inputs must come from an earlier step)",
    ]);
  });

  it("may be optional: then a missing producer is allowed, but a wrong `from` is not", async () => {
    expect(await fromOf("b", "a > r", "b ? {artifact: r, optional: true},{artifact: s, optional: true}")).toEqual([
      "r<undefined",
      "s<undefined",
    ]);
    expect(await problemsOf(manifest("a > report", "b ? {artifact: repor, from: a, optional: true}"))).toEqual([
      "W305 3:51 the step `a` does not declare `repor` (did you mean `report`?) [report]",
    ]);
  });

  it("have unique names", async () => {
    expect(await problemsOf(manifest("a > r,s", "b < a ? r,{artifact: s, as: r}"))).toEqual([
      "W312 3:79 the step has two inputs named `r` (rename one of them with `as`)",
    ]);
  });

  it("are found in any graph by the definition of nearest", async () => {
    const graph = fc.array(fc.record({ up: fc.array(fc.nat(11), { maxLength: 3 }), makes: fc.boolean() }), { minLength: 2, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(graph, async (rows) => {
        // Edges lead to earlier steps, so that there is no circle.
        const ups = rows.map(({ up }, index) => [...new Set(up.filter((to) => to < index))].map((to) => `s${to}`));
        const edges = (id: string) => ups[Number(id.slice(1))] ?? [];
        const lines = rows.map(
          ({ makes }, index) =>
            `s${index}${ups[index]?.length ? ` < ${ups[index]}` : ""} ? {artifact: r, optional: true}${makes ? " > r" : ""}`,
        );
        const { project, diagnostics } = await validateFiles({ "wave.yaml": manifest(...lines) });
        const expected = rows.map((_, index) => {
          const makers = [...ancestors(`s${index}`, edges)].filter((id) => rows[Number(id.slice(1))]?.makes);
          return makers.filter((id) => !makers.some((other) => other !== id && ancestors(other, edges).has(id)));
        });
        expect(diagnostics.map(({ code, origin }) => [code, origin.range.start.line])).toEqual(
          expected.flatMap((makers, index) => (makers.length > 1 ? [["W307", index + 2]] : [])),
        );
        const found = project?.pipelines[0]?.pipeline.steps.map((step) => step.inputs.flatMap(({ from }) => from ?? []));
        if (found !== undefined) expect(found).toEqual(expected);
      }),
      { numRuns: 150 },
    );
  });
});
