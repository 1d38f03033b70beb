/**
 * Finds tracked files that git may store with other bytes than on disk: with a filter (LFS), `ident`, or another encoding.
 * Git's id of such a clean file does not determine the bytes on disk: an LFS file and its pointer are both clean.
 */
import { statSync } from "node:fs";
import path from "node:path";
import { runGit } from "../platform/git.ts";
import { type GitRepository, readSmall } from "../platform/git-repository.ts";
import { relativeInside } from "../platform/paths.ts";

const attributesFile = ".gitattributes";
/** The largest attributes file to read, in bytes. Git has the same limit. */
const largest = 100 * 1024 * 1024;

/**
 * The paths in the index below `directory` to which the attributes of the work tree or of `info/attributes` apply a
 * conversion. `all` if git fails. Git runs only if an attributes file mentions a conversion. `names`: all paths that git
 * lists, at least those of attributes files. Never rejects.
 */
export async function convertedPaths(
  directory: string,
  { top, common }: GitRepository,
  names: Iterable<string>,
): Promise<"all" | readonly string[]> {
  const info = path.join(common, "info", "attributes");
  const prefix = relativeInside(top, directory) ?? "";
  const mentioned = new Set<string>();
  for (const file of attributeFiles(top, directory, prefix, names, info)) {
    const text = readSmall(file, largest)?.toString() ?? "";
    for (const [, name = ""] of text.matchAll(/\b(filter|ident|working-tree-encoding|eol(?==crlf\b))/g)) mentioned.add(name);
  }
  if (mentioned.size === 0) return [];
  const none = [...mentioned].map((name) => `!${name}`).join(" ");
  const attributes = statSync(info, { throwIfNoEntry: false })?.isFile() === true ? ["-c", `core.attributesFile=${info}`] : [];
  // Run from the top: in a subdirectory, older versions apply attributes of the wrong directories.
  const within = prefix === "" ? "." : `:(literal)${prefix}`;
  const answer = await runGit([...attributes, "ls-files", "-z", "--", within, `:(exclude,attr:${none})`], top);
  if (!answer.ok || answer.value.code !== 0) return "all";
  const start = prefix === "" ? 0 : prefix.length + 1;
  return answer.value.stdout
    .toString()
    .split("\0")
    .slice(0, -1)
    .map((name) => name.slice(start));
}

function attributeFiles(top: string, directory: string, prefix: string, names: Iterable<string>, info: string): readonly string[] {
  const files = [info];
  for (const name of names) {
    if (name.endsWith(attributesFile) && path.posix.basename(name) === attributesFile) files.push(path.join(directory, name));
  }
  const above = prefix.split("/").filter((part) => part !== "");
  for (let depth = 0; depth < above.length; depth++) files.push(path.join(top, ...above.slice(0, depth), attributesFile));
  return files;
}
