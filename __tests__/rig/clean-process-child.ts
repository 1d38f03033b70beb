/**
 * A process that makes its initial environment unreadable in one of the two ways, then prints as JSON what another process of the same user can
 * read of it, and what a child of it inherits.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { executeAgain, overwriteEnvironment, takeEnvironment } from "../../src/platform/actions/clean-process.ts";

const again = takeEnvironment();
if (process.argv[2] === "execute" && !again) executeAgain();
const overwritten = process.argv[2] === "overwrite" && overwriteEnvironment();

const files = readdirSync("/proc/self/fd").flatMap((name) => {
  try {
    return [readlinkSync(`/proc/self/fd/${name}`)];
  } catch {
    return [];
  }
});
const seen = {
  ...{ again, overwritten, pid: process.pid, words: process.argv.slice(2) },
  initial: readFileSync("/proc/self/environ", "latin1"),
  env: { ...process.env },
  files,
  standardInput: readFileSync(0, "utf8"),
  child: execFileSync("sh", ["-c", "cat /proc/self/environ; ls -l /proc/$$/fd; cat"], {
    encoding: "latin1",
    stdio: ["inherit", "pipe", "inherit"],
  }),
};
process.stdout.write(JSON.stringify(seen));
