/** Saves values of `main` for `post`. */
import { saveState } from "@actions/core";
import { describeIoError } from "../platform/files.ts";

/** Saves a value for `post`. An I/O error is a warning and does not fail the job. */
export function savePostState(name: string, value: string, warn: (text: string) => void): void {
  try {
    saveState(name, value);
  } catch (error) {
    const { code, detail } = describeIoError(error);
    warn(`cannot save data for the end of the job, so state that is not uploaded before is lost: ${detail} (${code})`);
  }
}
