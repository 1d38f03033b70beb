/**
 * The rules of the language check: constructions and retired words, each with what to write instead. In a pattern, `^` is
 * the start of a sentence and a blank is any white space.
 */

export interface Rule {
  readonly name: string;
  /** What to write instead. */
  readonly instead: string;
  readonly patterns: readonly RegExp[];
  /** Files in which the word has another meaning. */
  readonly except?: RegExp;
}

/** The start of the text, or what ends the sentence before. */
const sentenceStart = String.raw`(?<=^|[.!?:]["')\]]*\s+|\n\s*\n\s*)`;

/** Constructions that are not idiomatic English, or that hide who does what. */
export const constructions: readonly Rule[] = [
  rule("what", "name the thing: `the output of the child`, not `what the child wrote`", [
    String.raw`^What\b(?! (?:if|to|you see|we see)\b)(?![^.!?]*\?)`,
    String.raw`(?<=[.;:] (?:and |but |so )?|, (?:and|but|so) )what (?:[a-z'’-]+ ){1,6}(?:is|are|was|were|has|have|stays|goes|comes|counts|needs) [a-z]+(?![^.!?]*\?)`,
    String.raw`\b(?:of|than|but|and|behind|besides?) what (?:(?:is|are)(?! (?:best|needed|possible|expected)\b)|was|were|has|have)\b`,
    String.raw`\b(?:of|for|than|but|and|with|without|from|in|on|by|before|behind|besides?) what (?:stays|goes|comes|needs|counts|lies|stands|belongs|remains|passed)\b`,
    String.raw`\bwhat (?:is|are|was|were) (?:there|left(?! out)|new|gone|of|meant|said|given|asked|known|told)\b`,
  ]),
  rule("who", "name the person or the code: `the user`, `the caller`", [
    String.raw`\b(?:whoever|whomever|whosoever|nobody|somebody|no one(?! of))\b`,
    String.raw`^Who\b(?![^.!?]*\?)`,
  ]),
  rule("those", "repeat the noun: `the files that match`, `the error means that …`", [
    String.raw`^Those (?:that|who|which|of|with|in|from)\b`,
    String.raw`^All that\b(?! (?:remains|said)\b)`,
    String.raw`^That (?:the|a|an|it|no|they|there|nothing)\b(?![^.!?]*\?)`,
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
    String.raw`(?<!\b(?:spec|specification|standard|rfc|documentation|docs|posix|page|manual) )\bsays\b(?! (?:so|otherwise)\b)`,
    String.raw`\bsays? (?:which|why|what|whether|nothing|where|how)\b`,
    String.raw`\b(?:is|are|was|were|that|been|be) said\b(?! to\b|,)`,
    String.raw`\b(?:to|must|can|may|not) say\b(?! (?:that|the least)\b)`,
  ]),
  rule("asks", "queries, requests, reads", [
    String.raw`(?<!\b(?:user|users|person|people|someone) )\basks\b(?! (?:\S+ ){0,3}to\b)(?! (?:you|for (?:confirmation|permission|approval|changes|a review|help|a password)|(?:the |a |an )?(?:user|users|model|agent|person|people|reviewer)s?)\b)`,
    String.raw`\b(?:is|are|was|were|be|been) asked\b(?! to\b)`,
    String.raw`\basked (?:once|again|of|twice|only|first|before)\b`,
  ]),
  rule("looks", "checks, reads, searches", [
    String.raw`\blook(?:s|ed|ing)? (?:whether|into|around|behind)\b`,
    String.raw`\b(?:is|are|was|were|be|been) looked (?:at|for|into)\b`,
    String.raw`^Looks (?:at|whether|after|in)\b`,
  ]),
  rule("lies", "is in, is stored in", [
    String.raw`(?<!\b(?:problem|difference|reason|responsibility|answer|value) )\b(?:lies|lie|lay|lain|lying)\b(?! (?:ahead|around)\b)(?=[ .,;:)]|$)`,
  ]),
  rule("stands", "is, is written, stays valid", [
    String.raw`(?<!\bas (?:it|they|this) )\b(?:stands|stood|standing)\b(?! (?:for|out|alone|up|by|down|in for)\b)(?!-)`,
    String.raw`\b(?:that|which|can|may|must|not|to|they|and|still) stand\b(?! (?:for|out|alone|up|by|down|in for)\b)(?!-)`,
  ]),
  rule("where", "`if`: `undefined if there is no file`", [
    String.raw`\b(?:nothing|undefined|none|empty|null|false|true|zero|absent|anew)[,]? where\b`,
    String.raw`^Where (?!(?:possible|applicable|appropriate|necessary|supported|available|needed|to|the following)\b)[^,.;:?]{3,70}, (?!(?:and|or|with|in|as|by|relative|without|for|from|read|each|absolute|not|how|what)\b)`,
  ]),
  rule("absent", "`Defaults to x`, `undefined if x`", [
    String.raw`(?<!\b(?:is|are|be|was|were) )\b(?:absent|left out|unset|omitted)(?: or [a-z]+)?: `,
    "^(?:Absent|Empty|Missing|Unset|Left out|None|Nothing)[:,] ",
  ]),
  rule("goes-on", "resume, continue, run", [
    String.raw`\b(?:go|goes|going|gone|went) on\b(?! (?:the|a|an|top|its|their|separate|stdout|stderr|disk|to|for)\b| \x60)`,
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
    String.raw`(?<!\bthere )(?<!\bthere still )(?<!\bcan )\b(?:is|are|was|were|be) no (?!longer\b|more\b|less\b|different\b|better\b|worse\b|problem\b|exception\b|guarantee\b|such\b|good\b|use\b|need\b|point\b|way\b|reason\b|[a-z]+er than\b)[a-z]`,
    String.raw`\b(?:it|that|they|which|otherwise|and|or) (?:is|are|was|were) none(?=[.,;:)]|$)`,
    String.raw`^No (?:[a-z'-]+ ){1,3}(?:is|are|was|were) (?:a|an|the|in|of|to|for|begun|gone|taken|known|there|asked|told)\b`,
  ]),
  rule("nothing-of", "name what is absent", [String.raw`\bnothing of (?:it|its|the|a|an|this|that|what|which|them)\b`]),
  rule("a-step", "per step, for each step", [
    String.raw`(?<!\b(?:makes?|made|making|gives?|given|giving|calls?|called|considers?|once|for|in|if) )\b(?:one|two|three|a|an) (?:line|row|file|directory|process|event|entry|fsync|call|write|read|request|check run|check|comment|message|record|job|key|report|span|annotation|test|case|manifest|name|document|table|folder|object)s? an? (?:[a-z]+)(?=[ .,;:)]|$)(?! (?:line|file|row)s? (?:that|which))`,
    String.raw`\ba (?:line|row|file|directory|process|event|entry|call|request|record|character|byte|key|name|job) each\b`,
  ]),
  rule("of-which", "a new sentence, or `whose`", [
    String.raw`(?<!\b(?:any|neither|none|all|most|each|regardless|some|both|half|one|either) )\bof which (?=(?:is|are|was|were|a|an|the|no|not|nothing|none|some|only|each|all|more|it|they|its|their|every|this|that|one|two|\x60x\x60|[a-z]+s)\b|\x60)`,
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
  rule("goes", "is removed; conflict", [
    String.raw`(?<!\b(?:where|as) [^.;:]{0,30})\b(?:runs?|blobs?|workspaces?|logs?|rows|directory|directories|files?|journals?|that|they) (?:go|goes)(?=[.,;:)]|$| at once\b| afterwards\b| last\b| away\b)`,
    String.raw`\bgo(?:es)? together\b`,
  ]),
  rule("particles", "at least x ms; also; no longer", [
    String.raw`^So (?:long|many|much)\b(?! (?:as|that)\b)`,
    String.raw`\b(?:at least|after|for) so (?:long|many|much)\b`,
    String.raw`\bbesides(?=[.;:)]|$)`,
    String.raw`\b(?:is|are|was|were|a [a-z]+) no more(?=[.,;:)]|$)`,
  ]),
  rule("takes-away", "removes, deletes", [String.raw`\b(?:takes?|taking|took|taken) away\b`]),
];

/** Words of earlier designs in prose, where the glossary has another term for the same thing. */
export const retiredWords: readonly Rule[] = [
  rule(
    "fence",
    "sandbox",
    [
      String.raw`(?<!\b(?:code|json|markdown|closing|opening|longer|in) )\b(?:fenc(?:es?|ed|ing)|unfenced)\b(?! (?:code|block|json))(?!, tags)`,
    ],
    /markdown|code-block|printable|final-message|assemble-prompt|publishing\.md/,
  ),
  rule("gate", "contract", [
    String.raw`(?<!\b(?:ci|quality|merge|release|approval|required|logic) )\b(?:gates?|gated|gating)\b(?! the merge)`,
    String.raw`\b(?:judged again|re-judged|contracts (?:are|were|is) judged|judged by contracts?)\b`,
  ]),
  rule("undo", "roll back, rollback", [String.raw`\b(?:undo|undoes|undoing)\b`, String.raw`(?<!\bcannot be )\bundone\b`]),
  rule("memory", "run store, state, the journal", [
    String.raw`\b(?:wave|state|the database|a run|a job|past|run) (?:remembers?|memory)\b`,
    String.raw`\bmemory of (?:the )?runs\b|\bremembered, (?:and )?resumed\b|\bruns? (?:is|are) remembered\b`,
  ]),
  rule("room", "attempt directories", [
    String.raw`(?<!\b(?:make|makes|made|making|no|is|enough|more|some|much|leaves|leave) )\brooms?\b(?! (?:for|left|to)\b)`,
  ]),
  rule(
    "leaf",
    "entry, tree entry",
    [String.raw`\bleaf\b|\bset of leaves\b|^Puts leaves\b|\bleaves (?:by path|are laid)\b`],
    /markdown|manifest\/|\.md$/,
  ),
  rule("hollow", "empty output, empty", [String.raw`\bhollow(?:ness)?\b`]),
  rule("settle", "finish, resolve, end", [
    String.raw`\b(?:steps?|runs?|attempts?|layer) (?:is |are |was |were |has |have )?settl(?:es?|ed|ing)\b|^Settles?\b`,
  ]),
  rule("words", "arguments, argv, options", [
    String.raw`\b(?:further|command['’]s|git['’]s) words\b`,
    String.raw`\bwords (?:of (?:a|the|its|another) (?:program|command|filter|script|child)|that (?:start|confine|keep|print|bring|make a program))\b`,
  ]),
  rule("work", "result, cached result", [String.raw`\b(?:equal|equal,? passed|reused|earlier|stored) work\b(?! trees?)`]),
  rule("beginning", "start, base", [String.raw`\b(?:run['’]s beginning|beginning of (?:the|a|its) run)\b`]),
];

/** Names of earlier designs: parts of declared names and of file names. Names that are keys of journals and JSON output are not listed. */
export const retiredNames: readonly Rule[] = [
  nameRule("fence", "sandbox", /^fences?(?![a-z])|Fences?(?![a-z])|^fenced(?![a-z])|Fenced(?![a-z])/, /markdown|code-block|final-message/),
  nameRule("gate", "contract", /^gates(?![a-z])|^gate[A-Z]|Gates?(?![a-z])|^gated(?![a-z])|Gated(?![a-z])/),
  nameRule("undo", "rollback", /^undo(?:ing)?(?![a-z])|Undo(?:ing|ne)?(?![a-z])/),
  nameRule("hollow", "empty output, empty tree", /[hH]ollow/),
  nameRule("room", "attempt directories", /^(?:rooms|AttemptRoom|roomAt|makeRoom|hasRoom|Room)$/),
  nameRule("leaf", "tree entry", /^leaf|Leaf|^Leaves|putLeaves/, /markdown|print-config/),
  nameRule("run store", "RunStore, openStore", /^(?:Memory|PastMemory|openMemory|openPast|openProjectPast|memoryAt)$/),
  nameRule("blob store", "BlobStore", /^[aA]rtifactStore$/),
  nameRule("settle", "name the result", /^settle(?:Run|Step|Attempt|Changes|State|Snapshot)/),
  nameRule("way to", "changesetTo, diffAgainst", /^(?:wayTo|WayRequest|wayToStart|wayToRecording)$/),
  nameRule("since begin", "drift", /^(?:sinceBegin|SinceBegin|leftItself|foreignOver)$/),
  nameRule("holds", "projectUnchanged, isReusable", /^(?:stillHolds|changesStand|stands|builtOnHolds)$/),
  nameRule("part of run", "selectSteps, selectedSteps", /^(?:partOfRun|keepSteps|changesWithout)$/),
  nameRule("adopt", "import", /^[aA]dopt(?:ed)?(?=[A-Z]|$)/),
  nameRule("bring", "fetchBlob, RemoteRun", /^(?:bring|BringBlob|withElsewhere|Elsewhere)$/),
  nameRule("remains", "leftovers", /^(?:Remains|listRemains|sizeBelow|tidily)$/),
  nameRule("post", "savePostState", /^(?:noteForPost|Noted)$/),
  nameRule("words", "args, flags, argv", /^(?:execution|run|claude|drop|namespace|keyring)Words$/),
  nameRule("agent stream", "fatalError, exitReport, StreamState, consume", /^(?:hopeless|afterword|hearAfterword|Heard)$/),
  nameRule("step", "decideStep, startAttempt, checkReuse", /^(?:Beginning|openStep|beginAsked)$/),
  nameRule("work", "CachedResult, findCachedResult", /^(?:StoredWork|FoundWork|PassedWork|WorkMatch|matchWork)$/),
  nameRule("run state", "failedSteps, budgetFailure, pending, onIdle", /^(?:faults|exhausted|underWay|atEnd)$/),
  nameRule("announce", "onProgress, appendAndNotify", /^announce$/),
  nameRule("told", "name the value: notice, outcome, message", /^(?:ResumeNews|[tT]old|tell|said|heard|hear|looked|handedTo)$/),
  nameRule("look", "inspect, lstat, scan, poll", /^(?:lookAt|lookAgainMs|adapterHere)$/),
  nameRule("built on", "UpstreamChanges", /^(?:BuiltOn|BuiltOnChanges|digestOfBuiltOn|builtOnOf)$/),
  nameRule("making", "Production, producersOf", /^(?:Making|[mM]akers|makersOf|makerOf)$/),
  nameRule("go on", "continueRun, skip", /^(?:goOn|isLeftOut|leaveOut|Scene|wholly|giveBack|keepForPeople|strayParent|likeIt|Widened)$/),
  nameRule("patience", "name the timeout: lockTimeoutMs", /^patienceMs$/),
];

function nameRule(name: string, instead: string, pattern: RegExp, except?: RegExp): Rule {
  return { name, instead, patterns: [pattern], ...(except === undefined ? {} : { except }) };
}

/** A pattern with `^` keeps its case: a sentence starts with a capital. */
function rule(name: string, instead: string, sources: readonly string[], except?: RegExp): Rule {
  const patterns = sources.map((text) => {
    const source = text.replace(/^\^/, sentenceStart).replaceAll("|^", `|${sentenceStart}`).replaceAll(" ", String.raw`\s+`);
    return new RegExp(source, text.startsWith("^") || text.includes("|^") ? "g" : "gi");
  });
  return { name, instead, patterns, ...(except === undefined ? {} : { except }) };
}
