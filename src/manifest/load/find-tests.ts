/** Reads pipeline tests: the YAML files in `.wave/tests/`. Variables are not substituted. */
import path from "node:path";
import { type Diagnostic, sortDiagnostics } from "../../core/diagnostic.ts";
import type { DocumentNode } from "../../core/document.ts";
import type { FileSource } from "../../core/ports.ts";
import { projectReader } from "./project-reader.ts";

export const testsDirectory = ".wave/tests";

export interface LoadedTest {
  /** File name without extension. */
  readonly name: string;
  readonly file: string;
  readonly document: DocumentNode;
}

export interface LoadedTests {
  readonly tests: readonly LoadedTest[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads tests, sorted by name. Unreadable and invalid files are diagnostics. */
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
