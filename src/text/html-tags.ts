/**
 * Reads HTML tags in Markdown to determine which elements are open at the end of a text. Pure.
 * https://html.spec.whatwg.org/multipage/parsing.html
 */
import { codeSpanEnds } from "./markdown-code.ts";

export interface Tag {
  readonly element: string;
  readonly isEnd: boolean;
}

/** Elements that GitHub keeps and that would contain the text after them if left open. */
const elements = new Set(
  `a b blockquote center code dd del details div dl dt em figure font h1 h2 h3 h4 h5 h6 i ins kbd li ol p picture pre q s samp section small
  span strike strong sub summary sup table tbody td tfoot th thead tr tt u ul var`.split(/\s+/),
);

/** Elements that stay open after the end of a list or a quote. https://html.spec.whatwg.org/multipage/parsing.html#formatting */
const formatting = new Set("a b code em font i s small strike strong tt u".split(" "));
/** The element name for a list item or a quote. */
export const containerTag = "#container";

/** A blank line and the end tags of the open elements, innermost first. */
export function elementClosers(tags: readonly Tag[]): readonly string[] {
  const open: string[] = [];
  const counts = new Map<string, number>();
  const count = (element: string, change: number) => counts.set(element, (counts.get(element) ?? 0) + change);
  for (const { element, isEnd } of tags) {
    if (!isEnd) {
      open.push(element);
      count(element, 1);
    } else if ((counts.get(element) ?? 0) > 0) {
      // An end tag also ends the open elements inside, except formatting. That of a formatting element ends only itself.
      const at = open.lastIndexOf(element);
      const ended = formatting.has(element) ? open.splice(at, 1) : open.splice(at);
      for (const one of ended) {
        if (one !== element && formatting.has(one)) open.push(one);
        else count(one, -1);
      }
    }
  }
  return open.length === 0 ? [] : ["", ...open.reverse().map((element) => `</${element}>`)];
}

/** From the end of a tag's name to the end of the tag. A quoted value may contain `>`. */
const tagRest = /[^>"']*(?:"[^"]*"[^>"']*|'[^']*'[^>"']*)*(>|"|'|$)/y;
/** Bounds the time for unfinished tags: each is read to the end of the text. */
const mostUnfinished = 1000;

/**
 * The tags of elements that contain text, as an HTML parser reads them: not those in comments, instructions and declarations. `ending`
 * completes the first unfinished tag or comment, which starts at `endingFrom`; empty if there is none.
 */
export function readTags(html: string): { readonly tags: readonly Tag[]; readonly ending: string; readonly endingFrom: number } {
  const tags: Tag[] = [];
  const start = /<(\/?)([a-z][^\s/>]*)|<!--|<[!?]/gi;
  let first: { readonly ending: string; readonly endingFrom: number } | undefined;
  let unfinished = 0;
  for (let found = start.exec(html); found !== null && unfinished < mostUnfinished; found = start.exec(html)) {
    const [opening, slash, name] = found;
    const end = name === undefined ? commentEnd(html, opening, start.lastIndex) : tagEnd(html, start.lastIndex);
    if (end.missing !== undefined) {
      first ??= { ending: end.missing, endingFrom: found.index };
      unfinished += 1;
      continue;
    }
    start.lastIndex = end.at;
    const element = name?.toLowerCase() ?? "";
    if (elements.has(element)) tags.push({ element, isEnd: slash !== "" });
  }
  return { tags, ...(first ?? { ending: "", endingFrom: html.length }) };
}

/** The index after the end; `missing` is the text that would complete an unfinished tag. */
interface TagEnd {
  readonly at: number;
  readonly missing?: string;
}

function tagEnd(html: string, from: number): TagEnd {
  tagRest.lastIndex = from;
  const [, stop = ""] = tagRest.exec(html) ?? [];
  return { at: tagRest.lastIndex, ...(stop === ">" ? {} : { missing: `${stop}>` }) };
}

function commentEnd(html: string, opening: string, from: number): TagEnd {
  const end = opening === "<!--" ? "-->" : ">";
  const at = html.indexOf(end, from);
  return at < 0 ? { at: html.length, missing: end } : { at: at + end.length };
}

/** Tags, autolinks and the like in a paragraph; anything else is text. https://spec.commonmark.org/0.31.2/#raw-html */
const inlineTag =
  /<(\/?)([a-z][a-z0-9-]*)(?:\s+[a-z_:][\w.:-]*(?:\s*=\s*(?:[^\s"'=<>`]+|'[^']*'|"[^"]*"))?)*\s*\/?>|<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!\[CDATA\[[\s\S]*?\]\]>|<![a-z][^>]*>|<[a-z][a-z0-9+.-]{1,31}:[^\s<>]*>/iy;

/** The tags of a paragraph. Code spans, tags and escapes take effect from left to right. */
export function inlineTags(text: string): readonly Tag[] {
  const tags: Tag[] = [];
  const spans = codeSpanEnds(text);
  const special = /\\[\s\S]|`+|<(?=[a-z/!?])/gi;
  let unfinished = 0;
  for (let found = special.exec(text); found !== null && unfinished < mostUnfinished; found = special.exec(text)) {
    if (found[0].startsWith("`")) special.lastIndex = spans.get(found.index) ?? special.lastIndex;
    if (found[0] !== "<") continue;
    inlineTag.lastIndex = found.index;
    const tag = inlineTag.exec(text);
    if (tag === null) {
      unfinished += 1;
      continue;
    }
    special.lastIndex = inlineTag.lastIndex;
    const [whole, slash, name = ""] = tag;
    // An HTML parser ends some comments and declarations earlier than CommonMark.
    if (name === "" && !/^<[a-z]/i.test(whole)) tags.push(...readTags(whole).tags);
    const element = name.toLowerCase();
    if (elements.has(element)) tags.push({ element, isEnd: slash !== "" });
  }
  return tags;
}
