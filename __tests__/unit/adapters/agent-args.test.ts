/** The arguments, variables and files of Gemini CLI, Copilot CLI and OpenCode for a step's permissions. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { copilotPackage, geminiPackage, opencodePackage, thisSystem } from "../../../src/adapters/agent-versions.ts";
import { copilotAdapter } from "../../../src/adapters/copilot/copilot.ts";
import { geminiAdapter } from "../../../src/adapters/gemini/gemini.ts";
import { opencodeAdapter } from "../../../src/adapters/opencode/opencode.ts";
import { endpointsOf, isEndpoint } from "../../../src/core/agent-endpoint.ts";
import type { Step } from "../../../src/core/pipeline.ts";
import type { SpawnRequest, Workspace } from "../../../src/core/ports.ts";
import { layer, step } from "../../rig/plan-fixtures.ts";

const paths = { root: "/p", inputs: "/wave/inputs", output: "/wave/output", taskFile: "/wave/task.md", home: "/wave/home", temp: "/tmp" };
type Name = "gemini" | "copilot" | "opencode";
const adapters = { gemini: geminiAdapter, copilot: copilotAdapter, opencode: opencodeAdapter };
const packages = { gemini: geminiPackage, copilot: copilotPackage, opencode: opencodePackage };

const made: string[] = [];
afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true });
});

/** The adapter, with a program of the right version in Wave's cache. It is never run. */
function adapterOf(name: Name) {
  const cache = mkdtempSync(path.join(tmpdir(), "wave-cache-"));
  made.push(cache);
  const { version, program } = packages[name];
  const file = path.join(cache, "agents", name, version, program(thisSystem()));
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, "", { mode: 0o755 });
  return { file, adapter: adapters[name]({ env: { PATH: "/usr/bin", WAVE_CACHE_DIR: cache }, onProgress: () => undefined }) };
}

const stepOf = (name: Name, of: Partial<Step>) => step("one", { adapter: { name, chosenBy: "step" }, ...of });

/** Starts the agent in a fake workspace and returns its arguments, variables and files. */
async function start(name: Name, of: Partial<Step>) {
  const files: Record<string, string> = {};
  const requests: SpawnRequest[] = [];
  const nothing = async () => ({ ok: true, value: undefined }) as const;
  const workspace: Workspace = {
    paths,
    async spawn(request) {
      requests.push(request);
      return { kind: "exited", code: 0 };
    },
    read: async () => ({ ok: false, error: { reason: "file-unreadable", path: "x", code: "ENOENT", detail: "" } }),
    list: async () => ({ ok: true, value: [] }),
    async write(_area, leaves) {
      for (const [file, leaf] of leaves) if (leaf !== undefined && "bytes" in leaf) files[file] = Buffer.from(leaf.bytes).toString();
      return { ok: true, value: undefined };
    },
    changeset: nothing,
    discard: async () => {},
  };
  const { adapter, file } = adapterOf(name);
  const one = stepOf(name, of);
  await adapter.run({
    ...{ step: one, attempt: { runId: "r", number: 1 }, workspace, prompt: "p", env: {}, files: new Map() },
    fingerprint: { work: "sha256:w", gate: "sha256:g", parts: {} },
    signal: new AbortController().signal,
    log: { write: () => undefined, tail: () => "" },
  });
  const [request] = requests;
  return { command: request?.command as readonly string[], env: request?.env ?? {}, files, file };
}

describe("settings that an agent cannot honor are reported before the run", () => {
  const secrets = (...names: string[]) => ({ secrets: names });
  const adapter = (name: Name, members: object = {}) => ({ adapter: { name, chosenBy: "step", ...members } as const });

  test.each([
    ["gemini", {}, "has no key: the step declares none"],
    ["gemini", secrets("GEMINI_API_KEY"), "GEMINI_API_KEY is not set"],
    [
      "gemini",
      { ...secrets("GEMINI_API_KEY"), resources: { timeoutMs: 1, diskLimitBytes: 1, maxCostUsd: 1 } },
      "`max_cost` cannot be enforced",
    ],
    ["copilot", secrets("COPILOT_PROVIDER_API_KEY"), "needs COPILOT_GITHUB_TOKEN for GitHub's models"],
    [
      "copilot",
      { ...secrets("COPILOT_GITHUB_TOKEN"), ...adapter("copilot", { baseUrl: "http://x", model: "m" }) },
      "needs COPILOT_PROVIDER_API_KEY",
    ],
    ["copilot", { ...secrets("COPILOT_PROVIDER_API_KEY"), ...adapter("copilot", { baseUrl: "http://x" }) }, "has no model"],
    ["opencode", secrets("OPENCODE_API_KEY"), "has no model"],
    ["opencode", { ...secrets("OPENCODE_API_KEY"), ...adapter("opencode", { model: "m1" }) }, "cannot find the provider of model `m1`"],
  ] as const)("%s: %j", async (name, of, detail) => {
    const problem = await adapterOf(name).adapter.problem?.(stepOf(name, of as Partial<Step>));
    expect(problem?.detail).toContain(detail);
  });
});

test("each agent reaches only its own model's host", () => {
  const of = (name: Name | "api", members: object = {}) => endpointsOf({ adapter: { name, chosenBy: "step", ...members } });
  expect(of("gemini")).toEqual(["generativelanguage.googleapis.com:443"]);
  expect(of("opencode", { model: "openrouter/x/y" })).toEqual(["openrouter.ai:443"]);
  expect(of("opencode", { model: "who-knows/x" })).toEqual([]);
  expect(of("api", { baseUrl: "http://localhost:4000/v1" })).toEqual(["localhost:4000"]);
  const copilot = of("copilot");
  expect(["api.github.com:443", "api.business.githubcopilot.com:443"].map((host) => isEndpoint(copilot, host))).toEqual([true, true]);
  expect(["github.com:443", "evilgithubcopilot.com:443", "api.github.com:80"].map((host) => isEndpoint(copilot, host))).toEqual([
    false,
    false,
    false,
  ]);
});

describe("arguments and configuration", () => {
  const permissions = {
    layers: [layer("persona", ["file_write:src/**", "command:git *", "command:npm test"], ["command:git push *", "network_access:*"])],
  };
  const nothing = { layers: [layer("step", [], ["command:*", "network_access:*"])] };
  const rules = (text: string | undefined) =>
    (text ?? "")
      .trim()
      .split("\n\n")
      .map((rule) => rule.trim().split("\n").slice(1));

  test("Gemini CLI gets the rules as a policy, without the repository's hooks and servers", async () => {
    const { command, env, files, file } = await start("gemini", {
      permissions,
      adapter: { name: "gemini", chosenBy: "step", model: "m", baseUrl: "http://x" },
    });
    expect(command.slice(0, 2)).toEqual([process.execPath, file]);
    expect(command.slice(-2)).toEqual(["--model", "m"]);
    expect(command).toEqual(expect.arrayContaining(["--policy", "/tmp/gemini/policy.toml", "--approval-mode", "yolo"]));
    expect(env).toMatchObject({ GEMINI_CLI_HOME: "/tmp/gemini", GOOGLE_GEMINI_BASE_URL: "http://x" });
    expect(rules(files["gemini/policy.toml"])).toEqual([
      ['toolName = "google_web_search"', 'decision = "deny"', "priority = 900"],
      ['toolName = "web_fetch"', 'decision = "deny"', "priority = 900"],
      ['toolName = "run_shell_command"', 'decision = "deny"', "priority = 800", String.raw`commandRegex = "git push(?: .*)?\""`],
      ['toolName = "run_shell_command"', 'decision = "allow"', "priority = 700", String.raw`commandRegex = "git(?: .*)?\""`],
      ['toolName = "run_shell_command"', 'decision = "allow"', "priority = 700", String.raw`commandRegex = "npm test\""`],
      ['toolName = "run_shell_command"', 'decision = "deny"', "priority = 600"],
    ]);
    expect(JSON.parse(files["gemini/system.json"] ?? "")).toMatchObject({ hooksConfig: { enabled: false }, telemetry: { enabled: false } });
    const closed = await start("gemini", { permissions: nothing });
    expect(rules(closed.files["gemini/policy.toml"])).toContainEqual([
      'toolName = "run_shell_command"',
      'decision = "deny"',
      "priority = 900",
    ]);
  });

  test("Copilot CLI gets the rules as options, and all tools if any command may run", async () => {
    const { command, env } = await start("copilot", { permissions });
    expect(command.slice(command.indexOf("--allow-all-paths"))).toEqual([
      "--allow-all-paths",
      ...["--allow-tool", "write(/p/src/**)", "--allow-tool", "write(/wave/output/**)"],
      ...["--allow-tool", "shell(git:*)", "--allow-tool", "shell(npm test)", "--deny-tool", "shell(git push:*)"],
    ]);
    expect(env).not.toHaveProperty("COPILOT_OFFLINE");
    const open = await start("copilot", { adapter: { name: "copilot", chosenBy: "step", model: "m", baseUrl: "http://x/v1" } });
    expect(open.command.slice(-2)).toEqual(["--allow-all-tools", "--allow-all-urls"]);
    expect(open.env).toMatchObject({ COPILOT_OFFLINE: "true", COPILOT_PROVIDER_BASE_URL: "http://x/v1", COPILOT_HOME: "/tmp/copilot" });
    const closed = await start("copilot", { permissions: nothing });
    expect(closed.command.slice(-4)).toEqual(["--allow-tool", "write", "--deny-tool", "shell"]);
  });

  test("OpenCode gets the rules as its only configuration", async () => {
    const { command, env, files } = await start("opencode", {
      permissions,
      secrets: ["OPENAI_API_KEY"],
      adapter: { name: "opencode", chosenBy: "step", model: "m", baseUrl: "http://x/v1" },
    });
    expect(command.slice(1)).toEqual(["run", "--format", "json", "--pure", "--title", "wave", "--model", "wave/m"]);
    expect(env).toMatchObject({
      OPENCODE_DISABLE_PROJECT_CONFIG: "1",
      OPENCODE_DISABLE_CLAUDE_CODE: "1",
      XDG_CONFIG_HOME: "/tmp/opencode",
      XDG_DATA_HOME: "/tmp/opencode",
    });
    expect(files).toEqual({ "opencode/opencode/.npmrc": "registry=http://127.0.0.1:9/\n" });
    expect(JSON.parse(env["OPENCODE_CONFIG_CONTENT"] ?? "")).toMatchObject({
      ...{ autoupdate: false, share: "disabled", enabled_providers: ["wave"], small_model: "wave/m" },
      provider: { wave: { options: { baseURL: "http://x/v1", apiKey: "{env:OPENAI_API_KEY}" }, models: { m: {} } } },
      permission: {
        edit: { "*": "deny", "src/**": "allow", "/wave/output/*": "allow" },
        bash: { "*": "deny", "git *": "allow", "npm test": "allow", "git push *": "deny" },
        ...{ webfetch: "deny", websearch: "deny" },
      },
    });
    const plain = await start("opencode", { adapter: { name: "opencode", chosenBy: "step", model: "anthropic/x" }, permissions: nothing });
    expect(plain.command.slice(-1)).toEqual(["anthropic/x"]);
    const config = JSON.parse(plain.env["OPENCODE_CONFIG_CONTENT"] ?? "");
    expect(config).toMatchObject({ permission: { bash: "deny", edit: { "*": "allow" } } });
    expect(config).not.toHaveProperty("provider");
  });
});
