/** A manifest with errors, as annotations on its lines. */
import { setOutput } from "@actions/core";
import { exitCodeOf, type Failure } from "../model/failure.ts";
import type { Io } from "../model/io.ts";
import { renderDiagnostics } from "../report/render-diagnostics.ts";

/** Prints them, and gives the exit status; nothing for any other failure. */
export function reportInvalid(io: Io, failure: Failure): number | undefined {
  if (failure.reason !== "manifest-invalid") return undefined;
  setOutput("status", "error");
  io.stdout.writeControl(renderDiagnostics(io.secrets.redactor().value(failure.diagnostics), () => undefined, "github", { color: false }));
  return exitCodeOf(failure);
}
