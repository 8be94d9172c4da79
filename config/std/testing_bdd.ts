/**
 * `@std/testing/bdd` on a machine that cannot reach JSR: the part of its interface this project uses, over `node:test`.
 * @module
 */
import * as node from "node:test";

export { after as afterAll, afterEach, before as beforeAll, beforeEach } from "node:test";

/** The options of {@link it} and {@link describe}; the same name as in `@std/testing/bdd`. */
export interface TestOptions {
  /** Reported as ignored, and not run. */
  readonly ignore?: boolean;
}

type Body = () => void | Promise<void>;

interface Register {
  (name: string, fn: Body): void;
  (name: string, options: TestOptions, fn: Body): void;
  /** Registers what is not run. */
  skip(name: string, fn: Body): void;
}

function registering(register: typeof node.it | typeof node.describe): Register {
  const add = (name: string, options: TestOptions | Body, fn?: Body): void => {
    const body = typeof options === "function" ? options : fn!;
    const ignore = typeof options === "function" ? false : options.ignore === true;
    void register(name, { skip: ignore }, () => body());
  };
  return Object.assign(add, { skip: (name: string, fn: Body) => add(name, { ignore: true }, fn) });
}

/** A group of tests. */
export const describe: Register = registering(node.describe);

/** One test. */
export const it: Register = registering(node.it);
