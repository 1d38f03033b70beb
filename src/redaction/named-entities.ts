/**
 * Names of characters in HTML (html.spec.whatwg.org, named character references): ASCII punctuation and Latin-1, which is all that
 * escapers use. Pure data.
 */

const punctuation =
  "Tab9 NewLine10 excl33 quot34 QUOT34 num35 dollar36 percnt37 amp38 AMP38 apos39 lpar40 rpar41 ast42 midast42 plus43 comma44 period46 sol47 " +
  "colon58 semi59 lt60 LT60 equals61 gt62 GT62 quest63 commat64 lsqb91 lbrack91 bsol92 rsqb93 rbrack93 Hat94 lowbar95 UnderBar95 grave96 " +
  "lcub123 lbrace123 verbar124 vert124 VerticalLine124 rcub125 rbrace125";

/** In order, from U+00A0. */
const latin1 =
  "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para middot cedil " +
  "sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute " +
  "Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc " +
  "atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide " +
  "oslash ugrave uacute ucirc uuml yacute thorn yuml";

/** Name → code point. */
export const namedEntities: ReadonlyMap<string, number> = new Map([
  ...punctuation.split(" ").map((entry) => [entry.replace(/[0-9]+$/, ""), Number(/[0-9]+$/.exec(entry)?.[0])] as const),
  ...latin1.split(" ").map((name, at) => [name, 0xa0 + at] as const),
]);
