/** What a job leaves for its own `post`. Beside the run: where the runner's file cannot be written, that is said, and the job goes on. */
import { saveState } from "@actions/core";
import { describeIoError } from "../platform/files.ts";

/** Keeps a value under a name for `post`. */
export function noteForPost(name: string, value: string, warn: (text: string) => void): void {
  try {
    saveState(name, value);
  } catch (error) {
    const { code, detail } = describeIoError(error);
    warn(`nothing can be left for the end of the job, so what is not saved by then is lost: ${detail} (${code})`);
  }
}
