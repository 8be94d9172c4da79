/**
 * `@std/testing/bdd` on a machine that cannot reach JSR: the same names from `node:test`.
 * @module
 */
export { after as afterAll, afterEach, before as beforeAll, beforeEach, describe, it } from "node:test";
