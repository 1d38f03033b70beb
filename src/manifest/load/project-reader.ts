/** Reads project files through a `FileSource`, each once, and parses YAML documents and Markdown personas. */

import type { Diagnostic } from "../../core/diagnostic.ts";
import { digestOfBytes } from "../../core/digest.ts";
import type { Origin, Position } from "../../core/document.ts";
import type { NamedFile } from "../../core/loaded.ts";
import type { FileRead, FileSource } from "../../core/ports.ts";
import { isUrl, normalizePath } from "../../core/project-path.ts";
import { parseMarkdownPersona } from "./markdown-persona.ts";
import { decodeText, pointIn, startOfFile } from "./source-text.ts";
import { type ParsedDocument, parseYaml } from "./yaml-document.ts";

/** Maximum size of a file, in bytes. */
export const fileLimit = 10_000_000;

/** Why a document is read: as a manifest from the command line, by a reference at `from`, or because it is in `.wave/`. */
export type Reason = { readonly kind: "manifest" } | { readonly kind: "named"; readonly from: Origin } | { readonly kind: "found" };

export interface ReadDocument extends ParsedDocument {
  readonly file: NamedFile;
}

export interface ProjectReader {
  /** The text of a file, or the reason why it has none. */
  file(path: string): Promise<NamedFile>;
  /** A YAML document or Markdown persona. If it cannot be read, the diagnostics contain the reason. */
  document(path: string, reason: Reason): Promise<ReadDocument>;
  list(directory: string): Promise<readonly string[]>;
}

interface CachedFile {
  readonly named: NamedFile;
  /** Position of the first byte that is not UTF-8. */
  readonly binaryAt?: Position;
}

/** Creates a reader. It caches files and documents, so that later changes have no effect. */
export function projectReader(source: FileSource): ProjectReader {
  const files = new Map<string, Promise<CachedFile>>();
  const documents = new Map<string, ParsedDocument>();
  const lists = new Map<string, Promise<readonly string[]>>();
  const open = (path: string, scope: "project" | "anywhere"): Promise<CachedFile> => {
    const key = `${scope}:${path}`;
    const known = files.get(key) ?? source.read(path, fileLimit, scope).then((read) => toNamedFile(path, read));
    files.set(key, known);
    return known;
  };
  return {
    file: async (path) => (await open(normalizePath(path), "project")).named,
    async document(written, reason) {
      const path = normalizePath(written);
      const { named, binaryAt } = await open(path, reason.kind === "manifest" ? "anywhere" : "project");
      if (named.kind !== "text") return { file: named, plain: new Set(), diagnostics: [faultOf(named, written, reason, binaryAt)] };
      const parsed = documents.get(path) ?? (path.endsWith(".md") ? parseMarkdownPersona : parseYaml)(path, named.text);
      documents.set(path, parsed);
      return { file: named, ...parsed };
    },
    list(directory) {
      const known = lists.get(directory) ?? source.list(directory);
      lists.set(directory, known);
      return known;
    },
  };
}

function toNamedFile(path: string, read: FileRead): CachedFile {
  switch (read.kind) {
    case "bytes": {
      const decoded = decodeText(read.bytes);
      // Digest of the text without a byte order mark, as pinned files are stored.
      if (decoded.kind === "text") return { named: { kind: "text", path, text: decoded.text, digest: digestOfBytes(decoded.text) } };
      return { named: { kind: "binary", path }, binaryAt: decoded.at };
    }
    case "missing":
    case "outside":
      return { named: { kind: read.kind, path } };
    case "too-large":
      return { named: { kind: "too-large", path, size: read.size, limit: read.limit } };
    case "unreadable":
      return { named: { kind: "unreadable", path, detail: read.detail } };
  }
}

function faultOf(file: Exclude<NamedFile, { kind: "text" }>, written: string, reason: Reason, binaryAt: Position | undefined): Diagnostic {
  const named = reason.kind === "named" ? reason.from : undefined;
  const related = named === undefined ? {} : { related: [{ message: "referenced here", origin: named }] };
  const at = named ?? startOfFile(file.path);
  const unreadable = reason.kind === "named" ? "W303" : "W107";
  switch (file.kind) {
    case "missing":
      return {
        code: unreadable,
        severity: "error",
        message: isUrl(written) ? `\`${written}\` is a URL; only files in the project are supported` : `\`${written}\` does not exist`,
        origin: at,
        hint: isUrl(written)
          ? "save the file in the project and use its path"
          : "paths are relative to the directory of the first manifest",
      };
    case "unreadable":
      return { code: unreadable, severity: "error", message: `\`${written}\` cannot be read: ${file.detail}`, origin: at };
    case "outside":
      return {
        code: "W304",
        severity: "error",
        message: `\`${written}\` is outside the project`,
        origin: at,
        hint: "move the file into the project",
      };
    case "too-large": {
      const message = `\`${file.path}\` is too large: ${megabytes(file.size)}, the limit is ${megabytes(file.limit)}`;
      return { code: "W104", severity: "error", message, origin: startOfFile(file.path), ...related };
    }
    case "binary":
      return {
        code: "W103",
        severity: "error",
        message: `\`${file.path}\` is not UTF-8 text`,
        origin: pointIn(file.path, binaryAt ?? { line: 1, column: 1 }),
        hint: "save it as UTF-8",
        ...related,
      };
  }
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 100_000) / 10} MB`;
}
