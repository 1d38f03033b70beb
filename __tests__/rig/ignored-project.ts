/** A project in a git repository of its own, in which everything that git does not ignore is committed. */
import { execFileSync } from "node:child_process";
import { type Project, project } from "./project.ts";

export function gitRepository(files: Readonly<Record<string, string>>): Project {
  const wave = project(files);
  const git = (...words: string[]) => execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b", ...words], { cwd: wave.root });
  git("init", "-q");
  git("add", "-A");
  git("commit", "-qm", "base");
  return wave;
}
