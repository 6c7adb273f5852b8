/**
 * A list of at least one: an array or a tuple, of a length that is known or not. The literal `[]`
 * is none, whose items are `never`: nothing but `never` is what `any` cannot be handed as.
 */
// biome-ignore lint/suspicious/noExplicitAny: see above.
export type NonEmpty<T> = readonly T[] & { readonly includes: (item: any) => boolean };
