/** Determines media types from file extensions and from content. Pure. */
import { isUtf8 } from "node:buffer";

const types: Readonly<Record<string, string>> = {
  json: "application/json",
  jsonl: "application/x-ndjson",
  ndjson: "application/x-ndjson",
  sarif: "application/sarif+json",
  md: "text/markdown",
  markdown: "text/markdown",
  txt: "text/plain",
  log: "text/plain",
  html: "text/html",
  htm: "text/html",
  css: "text/css",
  csv: "text/csv",
  tsv: "text/tab-separated-values",
  xml: "application/xml",
  yaml: "application/yaml",
  yml: "application/yaml",
  toml: "application/toml",
  js: "text/javascript",
  mjs: "text/javascript",
  diff: "text/x-diff",
  patch: "text/x-diff",
  svg: "image/svg+xml",
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
  pdf: "application/pdf",
  zip: "application/zip",
  gz: "application/gzip",
  tgz: "application/gzip",
  tar: "application/x-tar",
  wasm: "application/wasm",
};

/** The media type for a file's extension; undefined if the extension is unknown. */
export function mediaTypeOf(file: string): string | undefined {
  const ending = /\.([^./\\]+)$/.exec(file)?.[1]?.toLowerCase();
  return ending === undefined || !Object.hasOwn(types, ending) ? undefined : types[ending];
}

/** Larger content, in bytes, is not parsed to detect JSON. */
const parseLimit = 10 * 1024 * 1024;

/** The media type of content: JSON for objects and arrays, plain text for UTF-8, else binary. */
export function mediaTypeOfContent(bytes: Uint8Array): "application/json" | "text/plain" | "application/octet-stream" {
  if (!isUtf8(bytes) || bytes.includes(0)) return "application/octet-stream";
  if (bytes.length > parseLimit) return "text/plain";
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
  if (!/^\s*[[{]/.test(text)) return "text/plain";
  try {
    JSON.parse(text);
    return "application/json";
  } catch {
    return "text/plain";
  }
}
