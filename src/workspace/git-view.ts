/**
 * What a fenced child sees of git: the repository that the project is or lies in, without credentials and without hooks. Masked
 * configurations are laid over the real ones.
 */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { ok, type Result } from "../model/result.ts";
import { runGit } from "../platform/git.ts";
import { gitConfigFiles, maskedGitConfig } from "./changeset/git-config.ts";
import type { Bind } from "./fence/view.ts";

export interface GitView {
  readonly binds: readonly Bind[];
  readonly masks: readonly string[];
  /** The project is a part of the repository, whose place lies around it. */
  readonly isAround: boolean;
  /** Configurations, and what to show in their place. */
  readonly configs: readonly { readonly file: string; readonly text: string }[];
}

/** The machine's own, which may hold tokens for its servers. */
const systemConfig = "/etc/gitconfig";

/** A project without git, or of which a step may not see it. */
export const noGit: GitView = { binds: [], masks: [], isAround: false, configs: [] };

/**
 * The view of the repository around `root`. Where the project is a part of a larger repository, the rest of it is there, read-only: tools
 * look for it. Without git or a repository there is nothing to see.
 */
export async function gitView(root: string): Promise<Result<GitView>> {
  const asked = await runGit(["rev-parse", "--path-format=absolute", "--show-toplevel", "--git-dir", "--git-common-dir"], root);
  if (!asked.ok || asked.value.code !== 0) return ok(noGit);
  const [top = "", own = "", common = ""] = asked.value.stdout.toString().split("\n");
  if (top === "" || own === "" || common === "") return ok(noGit);
  const around: Bind[] = isBelow(root, top) && root !== top ? [{ source: top, target: top, writable: false }] : [];
  const elsewhere = [...new Set([common, own])].filter((git) => !isBelow(git, root) && !isBelow(git, top));
  const configs = await maskConfigs([...new Set([common, own])]);
  if (!configs.ok) return configs;
  const system = await maskedGitConfig(systemConfig);
  if (!system.ok) return system;
  return ok({
    binds: [...around, ...elsewhere.map((git) => ({ source: git, target: git, writable: false }))],
    isAround: around.length > 0,
    masks: [...new Set([common, own])].map((git) => path.join(git, "hooks")),
    configs: [...configs.value, ...(system.value === "" ? [] : [{ file: systemConfig, text: system.value }])],
  });
}

/** The variables with which git finds it: it does not look past the edge of a file system, and the project's tree is one. */
export function gitVariables({ isAround }: GitView): Readonly<Record<string, string>> {
  return isAround ? { GIT_DISCOVERY_ACROSS_FILESYSTEM: "1" } : {};
}

/** What an attempt binds of it. The masked configurations are written into a directory of its own. Throws the file system's errors. */
export function gitBinds({ binds, configs }: GitView, directory: string): readonly Bind[] {
  const masked = configs.map(({ file, text }, index): Bind => {
    const source = path.join(directory, `git-config.${index}`);
    writeFileSync(source, text);
    return { source, target: file, writable: false, isFile: true };
  });
  return [...binds, ...masked];
}

async function maskConfigs(repositories: readonly string[]): Promise<Result<GitView["configs"]>> {
  const configs: { file: string; text: string }[] = [];
  for (const repository of repositories) {
    for (const name of await gitConfigFiles(repository)) {
      const file = path.join(repository, name);
      const text = await maskedGitConfig(file);
      if (!text.ok) return text;
      configs.push({ file, text: text.value });
    }
  }
  return ok(configs);
}

function isBelow(file: string, directory: string): boolean {
  const relative = path.relative(directory, file);
  return relative === "" || (!path.isAbsolute(relative) && relative !== ".." && !relative.startsWith(`..${path.sep}`));
}
