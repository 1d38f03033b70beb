/** Builds the failure of operations on workspaces and trees. */
import type { Failure } from "./failure.ts";
import { type Err, err } from "./result.ts";

/** A `workspace-failed` error. `code` is an errno name, or one of Wave's own: `ECOPY`, `EGIT`, `EPATCH`. */
export function workspaceFailed(code: string, detail: string): Err<Failure> {
  return err({ reason: "workspace-failed", code, detail });
}
