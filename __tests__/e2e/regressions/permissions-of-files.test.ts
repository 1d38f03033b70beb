/** Permissions of files that a run adds, deletes and restores: never more than the file had. */
import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { type Project, project } from "../../rig/project.ts";

const sh = (root: string, script: string) => void execFileSync("sh", ["-euc", script], { cwd: root });
const modeOf = (wave: Project, name: string) => (statSync(path.join(wave.root, name)).mode & 0o777).toString(8);

/** A project with a private file, in a repository; each script is a step after the one before. */
function secretive(...scripts: readonly string[]): Project {
  const wave = project({
    ".gitignore": ".wave/state/\n",
    "wave.yaml": JSON.stringify({
      pipeline: {
        name: "p",
        steps: scripts.map((_, at) => ({ id: `s${at}`, persona: `s${at}`, ...(at === 0 ? {} : { dependencies: [`s${at - 1}`] }) })),
      },
      personas: Object.fromEntries(scripts.map((script, at) => [`s${at}`, { adapter: "command", command: ["sh", "-euc", script] }])),
    }),
    "key.pem": "key\n",
    "tool.sh": "tool\n",
    "open.txt": "open\n",
  });
  sh(wave.root, "git init -q; git add -A; git -c user.name=t -c user.email=t@t commit -qm base; chmod 600 key.pem; chmod 700 tool.sh");
  return wave;
}

describe.each([
  ["overlay", {}],
  ["copy", { WAVE_ISOLATION: "copy" }],
])("permissions (%s)", (_, env) => {
  const run = async (wave: Project, ...words: string[]) =>
    expect(await wave.start(words.length === 0 ? ["run"] : words, env).finished).toMatchObject({ code: 0 });

  test("of a deleted file are those that it had after a rollback", async () => {
    const wave = secretive("rm key.pem tool.sh open.txt");
    await run(wave);
    await run(wave, "rollback", "latest", "--yes");
    expect(["key.pem", "tool.sh", "open.txt"].map((name) => modeOf(wave, name))).toEqual(["600", "700", "644"]);
  });

  test("of a renamed file stay, also through a later step, and after a rollback", async () => {
    const wave = secretive("mv key.pem key2.pem", "[ $(stat -c %a key2.pem) = 600 ]; mv key2.pem key3.pem; echo more >> key3.pem");
    await run(wave);
    expect(modeOf(wave, "key3.pem")).toBe("600");
    await run(wave, "rollback", "latest", "--yes");
    expect(modeOf(wave, "key.pem")).toBe("600");
  });

  test("of a new file are those that the step sets, without what the umask takes", async () => {
    const wave = secretive("for m in 600 640 400 700 750 644 666 777; do echo $m > n$m; chmod $m n$m; done");
    await run(wave);
    const names = ["600", "640", "400", "700", "750", "644", "666", "777"];
    expect(names.map((name) => modeOf(wave, `n${name}`))).toEqual(["600", "640", "400", "700", "750", "644", "644", "755"]);
  });

  test("of a changed file stay as they are in the project", async () => {
    const wave = secretive("echo more >> key.pem; echo more >> open.txt; chmod 600 open.txt");
    await run(wave);
    expect([modeOf(wave, "key.pem"), modeOf(wave, "open.txt")]).toEqual(["600", "644"]);
  });
});
