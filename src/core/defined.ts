/** Omits undefined members of object literals, for `exactOptionalPropertyTypes`. Pure. */

/** `T` with each member that may be undefined made optional. */
type Defined<T> = { readonly [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  readonly [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** The members that are not undefined, to spread into an object literal: `{ name, ...defined({ version }) }`. */
export function defined<const T extends object>(members: T): Defined<T> {
  const kept: Partial<T> = {};
  for (const key in members) if (members[key] !== undefined) kept[key] = members[key];
  return kept as unknown as Defined<T>;
}
