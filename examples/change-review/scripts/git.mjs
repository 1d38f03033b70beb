/** The repository around the working directory, read and never written. */
import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, readFileSync, realpathSync } from "node:fs";
import path from "node:path";
import { fail } from "./step.mjs";

/** The root of the repository that the working directory lies in. */
export const top = findTop(realpathSync("."));

/** Runs git in the repository's root and gives what it printed. Throws when git fails. */
export function git(...args) {
  // The child's HOME is empty, so git has no one else's word that it may read a tree that another user owns. Programs that the
  // repository's configuration names are not run.
  const settings = [`safe.directory=${top.split(path.sep).join("/")}`, "core.fsmonitor=false", "core.quotePath=true"];
  return execFileSync("git", [...settings.flatMap((setting) => ["-c", setting]), ...args], {
    cwd: top,
    encoding: "utf8",
    maxBuffer: 1 << 30,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, GIT_OPTIONAL_LOCKS: "0", GIT_TERMINAL_PROMPT: "0" },
  });
}

/** As {@link git}, for a question that may have no answer. */
export function ask(...args) {
  try {
    return git(...args).trim();
  } catch (error) {
    if (error.code === "ENOENT") fail("git is not installed, and this pipeline reviews a git repository");
    return undefined;
  }
}

/** The parts of NUL-separated output. */
export function parts(output) {
  return output.split("\0").filter((part) => part !== "");
}

/** A file's bytes in the working tree; nothing where it is not a regular file. */
export function workingFile(file) {
  const place = path.join(top, file);
  return lstatSync(place, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(place) : undefined;
}

function findTop(start) {
  for (let directory = start; ; directory = path.dirname(directory)) {
    if (existsSync(path.join(directory, ".git"))) return directory;
    if (directory === path.dirname(directory)) fail(`${start} lies in no git repository, and this pipeline reviews one`);
  }
}
