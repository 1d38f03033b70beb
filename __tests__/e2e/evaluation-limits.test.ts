/**
 * Artifacts and schemas whose evaluation would never end or would fill memory: through the built binary and the Action, with the real limits. A step
 * beside them ends meanwhile, which it cannot if the process is blocked.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { EventOf, EventType } from "../../src/core/event.ts";
import { gitRemote } from "../rig/actions/remote.ts";
import { runJob } from "../rig/actions/runner.ts";
import { eventsIn, type Project, project } from "../rig/project.ts";

/** A pattern that V8's linear engine cannot run, and a text for which it backtracks without end. */
const endless = { pattern: "^(a+)+\\1$" };
const text = JSON.stringify(`${"a".repeat(50_000)}!`);

/** A limit of 10 s of processor time takes up to a minute on a machine that has other work. */
const patienceMs = 150_000;

interface Judged {
  readonly schema: unknown;
  /** A shell command that writes `out.json`. */
  readonly command?: string;
  /** More keys of the contract, after a comma. */
  readonly contract?: string;
  /** Whether a step runs beside the judged one; it takes three seconds. */
  readonly beside?: boolean;
}

function files({ schema, command = "cp artifact.json out.json", contract = "", beside = false }: Judged): Record<string, string> {
  return {
    "wave.yaml": `
pipeline:
  name: p
  steps:
    - id: judged
      persona: writer
      task: x
      artifacts: [{ name: out, path: out.json }]
      handover: { contract: { name: shape, type: json_schema, schema: shape.schema.json${contract} } }
${beside ? "    - { id: beside, persona: sleeper, task: x }" : ""}
personas:
  writer: { command: ${JSON.stringify(command)} }
  sleeper: { command: "sleep 3; echo rested" }
`,
    "shape.schema.json": JSON.stringify(schema),
    "artifact.json": text,
    ".gitignore": ".wave/state/\nout.json\n",
  };
}

function eventsOf<T extends EventType>({ root }: Pick<Project, "root">, type: T): readonly EventOf<T>[] {
  return eventsIn(root).filter((event) => event.type === type) as unknown as readonly EventOf<T>[];
}

/** The order in which steps and their contracts ended. */
const endings = ({ root }: Pick<Project, "root">) =>
  eventsIn(root).flatMap((event) =>
    event.type === "step-finished" ? [event.step] : event.type === "contract-checked" ? [`${event.result.name} of ${event.step}`] : [],
  );

describe("a pattern that backtracks without end", () => {
  test("is evaluated by the linear engine if it has no look-around and no back-reference", async () => {
    const wave = project(files({ schema: { pattern: "^(a+)+$" } }));
    const ran = await wave.wave("run");
    expect(ran.code, ran.stderr).toBe(1);
    const [checked] = eventsOf(wave, "contract-checked");
    expect(checked?.result).toMatchObject({ verdict: "fail", violations: [{ rule: "pattern" }] });
    expect(checked?.result.durationMs).toBeLessThan(5000);
  });

  test(
    "is stopped at the time limit otherwise: the run fails at once, names the limit, and other steps go on meanwhile",
    async () => {
      const wave = project(files({ schema: endless, contract: ", on_failure: retry, max_retries: 3", beside: true }));
      const ran = await wave.wave("run");
      expect(ran.code, ran.stderr).toBe(1);
      expect(ran.stderr).toContain("it took longer than the limit of 10s");
      expect(endings(wave)).toEqual(["beside", "shape of judged", "judged"]);
      const limit = { what: "time", max: 10_000 };
      expect(eventsOf(wave, "contract-checked").map(({ result }) => result)).toMatchObject([{ verdict: "error", exceeded: limit }]);
      expect(eventsOf(wave, "attempt-failed")).toMatchObject([
        { failure: { reason: "contract-limit-exceeded", contract: "shape", limit } },
      ]);
    },
    patienceMs,
  );

  test.each(["SIGINT", "SIGTERM"] as const)(
    "is stopped by %s, and the run can be resumed",
    async (signal) => {
      const wave = project(files({ schema: endless, beside: true }));
      const started = wave.start(["run", "--json"]);
      await started.line((line) => line.includes('"step-finished"') && line.includes('"beside"'));
      const sent = performance.now();
      started.child.kill(signal);
      const ended = await started.finished;
      expect(performance.now() - sent).toBeLessThan(5000);
      expect(ended.code, ended.stderr).toBe(130);
      expect(eventsOf(wave, "attempt-cancelled").map(({ step }) => step)).toEqual(["judged"]);
      expect(eventsOf(wave, "contract-checked")).toEqual([]);
      wave.write({ "artifact.json": '"aa"' });
      const resumed = await wave.wave("resume");
      expect(resumed.code, resumed.stderr).toBe(0);
      expect(eventsOf(wave, "attempt-started").map(({ step }) => step)).toEqual(["judged", "beside", "judged"]);
    },
    60_000,
  );
});

test(
  "memory that an evaluation fills is limited",
  async () => {
    const wave = project(
      files({
        schema: { items: { type: "string" } },
        command: "yes 0, | head -n 10000000 | tr -d '\\n' | sed 's/^/[/; s/,$/]/' > out.json",
      }),
    );
    const ran = await wave.wave("run");
    expect(ran.code, ran.stderr).toBe(1);
    expect(eventsOf(wave, "attempt-failed")).toMatchObject([
      { failure: { reason: "contract-limit-exceeded", limit: { what: "memory", max: 1e9 } } },
    ]);
  },
  patienceMs,
);

test(
  "an artifact of 200 MB is not evaluated, and the failure names its size and the limit",
  async () => {
    const wave = project(files({ schema: true, command: "truncate -s 200000000 out.json" }));
    const ran = await wave.wave("run");
    expect(ran.code, ran.stderr).toBe(1);
    expect(ran.stderr).toContain("it has 200MB, more than the limit of 32MB");
    const limit = { what: "size", max: 32e6, actual: 2e8 };
    expect(eventsOf(wave, "attempt-failed")).toMatchObject([{ failure: { reason: "contract-limit-exceeded", limit } }]);
  },
  patienceMs,
);

test("a contract that only warns lets the step pass when it exceeds a limit", async () => {
  const wave = project(files({ schema: true, command: "truncate -s 40000000 out.json", contract: ", on_failure: warn" }));
  const ran = await wave.wave("run");
  expect(ran.code, ran.stderr).toBe(0);
  expect(eventsOf(wave, "contract-checked")).toMatchObject([{ result: { verdict: "error", exceeded: { what: "size" } } }]);
});

test("200,000 objects that have to be unique are compared within the limits", async () => {
  const command = `node -e 'console.log(JSON.stringify(Array.from({ length: 200000 }, (_, id) => ({ id }))))' > out.json`;
  const wave = project(files({ schema: { uniqueItems: true }, command }));
  const ran = await wave.wave("run");
  expect(ran.code, ran.stderr).toBe(0);
  expect(eventsOf(wave, "contract-checked")).toMatchObject([{ result: { verdict: "pass" } }]);
});

test.each([
  ["9007199254740993", "maximum", "9007199254740992", "found `9007199254740993`, expected <= 9007199254740992"],
  ['{"a":1,"a":2}', "maximum", "1", "the key `a` occurs twice in one object"],
  ["1e1000000000", "multipleOf", "3", "the number `1e1000000000` has an exponent beyond ±400"],
])("an artifact is judged as it is written: %s", async (artifact, keyword, limit, message) => {
  const wave = project({
    ...files({ schema: true }),
    "shape.schema.json": `{"properties":{"__proto__":{"type":"string"}},"${keyword}":${limit}}`,
    "artifact.json": artifact,
  });
  const ran = await wave.wave("run");
  expect(ran.code, ran.stderr).toBe(1);
  expect(ran.stderr).toContain(message);
});

/** A schema whose references double at each level. */
const levels = 40;
const doubling = {
  $ref: "#/$defs/l0",
  $defs: Object.fromEntries(
    Array.from({ length: levels + 1 }, (_, level) => {
      const next = { $ref: `#/$defs/l${level + 1}` };
      return [`l${level}`, level === levels ? { type: ["null", "number", "string", "array", "object"] } : { allOf: [next, next] }];
    }),
  ),
};

describe("a schema that cannot be checked in time", () => {
  test(
    "is a problem of the manifest",
    async () => {
      const checked = await project(files({ schema: doubling })).wave("validate");
      expect(checked.code, checked.stderr).toBe(2);
      expect(checked.stderr).toContain("the schema `shape.schema.json` cannot be checked: it took longer than the limit of 10s");
    },
    patienceMs,
  );

  test(
    "does not keep a command from being cancelled",
    async () => {
      const { child, finished } = project(files({ schema: doubling })).start(["validate"]);
      await untilBusy(child.pid ?? 0);
      const sent = performance.now();
      child.kill("SIGINT");
      const ended = await finished;
      expect(performance.now() - sent).toBeLessThan(5000);
      expect(ended.code, ended.stderr).toBe(130);
    },
    patienceMs,
  );
});

/** Resolves once a process has used two seconds of a processor, which a start never takes. */
async function untilBusy(pid: number): Promise<void> {
  const ticks = () => Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ")[11]);
  while (ticks() < 200) await new Promise((resolve) => setTimeout(resolve, 50));
}

test(
  "a JSONPath of a test that takes too long is a mismatch that names the limit",
  async () => {
    const nested = `${"[".repeat(2500)}1${"]".repeat(2500)}`;
    const wave = project({ ...files({ schema: true }), "artifact.json": nested });
    const recorded = await wave.wave("run", "--no-apply", "--record", "recording");
    expect(recorded.code, recorded.stderr).toBe(0);
    const query = "$..[?count(@..[?count(@..*) > 1]) > 99999]";
    wave.write({
      ".wave/tests/slow.yaml": `recordings: recording\nexpect: { steps: { judged: { artifacts: { out: { ${JSON.stringify(query)}: [] } } } } }\n`,
    });
    const tested = await wave.wave("test");
    expect(tested.code, tested.stderr).toBe(1);
    expect(tested.stdout).toContain("it took longer than the limit of 10s");
  },
  patienceMs,
);

test(
  "the Action fails and names the limit",
  async () => {
    const remote = gitRemote();
    const sha = remote.commit("main", files({ schema: endless }));
    const job = await runJob({ workspace: remote.checkout(sha), sha });
    expect(job.code, job.log).toBe(1);
    expect(job.log).toContain("it took longer than the limit of 10s");
  },
  patienceMs,
);
