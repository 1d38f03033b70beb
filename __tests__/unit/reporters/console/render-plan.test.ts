import { describe, expect, test } from "vitest";
import { enforcementOf, noSandbox } from "../../../../src/core/enforcement.ts";
import type { Step } from "../../../../src/core/pipeline.ts";
import type { Plan, PlannedStep, PlannedWork } from "../../../../src/core/plan.ts";
import { renderPlan } from "../../../../src/reporters/console/render-plan.ts";
import { digest, layer, passedWork, pipeline, schemaContract, step, testContract } from "../../../rig/plan-fixtures.ts";

const fingerprint = { work: digest("work"), gate: digest("gate"), parts: {} };

function planned(of: Step, work: PlannedWork, members: Partial<PlannedStep> = {}): PlannedStep {
  return { step: of, dependents: [], weight: 1, work, enforcement: enforcementOf(of, noSandbox), ...members };
}

function plan(steps: readonly PlannedStep[], members: Partial<Plan> = {}): Plan {
  return {
    pipeline: pipeline(
      steps.map((each) => each.step),
      { version: "v1", description: "Shows a plan" },
    ),
    steps,
    sandbox: noSandbox,
    criticalPath: steps.map((each) => each.step.id),
    ...members,
  };
}

const analyze = step("analyze", {
  task: "Look at it.\nClosely.",
  persona: { name: "navigator", systemPrompt: "s", model: "sonnet", digest: digest("n") },
  adapter: { name: "claude", chosenBy: "persona", version: "2.1" },
  artifacts: [{ name: "report", path: "*.md", optional: false, implied: false }],
  permissions: { layers: [layer("persona", ["file_read:**", "command:git *"], ["network_access:*"])] },
  secrets: ["KEY"],
  env: { LEVEL: "debug" },
});
const implement = step("implement", {
  dependencies: ["analyze"],
  inputs: [{ name: "notes", artifact: "report", from: "analyze", optional: true }],
  artifacts: [{ name: "out", optional: false, implied: true }],
  contracts: [
    schemaContract({ onFailure: "retry", backoff: { strategy: "linear", baseMs: 1000, maxMs: 5000 } }),
    testContract({ onFailure: "warn" }),
  ],
  permissions: { layers: [layer("step", [], ["file_write:docs/**"])] },
  resources: { timeoutMs: 600_000, memoryLimitBytes: 2_000_000_000, diskLimitBytes: 1e9 },
  workspace: "shared",
  sandbox: "off",
  optional: true,
});
const release = step("release", { dependencies: ["implement"], reuse: true });
const example = plan([
  planned(
    analyze,
    { kind: "equal", fingerprint, cached: passedWork("analyze", fingerprint, { run: "0a1b2c" }) },
    { dependents: ["implement"], weight: 3 },
  ),
  planned(implement, { kind: "new", fingerprint, changed: ["base", "input:notes", "task"] }, { dependents: ["release"], weight: 2 }),
  planned(release, { kind: "unknown", after: ["implement"] }),
]);

describe("the tree", () => {
  test("tells a person everything that will happen", () => {
    expect(renderPlan(example, { format: "tree", color: false })).toMatchInlineSnapshot(`
      "demo@v1: 3 steps · Shows a plan
        run            2 run, 1 decided later
        run --reuse    1 run, 1 reused, 1 decided later
        critical path  analyze → implement → release (3 of 3)

      ├─ + analyze  navigator (claude 2.1, sonnet)
      │      task         Look at it. Closely.
      │      waits for    nothing
      │      artifacts    report (*.md)
      │      permissions  allow file_read:**
      │                   allow command:git * (left to the agent)
      │                   deny  network_access:* (not enforced)
      │      unrestricted file_write
      │      sees         LEVEL, KEY (secret)
      │      model API    api.anthropic.com:443 (always allowed)
      │      limits       timeout 30m
      │      work         unchanged since it passed in run 0a1b2c · run: run · run --reuse: reused · resume 0a1b2c: kept
      │
      ├─ + implement  worker (command) · optional
      │      task         Do implement
      │      waits for    analyze
      │      inputs       report from analyze as notes (optional)
      │      artifacts    out (named by its contract)
      │      contracts    shape: out matches shape.schema.json; on failure retry, at most 2 times, linear backoff from 1s
      │                   tests: \`npm test\` passes within 10m; on failure warn
      │      permissions  deny  file_write:docs/** (not enforced)
      │      unrestricted file_read, network_access, command
      │      limits       timeout 10m, memory 2GB, disk 1GB
      │      workspace    in place, alone: its changes to the project stay, even if it fails
      │      repository   the step can write to \`.git\`; once it has started, Wave runs no git in the project until the run ends
      │      sandbox      off: it runs although denied permissions are not enforced
      │      work         changed: project files, input notes, task · run, run --reuse and resume: run
      │
      └─ ? release  worker (command)
             task         Do release
             waits for    implement
             unrestricted file_read, file_write, network_access, command
             limits       timeout 30m
             work         decided once implement has ended · run: decided later · run --reuse: decided later · resume: run

      \`wave run\` refuses this plan (exit 4): nothing in this environment enforces
        deny network_access:*  in analyze
      Write \`sandbox: off\` (in the step, or at the top of the manifest) to run without them.
      Not enforced; the run starts anyway:
        deny file_write:docs/**  in implement
      No sandbox for analyze, release: their processes can reach files outside the workspace.
      "
    `);
  });

  test("marks steps by what the command at hand would do", () => {
    const marks = (reuse: boolean) => renderPlan(example, { format: "tree", color: false, reuse }).match(/(?<=─ )./gu);
    expect({ run: marks(false), reuse: marks(true) }).toEqual({ run: ["+", "+", "?"], reuse: ["=", "+", "?"] });
  });

  test("has colour only when it is asked for", () => {
    expect(renderPlan(example, { format: "tree", color: true })).toContain("\u001b[");
    expect(renderPlan(example, { format: "tree", color: false })).not.toContain("\u001b[");
  });

  test("says nothing about the project where steps have workspaces of their own, and nothing where all is enforced", () => {
    expect(
      renderPlan(plan([planned(step("a"), { kind: "new", fingerprint, changed: [] })], { sandbox: { available: true, network: true } }), {
        format: "tree",
        color: false,
      }),
    ).toMatchInlineSnapshot(`
      "demo@v1: 1 step · Shows a plan
        run            1 run
        run --reuse    1 run
        critical path  a (1 of 1)

      └─ + a  worker (command)
             task         Do a
             waits for    nothing
             unrestricted file_read, file_write, network_access, command
             limits       timeout 30m
             work         never passed before · run, run --reuse and resume: run
      "
    `);
  });

  test("prints names as text, whatever is in them", () => {
    const hostile = step("a", {
      task: "\u001b[2Jx\u0007",
      persona: { name: "p\u202e", systemPrompt: "", digest: digest("p") },
      contracts: [testContract({ command: "echo '\r\n::error::x'" })],
    });
    const text = renderPlan(plan([planned(hostile, { kind: "new", fingerprint, changed: [] })]), { format: "tree", color: false });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that none is left is the point
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]|^::/m);
  });
});

test("the document is stable, and holds neither places nor values", () => {
  const text = renderPlan(example, { format: "json", color: true });
  expect(text).not.toMatch(/origin|debug|systemPrompt/);
  expect(JSON.parse(text)).toEqual({
    v: 1,
    pipeline: { name: "demo", version: "v1", description: "Shows a plan" },
    summary: {
      steps: 3,
      run: { run: 2, reuse: 0, recheck: 0, later: 1, blocked: 0 },
      reuse: { run: 1, reuse: 1, recheck: 0, later: 1, blocked: 0 },
      resume: { run: 2, reuse: 1, recheck: 0, later: 0, blocked: 0 },
    },
    dependencyDirectories: [],
    criticalPath: ["analyze", "implement", "release"],
    directoryRenames: true,
    unshownPlaces: [],
    sandbox: { available: false, network: false },
    steps: [
      {
        id: "analyze",
        persona: "navigator",
        adapter: { name: "claude", chosenBy: "persona", version: "2.1", endpoint: "api.anthropic.com:443" },
        model: "sonnet",
        task: "Look at it.\nClosely.",
        dependencies: [],
        dependents: ["implement"],
        weight: 3,
        inputs: [],
        artifacts: [{ name: "report", path: "*.md", optional: false, implied: false }],
        contracts: [],
        permissions: [
          { kind: "allow", rule: "file_read:**", source: "persona" },
          { kind: "allow", rule: "command:git *", source: "persona", level: "agent" },
          { kind: "deny", rule: "network_access:*", source: "persona", level: "none" },
        ],
        unrestricted: ["file_write"],
        gitHidden: false,
        droppedRules: [],
        resources: { timeoutMs: 1_800_000, diskLimitBytes: 10e9 },
        unchecked: false,
        changes: "optional",
        changesInclude: [],
        env: ["LEVEL"],
        secrets: ["KEY"],
        workspace: "default",
        sandbox: "on",
        reuse: false,
        reuseIgnore: [],
        optional: false,
        labels: {},
        work: {
          kind: "equal",
          fingerprint: { work: digest("work"), gate: digest("gate") },
          from: { run: "0a1b2c", attempt: 1, finishedAt: "2026-01-01T00:00:00.000Z" },
        },
        actions: { run: "run", reuse: "reuse", resume: "reuse" },
      },
      {
        id: "implement",
        persona: "worker",
        adapter: { name: "command", chosenBy: "persona" },
        task: "Do implement",
        dependencies: ["analyze"],
        dependents: ["release"],
        weight: 2,
        inputs: [{ name: "notes", artifact: "report", from: "analyze", optional: true }],
        artifacts: [{ name: "out", optional: false, implied: true }],
        contracts: [
          { name: "shape", type: "json_schema", onFailure: "retry", maxRetries: 2, schema: "shape.schema.json", artifact: "out" },
          {
            name: "tests",
            type: "test_suite",
            onFailure: "warn",
            maxRetries: 2,
            command: ["npm", "test"],
            timeoutMs: 600_000,
            network: [],
            protect: [],
          },
        ],
        permissions: [{ kind: "deny", rule: "file_write:docs/**", source: "step", level: "none" }],
        unrestricted: ["file_read", "network_access", "command"],
        gitHidden: false,
        droppedRules: [],
        resources: { timeoutMs: 600_000, memoryLimitBytes: 2_000_000_000, diskLimitBytes: 1e9 },
        unchecked: false,
        changes: "optional",
        changesInclude: [],
        env: [],
        secrets: [],
        workspace: "shared",
        sandbox: "off",
        reuse: false,
        reuseIgnore: [],
        optional: true,
        labels: {},
        work: { kind: "new", fingerprint: { work: digest("work"), gate: digest("gate") }, changed: ["base", "input:notes", "task"] },
        actions: { run: "run", reuse: "run", resume: "run" },
      },
      {
        id: "release",
        persona: "worker",
        adapter: { name: "command", chosenBy: "persona" },
        task: "Do release",
        dependencies: ["implement"],
        dependents: [],
        weight: 1,
        inputs: [],
        artifacts: [],
        contracts: [],
        permissions: [],
        unrestricted: ["file_read", "file_write", "network_access", "command"],
        gitHidden: false,
        droppedRules: [],
        resources: { timeoutMs: 1_800_000, diskLimitBytes: 10e9 },
        unchecked: false,
        changes: "optional",
        changesInclude: [],
        env: [],
        secrets: [],
        workspace: "default",
        sandbox: "on",
        reuse: true,
        reuseIgnore: [],
        optional: false,
        labels: {},
        work: { kind: "unknown", after: ["implement"] },
        actions: { run: "later", reuse: "later", resume: "run" },
      },
    ],
    unenforced: [
      { rule: "network_access:*", kind: "deny", refused: true, steps: ["analyze"] },
      { rule: "file_write:docs/**", kind: "deny", refused: false, steps: ["implement"] },
    ],
  });
});

describe("graphs", () => {
  test("of Mermaid", () => {
    expect(renderPlan(example, { format: "mermaid", color: false })).toMatchInlineSnapshot(`
      "flowchart TD
        s0["analyze<br/>navigator (claude)"]:::reuse
        s1["implement<br/>worker (command)<br/>⛨ shape<br/>⛨ tests"]:::run
        s2["release<br/>worker (command)"]:::later
        s0 -->|"report"| s1
        s1 --> s2
        classDef run fill:#ddf4ff,stroke:#0969da,color:#1f2328
        classDef reuse fill:#dafbe1,stroke:#1a7f37,color:#1f2328
        classDef recheck fill:#fff8c5,stroke:#9a6700,color:#1f2328
        classDef later fill:#f6f8fa,stroke:#656d76,color:#1f2328,stroke-dasharray:4 3
        classDef blocked fill:#ffebe9,stroke:#cf222e,color:#1f2328
      "
    `);
  });

  test("of Graphviz", () => {
    expect(renderPlan(example, { format: "dot", color: false })).toMatchInlineSnapshot(`
      "digraph "demo" {
        node [shape=box, style="rounded,filled", fontname="sans-serif"]
        edge [fontname="sans-serif", fontsize=10]
        s0 [label="analyze\\nnavigator (claude)", fillcolor="#dafbe1", color="#1a7f37"]
        s1 [label="implement\\nworker (command)\\n⛨ shape\\n⛨ tests", fillcolor="#ddf4ff", color="#0969da"]
        s2 [label="release\\nworker (command)", fillcolor="#f6f8fa", color="#656d76", style="rounded,filled,dashed"]
        s0 -> s1 [label="report"]
        s1 -> s2
      }
      "
    `);
  });

  test("hostile names stay labels", () => {
    const hostile = step("end", {
      persona: { name: '"]; click a "javascript:x" <img> `#&\\N\n%%', systemPrompt: "", digest: digest("p") },
    });
    const hostilePlan = plan([planned(hostile, { kind: "new", fingerprint, changed: [] })]);
    const mermaid = renderPlan(hostilePlan, { format: "mermaid", color: false }).split("\n")[1];
    const dot = renderPlan(hostilePlan, { format: "dot", color: false }).split("\n")[3];
    expect({ mermaid, dot }).toMatchInlineSnapshot(`
      {
        "dot": "  s0 [label="end\\n\\"]; click a \\"javascript:x\\" <img> \`#&\\\\N %% (command)", fillcolor="#ddf4ff", color="#0969da"]",
        "mermaid": "  s0["end<br/>#34;#93;#59; click a #34;javascript:x#34; #60;img#62; #96;#35;#38;#92;N #37;#37; (command)"]:::run",
      }
    `);
  });
});
