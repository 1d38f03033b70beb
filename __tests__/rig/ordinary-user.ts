/** Runs part of a test without the rights of root. */

const nobody = 65_534;

/** Does the work as the user `nobody`. Only this process's own calls lose their rights; the test must run as root. */
export async function asOrdinaryUser<T>(work: () => Promise<T>): Promise<T> {
  process.seteuid?.(nobody);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}
