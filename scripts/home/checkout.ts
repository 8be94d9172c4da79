/**
 * Where this project's files lie: the checkout, or the folder of its bundles, which has the same shape.
 * @module
 */
import { dirname, fromFileUrl } from "@std/path";

const here = fromFileUrl(import.meta.url);

/** Whether this runs as part of a bundle, which is JavaScript. */
export const isBundle = here.endsWith(".js");

/** The checkout this script belongs to; of a bundle, OUT/scripts/NAME.js, the folder of all of them. */
export const checkout = dirname(dirname(isBundle ? here : dirname(here)));
