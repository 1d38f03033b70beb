/** Reads a step's contracts: artifact, name and rules on failure. `contract-checks.ts` checks later whether they can be evaluated. */
import { defined } from "../../core/defined.ts";
import type { DocumentNode, Origin } from "../../core/document.ts";
import type { ContractDefinition, StepArtifact } from "../../core/pipeline.ts";
import { defaultSchema, staysInside } from "../../core/project-path.ts";
import { impliedName, readArtifacts } from "./artifacts.ts";
import { breakerOf } from "./circuit-breaker.ts";
import { type ContractRules, readRules, reportIdleKeys } from "./contract-rules.ts";
import { checkEither } from "./exclusive-keys.ts";
import { type Findings, quotedList } from "./findings.ts";
import { asCommand, asLocated, asText, items, member, textItems } from "./read-node.ts";
import { requireText, type Scope } from "./scope.ts";

const defaultHint = "this is the default without `schema`; create the file, or set `schema: FILE`";

/** The artifacts and contracts of a step. */
export interface ReadHandover {
  readonly artifacts: readonly StepArtifact[];
  readonly contracts: readonly ContractDefinition[];
}

/** Reads `artifacts` and `handover` of a step; `defaults` are the rules of `defaults.contract`. */
export function readHandover(step: DocumentNode, defaults: ContractRules, scope: Scope): ReadHandover {
  const declared = readArtifacts(step, scope.findings);
  const handover = member(step, "handover");
  if (handover === undefined) return { artifacts: declared, contracts: [] };
  checkEither(handover, "contract", "contracts", scope.findings);
  const single = member(handover, "contract");
  const nodes = [...(single === undefined ? [] : [single]), ...items(member(handover, "contracts"))];
  const artifacts = declared.length > 0 ? declared : impliedBy(nodes);
  const contracts = nodes.flatMap((node) => readContract(node, artifacts, defaults, scope) ?? []);
  return { artifacts, contracts: named(contracts, scope.findings) };
}

type Unnamed = ContractDefinition & { readonly nameOrigin?: Origin };

function readContract(node: DocumentNode, artifacts: readonly StepArtifact[], defaults: ContractRules, scope: Scope): Unnamed | undefined {
  const stated = readRules(node, defaults, scope.findings);
  const { timeoutMs, breaker, ...rules } = stated;
  reportIdleKeys(node, stated, scope.findings);
  const name = asLocated(member(node, "name"));
  const common = {
    name: name?.text ?? "",
    ...defined({ nameOrigin: name?.origin }),
    origin: node.origin,
    ...rules,
    ...defined({ breaker: breakerOf(breaker) }),
  };
  switch (asText(member(node, "type"))) {
    case "json_schema": {
      const written = asLocated(member(node, "schema"));
      if (written === undefined && artifacts.length === 0) return reportNoSchema(node, scope.findings);
      const artifact = judgedArtifact(node, artifacts, scope.findings);
      if (written === undefined && artifact === undefined) return undefined;
      const schema = written ?? { text: defaultSchema(artifact ?? ""), origin: node.origin };
      const file = requireText(scope, schema.text, "the schema", schema.origin, written === undefined ? defaultHint : undefined);
      return artifact === undefined ? undefined : { ...common, type: "json_schema", schema: file?.path ?? schema.text, artifact };
    }
    case "test_suite": {
      const command = asCommand(member(node, "command"));
      return command === undefined || command === ""
        ? undefined
        : {
            ...common,
            type: "test_suite",
            command,
            timeoutMs,
            network: listIn(node, "network"),
            protect: readProtected(node, scope.findings),
          };
    }
    default:
      return undefined;
  }
}

function listIn(node: DocumentNode, key: string): string[] {
  return textItems(member(node, key)).map(({ text }) => text);
}

function readProtected(node: DocumentNode, findings: Findings): string[] {
  for (const { text, origin } of textItems(member(node, "protect"))) {
    if (!staysInside(text)) findings.error("W304", `\`${text}\` is outside the project`, origin);
  }
  return listIn(node, "protect");
}

function reportNoSchema(node: DocumentNode, findings: Findings): undefined {
  findings.error("W309", "the contract has neither `schema` nor `artifact`, and the step declares no artifact", node.origin, {
    hint: "add `schema: FILE`, or declare the artifact in `artifacts`",
  });
}

/** If a step declares no artifacts, each `json_schema` contract without `artifact` implies one. */
function impliedBy(contracts: readonly DocumentNode[]): StepArtifact[] {
  const names = contracts.flatMap((node) => {
    const schema = asText(member(node, "schema"));
    if (asText(member(node, "type")) !== "json_schema" || schema === undefined || member(node, "artifact") !== undefined) return [];
    return impliedName(schema) ?? [];
  });
  return [...new Set(names)].map((name) => ({ name, optional: false, mediaType: "application/json", implied: true }));
}

function judgedArtifact(node: DocumentNode, artifacts: readonly StepArtifact[], findings: Findings): string | undefined {
  const names = artifacts.map((artifact) => artifact.name);
  const stated = asLocated(member(node, "artifact"));
  if (stated !== undefined) {
    if (names.includes(stated.text)) return stated.text;
    const hint = names.length === 0 ? `add \`artifacts: [${stated.text}]\` to the step` : `the step declares ${quotedList(names)}`;
    findings.error("W309", `the step declares no artifact \`${stated.text}\``, stated.origin, findings.guess(stated.text, names, hint));
    return undefined;
  }
  const schema = asText(member(node, "schema")) ?? "";
  if (schema === "" && names.length === 1) return names[0];
  const implied = impliedName(schema);
  if (artifacts.length === 0 || artifacts.some((artifact) => artifact.implied)) {
    if (implied === undefined)
      findings.error("W309", `no artifact name can be derived from \`${schema}\``, node.origin, {
        hint: "declare the step's artifact in `artifacts`",
      });
    return implied;
  }
  if (names.length === 1) return names[0];
  findings.error("W309", `the contract does not name an artifact, and the step declares several: ${quotedList(names)}`, node.origin, {
    hint: "add `artifact: NAME`",
  });
  return undefined;
}

/** Assigns every contract a unique name in its step. Reports duplicates of written names. */
function named(contracts: readonly Unnamed[], findings: Findings): ContractDefinition[] {
  const taken = new Map<string, Origin>();
  for (const { name, nameOrigin } of contracts) {
    if (nameOrigin === undefined) continue;
    const before = taken.get(name);
    if (before === undefined) taken.set(name, nameOrigin);
    else
      findings.error("W312", `the step has two contracts named \`${name}\``, nameOrigin, {
        related: [{ message: "the first one", origin: before }],
      });
  }
  return contracts.map(({ nameOrigin, ...contract }) => {
    if (nameOrigin !== undefined) return contract;
    const base = contract.type === "json_schema" ? `json_schema:${contract.artifact}` : contract.type;
    let name = base;
    for (let count = 2; taken.has(name); count++) name = `${base}#${count}`;
    taken.set(name, contract.origin);
    return { ...contract, name };
  });
}
