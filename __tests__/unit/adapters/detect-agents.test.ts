import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import { defaultAgent, detectAgents } from "../../../src/adapters/detect-agents.ts";

const made: string[] = [];
afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true });
});

/** Creates a directory with these files. Files without the executable bit are not programs. */
function directory(files: Readonly<Record<string, number>>): string {
  const root = mkdtempSync(path.join(tmpdir(), "wave-path-"));
  made.push(root);
  for (const [name, mode] of Object.entries(files)) {
    writeFileSync(path.join(root, name), "");
    chmodSync(path.join(root, name), mode);
  }
  return root;
}

test("chooses the agent with a key by preference, and one on PATH before one that npm would install", () => {
  const both = { ANTHROPIC_API_KEY: "a", OPENAI_API_KEY: "o" };
  expect(defaultAgent({})).toBeUndefined();
  expect(defaultAgent({ ANTHROPIC_API_KEY: "" })).toBeUndefined();
  expect(defaultAgent({ CLAUDE_CODE_OAUTH_TOKEN: "t" })).toBe("claude");
  expect(defaultAgent({ CODEX_API_KEY: "k", PATH: directory({ claude: 0o755 }) })).toBe("codex");
  expect(defaultAgent({ ...both, PATH: directory({}) })).toBe("claude");
  expect(defaultAgent({ ...both, PATH: directory({ codex: 0o755 }) })).toBe("codex");
  expect(defaultAgent({ ...both, PATH: directory({ codex: 0o755, claude: 0o755 }) })).toBe("claude");
  // A program without a key does not count.
  expect(defaultAgent({ PATH: directory({ claude: 0o755 }) })).toBeUndefined();
});

test("detects each agent's key and program", () => {
  const first = directory({ codex: 0o644 });
  const second = directory({ codex: 0o755 });
  expect(detectAgents({ OPENAI_API_KEY: "", CODEX_API_KEY: "k", PATH: `.:${first}:${second}` })).toEqual([
    { name: "claude" },
    { name: "codex", key: "CODEX_API_KEY", program: path.join(second, "codex") },
    { name: "gemini" },
    { name: "copilot" },
    { name: "opencode" },
  ]);
});
