/** Counts what the rules of the language check find, and compares the counts with the limits. Pure. */
import { constructions, retiredNames, retiredWords } from "./language-rules.ts";
import type { Source, Text, TextKind } from "./language-texts.ts";

export interface Finding {
  readonly kind: TextKind | "name";
  readonly file: string;
  readonly line: number;
  readonly rule: string;
  /** The words around the place, on one line. */
  readonly text: string;
  readonly instead: string;
}

/** Percentages are of the texts of that kind; places are counted once if their sentences are equal. */
export interface Limits {
  readonly commentPercent: number;
  readonly messagePercent: number;
  readonly docsPlaces: number;
  readonly names: number;
  /** The average of docstrings that state no unit, failure or source. */
  readonly docstringWords: number;
}

export const limits: Limits = { commentPercent: 3, messagePercent: 3, docsPlaces: 10, names: 0, docstringWords: 14 };

export interface Report {
  readonly lines: readonly string[];
  readonly passed: boolean;
}

const rules = [...constructions, ...retiredWords];

export function findingsIn(text: Text): readonly Finding[] {
  const { kind, file } = text;
  return rules
    .filter(({ except }) => except?.test(file) !== true)
    .flatMap(({ name, instead, patterns }) => {
      const matches = patterns.flatMap((pattern) => [...text.text.matchAll(pattern)]);
      // Two patterns of a rule can match the same words.
      const lines = new Map(matches.map((match) => [lineOf(text, match.index), match]));
      return [...lines].map(([line, match]) => ({ kind, file, line, rule: name, instead, text: excerpt(text.text, match) }));
    });
}

export function retiredIn({ names }: Source): readonly Finding[] {
  return names.flatMap(({ file, line, name }) =>
    retiredNames
      .filter(({ patterns, except }) => patterns.some((pattern) => pattern.test(name)) && except?.test(file) !== true)
      .map((rule) => ({ kind: "name" as const, file, line, rule: rule.name, instead: rule.instead, text: name })),
  );
}

export function report(
  sources: readonly Source[],
  options: { readonly list?: boolean; readonly folders?: boolean } = {},
  allowed: Limits = limits,
): Report {
  const texts = sources.flatMap((source) => source.texts);
  const comments = texts.filter(isComment);
  const messages = texts.filter(({ kind }) => kind === "message");
  const docs = texts.filter(({ kind }) => kind === "docs");
  const names = sources.flatMap(retiredIn);
  const plain = texts.filter(({ kind, text }) => kind === "docstring" && !statesFact(text));
  const commentPercent = percentFound(comments);
  const messagePercent = percentFound(messages);
  const places = new Set(docs.flatMap(findingsIn).map(({ rule, text }) => `${rule}: ${text}`)).size;
  const words = averageWords(plain);
  const lines = [
    ...(options.list === true ? listed([...texts.flatMap(findingsIn), ...names]) : []),
    ...(options.folders === true ? folderLines(sources) : []),
    `comments: ${comments.length}, ${commentPercent.toFixed(1)} % with a construction (limit ${allowed.commentPercent} %)`,
    `messages: ${messages.length}, ${messagePercent.toFixed(1)} % with a construction (limit ${allowed.messagePercent} %)`,
    `docs, README, action.yml, examples: ${places} places (limit ${allowed.docsPlaces})`,
    `retired names: ${names.length} (limit ${allowed.names})`,
    `inline comments: ${averageOf(texts, "inline")} words on average`,
    `docstrings: ${averageOf(texts, "docstring")} words on average, module headers ${averageOf(texts, "header")}; without unit, failure or source: ${words.toFixed(1)} (limit ${allowed.docstringWords})`,
  ];
  const passed =
    commentPercent <= allowed.commentPercent &&
    messagePercent <= allowed.messagePercent &&
    places <= allowed.docsPlaces &&
    names.length <= allowed.names &&
    words <= allowed.docstringWords;
  return { lines, passed };
}

function isComment({ kind }: Text): boolean {
  return kind !== "message" && kind !== "docs";
}

/** Whether a docstring states a unit, a failure or a source, which takes words. */
function statesFact(text: string): boolean {
  return /\b(?:bytes?|ms|milliseconds?|seconds?|minutes?|hours?|days?|characters?|columns?|percent|[KMGkm]i?B|USD|from [01]|UTC|ISO|fail(?:s|ed|ure)?|throws?|errors?|reject(?:s|ed)|undefined|exit|RFC|POSIX|GitHub|git|kernel|Linux|SQLite|specification|documented|as in)\b|%/.test(
    text,
  );
}

function percentFound(texts: readonly Text[]): number {
  return texts.length === 0 ? 0 : (texts.filter((text) => findingsIn(text).length > 0).length / texts.length) * 100;
}

function averageWords(texts: readonly Text[]): number {
  return texts.length === 0 ? 0 : texts.reduce((sum, { text }) => sum + text.trim().split(/\s+/).length, 0) / texts.length;
}

function averageOf(texts: readonly Text[], kind: TextKind): string {
  return averageWords(texts.filter((text) => text.kind === kind)).toFixed(1);
}

function lineOf({ line, text }: Text, index: number): number {
  return line + text.slice(0, index).split("\n").length - 1;
}

function excerpt(text: string, match: RegExpExecArray): string {
  const from = Math.max(0, match.index - 40);
  const cut = text.slice(from, match.index + match[0].length + 40);
  return cut.replace(/\s+/g, " ").trim();
}

/** A line for each finding, then one for each rule with what to write instead. */
function listed(findings: readonly Finding[]): readonly string[] {
  const byPlace = new Intl.Collator("en", { numeric: true }).compare;
  const advice = new Set(findings.map(({ rule, instead }) => `${rule}: write ${instead}`));
  return [
    ...findings.map(({ file, line, rule, text }) => `${file}:${line}: ${rule}: ${text}`).sort(byPlace),
    "",
    ...[...advice].sort(),
    "",
  ];
}

function folderLines(sources: readonly Source[]): readonly string[] {
  const folders = new Map<string, Source[]>();
  for (const source of sources) {
    const file = source.texts[0]?.file ?? source.names[0]?.file ?? "";
    const folder = /^src\/[^/]+(?=\/)/.exec(file)?.[0] ?? (file.startsWith("src/") ? "src" : "");
    if (folder !== "") folders.set(folder, [...(folders.get(folder) ?? []), source]);
  }
  return [...folders].sort().map(([folder, inside]) => {
    const texts = inside.flatMap((source) => source.texts);
    const comments = texts.filter(isComment);
    const messages = texts.filter(({ kind }) => kind === "message");
    const names = inside.flatMap(retiredIn).length;
    return `${folder.padEnd(16)} comments ${String(comments.length).padStart(4)} ${percentFound(comments).toFixed(1).padStart(5)} %   messages ${String(messages.length).padStart(4)} ${percentFound(messages).toFixed(1).padStart(5)} %   retired names ${names}`;
  });
}
