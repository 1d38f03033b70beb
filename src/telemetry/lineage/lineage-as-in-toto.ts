/**
 * Writes the provenance of an artifact as an in-toto Statement v1 (https://in-toto.io/Statement/v1) with the predicate of SLSA provenance v1
 * (https://slsa.dev/provenance/v1). Not signed: it proves no more than the store does. Pure.
 */
import { defined } from "../../core/defined.ts";
import type { Digest } from "../../core/digest.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { Lineage, LineageNode, Production } from "./lineage.ts";

/** in-toto's ResourceDescriptor. */
interface Resource {
  readonly name: string;
  readonly digest: Readonly<Record<string, string>>;
  readonly mediaType?: string;
  readonly annotations?: Readonly<Record<string, unknown>>;
}

export interface Statement {
  readonly _type: "https://in-toto.io/Statement/v1";
  readonly subject: readonly Resource[];
  readonly predicateType: "https://slsa.dev/provenance/v1";
  readonly predicate: {
    readonly buildDefinition: {
      readonly buildType: string;
      readonly externalParameters: Readonly<Record<string, unknown>>;
      readonly internalParameters: Readonly<Record<string, unknown>>;
      readonly resolvedDependencies: readonly Resource[];
    };
    readonly runDetails: {
      readonly builder: { readonly id: string; readonly version?: Readonly<Record<string, string>> };
      readonly metadata: { readonly invocationId: string; readonly startedOn: string; readonly finishedOn?: string };
      readonly byproducts?: readonly Resource[];
    };
  };
}

/** Package URLs identify the builder without a lookup. */
const builderId = "pkg:npm/%40wave/run";
const buildType = `${builderId}#docs/trace.md`;

/** The statement. Fails with `usage` if the producing attempt is no longer known. */
export function lineageAsInToto({ root, nodes }: Lineage): Result<Statement> {
  const node = nodes.find(({ id }) => id === root);
  const made = node?.made;
  if (node === undefined || made === undefined)
    return err({
      reason: "usage",
      message: `the attempt that produced the artifact is no longer known: ${node?.gap ?? "the artifact is missing"}`,
    });
  return ok({
    _type: "https://in-toto.io/Statement/v1",
    subject: [resource(node.artifact.name, node.artifact.digest, node.artifact.mediaType)],
    predicateType: "https://slsa.dev/provenance/v1",
    predicate: {
      buildDefinition: {
        buildType,
        externalParameters: externalOf(made),
        internalParameters: internalOf(made),
        resolvedDependencies: dependenciesOf(made, nodes),
      },
      runDetails: runDetailsOf(made),
    },
  });
}

/** Parameters that the start of the run set. */
function externalOf({ pipeline, version, step, options }: Production): Record<string, unknown> {
  const { files, environment, adapter, input } = options;
  return present({ pipeline, version, step, files, environment, adapter, input });
}

/** Parameters that the manifest set. */
function internalOf({ persona, adapter, model, workspace, attempt, fingerprint, contracts }: Production): Record<string, unknown> {
  const { work, gate } = fingerprint;
  return present({ persona, adapter, model, workspace, attempt, fingerprint: { work, gate }, contracts });
}

function dependenciesOf({ base, manifest, options, inputs, builtOn }: Production, nodes: readonly LineageNode[]): Resource[] {
  const artifacts = new Map(nodes.map(({ id, artifact }) => [id, artifact]));
  return [
    ...(base.head === undefined ? [] : [{ name: "commit", digest: { gitCommit: base.head } }]),
    // A tree digest is not the SHA-256 of a file, so it has its own name.
    { name: "tree", digest: { waveTree: hexOf(base.tree) }, annotations: { kind: base.kind } },
    resource("manifest", manifest),
    ...(options.input === undefined ? [] : [resource("run input", options.input)]),
    ...inputs.map(({ name, digest, from, node }) => ({
      ...resource(name, digest, artifacts.get(node)?.mediaType),
      annotations: { kind: "input", step: from },
    })),
    ...builtOn.map(({ step, changes }) => ({
      ...resource(`changes of ${step}`, changes.digest),
      annotations: { kind: "changeset", step },
    })),
  ];
}

function runDetailsOf({ run, step, attempt, startedAt, finishedAt, process, log }: Production): Statement["predicate"]["runDetails"] {
  const version = process === undefined ? {} : { version: { wave: process.wave, node: process.node, platform: process.platform } };
  return {
    builder: { id: builderId, ...version },
    metadata: {
      invocationId: `${run}/${step}/${attempt}`,
      startedOn: startedAt,
      ...defined({ finishedOn: finishedAt }),
    },
    ...(log === undefined ? {} : { byproducts: [resource("log", log)] }),
  };
}

function resource(name: string, digest: Digest, mediaType?: string): Resource {
  return { name, digest: { sha256: hexOf(digest) }, ...defined({ mediaType }) };
}

function hexOf(digest: Digest): string {
  return digest.slice("sha256:".length);
}

function present(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
