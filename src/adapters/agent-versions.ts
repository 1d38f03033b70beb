/** Which versions of agents this version of wave was tested with, and what installing one takes. A manifest may name another. */

export interface AgentPackage {
  /** On npm. */
  readonly package: string;
  readonly version: string;
  /** About what it takes on disk, in megabytes. */
  readonly megabytes: number;
  /** Where the program lies below a directory that the package was installed into, for a system like this one. */
  program(system: AgentSystem): string;
}

export interface AgentSystem {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  /** A Linux without glibc. */
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

/** Rust's names of systems, under which Codex's programs lie. */
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

/** A program of Node. */
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

/** This machine. */
export function thisSystem(): AgentSystem {
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  const musl = process.platform === "linux" && report?.header?.glibcVersionRuntime === undefined;
  return { platform: process.platform, arch: process.arch, musl };
}
