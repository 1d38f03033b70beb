/** Finds parameters whose types have more than 10 members. */
import { parseAst } from "rolldown/parseAst";
import { type SyntaxNode, walk } from "./syntax-tree.ts";

interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/**
 * Types of parameters that may have more than 10 members: records that are read, stored, sent or shown as a whole. What a function needs
 * to do its work is grouped by role instead.
 */
const records: ReadonlySet<string> = new Set(
  [
    // Steps and contracts of a manifest, and the shapes that manifests are checked against.
    "Step TestSuiteContract Shape",
    // The records of state, and the views that are folded from events.
    "RunSummary RunRecord RunDraft StepRecord AttemptRecord StepView KnownStep Production TraceAttempt TraceStep",
    // What a job reads from its environment, and what a probe of the machine finds.
    "JobInputs WorkflowContext Isolation",
  ].flatMap((names) => names.split(" ")),
);

/** The parameters whose type has more than 10 members that are not all methods, such as those of a port. Each type once. */
export function largeParameters(among: readonly SourceFile[]): string[] {
  const found = new Map<string, string>();
  const types: Types = new Map();
  const programs = among.map(({ path: file, text }) => ({
    file,
    text,
    program: parseAst(text, { lang: "ts", sourceType: "module" }, file),
  }));
  for (const { file, program } of programs) {
    walk(program, (node) => {
      if (node.type !== "TSInterfaceDeclaration" && node.type !== "TSTypeAliasDeclaration") return;
      const { name } = node.id as Named;
      types.set(`${file} ${name}`, { node, file });
      types.set(name, { node, file });
    });
  }
  for (const { file, text, program } of programs) {
    walk(program, (node) => {
      if (!/Function|MethodSignature|CallSignature|ConstructSignature/.test(node.type)) return;
      for (const parameter of (node.params ?? []) as readonly SyntaxNode[]) {
        const bound = (parameter.left ?? parameter.parameter ?? parameter) as SyntaxNode;
        const type = (bound.typeAnnotation as SyntaxNode | undefined)?.typeAnnotation as SyntaxNode | undefined;
        const members = membersOf({ node: type, file }, types);
        const name = type === undefined ? "" : text.slice(Number(type.start), Number(type.end)).replace(/\s+/g, " ").slice(0, 80);
        if (members.size > 10 && [...members.values()].includes("value")) found.set(name, `${name} (${members.size}), in ${file}`);
      }
    });
  }
  return [...found.values()].sort();
}

interface Named {
  readonly name: string;
}

type Members = Map<string, "value" | "method">;

interface Typed {
  readonly node: SyntaxNode | undefined;
  readonly file: string;
}

/** By `file name`, and by name alone for types that another file declares. */
type Types = Map<string, Typed>;

/** The members of a type: of literals, named types of ours with their parents, intersections, and `Pick`, `Omit` and their like. */
function membersOf({ node: type, file }: Typed, types: Types): Members {
  const of = (inner: unknown) => membersOf({ node: inner as SyntaxNode | undefined, file }, types);
  const all = (inner: unknown) => new Map((inner as readonly SyntaxNode[]).flatMap((one) => [...of(one)]));
  switch (type?.type) {
    case "TSTypeLiteral":
      return new Map((type.members as readonly SyntaxNode[]).flatMap(memberOf));
    case "TSInterfaceDeclaration":
      return new Map([...all(type.extends ?? []), ...((type.body as SyntaxNode).body as readonly SyntaxNode[]).flatMap(memberOf)]);
    case "TSTypeAliasDeclaration":
      return of(type.typeAnnotation);
    case "TSIntersectionType":
      return all(type.types);
    case "TSUnionType": {
      const sizes = (type.types as readonly SyntaxNode[]).map(of).sort((a, b) => b.size - a.size);
      return sizes[0] ?? new Map();
    }
    case "TSTypeReference":
    case "TSInterfaceHeritage": {
      const { name } = (type.typeName ?? type.expression) as Named;
      const [first, second] = ((type.typeArguments as SyntaxNode | null)?.params ?? []) as readonly SyntaxNode[];
      const keys = new Set<unknown>();
      walk(second, (node) => {
        if (node.type === "Literal") keys.add(node.value);
      });
      if (name === "Pick") return new Map([...of(first)].filter(([key]) => keys.has(key)));
      if (name === "Omit") return new Map([...of(first)].filter(([key]) => !keys.has(key)));
      if (["Readonly", "Partial", "Required"].includes(name)) return of(first);
      const declared = types.get(`${file} ${name}`) ?? types.get(name);
      return records.has(name) || declared === undefined ? new Map() : membersOf(declared, types);
    }
    default:
      return new Map();
  }
}

function memberOf(member: SyntaxNode): [string, "value" | "method"][] {
  const { name, value } = (member.key ?? {}) as { readonly name?: string; readonly value?: string };
  const type = (member.typeAnnotation as SyntaxNode | undefined)?.typeAnnotation as SyntaxNode | undefined;
  const isMethod = member.type === "TSMethodSignature" || type?.type === "TSFunctionType";
  return [[name ?? value ?? "", isMethod ? "method" : "value"]];
}
