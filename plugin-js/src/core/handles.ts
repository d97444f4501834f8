import type { PrincipalHandle } from './types';

/** Above the core's own 32 bits stands the number of the instance that gave the handle */
const SPAN = 2 ** 32;

/** A number of the core as a handle. An instance starts counting anew: alone, its numbers would name others in the next */
export function handleOf(instance: number, number: number): PrincipalHandle {
  return (instance * SPAN + number) as PrincipalHandle;
}

/** Whether a handle was given by this instance; passed on to the core, its upper part is dropped (ECMAScript ToInt32) */
export function isOf(instance: number, handle: PrincipalHandle): boolean {
  return Math.floor(handle / SPAN) === instance;
}

/** Bit 30 tells signed-in principals from callers by token (`src/identity/table.rs`) */
const SESSION = 0x4000_0000;

/** Whether a handle names a signed-in principal */
export function isSession(handle: PrincipalHandle): boolean {
  return (handle & SESSION) !== 0;
}
