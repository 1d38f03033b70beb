/** What every `WorkspaceProvider` has to do, whatever it isolates. A provider's test calls this with a way to make one. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { OpenWorkspace, SpawnRequest, TreeEntry, Workspace, WorkspacePaths, WorkspaceProvider } from "../../src/core/ports.ts";
import { toolStores } from "../../src/sandbox/tool-stores.ts";
import { step } from "./plan-fixtures.ts";

/** What a provider is made for. `root` is a project with `a.txt`, `src/b.txt` and `.git/config`; `stateDir` lies in it. */
export interface ProviderPlace {
  readonly root: string;
  readonly stateDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Where an attempt's places lie on the machine. */
export type OnMachine = (place: ProviderPlace, attempt: number, paths: WorkspacePaths) => Pick<WorkspacePaths, "output" | "temp">;

/** Declares the suite. A fence shows an attempt's places elsewhere than they are: `onMachine` says where that is. */
export function workspaceConformance(
  name: string,
  make: (place: ProviderPlace) => WorkspaceProvider | Promise<WorkspaceProvider>,
  onMachine: OnMachine = (_place, _attempt, paths) => paths,
): void {
  describe(`${name} is a workspace provider`, () => {
    let place: ProviderPlace;
    let outside: string;

    beforeEach(() => {
      outside = mkdtempSync(path.join(tmpdir(), "wave-outside-"));
      const root = mkdtempSync(path.join(tmpdir(), "wave-project-"));
      place = { root, stateDir: path.join(root, ".wave/state"), env: { PATH: process.env.PATH, HOME: outside, LANG: "C", LEAK: "leaked" } };
      for (const directory of ["src", ".git"]) mkdirSync(path.join(root, directory));
      writeFileSync(path.join(root, "a.txt"), "a");
      writeFileSync(path.join(root, "src/b.txt"), "bb");
      writeFileSync(path.join(root, ".git/config"), "token");
      writeFileSync(path.join(outside, "secret.txt"), "outside");
    });
    afterEach(() => {
      for (const directory of [place.root, outside]) rmSync(directory, { recursive: true, force: true });
    });

    async function open(members: Partial<OpenWorkspace> = {}): Promise<Workspace> {
      const opened = await (await make(place)).open({
        runId: "run1",
        step: step("one"),
        attempt: 1,
        inputs: [],
        task: () => "the task",
        ...members,
      });
      if (!opened.ok) throw new Error(JSON.stringify(opened.error));
      return opened.value;
    }

    async function shell(workspace: Workspace, command: string, members: Partial<SpawnRequest> = {}) {
      let printed = "";
      const onOutput = (chunk: Uint8Array) => {
        printed += Buffer.from(chunk).toString();
      };
      const signal = new AbortController().signal;
      const outcome = await workspace.spawn({ command, env: {}, timeoutMs: 30_000, signal, role: "adapter", onOutput, ...members });
      return { outcome, printed };
    }

    test("the child finds the task, its inputs and the project's files", async () => {
      const source = path.join(outside, "secret.txt");
      const workspace = await open({
        inputs: [{ name: "report.json", source, mediaType: "application/json" }],
        task: (paths) => `write to ${paths.output}`,
      });
      const { taskFile, inputs, output } = workspace.paths;
      const ran = await shell(workspace, `cat '${taskFile}' '${inputs}/report.json' src/b.txt; ls '${inputs}' | wc -l | tr -d ' '`);
      expect(ran).toEqual({ outcome: { kind: "exited", code: 0 }, printed: `write to ${output}outsidebb1\n` });
    });

    test("an input is read-only, and what is done to it does not reach its source", async () => {
      const source = path.join(outside, "secret.txt");
      const workspace = await open({ inputs: [{ name: "in", source, mediaType: "text/plain" }] });
      await shell(workspace, `chmod u+w '${workspace.paths.inputs}/in' && echo more >> '${workspace.paths.inputs}/in'`);
      expect(readFileSync(source, "utf8")).toBe("outside");
      const fresh = await open({ attempt: 2, inputs: [{ name: "in", source, mediaType: "text/plain" }] });
      expect(await shell(fresh, `ls -l '${fresh.paths.inputs}/in' | cut -c1-10`)).toMatchObject({ printed: "-r--r--r--\n" });
    });

    test("the child sees PATH, HOME, LANG, TMPDIR and what is declared, and nothing else", async () => {
      const workspace = await open();
      const ran = await shell(workspace, "/usr/bin/env", { env: { DECLARED: "yes" } });
      // `_`, PWD, OLDPWD and SHLVL are the shell's own.
      const names = ran.printed
        .trim()
        .split("\n")
        .map((line) => line.slice(0, line.indexOf("=")));
      const stores = Object.keys(toolStores(process.env));
      expect(names.filter((name) => ![...stores, "_", "PWD", "OLDPWD", "SHLVL"].includes(name)).sort()).toEqual([
        "DECLARED",
        "HOME",
        "LANG",
        "PATH",
        "TMPDIR",
      ]);
    });

    test("the task is there as a file, and on standard input for who asks", async () => {
      const workspace = await open({ task: ({ output }) => `write to ${output}` });
      const said = `write to ${workspace.paths.output}`;
      expect(await shell(workspace, `cat; echo; cat '${workspace.paths.taskFile}'`, { stdin: "task" })).toMatchObject({
        printed: `${said}\n${said}`,
      });
      expect(await shell(workspace, "cat")).toMatchObject({ printed: "" });
    });

    test("TMPDIR is there, is private, and is gone with a passed attempt", async () => {
      const workspace = await open();
      const ran = await shell(workspace, 'touch "$TMPDIR/scratch" && cd "$TMPDIR" && pwd -P');
      expect(ran.outcome).toEqual({ kind: "exited", code: 0 });
      const other = await open({ attempt: 2 });
      // A project of this test lies in /tmp, which is where a fence puts the private one: the way to the tree shows in there.
      expect(await shell(other, 'ls -A "$TMPDIR" | grep -vx "$(basename "$PWD")"')).toMatchObject({ printed: "" });
      await workspace.discard("passed");
      const temps = [onMachine(place, 1, workspace.paths).temp, onMachine(place, 2, other.paths).temp];
      expect(temps.map((temp) => existsSync(temp))).toEqual([false, true]);
    });

    test("output is found and read", async () => {
      const workspace = await open();
      await shell(
        workspace,
        `mkdir '${workspace.paths.output}/d' && echo 1 > '${workspace.paths.output}/d/x.json' && echo 22 > '${workspace.paths.output}/y.md'`,
      );
      expect(await workspace.list("output", "**")).toEqual({
        ok: true,
        value: [
          { path: "d", kind: "directory", size: expect.any(Number) },
          { path: "d/x.json", kind: "file", size: 2 },
          { path: "y.md", kind: "file", size: 3 },
        ],
      });
      expect(await workspace.read("output", "d/x.json", 10)).toEqual({ ok: true, value: Buffer.from("1\n") });
      expect(await workspace.read("output", "y.md", 2)).toEqual({
        ok: false,
        error: { reason: "artifact-too-large", artifact: "y.md", size: 3, limit: 2 },
      });
      expect(await workspace.read("output", "none", 2)).toMatchObject({
        ok: false,
        error: { reason: "file-unreadable", path: "none", code: "ENOENT" },
      });
    });

    test("project files are listed without `.git` and state", async () => {
      const workspace = await open();
      await shell(workspace, `echo 1 > '${workspace.paths.output}/hidden.txt'; mkdir .dot && echo 1 > .dot/c.txt`);
      const paths = async (glob: string) => {
        const listed = await workspace.list("root", glob);
        return listed.ok ? listed.value.map((entry) => entry.path) : listed.error;
      };
      expect(await paths("**/*.txt")).toEqual([".dot/c.txt", "a.txt", "src/b.txt"]);
      expect(await paths("src/b.txt")).toEqual(["src/b.txt"]);
      expect(await paths("src/*.{txt,md}")).toEqual(["src/b.txt"]);
      expect(await paths("none/**")).toEqual([]);
      expect(await paths("**/config")).toEqual([]);
    });

    test.each(["../secret.txt", "/etc/passwd", "src/../../x", "a\0b"])("the path %j is refused", async (file) => {
      const workspace = await open();
      expect(await workspace.read("root", file, 100)).toMatchObject({ ok: false, error: { reason: "artifact-refused", path: file } });
    });

    test("symlinks that lead out are shown as such, not entered and not read; those that stay inside are read", async () => {
      const workspace = await open();
      const { output } = onMachine(place, 1, workspace.paths);
      symlinkSync(outside, path.join(output, "away"));
      symlinkSync(path.join(outside, "secret.txt"), path.join(output, "leak.txt"));
      symlinkSync("self", path.join(output, "self"));
      writeFileSync(path.join(output, "real.txt"), "real");
      symlinkSync("real.txt", path.join(output, "inside.txt"));
      const listed = await workspace.list("output", "**");
      expect(listed.ok && listed.value.map(({ path: file, kind }) => `${kind} ${file}`)).toEqual([
        "symlink away",
        "symlink inside.txt",
        "symlink leak.txt",
        "file real.txt",
        "symlink self",
      ]);
      for (const file of ["away/secret.txt", "leak.txt", "self"]) {
        expect(await workspace.read("output", file, 100)).toMatchObject({ ok: false, error: { reason: "artifact-refused" } });
      }
      expect(await workspace.read("output", "inside.txt", 100)).toEqual({ ok: true, value: Buffer.from("real") });
    });

    test("what is no regular file is refused, and a pipe without a writer does not hang", async () => {
      const workspace = await open();
      await shell(workspace, `mkfifo '${workspace.paths.output}/pipe'; mkdir '${workspace.paths.output}/dir'`);
      for (const file of ["pipe", "dir"]) {
        expect(await workspace.read("output", file, 100)).toMatchObject({ ok: false, error: { reason: "artifact-refused", path: file } });
      }
    });

    test("a failed attempt's workspace stays, a passed one's goes", async () => {
      const failed = await open();
      await shell(failed, `echo kept > '${failed.paths.output}/x'`);
      await failed.discard("failed");
      const passed = await open({ attempt: 2 });
      await shell(passed, `mkdir '${passed.paths.output}/deep' && echo gone > '${passed.paths.output}/deep/x'`);
      await passed.discard("passed");
      const [kept, gone] = [onMachine(place, 1, failed.paths).output, onMachine(place, 2, passed.paths).output];
      expect([readFileSync(path.join(kept, "x"), "utf8"), existsSync(gone)]).toEqual(["kept\n", false]);
    });

    test("an attempt that is opened again begins with nothing of the one that died", async () => {
      const died = await open();
      await shell(died, `echo old > '${died.paths.output}/x'`);
      const again = await open();
      const { output } = onMachine(place, 1, again.paths);
      expect([statSync(output).isDirectory(), readdirSync(output)]).toEqual([true, []]);
    });

    test("the time limit and cancellation end a child", async () => {
      const workspace = await open();
      expect((await shell(workspace, "sleep 30", { timeoutMs: 200 })).outcome).toEqual({ kind: "timed-out", limitMs: 200 });
      const signal = AbortSignal.timeout(200);
      expect((await shell(workspace, "sleep 30", { signal })).outcome).toEqual({ kind: "cancelled" });
    });

    describe("what is written from outside", () => {
      const file = (text: string, mode: "100644" | "100755" | "120000" = "100644"): TreeEntry => ({ mode, bytes: Buffer.from(text) });
      const leaves = new Map<string, TreeEntry | undefined>([
        ["a.txt", file("changed")],
        ["deep/er/new.sh", file("#!/bin/sh\n", "100755")],
        ["link", file("a.txt", "120000")],
        ["odd \n name\udcff", file("odd")],
        ["src/b.txt", undefined],
        ["was-file/inside", file("now a directory")],
        ["was-directory", file("now a file")],
        ["hollow", { mode: "040000" }],
        ["never-there", undefined],
      ]);
      const byHand = [
        "printf changed > a.txt; mkdir -p deep/er hollow; printf '#!/bin/sh\n' > deep/er/new.sh; chmod +x deep/er/new.sh; ln -s a.txt link",
        "printf odd > \"$(printf 'odd \\n name\\377')\"; rm -r src was-file was-directory",
        "mkdir was-file; printf 'now a directory' > was-file/inside; printf 'now a file' > was-directory",
      ].join("; ");

      function prepare(): void {
        mkdirSync(path.join(place.root, "was-directory/sub"), { recursive: true });
        writeFileSync(path.join(place.root, "was-directory/sub/x"), "x");
        writeFileSync(path.join(place.root, "was-file"), "y");
      }

      test("is what a child would have left", async () => {
        prepare();
        const workspace = await open();
        // The file has to go before something can lie in it.
        expect(await workspace.write("root", new Map([["was-file", undefined]]))).toEqual({ ok: true, value: undefined });
        expect(await workspace.write("root", leaves)).toEqual({ ok: true, value: undefined });
        const look =
          "cat a.txt link deep/er/new.sh was-file/inside was-directory odd*; test -x deep/er/new.sh; ls -d hollow; ls src 2>&1 | wc -l | tr -d ' '";
        const seen = "changedchanged#!/bin/sh\nnow a directorynow a fileoddhollow\n1\n";
        expect(await shell(workspace, look)).toEqual({ outcome: { kind: "exited", code: 0 }, printed: seen });
        expect(await workspace.read("root", "deep/er/new.sh", 100)).toEqual({ ok: true, value: Buffer.from("#!/bin/sh\n") });
        const written = await workspace.changeset();
        await workspace.discard("failed");
        if (written.ok && written.value === undefined) return;
        const other = await open({ attempt: 2 });
        expect(await shell(other, byHand)).toMatchObject({ outcome: { code: 0 } });
        expect(written).toEqual(await other.changeset());
      });

      test("goes over what a child wrote, and a child goes over it", async () => {
        const workspace = await open();
        await shell(workspace, "mkdir made; echo child > made/x; echo child > a.txt; rm src/b.txt");
        const over = new Map([
          ["made/x", file("wave")],
          ["a.txt", undefined],
          ["src/b.txt", file("again")],
        ]);
        expect(await workspace.write("root", over)).toMatchObject({ ok: true });
        expect(await shell(workspace, "cat made/x src/b.txt; ls a.txt 2>/dev/null; echo more >> made/x; cat made/x")).toMatchObject({
          printed: "waveagainwavemore\n",
        });
      });

      test("may be output", async () => {
        const workspace = await open();
        const output = new Map([["report/x.json", file("{}")]]);
        expect(await workspace.write("output", output)).toMatchObject({ ok: true });
        expect(await workspace.read("output", "report/x.json", 10)).toEqual({ ok: true, value: Buffer.from("{}") });
        expect(await shell(workspace, `cat '${workspace.paths.output}/report/x.json'`)).toMatchObject({ printed: "{}" });
      });

      test.each(["../out", "/etc/out", "src/../../out", "a\0b", "", ".git/config", "src/.GIT/hooks/x", ".wave/state/x", ".wave/state"])(
        "the path %j is refused, and nothing is done",
        async (bad) => {
          const workspace = await open();
          const asked = new Map([
            ["before", file("no")],
            [bad, file("no")],
          ]);
          expect(await workspace.write("root", asked)).toMatchObject({ ok: false, error: { reason: "artifact-refused" } });
          expect(await workspace.list("root", "before")).toEqual({ ok: true, value: [] });
        },
      );

      test("never goes through a symlink", async () => {
        symlinkSync(outside, path.join(place.root, "away"));
        const workspace = await open();
        await shell(workspace, `ln -s '${outside}' made; ln -s '${outside}/secret.txt' file`);
        for (const way of ["away", "made"]) {
          expect(await workspace.write("root", new Map([[`${way}/new`, file("no")]]))).toMatchObject({
            ok: false,
            error: { reason: "workspace-failed" },
          });
          expect(await workspace.write("root", new Map([[`${way}/secret.txt`, undefined]]))).toMatchObject({ ok: true });
        }
        expect(await workspace.write("root", new Map([["file", file("mine")]]))).toMatchObject({ ok: true });
        expect(await workspace.read("root", "file", 10)).toEqual({ ok: true, value: Buffer.from("mine") });
        expect([readdirSync(outside), readFileSync(path.join(outside, "secret.txt"), "utf8")]).toEqual([["secret.txt"], "outside"]);
      });
    });

    test("opening fails with a value when there is no place for it", async () => {
      mkdirSync(path.dirname(place.stateDir));
      writeFileSync(place.stateDir, "a file");
      const opened = await (await make(place)).open({ runId: "run1", step: step("one"), attempt: 1, inputs: [], task: () => "" });
      expect(opened).toMatchObject({ ok: false, error: { reason: "workspace-failed", code: expect.stringMatching(/^E/) } });
    });
  });
}
