/** What steps of root reach of other users of the machine, and what becomes of a run whose steps get no rights to files of other owners. */
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { prelude } from "../rig/escape-attempts.ts";
import { cli } from "../rig/project.ts";
import { type SceneProject, sceneProject, scenes } from "../rig/scenes.ts";

const isRoot = process.getuid?.() === 0;
const other = 45_001;
const [scene = { name: "", isolation: "" }] = scenes;

const manifest = (command: string, more: object = {}) =>
  JSON.stringify({
    pipeline: { name: "p", steps: [{ id: "a", persona: "s", task: "x" }] },
    personas: { s: { adapter: "command", command: ["sh", "-uc", `${prelude}\n${command}`] } },
    ...more,
  });

/** The numbers of `add_key` and `keyctl`, where Perl can call them. */
const keyCalls = existsSync("/usr/bin/perl") ? { x64: [248, 250], arm64: [217, 219] }[process.arch as string] : undefined;

/** Not in `/opt`: each directory there is a mount of every sandbox that starts meanwhile. */
const tools = `/usr/local/wave-rights-${process.pid}`;
const servers: Server[] = [];
const children: ReturnType<typeof spawn>[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  for (const child of children.splice(0)) child.kill("SIGKILL");
  rmSync(tools, { recursive: true, force: true });
});

/** Makes a file or, with a trailing slash, a directory below `tools`. */
function place(name: string, mode: number, owner = other): void {
  const file = path.join(tools, name);
  mkdirSync(name.endsWith("/") ? file : path.dirname(file), { recursive: true });
  if (!name.endsWith("/")) writeFileSync(file, "canary");
  chmodSync(file, mode);
  chownSync(file, owner, owner);
}

/** What the step printed into `report` of the project. */
async function reportOf(wave: SceneProject, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const run = await wave.run(["run"], env);
  expect(run.code, run.stderr).toBe(0);
  return readFileSync(path.join(wave.root, "report"), "utf8");
}

function stepOf(command: string): SceneProject {
  return sceneProject(scene, { "wave.yaml": manifest(`(${command}) >report 2>/dev/null; true`) });
}

describe.skipIf(!isRoot)(isRoot ? "a step of root" : "a step of root: not tested, this user is not root", () => {
  test("reads no file of a directory of programs that other users cannot read", async () => {
    place("open", 0o644);
    place("private", 0o600);
    place("group", 0o640);
    place("closed/open", 0o644);
    place("closed/", 0o700);
    place("deep/of-root/private", 0o600);
    place("unreadable", 0, 0);
    const names = ["open", "private", "group", "closed/open", "deep/of-root/private", "unreadable"];
    const wave = stepOf(`for f in ${names.join(" ")}; do can grep canary ${tools}/$f; done`);
    expect(await reportOf(wave)).toBe("yes\nno\nno\nno\nno\nno\n");
  });

  test("writes to no socket and no pipe of another user in a directory of programs", async () => {
    place("open", 0o644);
    const listen = async (name: string, mode: number) => {
      const server = createServer((socket) => socket.end());
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(path.join(tools, name), resolve));
      chmodSync(path.join(tools, name), mode);
      chownSync(path.join(tools, name), other, other);
    };
    await listen("public.sock", 0o666);
    await listen("private.sock", 0o600);
    await listen("shown.sock", 0o755);
    expect(spawnSync("mkfifo", ["-m", "644", path.join(tools, "pipe")]).status).toBe(0);
    chownSync(path.join(tools, "pipe"), other, other);
    const knocks = ["public", "private", "shown"].map((name) => `knock ${tools}/${name}.sock`).join("; ");
    const wave = stepOf(`${knocks}; can test -p ${tools}/pipe`);
    expect(await reportOf(wave)).toBe("open\nECONNREFUSED\nECONNREFUSED\nno\n");
  });

  test.skipIf(keyCalls === undefined)("reads no kernel key of another user, with the machine's network too", async () => {
    const [add, control] = keyCalls ?? [];
    const keys = `$) = $( = ${other}; $< = $> = ${other}; $| = 1; my @k = ("user", "wave-rights", "canary");
      print syscall(${control}, 0, -4, 1), " ", syscall(${add}, $k[0], $k[1], $k[2], 6, -4), "\\n"; sleep 60`;
    const holder = spawn("perl", ["-e", keys], { stdio: ["ignore", "pipe", "ignore"] });
    children.push(holder);
    const serials = await new Promise<string>((resolve) => holder.stdout.once("data", (text) => resolve(String(text))));
    const [keyring, key] = serials.trim().split(" ");
    expect(Number(key)).toBeGreaterThan(0);
    const read = `my $b = "\\0" x 20; syscall(${control}, 1, 0); syscall(${control}, 8, ${keyring}, -3); print syscall(${control}, 11, ${key}, $b, 20) > 0 ? $b : "closed"`;
    const wave = sceneProject(scene, {
      "read.pl": read,
      "wave.yaml": manifest(`setpriv --reuid=${other} --regid=${other} --clear-groups perl read.pl >report`),
    });
    expect(await reportOf(wave)).toBe("closed");
  });

  test("works in a project below a directory that only another user may enter, and sees nothing else of it", async () => {
    const wave = stepOf(`echo more >>f.txt; ls -A ..; can cat ../secret; can cat ${tools}/home/secret`);
    place("home/secret", 0o644);
    place("home/", 0o700);
    writeFileSync(path.join(wave.root, "f.txt"), "base\n", { mode: 0o600 });
    const project = path.join(tools, "home/project");
    spawnSync("cp", ["-a", wave.root, project]);
    spawnSync("chown", ["-R", `${other}:${other}`, project]);
    const run = await wave.run(["run", "-C", project]);
    expect(run.code, run.stderr).toBe(0);
    expect(readFileSync(path.join(project, "report"), "utf8")).toBe("project\nno\nno\n");
    expect(readFileSync(path.join(project, "f.txt"), "utf8")).toBe("base\nmore\n");
  });

  test("sees a directory of programs with many private files, and none of these", async () => {
    for (let at = 0; at < 150; at++) place(`many/at/${at}`, 0o600);
    place("many/open", 0o644);
    const wave = stepOf(`can grep canary ${tools}/many/open; cat ${tools}/many/at/* | grep -c canary`);
    expect(await reportOf(wave)).toBe("yes\n0\n");
  });

  test("reads no private file beside its own program below `/tmp`", async () => {
    const wave = sceneProject(scene, {});
    const bin = path.join(wave.root, "bin");
    mkdirSync(bin);
    writeFileSync(path.join(bin, "tool"), `#!/bin/sh\ngrep canary ${bin}/private >"$WAVE_OUTPUT_DIR/report"; true\n`, { mode: 0o755 });
    writeFileSync(path.join(bin, "private"), "canary", { mode: 0o600 });
    chownSync(path.join(bin, "private"), other, other);
    chmodSync(wave.root, 0o755);
    const step = { id: "a", persona: "s", task: "x", artifacts: ["report"] };
    const run = sceneProject(scene, {
      "wave.yaml": JSON.stringify({
        pipeline: { name: "p", steps: [step] },
        personas: { s: { adapter: "command", command: [path.join(bin, "tool")] } },
      }),
    });
    const ran = await run.run(["run"], { PATH: `${bin}:${process.env["PATH"]}` });
    expect(ran.code, ran.stderr).toBe(0);
    const shown = await run.run(["artifacts", "latest", "--export", "out"]);
    expect(shown.code, shown.stderr).toBe(0);
    expect(readFileSync(path.join(run.root, "out/a/report"), "utf8")).toBe("");
  });
});

/** Ways to run a command as root that cannot give a child the ids of the machine. */
const poor: readonly (readonly [name: string, words: readonly string[]])[] = [
  ["without the rights to map ids", ["setpriv", "--bounding-set=-setuid,-setgid"]],
  [
    "where the kernel gives no user namespace",
    ["unshare", "--user", "--map-root-user", "sh", "-c", 'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"', "sh"],
  ],
];

const runAs = (words: readonly string[], root: string, ...args: readonly string[]) =>
  spawnSync(words[0] ?? "", [...words.slice(1), process.execPath, cli, ...args], { cwd: root, encoding: "utf8" });

describe.skipIf(!isRoot).each(poor)(isRoot ? "root %s" : "root %s: not tested, this user is not root", (_name, words) => {
  const wave = (root: string, ...args: readonly string[]) => runAs(words, root, ...args);

  test("refuses a project with a file of another user before any work, and names a way out", () => {
    const { root } = sceneProject(scene, { "f.txt": "base\n", "wave.yaml": manifest("echo more >>f.txt") });
    chownSync(path.join(root, "f.txt"), other, other);
    const refused = wave(root, "run");
    expect(refused.status, refused.stderr).toBe(4);
    expect(refused.stderr).toMatch(/nothing was started: .*root does not own\n.*`f\.txt` does not belong to your user/s);
    expect(refused.stderr).toContain("run wave as the owner of the files, or set `sandbox: off`");
    expect(existsSync(path.join(root, ".wave/state/journals"))).toBe(false);
    expect(wave(root, "plan").stdout).toContain("in the sandbox steps have no rights to files of other owners");
    expect(wave(root, "doctor").stdout).toMatch(/^! owners .*exit 4$/m);
  });

  test("runs a project of its own in the sandbox, without capabilities", () => {
    const { root } = sceneProject(scene, { "wave.yaml": manifest("grep CapEff /proc/self/status >report") });
    const run = wave(root, "run");
    expect(run.status, run.stderr).toBe(0);
    expect(readFileSync(path.join(root, "report"), "utf8")).toBe("CapEff:\t0000000000000000\n");
  });
});

test.skipIf(!isRoot)("plan and doctor report what steps of root may do", async () => {
  const wave = sceneProject(scene, { "wave.yaml": manifest("true") });
  expect((await wave.run(["plan"])).stdout).toMatch(/Wave runs as root: .*chown, dac_override, fowner, fsetid, setuid, setgid/);
  expect((await wave.run(["doctor"])).stdout).toMatch(/^✓ owners .*chown, dac_override, fowner, fsetid, setuid, setgid/m);
});

test.skipIf(!isRoot)(
  "root without the rights to map ids runs a project with a file of another user where `sandbox: off` is written",
  () => {
    const { root } = sceneProject(scene, { "f.txt": "base\n", "wave.yaml": manifest("echo more >>f.txt", { sandbox: "off" }) });
    chmodSync(path.join(root, "f.txt"), 0o666);
    chownSync(path.join(root, "f.txt"), other, other);
    const run = runAs(["setpriv", "--bounding-set=-setuid,-setgid"], root, "run");
    expect(run.status, run.stderr).toBe(0);
    expect(readFileSync(path.join(root, "f.txt"), "utf8")).toBe("base\nmore\n");
  },
);
