declare const brand: unique symbol

/** A string or number that only its own file can mint, by `parse` or `new`. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name }
