/** `validate`, `plan` and `run` describe permission rules as they are enforced. */
import { describe, expect, test } from "vitest";
import { type Project, project } from "../../rig/project.ts";

/** A project with one step, whose permissions are given in YAML flow style. */
function withPermissions(permissions: string, command = "true", step = ""): Project {
  return project({
    "wave.yaml": `pipeline: { name: p, steps: [{ id: a, persona: s, task: x, permissions: ${permissions}${step} }] }
personas: { s: { adapter: command, command: ${JSON.stringify(command)} } }
`,
  });
}

interface PlannedStep {
  readonly unrestricted: readonly string[];
  readonly gitHidden: boolean;
}

async function plannedStep(wave: Project): Promise<PlannedStep | undefined> {
  return (JSON.parse((await wave.wave("plan", "--json")).stdout) as { steps: readonly PlannedStep[] }).steps[0];
}

describe("`wave plan` shows as unrestricted", () => {
  test.each([
    ["every capability without rules", "{}", ["file_read", "file_write", "network_access", "command"]],
    ["no network that one host is denied of", '{ deny: ["network_access:evil.test"] }', ["file_read", "file_write", "command"]],
    ["no files of which one is denied", '{ deny: ["file_read:secret.txt"] }', ["file_write", "network_access", "command"]],
    ["no writes of which one is denied", '{ deny: ["file_write:secret.txt"] }', ["file_read", "network_access", "command"]],
    ["no commands of which one is denied", '{ deny: ["command:rm *"] }', ["file_read", "file_write", "network_access"]],
    ["no network that only a proxy reaches", '{ allow: ["network_access:*"] }', ["file_read", "file_write", "command"]],
    ["no files that an allow rule covers", '{ allow: ["file_read:**"] }', ["file_write", "network_access", "command"]],
  ])("%s", async (_, permissions, unrestricted) => {
    const wave = withPermissions(permissions);
    expect((await plannedStep(wave))?.unrestricted).toEqual(unrestricted);
    expect((await wave.wave("plan")).stdout).toContain(`unrestricted ${unrestricted.join(", ")}\n`);
  });
});

describe("`wave plan` shows `.git`", () => {
  test.each([
    ["as hidden by `file_read:**`", '{ allow: ["file_read:**"] }', true],
    ["as hidden by a deny rule for another file", '{ deny: ["file_read:secret.txt"] }', true],
    ["as hidden by a deny rule that names it", '{ allow: ["file_read:.git/**", "file_read:**"], deny: ["file_read:.git"] }', true],
    ["as visible with a rule that spells it", '{ allow: ["file_read:**", "file_read:.git/**"] }', false],
    ["as visible without rules for reading", '{ allow: ["file_write:**"] }', false],
  ])("%s", async (_, permissions, hidden) => {
    const wave = withPermissions(permissions);
    expect((await plannedStep(wave))?.gitHidden).toBe(hidden);
    expect((await wave.wave("plan")).stdout.includes("`.git` is hidden by the `file_read` rules")).toBe(hidden);
  });

  test("as visible where the sandbox is off", async () => {
    const wave = withPermissions('{ allow: ["file_read:**"] }', "true", ", sandbox: off");
    expect((await wave.wave("plan")).stdout).not.toContain("is hidden");
  });
});

describe("a `command:` deny rule on the adapter `command`", () => {
  const warning = "warning[W405] `command:rm *` is not enforced: the adapter `command` does not check what its program runs";

  test("is a warning of `validate` at the step's rule", async () => {
    const { code, stderr } = await withPermissions('{ deny: ["command:rm *"] }').wave("validate");
    expect([code, stderr]).toEqual([0, expect.stringContaining(warning)]);
    expect(stderr).toContain("at wave.yaml:1:82\n");
  });

  test("is one warning at the rule of a persona that two steps have", async () => {
    const wave = project({
      "wave.yaml": `pipeline: { name: p, steps: [{ id: a, persona: s, task: x }, { id: b, persona: s, task: x }] }
personas: { s: { adapter: command, command: "true", permissions: { deny: ["command:rm *"] } } }
`,
    });
    const { stderr } = await wave.wave("validate");
    expect(stderr.split(warning)).toHaveLength(2);
    expect(stderr).toContain("at wave.yaml:2:75\n");
  });

  test("is listed as not enforced by `plan` and in the summary of `run`", async () => {
    const wave = withPermissions('{ deny: ["command:rm *"] }', "rm q");
    wave.write({ q: "" });
    expect((await wave.wave("plan")).stdout).toContain("Not enforced; the run starts anyway:\n  deny command:rm *  in a\n");
    const { code, stderr } = await wave.wave("run");
    expect([code, stderr]).toEqual([0, expect.stringContaining("\nnot enforced\n  deny command:rm *  in a\n")]);
    expect(stderr).toContain(warning);
  });

  test("is no warning for an agent, which is given the rule", async () => {
    const wave = withPermissions('{ deny: ["command:rm *"] }, artifacts: [r]');
    expect((await wave.wave("validate", "--adapter", "claude")).stderr).not.toContain("W405");
  });

  test("does not make rules for files and hosts a warning", async () => {
    const { code, stderr } = await withPermissions('{ deny: ["file_read:q", "file_write:q", "network_access:*"] }').wave("run");
    expect([code, stderr]).toEqual([0, expect.not.stringMatching(/W405|not enforced/)]);
  });
});
