/** The reference implementation of CommonMark, as a judge of what holds the text behind a Markdown text; and Markdown of any blocks. */
import { HtmlRenderer, Parser } from "commonmark";
import fc from "./property.ts";

const sentinel = "SENTINEL";

/** What holds a paragraph behind a Markdown text: the types of the blocks around it, and the elements and tags that are open there. */
export function around(markdown: string): readonly string[] {
  const document = new Parser().parse(`${markdown}\n\n${sentinel}`);
  const walker = document.walker();
  for (let step = walker.next(); step !== null; step = walker.next()) {
    if (!step.entering || step.node.literal?.includes(sentinel) !== true) continue;
    const blocks: string[] = [];
    for (let node: typeof step.node | null = step.node; node !== null; node = node.parent) blocks.unshift(node.type);
    return [...blocks, ...openElements(new HtmlRenderer().render(document).split(sentinel)[0] ?? "")];
  }
  return ["it is not there"];
}

/** A paragraph of its own. */
export const top = ["document", "paragraph", "text"];

/** Elements that are open at the end of HTML, except the paragraph of the sentinel; `<` for a tag without its end. */
function openElements(html: string): readonly string[] {
  const open: string[] = [];
  const token = /<!--[\s\S]*?-->|<[!?][^>]*>|<(\/?)([a-z][^\s/>]*)((?:[^>"']|"[^"]*"|'[^']*')*)>/gi;
  const rest = html.replace(token, (_tag, slash, name = "") => {
    // GitHub removes the tags of other elements.
    if (!/^(?:details|summary|div|table|td|b|pre|i|span|ul|ol|blockquote|code|h[1-6])$/i.test(name)) return "";
    if (slash === "") open.push(name.toLowerCase());
    else if (open.includes(name.toLowerCase())) open.length = open.lastIndexOf(name.toLowerCase());
    return "";
  });
  return [...open, ...(/<[a-z/]/i.test(rest) ? ["<"] : [])];
}

const pieces = fc.constantFrom(
  ...'```|````|~~~|```js|`|``|  ```|   ```|    ```|\t```|- |1. |10. |* |  - |> |>|# h|---|===|word|a b|<details>|</details>|<summary>x</summary>|<div>|</div>|<div|<div title="|title=\'x|">|<table>|<td>|<b>|</b>|<pre>|</pre>|<?|<![CDATA[|<!X|<br>|<i>|<span class="a">|</span>|[x]: y|| a | b ||&amp;|\\|'.split(
    /(?<!\|)\|(?!\|)/,
  ),
);
const breaks = fc.constantFrom("\n", "\n", "\n\n", " ", "", "\n  ", "\n    ");
/** Markdown with blocks and tags of all kinds, most of them open. */
export const markdownBlocks = fc
  .array(fc.tuple(pieces, breaks), { maxLength: 14 })
  .map((parts) => parts.map(([piece, space]) => `${piece}${space}`).join(""));
