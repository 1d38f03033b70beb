/** The agent versions that this version of Wave was tested with, and their npm packages. A manifest may set another version. */

export interface AgentPackage {
  /** The npm package. */
  readonly package: string;
  readonly version: string;
  /** Approximate installed size, in megabytes. */
  readonly megabytes: number;
  /** The program's path relative to the npm prefix, for a system. */
  program(system: AgentSystem): string;
}

export interface AgentSystem {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  /** Linux without glibc. */
  readonly musl: boolean;
}

export const claudePackage: AgentPackage = {
  package: "@anthropic-ai/claude-code",
  version: "2.1.330",
  megabytes: 364,
  program({ platform, arch, musl }) {
    const directory = `node_modules/@anthropic-ai/claude-code-${platform}-${arch}${musl ? "-musl" : ""}`;
    return `${directory}/claude${platform === "win32" ? ".exe" : ""}`;
  },
};

/** System → Rust target triple, which names the directory of Codex's program. */
const targets: Readonly<Record<string, string>> = {
  "linux-x64": "x86_64-unknown-linux-musl",
  "linux-arm64": "aarch64-unknown-linux-musl",
  "darwin-x64": "x86_64-apple-darwin",
  "darwin-arm64": "aarch64-apple-darwin",
  "win32-x64": "x86_64-pc-windows-msvc",
};

export const codexPackage: AgentPackage = {
  package: "@openai/codex",
  version: "0.169.0",
  megabytes: 404,
  program({ platform, arch }) {
    const system = `${platform}-${arch}`;
    return `node_modules/@openai/codex-${system}/vendor/${targets[system] ?? system}/bin/codex${platform === "win32" ? ".exe" : ""}`;
  },
};

/** A Node script, the same for every system. */
export const geminiPackage: AgentPackage = {
  package: "@google/gemini-cli",
  version: "0.61.0",
  megabytes: 100,
  program: () => "node_modules/@google/gemini-cli/bundle/gemini.js",
};

export const copilotPackage: AgentPackage = {
  package: "@github/copilot",
  version: "1.0.102",
  megabytes: 189,
  program: ({ platform, arch, musl }) =>
    `node_modules/@github/copilot-${platform}${musl ? "musl" : ""}-${arch}/copilot${platform === "win32" ? ".exe" : ""}`,
};

export const opencodePackage: AgentPackage = {
  package: "opencode-ai",
  version: "1.18.33",
  megabytes: 354,
  program({ platform, arch, musl }) {
    const system = `${platform === "win32" ? "windows" : platform}-${arch}${musl ? "-musl" : ""}`;
    return `node_modules/opencode-${system}/bin/opencode${platform === "win32" ? ".exe" : ""}`;
  },
};

/** Without a process report, Linux counts as musl. */
export function thisSystem(): AgentSystem {
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  const musl = process.platform === "linux" && report?.header?.glibcVersionRuntime === undefined;
  return { platform: process.platform, arch: process.arch, musl };
}
