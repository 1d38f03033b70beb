import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import { agentsHere, defaultAgent } from "../../../src/adapters/detect-agents.ts";

const made: string[] = [];
afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true });
});

/** A directory with these files; those whose mode has no `x` are no programs. */
function directory(files: Readonly<Record<string, number>>): string {
  const root = mkdtempSync(path.join(tmpdir(), "wave-path-"));
  made.push(root);
  for (const [name, mode] of Object.entries(files)) {
    writeFileSync(path.join(root, name), "");
    chmodSync(path.join(root, name), mode);
  }
  return root;
}

test("an agent is chosen for its key, the usual one first; one that is here already before one that npm would bring", () => {
  const both = { ANTHROPIC_API_KEY: "a", OPENAI_API_KEY: "o" };
  expect(defaultAgent({})).toBeUndefined();
  expect(defaultAgent({ ANTHROPIC_API_KEY: "" })).toBeUndefined();
  expect(defaultAgent({ CLAUDE_CODE_OAUTH_TOKEN: "t" })).toBe("claude");
  expect(defaultAgent({ CODEX_API_KEY: "k", PATH: directory({ claude: 0o755 }) })).toBe("codex");
  expect(defaultAgent({ ...both, PATH: directory({}) })).toBe("claude");
  expect(defaultAgent({ ...both, PATH: directory({ codex: 0o755 }) })).toBe("codex");
  expect(defaultAgent({ ...both, PATH: directory({ codex: 0o755, claude: 0o755 }) })).toBe("claude");
  // A program alone cannot work: a login is not shown to it.
  expect(defaultAgent({ PATH: directory({ claude: 0o755 }) })).toBeUndefined();
});

test("what is here is told: which key, which program", () => {
  const first = directory({ codex: 0o644 });
  const second = directory({ codex: 0o755 });
  expect(agentsHere({ OPENAI_API_KEY: "", CODEX_API_KEY: "k", PATH: `.:${first}:${second}` })).toEqual([
    { name: "claude" },
    { name: "codex", key: "CODEX_API_KEY", program: path.join(second, "codex") },
    { name: "gemini" },
    { name: "copilot" },
    { name: "opencode" },
  ]);
});
