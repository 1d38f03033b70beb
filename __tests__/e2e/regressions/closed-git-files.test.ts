/** A step that writes to files of git that the sandbox closes: the hint fits the kind of workspace. */
import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { project } from "../../rig/project.ts";

const manifest = (keys: string) => `
personas: { s: { adapter: command, command: "echo x > .git/hooks/pre-commit" } }
pipeline: { name: p, steps: [{ id: a, persona: s, task: x${keys} }] }
`;

describe.skipIf(process.platform !== "linux")("a step that writes a hook", () => {
  test.each([
    ["of its own", "", "hint: git hooks and configuration are read-only in the sandbox", "`.git` is read-only"],
    ["in the project", ", workspace: shared", "hint: the project's `.git` is read-only in the sandbox", "hooks and configuration"],
  ])("gets the hint of a workspace %s", async (_name, keys, hint, other) => {
    const wave = project({ "wave.yaml": manifest(keys) });
    execFileSync("git", ["init", "-q"], { cwd: wave.root });
    const run = await wave.wave("run");
    expect(run.code).toBe(1);
    expect(run.stderr).toContain("Read-only file system");
    expect(run.stderr).toContain(hint);
    expect(run.stderr).not.toContain(other);
    // The hint is made from the journal here.
    expect((await wave.wave("status", "latest")).stdout).toContain(hint);
  });
});
