/** The backend that flags ask for. */
import type { WasmOptions } from "../core/backend/wasm/backend.ts";
import { type Chooser, exact } from "../core/backend/wasm/lower/method.ts";
import { switchFlag, whole } from "./arguments.ts";

export const exactFlag = switchFlag("no Winograd convolutions: less rounding, slower");

export const threadFlags = {
  threads: whole("worker threads; one a core", { min: 1, max: 256 }),
  workers: whole("threads that decode images; a quarter of the cores", { min: 1, max: 64 }),
};

/** Options for `createWasmBackend`; convolutions by `method` unless they are to be exact. */
export function backendOptions(
  given: { readonly threads?: number; readonly exact?: boolean },
  method?: Chooser,
): WasmOptions {
  const chooser = given.exact ? exact : method;
  return {
    ...(given.threads === undefined ? {} : { threads: given.threads }),
    ...(chooser ? { method: chooser } : {}),
  };
}
