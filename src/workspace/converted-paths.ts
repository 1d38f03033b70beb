/**
 * Tracked files that git may store with other bytes than they have on disk: by a filter (LFS), by `ident`, or in another encoding. For these
 * git's id of a clean file does not say which bytes are on disk: a file of LFS is as clean as its pointer.
 */
import { statSync } from "node:fs";
import path from "node:path";
import { runGit } from "../platform/git.ts";
import { type GitRepository, readSmall } from "../platform/git-repository.ts";
import { relativeInside } from "../platform/paths.ts";

const attributesFile = ".gitattributes";
/** The largest file of attributes that is read; git reads no larger ones, either. In bytes. */
const largest = 100 * 1024 * 1024;

/**
 * The paths of `tracked`, relative to `directory`, to which the attributes of the work tree or of `info/attributes` apply a conversion. All of
 * them if git has no answer. Nothing is asked of git unless a file of attributes mentions one. `names` are all paths that git lists, as
 * far as they can be attributes. Never rejects.
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
  // From the top: below it, older versions read attributes of the wrong directories for patterns.
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
