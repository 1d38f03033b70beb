/**
 * The rules of the language check: constructions and retired words, each with what to write instead. In a pattern, `^` is
 * the start of a sentence and a blank is any white space.
 */

export interface Rule {
  readonly name: string;
  /** What to write instead. */
  readonly instead: string;
  readonly patterns: readonly RegExp[];
}

/** The start of the text, or what ends the sentence before. */
const sentenceStart = String.raw`(?<=^|[.!?:]["')\]]*\s+|\n\s*\n\s*)`;

export interface NameRule extends Rule {
  /** Files in which the name has another meaning. */
  readonly except?: RegExp;
}

/** Constructions that are not idiomatic English, or that hide who does what. */
export const constructions: readonly Rule[] = [
  rule("what", "name the thing: `the output of the child`, not `what the child wrote`", [
    String.raw`^What\b(?! (?:if|you see|we see)\b)(?![^.!?]*\?)`,
    String.raw`(?<=[.;:,] (?:and |but |so |or )?)what (?:[a-z'’-]+ ){1,6}(?:is|are|was|were|has|have|stays|goes|comes|counts|needs)\b(?![^.!?]*\?)`,
    String.raw`\b(?:of|for|than|but|and|with|without|from|in|on|by|before|behind) what (?:(?:is|are)(?! (?:best|needed|possible|expected)\b)|was|were|has|have|stays|goes|comes|needs|counts|lies|stands|follows|belongs|remains|changed|passed|failed)\b`,
    String.raw`\bwhat (?:is|are|was|were) (?:there|left|new|gone|of|meant|said|given|asked|known|told)\b`,
  ]),
  rule("who", "name the person or the code: `the user`, `the caller`", [
    String.raw`\b(?:whoever|whomever|whosoever|nobody|somebody|no one(?! of))\b`,
    String.raw`^Who\b(?![^.!?]*\?)`,
  ]),
  rule("those", "repeat the noun: `the files that match`", [
    String.raw`^Those (?:that|who|which|of|with|in|from)\b`,
    String.raw`\bsuch as (?:are|is|have|has|do|does)\b`,
  ]),
  rule("gives", "returns, prints, contains, provides", [
    String.raw`\b(?:gives|gave)\b(?! (?:up|you|us|users?|the (?:user|caller|reader))\b)(?! (?:\S+ ){1,3}access\b)`,
  ]),
  rule("tells", "reports, returns, distinguishes", [
    String.raw`\btold\b(?! (?:\S+ ){0,2}to\b)`,
    String.raw`\btells?\b(?! (?:\S+ ){1,4}to\b)(?! (?:you|us|me|users?|the user|the difference)\b)(?! (?:\S+ ){0,6}(?:apart|from)\b)`,
  ]),
  rule("says", "contains, reports, states; or name the field", [
    String.raw`(?<!\b(?:spec|specification|standard|rfc|documentation|docs|posix|page|manual) )\bsays\b`,
    String.raw`\bsays? (?:so|which|why|what|whether|nothing|where|how)\b`,
    String.raw`\b(?:is|are|was|were|that|been|be) said\b(?! to\b)`,
    String.raw`\b(?:to|must|can|may|not) say\b(?! (?:that|the least)\b)`,
  ]),
  rule("asks", "queries, requests, reads", [
    String.raw`(?<!\b(?:user|users|person|people|someone) )\basks\b(?! (?:\S+ ){1,3}to\b)(?! (?:you|for (?:confirmation|permission|approval|a review|help|a password)|(?:the |a |an )?(?:user|users|model|agent|person|people|reviewer)s?)\b)`,
    String.raw`\b(?:is|are|was|were|be|been) asked\b(?! to\b)`,
    String.raw`\basked (?:once|again|of|twice|only|first|before)\b`,
  ]),
  rule("looks", "checks, reads, searches", [
    String.raw`\blook(?:s|ed|ing)? (?:whether|into|around|behind)\b`,
    String.raw`\b(?:is|are|was|were|be|been) looked (?:at|for|into|up)\b`,
    String.raw`^Looks (?:at|for|whether|after|in)\b`,
  ]),
  rule("lies", "is in, is stored in", [
    String.raw`(?<!\b(?:problem|difference|reason|responsibility|answer|value) )\b(?:lies|lie|lay|lain|lying)\b(?! (?:ahead|around)\b)(?=[ .,;:)]|$)`,
  ]),
  rule("stands", "is, is written, stays valid", [
    String.raw`(?<!\bas (?:it|they|this) )\b(?:stands|stood|standing)\b(?! (?:for|out|alone|up|by|down)\b)(?!-)`,
    String.raw`\b(?:that|which|can|may|must|not|to|they|and|still) stand\b(?! (?:for|out|alone|up|by|down)\b)(?!-)`,
  ]),
  rule("where", "`if`: `undefined if there is no file`", [
    String.raw`\b(?:nothing|undefined|none|empty|null|false|true|zero|absent|anew)[,]? where\b`,
    String.raw`^Where (?!(?:possible|applicable|appropriate|necessary|supported|available|needed|to|the following)\b)[^,.;:?]{3,70}, `,
  ]),
  rule("absent", "`Defaults to x`, `undefined if x`", [
    String.raw`\b(?:absent|left out|unset|omitted)(?: or [a-z]+)?: `,
    String.raw`^(?:Absent|Empty|Missing|Unset|Left out|None|Nothing)[:,] `,
  ]),
  rule("goes-on", "resume, continue, run", [
    String.raw`\b(?:go|goes|going|gone|went) on\b(?! (?:the|a|an|top|its|their|separate|stdout|stderr|disk|to|for|\x60))`,
    String.raw`\b(?:is|are|be) gone on\b`,
  ]),
  rule("anew", "again, from scratch", [String.raw`\b(?:anew|afresh)\b`]),
  rule("mend", "fix, repair", [String.raw`\bmend(?:s|ed|ing)?\b`]),
  rule("but-for", "except, except for", [
    String.raw`(?<![,;.] )\bbut for\b(?! (?:now|example|this|that|the sake|some|any)\b)`,
    ", but for (?:the |a |an |its |those |one |two |`x`)[^,.;:]{0,40}[.;:]",
  ]),
  rule("also", "even if, even when; or `too`", [
    String.raw`(?<!\b(?:but|see|check|is|are|can|may|should|will|must|it|and|has|was|used) )\balso (?:when|if|where|after|while|without|though)\b`,
    String.raw`[,;:(] ?also (?:in|on|of|with|by|from|to|for|at|without|those|such|one|a|an|the)\b`,
  ]),
  rule("is-no", "`is not a changeset`", [
    String.raw`(?<!\bthere )(?<!\bthere still )(?<!\bcan )\b(?:is|are|was|were|be) no (?!longer\b|more\b|less\b|different\b|better\b|worse\b|problem\b|exception\b|guarantee\b|such\b|good\b|use\b|need\b|point\b|way\b|reason\b|[a-z]+er\b|[a-z]+er than\b)[a-z]`,
    String.raw`^No (?:[a-z'-]+ ){1,3}(?:is|are|was|were) (?:a|an|the|in|of|to|for|begun|gone|taken|known|there|asked|told)\b`,
  ]),
  rule("nothing-of", "name what is absent", [
    String.raw`\b(?:nothing|none|something|much) of (?:it|its|the|a|an|this|that|what|which|them)\b(?<!none of (?:the|them|it|its|this|that|which))`,
  ]),
  rule("a-step", "per step, for each step", [
    String.raw`\b(?:one|two|three|a|an) (?:line|row|file|directory|process|event|entry|fsync|call|write|read|request|check run|check|comment|message|record|job|key|report|span|annotation|test|case|manifest|name|document|table|folder|object)s? an? (?:[a-z]+)(?=[ .,;:)]|$)(?! (?:line|file|row)s? (?:that|which))`,
    String.raw`\ba (?:line|row|file|directory|process|event|entry|call|request|record|character|byte|key|name|job) each\b`,
  ]),
  rule("of-which", "a new sentence, or `whose`", [
    String.raw`(?<!\b(?:any|neither|none|all|most|each|regardless|some|both|half|one|either) )\bof which\b`,
  ]),
  rule("as-it-is", "unchanged, the current x", [
    String.raw`\bas (?:it|they|he) (?:is|are|was|were)(?=[.,;:)]|$| now\b| then\b| here\b| there\b| on disk\b| before\b| when\b| at\b)`,
  ]),
  rule("for", "because; or a new sentence", [
    String.raw`[,;:] for (?:it|they|there|he|she|we|no one|nothing|none) (?:is|are|was|were|has|have|can|could|may|must|would|do|does|did)\b`,
  ]),
  rule("nor", "a plain negative sentence", [String.raw`^Nor (?:is|are|was|were|do|does|did|can|may|has|have|will)\b`]),
  rule("becomes-of", "the result of, what happens to", [
    String.raw`\b(?:comes?|came|becomes?|became|become) of\b(?! age)`,
    String.raw`\bcom(?:e|es|ing) to (?:its|their|an|the) ends?\b`,
  ]),
  rule("archaic", "a current word", [
    String.raw`\b(?:therein|thereof|whereof|thereupon|whereupon|hitherto|henceforth|thence|whence|hereto|herein|hereof|thereto|lest|ere|amid|naught|nought|asunder|as ever|of old|in (?:its|their) stead|withal|betimes)\b`,
    String.raw`\bun(?:begun|asked|told|said|born|heard)\b`,
  ]),
  rule("there", "exist, exists", [String.raw`\b(?:that|those|which|what|all) (?:is|are|was|were) there\b`]),
  rule("takes-away", "removes, deletes", [String.raw`\b(?:takes?|taking|took|taken) away\b`]),
];

/** Words of earlier designs in the meaning that the glossary has another term for. */
export const retiredWords: readonly Rule[] = [
  rule("fence", "sandbox", [
    String.raw`(?<!\b(?:code|json|markdown|closing|opening|the closing|the opening|yaml) )\b(?:fenc(?:es?|ed|ing)|unfenced)\b(?! (?:code|block|json|yaml|off))`,
  ]),
  rule("gate", "contract", [
    String.raw`(?<!\b(?:ci|quality|merge|release|approval|required|logic) )\b(?:gates?|gated|gating)\b(?! the merge)`,
  ]),
  rule("undo", "roll back, rollback", [String.raw`\b(?:undo|undoes|undoing)\b`, String.raw`(?<!\bcannot be )\bundone\b`]),
  rule("memory", "run store, state", [
    String.raw`\b(?:wave|state|the database|a run|past|run) (?:remembers?|memory)\b`,
    String.raw`\bremembered, resumed\b`,
  ]),
  rule("room", "attempt directories", [String.raw`\b(?:attempt['’]?s? room|rooms? of (?:an |the |its )?attempts?|its own room|rooms)\b`]),
  rule("hollow", "empty output, empty", [String.raw`\bhollow(?:ness)?\b`]),
  rule("settle", "finish, resolve, end", [String.raw`(?<!\bpromises? (?:is |are |has |have )?)\bsettl(?:es?|ed|ing)\b`]),
  rule("words", "arguments", [String.raw`\b(?:further|the command['’]s|its command['’]s|a command['’]s|argv) words\b`]),
];

/** Names of earlier designs, as parts of declared names and file names. */
export const retiredNames: readonly NameRule[] = [
  {
    name: "fence",
    instead: "sandbox",
    patterns: [/^fences?(?![a-z])|Fences?(?![a-z])|[Ff]enced(?![a-z])/],
    except: /markdown|code-block|json-fence/,
  },
  { name: "gate", instead: "contract", patterns: [/^gates?(?![a-z])|Gates?(?![a-z])|^gated|Gated/] },
  { name: "undo", instead: "rollback", patterns: [/^und(?:o|one|oing)(?![a-z])|Und(?:o|one|oing)(?![a-z])/] },
  { name: "hollow", instead: "empty output", patterns: [/[Hh]ollow/] },
  { name: "room", instead: "attempt directories", patterns: [/^rooms?(?![a-z])|Rooms?(?![a-z])/] },
  { name: "run store", instead: "RunStore, openStore", patterns: [/^(?:openMemory|openPast|PastMemory|memoryAt|Memory)$/] },
  { name: "blob store", instead: "BlobStore", patterns: [/^(?:ArtifactStore|artifactStore)$/] },
];

/** A pattern with `^` keeps its case: a sentence starts with a capital. */
function rule(name: string, instead: string, sources: readonly string[]): Rule {
  const patterns = sources.map((text) => {
    const source = text.replace(/^\^/, sentenceStart).replaceAll(" ", String.raw`\s+`);
    return new RegExp(source, text.startsWith("^") ? "g" : "gi");
  });
  return { name, instead, patterns };
}
