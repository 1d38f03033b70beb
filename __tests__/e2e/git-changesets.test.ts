/** A changeset never turns a directory of the project into a repository that starts programs when a person runs git there. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { project } from "../rig/project.ts";

const bare = (at: string) => `mkdir -p ${at}/objects ${at}/refs; echo 'ref: refs/heads/m' > ${at}/HEAD; touch ${at}/objects/x ${at}/refs/x`;
const armed = (at: string, marker: string) =>
  `printf '[core]\\n bare=false\\n worktree=.\\n repositoryformatversion=0\\n fsmonitor="touch ${marker};false"\\n' > ${at}/config`;

/** A project in the directory `sub` of a repository, one step for each script, in order. */
function inRepository(scripts: readonly string[]) {
  const wave = project({ "outer.txt": "outer\n" });
  execFileSync("git", ["init", "-q", wave.root]);
  const sub = path.join(wave.root, "sub");
  mkdirSync(sub);
  const steps = scripts.map((_, at) => ({ id: `s${at}`, persona: `p${at}`, ...(at > 0 ? { dependencies: [`s${at - 1}`] } : {}) }));
  const personas = Object.fromEntries(scripts.map((script, at) => [`p${at}`, { command: ["sh", "-euc", script] }]));
  wave.write({ "sub/wave.yaml": JSON.stringify({ pipeline: { name: "p", steps }, personas }) });
  return { ...wave, sub, run: (env = {}) => wave.start(["run", "-C", "sub"], env).finished };
}

const refusals: readonly (readonly [string, (marker: string) => readonly string[], string])[] = [
  ["in the project itself", (marker) => [`${bare(".")}; ${armed(".", marker)}`], "."],
  ["in a directory of it", (marker) => [`${bare("deep/bare")}; ${armed("deep/bare", marker)}`], "deep/bare"],
  ["made by two steps", (marker) => [bare("."), armed(".", marker)], "."],
  ["with a configuration that was there first", (marker) => [`mkdir -p b; ${armed("b", marker)}`, bare("b")], "b"],
  ["by its hooks", () => [`${bare("h")}; mkdir h/hooks; echo 'echo x' > h/hooks/pre-commit; chmod +x h/hooks/pre-commit`], "h"],
];

describe.each([[{}], [{ WAVE_ISOLATION: "copy" }]])("with %j", (env) => {
  test.each(refusals)("a repository that starts programs is refused %s", async (_name, scripts, named) => {
    const marker = path.join(path.dirname(project({}).root), `marker-${process.pid}`);
    const wave = inRepository(scripts(marker));
    const run = await wave.run(env);
    expect(run.code, run.stderr).toBe(1);
    expect(run.stderr).toContain(`the change to \`${named}\` cannot be kept`);
    execFileSync("git", ["status", "--short"], { cwd: wave.sub });
    expect([existsSync(marker), existsSync(path.join(wave.sub, "HEAD"))]).toEqual([false, false]);
  });

  test("a repository without programs of its own is kept", async () => {
    const wave = inRepository([`${bare("fixture.git")}; printf '[core]\\n bare=true\\n' > fixture.git/config`]);
    const run = await wave.run(env);
    expect(run.code, run.stderr).toBe(0);
    expect(existsSync(path.join(wave.sub, "fixture.git/HEAD"))).toBe(true);
  });
});
