/**
 * Tests what a sandboxed child sees, what it may do, and how it ends: in every mode that this machine supports, on the
 * real kernel.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SpawnOutcome } from "../../../src/core/ports.ts";
import { buildableModes, runSandboxed, type SandboxPlace, sandboxModes, sandboxPlace, viewOf } from "../../rig/sandbox-rig.ts";

const done: SpawnOutcome = { kind: "exited", code: 0 };

/** Ids of live processes of this machine whose command line contains a word. */
function processesWith(word: string): readonly string[] {
  return readdirSync("/proc").filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, "latin1").split("\0").includes(word);
    } catch {
      return false;
    }
  });
}

describe.each((await buildableModes()).map((isolation) => [isolation.mode, isolation] as const))(
  "a sandbox in mode %s",
  (mode, isolation) => {
    let place: SandboxPlace;
    beforeEach(() => {
      place = sandboxPlace(isolation);
    });
    afterEach(() => place.remove());
    const run = (command: Parameters<typeof runSandboxed>[1], members: Parameters<typeof runSandboxed>[2] = {}) =>
      runSandboxed(place, command, members);

    describe("the view", () => {
      test("shows the tree at the project's path, and writes only to the layer", async () => {
        const ran = await run("pwd; cat a.txt; echo; echo b > b.txt; echo more >> a.txt; cat a.txt");
        expect(ran).toEqual({ outcome: done, stdout: `${place.project}\na\namore\n`, stderr: "" });
        expect({ upper: readdirSync(place.upper).sort(), project: readdirSync(place.project) }).toEqual({
          upper: ["a.txt", "b.txt"],
          project: ["a.txt"],
        });
        expect(readFileSync(path.join(place.project, "a.txt"), "utf8")).toBe("a");
      });

      test.each(["with space", 'quote\'s "d"', "colon:comma,back\\slash", "new\nline", "#hash $(x) `y` *", "-dash", "üñí", "t\tab"])(
        "a project called %j",
        async (name) => {
          const odd = sandboxPlace(isolation, name);
          const ran = await runSandboxed(odd, "cat a.txt; echo b > b.txt; pwd");
          expect({ ...ran, upper: readdirSync(odd.upper) }).toEqual({
            outcome: done,
            stdout: `a${odd.project}\n`,
            stderr: "",
            upper: ["b.txt"],
          });
          odd.remove();
        },
      );

      test("contains only allowlisted paths of the machine", async () => {
        const ran = await run(
          "for p in /home /root/.ssh /sys/class /run/docker.sock /var/run/docker.sock /etc/shadow /boot; do ls -d $p; done",
        );
        expect(ran.stdout).toBe("");
        expect((await run(`ls ${path.dirname(place.project)}`)).stdout).toBe("project\n");
      });

      test("runs ordinary programs", async () => {
        const script = "sh -c 'git --version' && perl -e 'print qq(perl\\n)' && echo x | sed s/x/sed/ && getent passwd root | cut -d: -f1";
        const ran = await run(script);
        expect({ ...ran, stdout: ran.stdout.replace(/^git version.*/, "git") }).toEqual({
          outcome: done,
          stdout: "git\nperl\nsed\nroot\n",
          stderr: "",
        });
      });

      test("runs Node from its own directory", async () => {
        const ran = await run([
          process.execPath,
          "-e",
          "require('node:fs').writeFileSync('/tmp/x', 'x'); console.log(require('node:os').tmpdir())",
        ]);
        expect(ran).toEqual({ outcome: done, stdout: "/tmp\n", stderr: "" });
      });

      test("shows of the machine's own /tmp only a program on PATH that is to run", async () => {
        const tools = mkdtempSync("/tmp/wave-tools-");
        try {
          for (const part of ["one", "two/bin"]) mkdirSync(path.join(tools, part), { recursive: true });
          const look = `#!/bin/sh\necho $0; (echo x > $0) 2>/dev/null || echo kept; ls -A /tmp ${tools}\n`;
          for (const tool of ["one/first", "two/bin/second"]) writeFileSync(path.join(tools, tool), look, { mode: 0o755 });
          chmodSync(tools, 0o755);
          const child = { env: { PATH: `${tools}/one:${tools}/two/bin:/usr/bin:/bin` } };
          const own = path.basename(path.dirname(place.project));
          expect((await run("ls -A /tmp", { child })).stdout).toBe(`${own}\n`);
          const ran = await run([`${tools}/one/first`], { child });
          const seen = `/tmp:\n${own}\n${path.basename(tools)}\n\n${tools}:\none\n`;
          expect(ran).toEqual({ outcome: done, stdout: `${tools}/one/first\nkept\n${seen}`, stderr: "" });
        } finally {
          rmSync(tools, { recursive: true, force: true });
        }
      });

      test("shows a directory as the tree with masks and read-only paths, and skips missing ones", async () => {
        for (const part of ["kept", "masked"]) mkdirSync(path.join(place.project, part));
        for (const file of ["kept/f", "masked/f", "secret"]) writeFileSync(path.join(place.project, file), "x", { mode: 0o666 });
        const inTree = (file: string) => path.join(place.project, file);
        const view = {
          tree: { kind: "directory", source: place.project },
          masks: [inTree("masked"), inTree("secret"), inTree("none")],
          readOnly: [inTree("kept"), inTree("gone")],
        } as const;
        const ran = await run("ls masked; cat secret; (echo y > masked/f) || (echo y > kept/f) || mv kept k2 || cat kept/f", { view });
        expect(ran.stdout).toBe("x");
        expect(readFileSync(inTree("kept/f"), "utf8") + readFileSync(inTree("masked/f"), "utf8")).toBe("xx");
      });

      test("shows a writable and a read-only directory of the attempt", async () => {
        const view = viewOf(place);
        const binds = [...view.binds, { source: path.join(place.room, "output"), target: "/wave/inputs", writable: false }];
        const ran = await run("echo o > /wave/output/o; cat /wave/inputs/o; echo x > /wave/inputs/o", { view: { binds } });
        expect(ran).toMatchObject({ outcome: { kind: "exited" }, stdout: "o\n", stderr: expect.stringContaining("Read-only file system") });
      });

      test("shows only its own few processes", async () => {
        const ran = await run("ls /proc | grep -c '^[0-9]' ; cat /proc/1/comm");
        const [count, first] = ran.stdout.split("\n");
        expect({ few: Number(count) < 8, first }).toEqual({ few: true, first: "sh" });
      });

      const isMapped = isolation.mode === "root" && isolation.allIds;
      const rights = isMapped ? "root's six capabilities for files" : "no capabilities";
      test(`its own user, with ${rights} and no way to gain more`, async () => {
        // The bounding set has no effect once no program can grant capabilities: `NoNewPrivs`.
        const ran = await run("id -u; sed -n 's/^\\(Cap[EPIA]..\\|NoNewPrivs\\):\\t//p' /proc/self/status");
        const none = "0000000000000000";
        // chown, dac_override, fowner, fsetid, setgid and setuid: bits 0, 1, 3, 4, 6 and 7.
        const own = isMapped ? "00000000000000db" : none;
        expect(ran.stdout.trim().split("\n")).toEqual([String(isolation.identity.uid), none, own, own, none, "1"]);
      });
    });

    describe("the child", () => {
      test("gets the declared environment, and no variables of the setup", async () => {
        const env = { PATH: "/usr/bin:/bin", A: "x y\n'q'\" $HOME", EMPTY: "", LD_PRELOAD: "", WAVE_X: "1" };
        const ran = await run(["env", "-0"], { child: { env } });
        const seen = Object.fromEntries(
          ran.stdout.split("\0").flatMap((entry) => (entry === "" ? [] : [entry.split(/=(.*)/s).slice(0, 2)])),
        );
        const { PWD: _pwd, _: _last, SHLVL: _depth, ...rest } = seen;
        expect({ outcome: ran.outcome, rest }).toEqual({ outcome: done, rest: env });
      });

      test("cannot make the setup load a library or program through its environment", async () => {
        const bin = path.join(place.project, "bin");
        mkdirSync(bin);
        const evil = "#!/bin/sh\ngrep CapEff /proc/self/status >&2\nexit 1\n";
        for (const tool of ["mount", "mkdir", "ln", "umount", "pivot_root", "setpriv", "unshare", "ip", "sh"]) {
          writeFileSync(path.join(bin, tool), evil, { mode: 0o755 });
        }
        const env = {
          PATH: `${bin}:/usr/bin:/bin`,
          LD_PRELOAD: path.join(bin, "mount"),
          ENV: path.join(bin, "mount"),
          BASH_ENV: path.join(bin, "mount"),
        };
        const ran = await run(["/usr/bin/env", "true"], { child: { env } });
        expect({ outcome: ran.outcome, told: ran.stderr.includes("CapEff") }).toEqual({ outcome: done, told: false });
      });

      test("gets arguments and the prompt unchanged", async () => {
        const stdinFile = path.join(place.room, "task");
        writeFileSync(stdinFile, "the prompt", { mode: 0o644 });
        const ran = await run(["sh", "-c", 'cat; printf "[%s]" "$@"', "sh", "a b", "$HOME", "new\nline", ""], { child: { stdinFile } });
        expect(ran).toEqual({ outcome: done, stdout: "the prompt[a b][$HOME][new\nline][]", stderr: "" });
        expect((await run("cat; echo end")).stdout).toBe("end\n");
      });
    });

    describe("the end of a child", () => {
      test.each([
        ["exit 3", { kind: "exited", code: 3 }],
        ["kill -SEGV $$", { kind: "killed", signal: "SIGSEGV" }],
        ["kill -KILL $$", { kind: "killed", signal: "SIGKILL" }],
        ["exit 127", { kind: "exited", code: 127 }],
      ] as const)("%s", async (command, outcome) => {
        expect((await run(command)).outcome).toEqual(outcome);
      });

      test("is `not-started` for a missing program", async () => {
        expect((await run(["no-such-program"])).outcome).toMatchObject({ kind: "not-started", code: "ENOENT" });
      });

      test("is `not-started` with a reason if the view cannot be created", async () => {
        const binds = [{ source: path.join(place.room, "none"), target: "/wave/none", writable: false }];
        const { outcome } = await run("echo ran", { view: { binds } });
        expect(outcome).toMatchObject({ kind: "not-started", detail: expect.stringContaining("mount") });
      });

      test("may use the grace period for an orderly exit", async () => {
        const controller = new AbortController();
        const ran = await run("trap 'echo tidied; exit 0' TERM; echo ready; while :; do sleep 0.05; done", {
          child: { signal: controller.signal, graceMs: 10_000 },
          onOutput: (text) => {
            if (text === "ready\n") controller.abort("SIGINT");
          },
        });
        expect(ran).toMatchObject({ outcome: { kind: "cancelled" }, stdout: "ready\ntidied\n" });
      });

      test("leaves no process after the timeout, even one in another session that ignores TERM", async () => {
        const word = `wave-${process.pid}-${mode}-late`;
        const daemon = `setsid sh -c '(trap "" TERM HUP; exec sh -c "while :; do sleep 0.02; echo x >>late; done" ${word}) &'`;
        const ran = await run(`${daemon}; trap '' TERM; echo up; while :; do sleep 1; done`, { child: { timeoutMs: 600 } });
        expect(ran).toMatchObject({ outcome: { kind: "timed-out", limitMs: 600 }, stdout: "up\n" });
        const size = () => readFileSync(path.join(place.upper, "late")).length;
        const then = size();
        await new Promise((resolve) => setTimeout(resolve, 150));
        expect({ grew: size() - then, left: processesWith(word) }).toEqual({ grew: 0, left: [] });
      });

      test("does not start with signals of a terminal ignored", async () => {
        const ran = await run("sed -n 's/^SigIgn:\\t//p' /proc/self/status; trap 'echo caught; exit 0' INT; kill -INT $$; sleep 5");
        expect(ran.stdout.split("\n").slice(1)).toEqual(["caught", ""]);
        expect(Number.parseInt(ran.stdout, 16) & 0b110).toBe(0);
      });

      test("also ends its background processes", async () => {
        const word = `wave-${process.pid}-${mode}-left`;
        const ran = await run(`(setsid sh -c 'while :; do sleep 1; done' ${word} &) ; echo done`);
        expect({ ...ran, left: processesWith(word) }).toEqual({ outcome: done, stdout: "done\n", stderr: "", left: [] });
      });

      test("cannot be prevented by killing the first process", async () => {
        expect((await run("kill -9 1; kill -TERM 1; kill -HUP 1; kill -9 -1; sleep 0.1; echo alive")).stdout).toBe("alive\n");
      });

      test("counts the memory of all processes inside", async () => {
        const program = '$x = "x" x 400_000_000; sleep 30';
        const { outcome } = await run(`setsid perl -e '${program}' & sleep 30`, { child: { memoryLimitBytes: 150_000_000 } });
        expect(outcome).toMatchObject({ kind: "memory-exceeded", limitBytes: 150_000_000 });
      });

      test("comes when the layer's disk usage exceeds the limit", async () => {
        const diskLimit = { directories: [place.upper], bytes: 20_000_000 };
        const sparse = await run("truncate -s 10G sparse; sleep 0.8", { child: { diskLimit } });
        expect(sparse.outcome).toEqual(done);
        const full = await run("while :; do head -c 5000000 /dev/zero >>big; sleep 0.05; done", { child: { diskLimit } });
        expect(full.outcome).toMatchObject({ kind: "disk-exceeded", limitBytes: 20_000_000 });
      });

      test("leaves nothing behind after eight concurrent children", async () => {
        const before = readFileSync("/proc/mounts", "utf8");
        const places = Array.from({ length: 8 }, () => sandboxPlace(isolation));
        const all = await Promise.all(places.map((one, index) => runSandboxed(one, `echo ${index} >out; cat out`)));
        expect(all.map(({ stdout }) => stdout)).toEqual(places.map((_, index) => `${index}\n`));
        expect(readFileSync("/proc/mounts", "utf8")).toBe(before);
        expect(places.map(({ room }) => readdirSync(room).filter((name) => name.startsWith("view.")))).toEqual(places.map(() => []));
        for (const one of places) one.remove();
      });
    });

    test("the open view shows the machine with the tree at the project's path", async () => {
      const ran = await run("cat a.txt; echo b >b.txt; [ -d /sys/class ] || [ -d /home ] && id -u; exit 5", {
        view: { sandbox: "open", binds: [], network: { kind: "host" } },
      });
      expect(ran).toEqual({ outcome: { kind: "exited", code: 5 }, stdout: `a${isolation.identity.uid}\n`, stderr: "" });
      expect({ layer: existsSync(path.join(place.upper, "b.txt")), project: existsSync(path.join(place.project, "b.txt")) }).toEqual({
        layer: true,
        project: false,
      });
    });
  },
);

describe("without a sandbox", async () => {
  const isolation = (await sandboxModes()).at(-1);
  test("a separate view is refused, and the plain machine needs none", async () => {
    if (isolation === undefined) throw new Error("`none` is always in the list");
    const place = sandboxPlace(isolation);
    expect((await runSandboxed(place, "echo ran")).outcome).toMatchObject({ kind: "not-started" });
    const view = { sandbox: "open", tree: { kind: "directory", source: place.project }, binds: [], network: { kind: "host" } } as const;
    expect(await runSandboxed(place, "cat a.txt", { view })).toEqual({ outcome: done, stdout: "a", stderr: "" });
    place.remove();
  });
});
