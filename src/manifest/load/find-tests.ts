/** Reads the tests of a project's pipelines: the YAML files in `.wave/tests/`. Nothing is substituted in them: a test says what it says. */
import path from "node:path";
import { type Diagnostic, sortDiagnostics } from "../../core/diagnostic.ts";
import type { DocumentNode } from "../../core/document.ts";
import type { FileSource } from "../../core/ports.ts";
import { projectReader } from "./project-reader.ts";

export const testsDirectory = ".wave/tests";

export interface LoadedTest {
  /** The file's name, without its ending. */
  readonly name: string;
  readonly file: string;
  readonly document: DocumentNode;
}

export interface LoadedTests {
  readonly tests: readonly LoadedTest[];
  readonly diagnostics: readonly Diagnostic[];
}

/** By name. A file that cannot be read, or is no YAML, is a diagnostic. */
export async function loadTests(source: FileSource): Promise<LoadedTests> {
  const reader = projectReader(source);
  const names = (await reader.list(testsDirectory)).filter((name) => /^[^.].*\.ya?ml$/.test(name)).sort();
  const tests: LoadedTest[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const file of names) {
    const read = await reader.document(`${testsDirectory}/${file}`, { kind: "found" });
    diagnostics.push(...read.diagnostics);
    if (read.node !== undefined) tests.push({ name: path.posix.parse(file).name, file: read.file.path, document: read.node });
  }
  return { tests, diagnostics: sortDiagnostics(diagnostics) };
}
