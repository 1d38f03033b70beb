/**
 * Agents speak to their model and to nobody else: each does a step in a network namespace of its own, where a device that leads nowhere counts every byte that is
 * for another host, questions to name servers included. Nothing is denied to the steps: what is not sent, nobody wanted to send. Linux, as root or with sudo.
 */
import { spawn } from "node:child_process";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { agentProgram } from "../../src/adapters/agent-program.ts";
import { claudePackage, codexPackage, copilotPackage, geminiPackage, opencodePackage } from "../../src/adapters/agent-versions.ts";
import { cli, project } from "../rig/project.ts";

const network = [
  "ip link set lo up",
  // The other end takes everything and answers nothing.
  "ip link add nowhere type veth peer name sink",
  // The kernel's own words to neighbours would count.
  "for end in nowhere sink; do echo 1 > /proc/sys/net/ipv6/conf/$end/disable_ipv6; done",
  "ip addr add 198.51.100.2/24 dev nowhere",
  "ip link set nowhere up && ip link set sink up",
  "ip neigh add 198.51.100.1 lladdr 02:00:00:00:00:01 dev nowhere",
  "ip route add default via 198.51.100.1",
  'exec "$@"',
].join(" && ");

interface Came {
  readonly code: number;
  readonly stderr: string;
  readonly requests: number;
  readonly elsewhere: number;
}

async function lonely(manifest: string, key: string, toolCalls: readonly object[]): Promise<Came> {
  const wave = project({ "a.txt": "1\n" });
  const { PATH = "", HOME = "", WAVE_CACHE_DIR } = process.env;
  const env = { PATH, HOME, [key]: "sk-test-key", ...(WAVE_CACHE_DIR === undefined ? {} : { WAVE_CACHE_DIR }) };
  const script = path.join(import.meta.dirname, "lonely.mjs");
  const words = ["unshare", "-n", "sh", "-c", network, "sh", process.execPath, script];
  const [program = "", ...rest] = process.getuid?.() === 0 ? words : ["sudo", "-n", "-E", ...words];
  const child = spawn(program, rest, { stdio: ["pipe", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk;
  });
  child.stdin.end(JSON.stringify({ root: wave.root, cli, manifest, env, toolCalls }));
  await new Promise((resolve) => child.on("close", resolve));
  expect(stdout, stderr).not.toBe("");
  return JSON.parse(stdout) as Came;
}

const stepOf = (adapter: string, settings: string, key: string) => `
secrets: [${key}]
adapters: { ${adapter}: { ${settings} } }
pipeline:
  name: lonely
  steps: [{ id: look, persona: craftsman, adapter: ${adapter}, task: Look }]
`;

const packages = { claude: claudePackage, codex: codexPackage, gemini: geminiPackage, copilot: copilotPackage, opencode: opencodePackage };

describe.each([
  ["claude", "ANTHROPIC_API_KEY", "claude-sonnet-4-5", "", "Bash", { command: "echo 2 > a.txt" }],
  ["codex", "OPENAI_API_KEY", "gpt-5", "/v1", "exec_command", { cmd: "echo 2 > a.txt" }],
  ["gemini", "GEMINI_API_KEY", "gemini-2.5-pro", "", "run_shell_command", { command: "echo 2 > a.txt" }],
  ["copilot", "COPILOT_PROVIDER_API_KEY", "m1", "/v1", "bash", { command: "echo 2 > a.txt", description: "x" }],
  ["opencode", "OPENAI_API_KEY", "m1", "/v1", "bash", { command: "echo 2 > a.txt", description: "x" }],
  ["api", "OPENAI_API_KEY", "m1", "/v1", "write_file", { path: "a.txt", content: "2" }],
] as const)("%s", (adapter, key, model, base, tool, words) => {
  beforeAll(async () => {
    if (adapter === "api") return;
    const wanted = packages[adapter];
    // Where its step runs npm reaches nobody.
    const search = { name: adapter, package: wanted, version: wanted.version, env: process.env, onProgress: () => {} };
    expect(await agentProgram(search)).toMatchObject({ ok: true });
  });
  test("sends nothing to any other host", async () => {
    const manifest = stepOf(adapter, `base_url: "MODEL${base}", model: ${model}`, key);
    const came = await lonely(manifest, key, [{ name: tool, arguments: JSON.stringify(words) }]);
    expect(came, came.stderr).toMatchObject({ code: 0, requests: 2, elsewhere: 0 });
  });
});

test("what is sent elsewhere is counted", async () => {
  const manifest = `pipeline: { name: lonely, steps: [{ id: look, persona: caller }] }
personas: { caller: { command: "timeout 5 getent hosts wave.example; true" } }
`;
  const came = await lonely(manifest, "KEY", []);
  expect(came.code, came.stderr).toBe(0);
  expect(came.elsewhere).toBeGreaterThan(0);
});
