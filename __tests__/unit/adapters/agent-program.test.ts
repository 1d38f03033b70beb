import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AgentSearch, agentProgram } from "../../../src/adapters/agent-program.ts";

let root = "";
beforeEach(() => {
  root = realpathSync(mkdtempSync(path.join(tmpdir(), "wave-agent-")));
  mkdirSync(path.join(root, "bin"));
});
afterEach(() => rmSync(root, { recursive: true }));

function program(name: string, ...lines: readonly string[]): string {
  const file = path.join(root, "bin", name);
  writeFileSync(file, ["#!/bin/sh", ...lines, ""].join("\n"));
  chmodSync(file, 0o755);
  return file;
}

/** Only `bin` of the test and the shell's programs are on PATH: no real npm, no real agent. */
function search(env: Readonly<Record<string, string>> = {}): AgentSearch {
  for (const name of ["mkdir", "chmod", "env"]) if (!existsSync(path.join(root, "bin", name))) program(name, `command -p ${name} "$@"`);
  return {
    name: "agent",
    package: { package: "@example/agent", version: "1.2.3", megabytes: 1, program: () => "node_modules/agent" },
    version: "1.2.3",
    env: { PATH: path.join(root, "bin"), WAVE_CACHE_DIR: path.join(root, "cache"), ...env },
    onProgress: () => {},
  };
}

const installing = ["mkdir -p node_modules", "echo > node_modules/agent", "chmod +x node_modules/agent"];

describe("agentProgram", () => {
  it("returns the program on PATH if it prints the requested version", async () => {
    const file = program("agent", "echo 'agent 1.2.3 (build 7)'");
    expect(await agentProgram(search())).toEqual({ ok: true, value: file });
  });

  it("installs with npm if the program on PATH has another version, and keeps the job's variables from both", async () => {
    program("agent", `env > ${root}/probe`, "echo 1.2.4");
    program("npm", `env > ${root}/npm`, ...installing);
    const job = {
      ACTIONS_RUNTIME_TOKEN: "secret",
      INPUT_PIPELINE: "build",
      GITHUB_TOKEN: "secret",
      npm_config_registry: "http://127.0.0.1:9/",
    };
    expect(await agentProgram(search(job))).toEqual({
      ok: true,
      value: path.join(root, "cache/agents/agent/1.2.3/node_modules/agent"),
    });
    for (const file of ["probe", "npm"]) expect(readFileSync(path.join(root, file), "utf8")).not.toMatch(/ACTIONS_|INPUT_|GITHUB_/);
    expect(readFileSync(path.join(root, "npm"), "utf8")).toContain("npm_config_registry=http://127.0.0.1:9/");
  });

  it("installs once and then uses the cache", async () => {
    program("npm", `echo x >> ${root}/installs`, ...installing);
    await agentProgram(search());
    expect(await agentProgram(search())).toMatchObject({ ok: true });
    expect(readFileSync(path.join(root, "installs"), "utf8")).toBe("x\n");
  });

  it("reports the first line of npm's errors and leaves no draft", async () => {
    program("npm", "echo 'npm error 404' >&2", "echo more >&2", "exit 1");
    expect(await agentProgram(search())).toMatchObject({
      ok: false,
      error: { detail: "npm could not install @example/agent 1.2.3: npm error 404" },
    });
    expect(readdirSync(path.join(root, "cache"), { recursive: true, encoding: "utf8" }).filter((name) => name.includes("1.2.3"))).toEqual(
      [],
    );
  });

  it("reports a missing npm", async () => {
    expect(await agentProgram(search())).toMatchObject({ ok: false, error: { detail: expect.stringContaining("npm was not found") } });
  });
});
