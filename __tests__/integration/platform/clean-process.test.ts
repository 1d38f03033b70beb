/** What other processes can read of the initial environment of the Action's process. */
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { node24 } from "../../rig/actions/node24.ts";
import { bundledChild, type Fixture } from "../../rig/bundled-child.ts";

interface Seen {
  readonly again: boolean;
  readonly overwritten: boolean;
  readonly pid: number;
  readonly words: readonly string[];
  readonly initial: string;
  readonly env: Readonly<Record<string, string>>;
  readonly files: readonly string[];
  readonly standardInput: string;
  readonly child: string;
}

let fixture: Fixture;
beforeAll(async () => {
  fixture = await bundledChild(new URL("../../rig/clean-process-child.ts", import.meta.url));
});
afterAll(() => fixture.close());

const env = {
  PATH: process.env["PATH"] ?? "",
  HOME: "/nowhere",
  TOKEN: "not-to-be-seen",
  "INPUT_GITHUB-TOKEN": "not-to-be-seen either",
  EMPTY: "",
  LINES: "one\ntwo=three\u{1F30A}",
  LARGE: "x".repeat(100_000),
};

async function start(
  way: string,
  ...nodeWords: string[]
): Promise<Seen & { readonly started: number | undefined; readonly stderr: string }> {
  const child = spawn(node24(), [...nodeWords, fixture.file, way, "word"], { env, stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.end("what the runner leaves on standard input");
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  await new Promise((resolve) => child.on("close", resolve));
  return { ...(JSON.parse(stdout) as Seen), started: child.pid, stderr };
}

describe.runIf(process.platform === "linux")("a process that overwrites its initial environment", () => {
  it("keeps its variables but exposes none", async () => {
    const seen = await start("overwrite");
    expect({ overwritten: seen.overwritten, env: seen.env }).toEqual({ overwritten: true, env });
    expect(seen.initial).toMatch(/^\0*$/);
    expect(seen.initial.length).toBeGreaterThan(100_000);
  });

  it("still passes its variables to children", async () => {
    expect((await start("overwrite")).child).toContain("TOKEN=not-to-be-seen");
  });
});

describe.runIf(process.platform === "linux")("a process that executes itself again", () => {
  it("keeps its id, arguments and variables, and exposes only the variables that Node needs to start", async () => {
    const seen = await start("execute", "--no-deprecation");
    expect(seen).toMatchObject({ again: true, pid: seen.started, words: ["execute", "word"], env, stderr: "" });
    expect(seen.initial).toBe(`PATH=${env.PATH}\0HOME=/nowhere\0`);
  });

  it("leaves no descriptor, directory entry or child with the environment file", async () => {
    const before = new Set(readdirSync("/dev/shm"));
    const seen = await start("execute");
    expect(seen.files.filter((file) => file.includes("(deleted)"))).toEqual([]);
    expect(seen.standardInput).toBe("");
    expect(seen.child).not.toContain("(deleted)");
    expect(readdirSync("/dev/shm").filter((name) => !before.has(name) && name.startsWith(`wave-${seen.pid}-`))).toEqual([]);
  });
});
