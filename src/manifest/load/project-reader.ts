/** Reads project files through the source, each once, and parses those that are documents. */

import type { Diagnostic } from "../../core/diagnostic.ts";
import { digestOfBytes } from "../../core/digest.ts";
import type { Origin, Position } from "../../core/document.ts";
import type { NamedFile } from "../../core/loaded.ts";
import type { FileRead, FileSource } from "../../core/ports.ts";
import { normalizePath } from "../../core/project-path.ts";
import { parseMarkdownPersona } from "./markdown-persona.ts";
import { decodeText, pointIn, startOfFile } from "./source-text.ts";
import { type ParsedDocument, parseYaml } from "./yaml-document.ts";

/** Bytes that a manifest, a persona, a prompt or a schema may have. */
export const fileLimit = 10_000_000;

/** Why a document is read: a manifest given by the user, a file that `from` names, or one found in its place. */
export type Reason = { readonly kind: "manifest" } | { readonly kind: "named"; readonly from: Origin } | { readonly kind: "found" };

export interface ReadDocument extends ParsedDocument {
  readonly file: NamedFile;
}

export interface ProjectReader {
  /** A file's text, or why there is none. */
  file(path: string): Promise<NamedFile>;
  /** A YAML document, or a persona in Markdown; diagnostics say why there is none. */
  document(path: string, reason: Reason): Promise<ReadDocument>;
  list(directory: string): Promise<readonly string[]>;
}

interface CachedFile {
  readonly named: NamedFile;
  /** Where a binary file stops being text. */
  readonly binaryAt?: Position;
}

/** A reader over a source; what it read stays as it was, however often it is asked. */
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
      if (named.kind !== "text") return { file: named, plain: new Set(), diagnostics: [faultOf(named, reason, binaryAt)] };
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
      // Over the text, so that what is pinned as text verifies; a byte order mark is no part of it.
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

function faultOf(file: Exclude<NamedFile, { kind: "text" }>, reason: Reason, binaryAt: Position | undefined): Diagnostic {
  const named = reason.kind === "named" ? reason.from : undefined;
  const related = named === undefined ? {} : { related: [{ message: "it is named here", origin: named }] };
  const at = named ?? startOfFile(file.path);
  const unreadable = reason.kind === "named" ? "W303" : "W107";
  switch (file.kind) {
    case "missing":
      return {
        code: unreadable,
        severity: "error",
        message: `\`${file.path}\` does not exist`,
        origin: at,
        hint: "paths are relative to the directory of the first manifest",
      };
    case "unreadable":
      return { code: unreadable, severity: "error", message: `\`${file.path}\` cannot be read: ${file.detail}`, origin: at };
    case "outside":
      return {
        code: "W304",
        severity: "error",
        message: `\`${file.path}\` leads out of the project`,
        origin: at,
        hint: "move the file into the project",
      };
    case "too-large": {
      const message = `\`${file.path}\` has ${megabytes(file.size)}; at most ${megabytes(file.limit)} are read`;
      return { code: "W104", severity: "error", message, origin: startOfFile(file.path), ...related };
    }
    case "binary":
      return {
        code: "W103",
        severity: "error",
        message: `\`${file.path}\` is not text in UTF-8`,
        origin: pointIn(file.path, binaryAt ?? { line: 1, column: 1 }),
        hint: "save it as UTF-8",
        ...related,
      };
  }
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 100_000) / 10} MB`;
}
