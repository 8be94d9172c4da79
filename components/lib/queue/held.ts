/**
 * How a message that an operator holds is known on the disk.
 * @module
 */

/** 2100-01-01T00:00:00Z, a time no schedule reaches: a message due then or later is held by the operator. */
export const heldSeconds = 4_102_444_800;
