/**
 * Parses YAML with limits on nesting and size. The composer of the `yaml` package is recursive, and deep nesting can crash the process. Nesting is
 * therefore measured on the token tree, which is built without recursion.
 */
import { Composer, type CST, type Document, Lexer, type ParsedNode, Parser, YAMLParseError } from "yaml";

export type Syntax =
  | { readonly kind: "document"; readonly document: Document.Parsed<ParsedNode> }
  /** Offset of a collection beyond the nesting limit. */
  | { readonly kind: "too-deep"; readonly offset: number }
  /** More lexemes than the limit. */
  | { readonly kind: "too-large"; readonly limit: number };

/** Above the limit for documents, and well below the stack limit of the composer. */
const nestingLimit = 300;

/** Maximum number of lexemes. A manifest of 10,000 steps has 370,000 per megabyte; dense files with many more do not fit into memory. */
const lexemeLimit = 3_000_000;

/** Maximum number of nested openings before the token tree is built. A token needs a hundred times the memory of its text. */
const openingLimit = 10_000;

/** Parses the first document of a text. Further documents are errors of the first. */
export function readSyntax(text: string): Syntax {
  const steep = steepest(text);
  if (steep !== undefined) return { kind: "too-deep", offset: steep };
  const composer = new Composer<ParsedNode>({
    schema: "core",
    version: "1.2",
    merge: false,
    resolveKnownTags: false,
    uniqueKeys: false,
    logLevel: "error",
  });
  let first: Document.Parsed<ParsedNode> | undefined;
  const accept = (documents: Iterable<Document.Parsed<ParsedNode>>): boolean => {
    for (const document of documents) {
      if (first !== undefined) {
        const [start, end] = document.range;
        first.errors.push(new YAMLParseError([start, end], "MULTIPLE_DOCS", "several documents"));
        return false;
      }
      first = document;
    }
    return true;
  };
  for (const token of tokensOf(text)) {
    if (token === "too-many") return { kind: "too-large", limit: lexemeLimit };
    const deep = token.type === "document" ? tooDeep(token) : undefined;
    if (deep !== undefined) return { kind: "too-deep", offset: deep };
    if (!accept(composer.next(token))) break;
  }
  if (first === undefined || first.errors.length === 0) accept(composer.end(true, text.length));
  if (first === undefined) throw new Error("the composer returned no document");
  return { kind: "document", document: first };
}

/** Yields the parser's tokens, and `too-many` last if there are too many lexemes. */
function* tokensOf(text: string): Generator<CST.Token | "too-many"> {
  const parser = new Parser();
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(text)) {
    if (++lexemes > lexemeLimit) {
      yield "too-many";
      return;
    }
    yield* parser.next(lexeme);
  }
  yield* parser.end();
}

/** The offset at which brackets, or indicators in one line, exceed the limit. Counts those in quotes too. */
function steepest(text: string): number | undefined {
  const openings = /[[\]{}\n]|[-?:][ \t]/g;
  let brackets = 0;
  let indicators = 0;
  for (let match = openings.exec(text); match !== null; match = openings.exec(text)) {
    const [opening] = match;
    if (opening === "\n") indicators = 0;
    else if (opening === "]" || opening === "}") brackets = Math.max(0, brackets - 1);
    else if (opening === "[" || opening === "{") brackets++;
    else if (brackets === 0) indicators++;
    if (brackets > openingLimit || indicators > openingLimit) return match.index;
  }
  return undefined;
}

/** The offset of a collection beyond the nesting limit. Not recursive. */
function tooDeep(document: CST.Document): number | undefined {
  const open: { readonly token: CST.Token | null | undefined; readonly depth: number }[] = [{ token: document.value, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next;
    if (token === null || token === undefined || !("items" in token)) continue;
    if (depth > nestingLimit) return token.offset;
    for (const item of token.items) {
      if (item.key !== undefined && item.key !== null && "items" in item.key) open.push({ token: item.key, depth: depth + 1 });
      if (item.value !== undefined && "items" in item.value) open.push({ token: item.value, depth: depth + 1 });
    }
  }
  return undefined;
}
