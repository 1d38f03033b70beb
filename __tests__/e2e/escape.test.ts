/** Steps that try to get out, through the real binary: each fails to, and is reported or harmless, as docs/permissions.md says. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import path from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { contentsBelow } from "../rig/contents-below.ts";
import {
  type Attempt,
  files,
  git,
  noNetwork,
  others,
  printedBy,
  proxied,
  rights,
  rootRights,
  scriptOf,
  wildcardAllowed,
} from "../rig/escape-attempts.ts";
import { collections, shared } from "../rig/escape-collection.ts";
import { closedNetwork, kernel, shareOnMachine, systemCalls, terminal, unshareOnMachine } from "../rig/escape-kernel.ts";
import { type EscapeStep, gates, links, reads, resources, writes } from "../rig/escape-steps.ts";
import { artifactText } from "../rig/project.ts";
import {
  isFencedHere,
  outsidePlace,
  processesWith,
  type Scene,
  type SceneProject,
  sceneProject,
  scenes,
  sudoScene,
} from "../rig/scenes.ts";
import { whyNoSudo } from "../rig/sudo-user.ts";

const canary = "canary-4f1c9e";
const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  unshareOnMachine();
});

/** A server on the machine that counts who comes. */
async function listen(
  where: { readonly path: string } | { readonly host: string },
): Promise<{ readonly port: number; readonly visits: () => number }> {
  let visits = 0;
  const server = createServer((socket) => {
    visits++;
    socket.on("error", () => {});
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\nreached"));
  });
  servers.push(server);
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen({ port: 0, ...where }, resolve));
  const address = server.address();
  return { port: typeof address === "object" && address !== null ? address.port : 0, visits: () => visits };
}

function repository(cwd: string): void {
  const gitIn = (...words: string[]) =>
    execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.invalid", ...words], { cwd, stdio: "pipe" });
  gitIn("init", "-q", "-b", "main");
  gitIn("add", "-A");
  gitIn("commit", "-q", "-m", "first");
  gitIn("config", "http.https://github.com/.extraheader", `AUTHORIZATION: basic ${canary}`);
  gitIn("remote", "add", "origin", `https://someone:${canary}@example.invalid/x.git`);
}

/** Where root lays private files of another user among programs that a sandbox shows. */
const toolsPlace = `/usr/local/wave-escape-${process.pid}`;
afterEach(() => rmSync(toolsPlace, { recursive: true, force: true }));

/** Files of mode 0600 that belong to another user, if a test can make such: outside, and in a directory of programs. */
function privateFiles(outside: string): void {
  if (process.getuid?.() !== 0) return;
  mkdirSync(path.join(toolsPlace, "closed"), { recursive: true });
  for (const file of [path.join(outside, "private"), path.join(toolsPlace, "private"), path.join(toolsPlace, "closed/f")]) {
    writeFileSync(file, canary, { mode: 0o600 });
    chownSync(file, 61_236, 61_236);
  }
  chmodSync(path.join(toolsPlace, "closed"), 0o700);
  chownSync(path.join(toolsPlace, "closed"), 61_236, 61_236);
}

/** This machine's addresses besides loopback. */
function ownAddresses(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((networks) => networks?.map(({ address }) => address) ?? []);
  return all.filter((address) => !/^(?:127\.|::1$)/.test(address));
}

/** Files and what they hold; of what failed attempts left, nothing. */
const treeOf = (place: string) => (existsSync(place) ? contentsBelow(place, (file) => file.endsWith(".wave/state/workspaces")) : {});

/** The files below a directory that hold a text. */
const placesWith = (text: string, place: string) =>
  Object.entries(treeOf(place)).flatMap(([file, content]) => (content.includes(text) ? [file] : []));

/** The last end of each step: `passed`, or the failure. */
function endings(wave: SceneProject): Record<string, unknown> {
  const ends: Record<string, unknown> = {};
  for (const event of wave.events()) {
    if (event.type === "attempt-failed") ends[event.step] = event.failure;
    if (event.type === "attempt-passed") ends[event.step] = "passed";
  }
  return ends;
}

function reportOf(wave: SceneProject, step: string): Readonly<Record<string, string>> {
  return printedBy(textOf(wave, step));
}

/** The artifact `report` of a step. */
function textOf(wave: SceneProject, step: string): string {
  const passed = wave.events().find((event) => event.type === "attempt-passed" && event.step === step);
  const digest = passed?.type === "attempt-passed" ? passed.artifacts.find(({ name }) => name === "report")?.digest : undefined;
  return digest === undefined ? "" : artifactText(wave.root, digest);
}

const expected = (attempts: readonly Attempt[]) => Object.fromEntries(attempts.map(([name, , prints]) => [name, prints]));

function manifestOf(steps: readonly EscapeStep[], env: Readonly<Record<string, string>>): string {
  return JSON.stringify({
    personas: Object.fromEntries(steps.map(({ id, command }) => [id, { command, env }])),
    steps: steps.map(({ id, keys }) => ({ id, persona: id, ...keys })),
  });
}

const attempted = [
  ...[files, git, rights, others, kernel, systemCalls, terminal, noNetwork, closedNetwork, proxied, wildcardAllowed]
    .flat()
    .map(([name]) => name),
  ...[writes, reads, links, gates, resources, collections, shared].flat().map(({ id }) => id),
];

it("at least 90 different ways out are tried in each scene", () => {
  expect(new Set(attempted).size).toBe(attempted.length);
  expect(attempted.length, String(attempted.length)).toBeGreaterThanOrEqual(90);
});

const noSudo = whyNoSudo();

describe.each(scenes)("$name", inScene);
describe.skipIf(noSudo !== undefined)(noSudo === undefined ? sudoScene.name : `${sudoScene.name}: not tested, ${noSudo}`, () =>
  inScene(sudoScene),
);

function inScene(scene: Scene): void {
  let fenced = false;
  beforeAll(async () => {
    fenced = await isFencedHere(scene);
    // Root can make each of its scenes: one without a sandbox would let every attempt pass unseen.
    if (process.getuid?.() === 0) expect([scene.name, fenced]).toEqual([scene.name, true]);
  });

  it("a step that may use everything but the network reaches nothing that is not its own", async () => {
    const outside = outsidePlace(scene);
    const attempts = [...files, ...git, ...rights, ...others, ...kernel, ...systemCalls, ...noNetwork, ...closedNetwork];
    const wave = sceneProject(scene, { "a.txt": "a", "try.sh": scriptOf(attempts), ".gitignore": ".wave/state\n" });
    for (const [place, text] of [
      [path.join(outside, "secret.txt"), canary],
      [path.join(outside, "linked.txt"), "original\n"],
      [path.join(wave.home, ".bashrc"), canary],
    ] as const)
      writeFileSync(place, text);
    linkSync(path.join(outside, "linked.txt"), path.join(wave.root, "linked.txt"));
    symlinkSync(outside, path.join(wave.root, "leak"));
    mkdirSync(path.join(wave.root, "nested"));
    writeFileSync(path.join(wave.root, "nested/n.txt"), "n");
    repository(path.join(wave.root, "nested"));
    repository(wave.root);
    const [inside, socket] = [await listen({ host: "127.0.0.1" }), await listen({ path: path.join(outside, "docker.sock") })];
    const abstract = `wave-${process.pid}-${scene.name.length}`;
    const hidden = await listen({ path: `\0${abstract}` });
    const env = {
      ...{ OUTSIDE: outside, HOST_HOME: wave.home, PORT: String(inside.port), ABSTRACT: abstract },
      ...{ TOOLS: toolsPlace, HOST_PID: String(process.pid), ADDRESSES: ownAddresses().join(" ") },
    };
    shareOnMachine(scene);
    wave.write({
      "wave.yaml": JSON.stringify({
        personas: { worker: { command: "sh try.sh" } },
        steps: [{ id: "try", persona: "worker", env, artifacts: ["report"], permissions: { deny: ["network_access:*"] } }],
      }),
    });
    for (const place of [outside, wave.home]) wave.own(place);
    privateFiles(outside);
    const before = [treeOf(outside), treeOf(path.join(wave.root, ".git")), treeOf(path.join(wave.root, "nested")), treeOf(wave.home)];
    const directory = openSync(outside, "r");
    const run = await wave.run(["run"], { PARENT_TOKEN: canary, NODE_OPTIONS: "--no-warnings", LD_LIBRARY_PATH: "/nowhere" }, [directory]);
    closeSync(directory);
    if (!fenced) {
      expect(run).toMatchObject({ code: 4, stderr: expect.stringContaining("network_access:*") });
      return;
    }
    expect(run.code, run.stderr).toBe(0);
    const isRoot = process.getuid?.() === 0 && scene.uid === undefined;
    expect(reportOf(wave, "try")).toEqual({ ...expected(attempts), ...(isRoot ? rootRights : {}) });
    expect([treeOf(outside), treeOf(path.join(wave.root, ".git")), treeOf(path.join(wave.root, "nested")), treeOf(wave.home)]).toEqual(
      before,
    );
    expect([inside.visits(), socket.visits(), hidden.visits()]).toEqual([0, 0, 0]);
    expect(existsSync(path.join(path.dirname(wave.root), "wave-escaped"))).toBe(false);
    expect(readFileSync(path.join(wave.root, "linked.txt"), "utf8")).toBe("original\nchanged\n");
    expect(`${run.stdout}${run.stderr}${JSON.stringify(wave.events())}`).not.toContain(canary);
  });

  it("a step that may reach one server reaches that one, through the proxy, and no other", async () => {
    const wave = sceneProject(scene, { "try.sh": scriptOf(proxied) });
    const [allowed, other] = [await listen({ host: "127.0.0.1" }), await listen({ host: "127.0.0.1" })];
    const env = { PORT: String(allowed.port), OTHER: String(other.port) };
    wave.write({
      "wave.yaml": JSON.stringify({
        personas: { worker: { command: "sh try.sh" } },
        steps: [
          {
            id: "try",
            persona: "worker",
            env,
            artifacts: ["report"],
            permissions: { allow: [`network_access:127.0.0.1:${allowed.port}`] },
          },
        ],
      }),
    });
    const run = await wave.run(["run"]);
    expect(run.code, run.stderr).toBe(0);
    // An allow rule alone denies nothing that would have to be enforced: without a sandbox the step runs, and plans say so.
    if (!fenced) return;
    expect(reportOf(wave, "try")).toEqual(expected(proxied));
    expect([allowed.visits(), other.visits()]).toEqual([5, 0]);
  });

  it("a step that may reach every host reaches none of this machine's surroundings, and plan says who enforces that", async () => {
    const wave = sceneProject(scene, { "try.sh": scriptOf(wildcardAllowed) });
    const server = await listen({ host: "127.0.0.1" });
    const env = { PORT: String(server.port), ADDRESSES: ownAddresses().join(" ") };
    const permissions = { allow: ["network_access:*"] };
    wave.write({
      "wave.yaml": JSON.stringify({
        personas: { worker: { command: "sh try.sh" } },
        steps: [{ id: "try", persona: "worker", env, artifacts: ["report"], permissions }],
      }),
    });
    const [plan, run] = [await wave.run(["plan"]), await wave.run(["run"])];
    expect(run.code, run.stderr).toBe(0);
    if (!fenced) return;
    expect(plan.stdout).toMatch(/network_access:\* +.*sandbox/);
    expect(reportOf(wave, "try")).toEqual(expected(wildcardAllowed));
    expect(server.visits()).toBe(0);
  });

  it.each([
    ["writes", writes],
    ["reads", [...reads, ...links]],
    ["gates", gates],
    ["resources", resources],
    ["collections", collections],
  ])("%s: every step ends as it has to, and the project stays as it was", async (_name, steps) => {
    const outside = outsidePlace(scene);
    for (const name of ["secret.txt", "k"]) writeFileSync(path.join(outside, name), canary);
    const mark = `mark-${process.pid}-${scene.isolation.replace(",", "-")}`;
    const wave = sceneProject(scene, {
      ...{ "a.txt": "open\n", "secret.txt": canary, "keys/k": canary, "deep/k": canary, "locked/f": "f", ".gitignore": ".wave/state\n" },
      ...{ "s.json": '{ "type": "string" }', "check.sh": "exit 1" },
      "wave.yaml": manifestOf(steps, { MARK: mark, OUTSIDE: outside }),
    });
    repository(wave.root);
    const before = treeOf(wave.root);
    const run = await wave.run(["run", "--on-failure", "keep-going", "--no-apply", "--concurrency", "4"], { S_ONE: canary });
    if (!fenced) {
      expect(run.code, run.stderr).toBe(JSON.stringify(steps).includes("deny") ? 4 : 1);
      return;
    }
    expect(run.code, run.stderr).not.toBe(2);
    expect(endings(wave), run.stderr).toEqual(Object.fromEntries(steps.map(({ id, ends }) => [id, ends])));
    for (const { id, reports } of steps) if (reports !== undefined) expect([id, textOf(wave, id)]).toEqual([id, reports]);
    const after = Object.entries(treeOf(wave.root)).filter(([file]) => !file.startsWith(".wave/state/"));
    expect(Object.fromEntries(after)).toEqual(before);
    expect(treeOf(outside)).toEqual({ k: canary, "secret.txt": canary });
    expect(processesWith(mark)).toEqual([]);
    for (const kept of ["blobs", "logs", "journals"]) expect(placesWith(canary, path.join(wave.root, ".wave/state", kept))).toEqual([]);
    expect(`${run.stdout}${run.stderr}${JSON.stringify(wave.events())}`).not.toContain(canary);
  });

  it("a step of a run on a terminal has none", async () => {
    const wave = sceneProject(scene, { "try.sh": scriptOf(terminal) });
    wave.write({
      "wave.yaml": JSON.stringify({
        personas: { worker: { command: "sh try.sh" } },
        steps: [{ id: "try", persona: "worker", artifacts: ["report"] }],
      }),
    });
    const run = await wave.runOnTerminal(["run"]);
    expect(run.code, run.stdout).toBe(0);
    if (fenced) expect(reportOf(wave, "try")).toEqual(expected(terminal));
  });

  it("steps that work in place reach neither the state nor anything outside of the project", async () => {
    const outside = outsidePlace(scene);
    writeFileSync(path.join(outside, "secret.txt"), canary);
    const wave = sceneProject(scene, { "a.txt": "open", "wave.yaml": manifestOf(shared, { OUTSIDE: outside }) });
    const run = await wave.run(["run", "--on-failure", "keep-going"]);
    expect(run.code, run.stderr).toBe(1);
    expect(endings(wave), run.stderr).toEqual(Object.fromEntries(shared.map(({ id, ends }) => [id, ends])));
    for (const { id, reports } of shared) if (reports !== undefined) expect([id, textOf(wave, id)]).toEqual([id, reports]);
    expect([treeOf(outside), existsSync(path.join(path.dirname(wave.root), "wave-escaped"))]).toEqual([{ "secret.txt": canary }, false]);
    expect(placesWith(canary, path.join(wave.root, ".wave/state"))).toEqual([]);
    expect(`${run.stdout}${run.stderr}`).not.toContain(canary);
  });

  it("what is applied goes through no symlink, neither one that was there nor one that a step made", async () => {
    const outside = outsidePlace(scene);
    writeFileSync(path.join(outside, "secret.txt"), canary);
    const wave = sceneProject(scene, {
      "dir/a": "a",
      "wave.yaml": manifestOf(
        [
          { id: "unlink", command: "rm leak; mkdir leak; echo mine >leak/secret.txt", ends: "passed" },
          { id: "link", command: "rm -r dir; ln -s $OUTSIDE dir", ends: "passed" },
          { id: "through", command: "echo x >dir/new || true", keys: { dependencies: ["link"] }, ends: "passed" },
          { id: "beside", command: "echo x >other", ends: "passed" },
        ],
        { OUTSIDE: outside },
      ),
    });
    symlinkSync(outside, path.join(wave.root, "leak"));
    const run = await wave.run(["run"]);
    expect(run.code, run.stderr).toBe(0);
    expect(readFileSync(path.join(wave.root, "leak/secret.txt"), "utf8")).toBe("mine\n");
    expect(readlinkSync(path.join(wave.root, "dir"))).toBe(outside);
    // Without a fence a step reaches what its user does.
    if (fenced) expect(treeOf(outside)).toEqual({ "secret.txt": canary });
  });

  it("what is hidden from a step stays untouched behind a link that an earlier step made", async () => {
    const outside = outsidePlace(scene);
    for (const name of ["hidden", "kept", "d"]) writeFileSync(path.join(outside, name), canary);
    const wave = sceneProject(scene, { "dir/hidden": "h", "dir/kept": "k", "deep/dir/d": "d", "a.txt": "a" });
    const replace = "rm -rf dir deep/dir; ln -s $OUTSIDE dir; ln -s $OUTSIDE deep/dir";
    const deny = ["file_read:dir/hidden", "file_read:deep/dir/d", "file_write:dir/kept"];
    wave.write({
      "wave.yaml": manifestOf(
        [
          { id: "link", command: replace, ends: "passed" },
          { id: "later", command: "ls dir/ || echo new >b.txt", keys: { dependencies: ["link"], permissions: { deny } }, ends: "passed" },
        ],
        { OUTSIDE: outside },
      ),
    });
    wave.own(outside);
    const run = await wave.run(["run", "--no-apply"]);
    if (fenced) expect(run.code, run.stderr).toBe(0);
    expect(treeOf(outside)).toEqual({ hidden: canary, kept: canary, d: canary });
  });

  it("a repository that a link leads to is not changed by copying the project", async () => {
    const store = outsidePlace(scene);
    const wave = sceneProject(scene, { "a.txt": "a", "wave.yaml": manifestOf([{ id: "any", command: "true", ends: "passed" }], {}) });
    repository(wave.root);
    execFileSync("mv", [path.join(wave.root, ".git"), path.join(store, "git")]);
    const alternates = path.join(store, "git/objects/info/alternates");
    mkdirSync(path.dirname(alternates), { recursive: true });
    writeFileSync(alternates, `${path.join(store, "git/objects")}\n`);
    symlinkSync(path.join(store, "git"), path.join(wave.root, ".git"));
    wave.own(store);
    const before = treeOf(store);
    const run = await wave.run(["run"]);
    expect(run.code, run.stderr).toBe(0);
    expect(treeOf(store)).toEqual(before);
  });

  it("a link that one step makes and a file that another writes below it do not meet", async () => {
    const outside = outsidePlace(scene);
    const wave = sceneProject(scene, {
      "dir/a": "a",
      "wave.yaml": manifestOf(
        [
          { id: "link", command: "rm -r dir; ln -s $OUTSIDE dir", ends: "passed" },
          { id: "write", command: "echo x >dir/new", ends: "passed" },
        ],
        { OUTSIDE: outside },
      ),
    });
    const run = await wave.run(["run"]);
    expect(run.code, run.stderr).toBe(1);
    const finished = wave.events().find((event) => event.type === "run-finished");
    expect(finished).toMatchObject({ status: "failed", failure: { reason: "merge-conflict" } });
    expect([readdirSync(outside), readdirSync(path.join(wave.root, "dir"))]).toEqual([[], ["a"]]);
  });
}

describe("a machine without a sandbox", () => {
  it("verifies a deny of writes by the changeset: the step fails, and the project stays as it was", async () => {
    const wave = sceneProject(
      { name: "none", isolation: "none" },
      {
        "a.txt": "a",
        "wave.yaml": JSON.stringify({
          personas: { worker: { command: "echo x >a.txt" } },
          steps: [{ id: "one", persona: "worker", permissions: { deny: ["file_write:a.txt"] } }],
        }),
      },
    );
    const run = await wave.run(["run"]);
    expect(run.code, run.stderr).toBe(1);
    expect(wave.events().find((event) => event.type === "attempt-failed")).toMatchObject({
      failure: { reason: "write-denied", paths: ["a.txt"] },
    });
    expect(readFileSync(path.join(wave.root, "a.txt"), "utf8")).toBe("a");
  });

  const rules = ["file_read:a.txt", "network_access:*"];
  it.each(rules)("a deny of %s ends in exit 4, before any work, and `sandbox: off` says what is exposed", async (rule) => {
    const scene = { name: "none", isolation: "none" };
    const manifest = (more: object) =>
      JSON.stringify({
        personas: { worker: { command: "echo x >ran" } },
        ...more,
        steps: [{ id: "one", persona: "worker", permissions: { deny: [rule] } }],
      });
    const wave = sceneProject(scene, { "a.txt": "a", "wave.yaml": manifest({}) });
    const refusedRun = await wave.run(["run"]);
    expect([refusedRun.code, existsSync(path.join(wave.root, ".wave/state/journals")), existsSync(path.join(wave.root, "ran"))]).toEqual([
      4,
      false,
      false,
    ]);
    expect(refusedRun.stderr).toContain(rule);
    wave.write({ "wave.yaml": manifest({ sandbox: "off" }) });
    const open = await wave.run(["run"]);
    expect([open.code, readFileSync(path.join(wave.root, "ran"), "utf8")]).toEqual([0, "x\n"]);
    const plan = await wave.run(["plan"]);
    expect(plan.stdout + plan.stderr).toContain(rule);
  });
});
