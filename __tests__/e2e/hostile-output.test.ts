/** No output of any command obeys text of steps, manifests, repositories or the command line, wherever it goes. */
import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, cpSync, mkdtempSync, openSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../../src/cli/commands.ts";
import { buildProgram } from "../../src/cli/program.ts";
import { hostileFile, hostileProject, printed } from "../rig/hostile-project.ts";
import { commandsIn, controlsIn, hostileLine, hostileNames } from "../rig/hostile-text.ts";
import { cli } from "../rig/project.ts";
import { type Destination, recordedIo } from "../rig/recorded-io.ts";
import { removeDirectory } from "../rig/remove-directory.ts";

interface Words {
  readonly words: readonly string[];
  /** Standard output is data for programs, which a file or a pipe gets unchanged. */
  readonly data?: true;
  /** Only these words: nothing would be different with `--json` or `--format`. */
  readonly alone?: true;
}

const text = (...words: readonly string[]): Words => ({ words });
const data = (...words: readonly string[]): Words => ({ words, data: true });
const alone = (...words: readonly string[]): Words => ({ words, alone: true });

/** Command → its words, beside those with `--json` and each `--format`, which every command gets that has them. */
const table: Readonly<Record<string, readonly Words[]>> = {
  validate: [text("-f", "broken.yaml"), text("-f", "torn.yaml"), text("-f", hostileFile), text("-f", hostileLine)],
  config: [data(), data("--origins"), text("-f", "broken.yaml")],
  plan: [text(), data("--show-prompt", "write"), text("--show-prompt", hostileLine), text(hostileLine), text("--input", hostileLine)],
  persona: [text("list"), text("show", "writer"), text("show", hostileLine), text(hostileLine)],
  run: [text("--input", hostileLine), alone("-f", "good.yaml", "--verbose"), text("--steps", hostileLine), text("-f", "broken.yaml")],
  test: [text("-f", "good.yaml"), text(hostileLine), alone("-f", "good.yaml", "--junit", `nowhere/${hostileLine}`)],
  resume: [text(), text("good"), text(hostileLine), text("--from", hostileLine)],
  cancel: [text("latest"), text(hostileLine)],
  status: [text(), text("bad"), text("good"), text(hostileLine), text("--limit", hostileLine)],
  logs: [data(), data("write"), data("--errors"), text("--since", hostileLine), text("--attempt", hostileLine), text(hostileLine)],
  trace: [text(), text("bad", "--lineage", "verdict"), text("--lineage", hostileLine), text(hostileLine)],
  artifacts: [
    ...[text(), text("good", "--changes"), text("bad", "write", "--changes"), data("good", "--patch"), text("--verify")],
    ...[text("good", "--export", "exported"), text("good", "--export", `new/${hostileLine}`), text("latest", hostileLine)],
  ],
  rollback: [text("bad"), text(hostileLine), text("good", "--to", hostileLine), text("good", "--force")],
  workspace: [data("crash"), text(hostileLine), text("crash", "--run", hostileLine)],
  cleanup: [text("--dry-run"), text("--status", hostileLine), text("--older-than", hostileLine)],
  state: [text("verify"), text("rebuild"), text(hostileLine)],
  metrics: [data(), text("--format", hostileLine)],
  doctor: [text()],
};

/** Commands that draw over their own output on a terminal. */
const isLive = new Set(["run", "resume"]);

/** Everything that is asked of one command. */
function questionsOf(name: string): readonly Words[] {
  const command = commands.find((known) => known.name === name);
  const given = table[name] ?? [];
  const open = given.filter((asked) => asked.alone !== true);
  const hasJson = command?.options.some(({ flags }) => flags === "--json") === true;
  const json = hasJson ? open.map(({ words }) => text(...words, "--json")) : [];
  const choices = command?.options.find(({ flags }) => flags.startsWith("--format"))?.choices ?? [];
  const formats = choices.filter((format) => format !== "json" && format !== "text");
  // The first two have something to print in each format.
  const more = [...json, ...open.slice(0, 2).flatMap(({ words }) => formats.map((format) => data(...words, "--format", format)))];
  return [...given, ...more, text(`--${hostileLine}`), text("--help")].map((asked) => ({ ...asked, words: [name, ...asked.words] }));
}

const destinations: readonly Destination[] = ["terminal", "runner", "pipe"];
let template = "";
const copies: string[] = [];

/** Commands that change what others print: each gets a project of its own. */
const isChanging = new Set(["run", "test", "resume", "cancel", "artifacts", "rollback", "cleanup", "state"]);

function copy(): string {
  const root = mkdtempSync(path.join(tmpdir(), "wave-hostile-"));
  copies.push(root);
  cpSync(template, root, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  return root;
}

beforeAll(async () => {
  const wave = await hostileProject();
  template = mkdtempSync(path.join(tmpdir(), "wave-hostile-"));
  cpSync(wave.root, template, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
}, 120_000);

afterEach(() => {
  for (const root of copies.splice(0)) removeDirectory(root);
}, 60_000);

afterAll(() => removeDirectory(template), 60_000);

describe("every command is asked", () => {
  it("with the words of a table that knows each of them", () => {
    expect(Object.keys(table).sort()).toEqual(commands.map(({ name }) => name).sort());
  });

  it.each(commands.map(({ name }) => name))(
    "`%s` prints nothing that a terminal, a runner or a reader obeys",
    async (name) => {
      for (const destination of destinations) {
        const root = isChanging.has(name) ? copy() : template;
        for (const { words, data: isData } of questionsOf(name)) {
          const { io, stdout, stderr } = recordedIo(destination, root);
          await buildProgram(io).main(words);
          const what = { destination, words: words.map((word) => word.slice(0, 40)) };
          const all = { stdout: stdout().toString(), stderr: stderr().toString() };
          for (const [stream, shown] of Object.entries(all)) {
            if (destination === "pipe" && isData === true && stream === "stdout") continue;
            const own = destination !== "terminal" ? "none" : stream === "stderr" && isLive.has(name) ? "drawing" : "colors";
            expect({ ...what, stream, controls: controlsIn(shown, own) }).toEqual({ ...what, stream, controls: [] });
          }
          if (destination !== "runner") continue;
          // Groups, and the annotations of `--format github`, are Wave's own.
          const own = words.includes("github")
            ? /^::(?:error|warning) (?:file|title)=/
            : /^::(?:group::\S+: output of attempt \d+|endgroup::)$/;
          const commandsFound = commandsIn(`${all.stdout}\n${all.stderr}`).filter((line) => !own.test(line));
          expect({ ...what, commandsFound }).toEqual({ ...what, commandsFound: [] });
        }
      }
    },
    120_000,
  );
});

describe("the built binary", () => {
  const env = { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "/", LANG: "C.UTF-8", TERM: "xterm-256color" };
  const wave = (words: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    spawnSync(process.execPath, [cli, ...words], { cwd: template, env: { ...env, ...more } });
  const asked: Readonly<Record<string, readonly string[]>> = {
    logs: ["logs"],
    "logs --errors": ["logs", "--errors"],
    "artifacts --patch": ["artifacts", "good", "--patch"],
    "artifacts --changes": ["artifacts", "good", "--changes"],
    config: ["config"],
  };
  const onTerminal = {
    ...asked,
    "status RUN": ["status", "bad"],
    "validate -f FILE": ["validate", "-f", hostileFile],
    "status with a hostile selector": ["status", hostileLine],
  };
  const hasScript = spawnSync("script", ["--version"]).status === 0;

  it.runIf(hasScript).each(Object.entries(onTerminal))("neutralises what `wave %s` prints on a terminal", (_, words) => {
    const line = [process.execPath, cli, ...words].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
    const { stdout } = spawnSync("script", ["-qec", line, "/dev/null"], { cwd: template, env, input: "" });
    expect(stdout.length).toBeGreaterThan(20);
    // The terminal's driver writes CR LF.
    expect(controlsIn(stdout.toString().replaceAll("\r\n", "\n"), "colors")).toEqual([]);
  });

  it.each(Object.entries(asked))("prints no workflow command for `wave %s` on a runner, and warns where that changed data", (_, words) => {
    const { stdout, stderr } = wave(words, { GITHUB_ACTIONS: "true" });
    expect([commandsIn(stdout.toString()), controlsIn(stdout.toString())]).toEqual([[], []]);
    expect(stderr.toString().includes("redirect it to a file for the exact bytes")).toBe(!words.includes("--changes"));
  });

  it.each([{}, { GITHUB_ACTIONS: "true" }])("writes every byte of a log into a file, with %j", (more) => {
    const file = path.join(template, "log.bin");
    const descriptor = openSync(file, "w");
    try {
      const ended = spawnSync(process.execPath, [cli, "logs", "write"], {
        ...{ cwd: template, env: { ...env, ...more } },
        stdio: ["ignore", descriptor, "pipe"],
      });
      expect({ status: ended.status, stderr: ended.stderr.toString() }).toEqual({ status: 0, stderr: "" });
    } finally {
      closeSync(descriptor);
    }
    expect(readFileSync(file)).toEqual(printed);
  });

  it("writes every byte of a log and of a patch into a pipe", () => {
    expect(wave(["logs", "write"]).stdout).toEqual(printed);
    const { stdout } = wave(["artifacts", "good", "--patch"]);
    const root = copy();
    execFileSync("git", ["-C", root, "clean", "-qfdx", "--", "made", "out"]);
    execFileSync("git", ["-C", root, "apply"], { input: stdout });
    const names = hostileNames.map((name) => readFileSync(path.join(root, "made", name)));
    expect(names).toEqual(hostileNames.map(() => printed));
  });
});
