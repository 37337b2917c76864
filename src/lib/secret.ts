import { inspect } from 'node:util'

/**
 * A value that must not reach a log, an error, a page or JSON by accident.
 * `reveal()` is the only way out; every other conversion gives `[secret]`.
 */
export class Secret<T> {
  readonly #value: T

  constructor(value: T) {
    this.#value = value
  }

  reveal(): T {
    return this.#value
  }

  /** A secret made of this one. */
  map<U>(change: (value: T) => U): Secret<U> {
    return new Secret(change(this.#value))
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [inspect.custom](): string {
    return '[secret]'
  }
}
